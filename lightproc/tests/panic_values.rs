//! A panic as a value: its payload, its message, and the place where it happened, wherever it goes.
#![cfg(not(loom))]

use lightproc::{LightProc, Location, Outcome, Panic, ProcHandle, RecoverableHandle};
use std::cell::Cell;
use std::error::Error;
use std::panic::{RefUnwindSafe, UnwindSafe, panic_any, resume_unwind};
use std::rc::Rc;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static HOOK_CALLS: AtomicUsize = AtomicUsize::new(0);

/// The program's own hook, which was there first.
fn hooked() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|_| {
            HOOK_CALLS.fetch_add(1, Relaxed);
        }));
        Panic::locate();
    });
}

fn panic_of<T>(future: impl Future<Output = T> + Send + 'static) -> Panic
where
    T: Send + std::fmt::Debug + 'static,
{
    hooked();
    let (process, mut handle) = LightProc::recoverable(future, LightProc::run, ());
    process.run();
    match futures_lite::future::block_on(handle.outcome()) {
        Outcome::Panicked(panic) => panic,
        other => unreachable!("{other:?}"),
    }
}

fn place(panic: &Panic) -> (&str, u32) {
    let location: &Location = panic.location().expect("the hook has seen it");
    (location.file(), location.line())
}

#[test]
fn a_text_is_the_message_and_the_place_is_known() {
    let line = line!() + 1;
    let panic = panic_of(async { panic!("number {}", 7) });
    assert_eq!(panic.message(), Some("number 7"));
    assert_eq!(place(&panic), (file!(), line));
    let column = panic.location().unwrap().column();
    assert_eq!(panic.to_string(), format!("number 7 at {}:{line}:{column}", file!()));
    assert!(HOOK_CALLS.load(Relaxed) > 0, "the program's own hook is still called");
}

#[test]
fn a_value_is_the_payload() {
    let panic = panic_of(async { panic_any(7_u64) });
    assert_eq!(panic.message(), None);
    assert!(panic.to_string().starts_with("panicked with a payload that is not text at "));
    assert_eq!(*panic.into_payload().downcast::<u64>().unwrap(), 7);
}

#[test]
fn a_panic_that_goes_on_keeps_its_place() {
    hooked();
    let line = line!() + 1;
    let inner = async { panic!("below") };
    let outer = async {
        let (process, handle) = LightProc::build(inner, LightProc::run, ());
        process.run();
        // Another one in between, which is caught.
        assert!(Panic::catch(|| panic!("aside")).is_err());
        handle.await
    };
    let panic = panic_of::<Option<()>>(outer);
    assert_eq!((panic.message(), place(&panic)), (Some("below"), (file!(), line)));
}

/// Panics when it is dropped, and catches that itself; or has a process do so.
struct Nested {
    in_a_process: bool,
}

impl Drop for Nested {
    fn drop(&mut self) {
        if self.in_a_process {
            LightProc::detached(async { panic!("below") }, |_| {}, ()).run();
        } else {
            assert!(std::panic::catch_unwind(|| panic!("aside")).is_err());
        }
    }
}

#[test]
fn a_panic_that_meets_another_while_it_unwinds_keeps_its_place() {
    for in_a_process in [false, true] {
        let line = line!() + 3;
        let panic = panic_of(async move {
            let _nested = Nested { in_a_process };
            panic!("above");
        });
        assert_eq!((panic.message(), place(&panic)), (Some("above"), (file!(), line)));
    }
}

#[test]
fn the_place_of_a_panic_that_somebody_else_has_caught_is_nobody_elses() {
    hooked();
    for _ in 0..10 {
        assert!(std::panic::catch_unwind(|| panic!("caught")).is_err());
    }
    let resumed = Panic::catch(|| resume_unwind(Box::new("resumed"))).unwrap_err();
    assert_eq!(resumed.location(), None);
    let line = line!() + 1;
    let value = panic_of(async { panic_any([1_u8; 3]) });
    assert_eq!(place(&value), (file!(), line));
}

#[test]
fn a_payload_that_comes_without_a_hook_has_no_place() {
    hooked();
    let carried = Panic::catch(|| resume_unwind(Box::new("carried"))).unwrap_err();
    assert_eq!((carried.message(), carried.location()), (Some("carried"), None));
}

#[test]
fn dropping_a_panic_does_not_panic() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic_any(Bomb);
        }
    }
    drop(panic_of(async { panic_any(Bomb) }));
}

/// Does not compile when the type has the trait: then there are two candidates for what `_` is.
macro_rules! lacks {
    ($type:ty: $trait:ident) => {{
        trait Candidate<A> {
            fn candidate() {}
        }
        impl<T> Candidate<()> for T {}
        impl<T: $trait> Candidate<u8> for T {}
        <$type as Candidate<_>>::candidate();
    }};
}

#[test]
fn types_are_send_and_sync_exactly_where_their_output_allows() {
    fn has_both<T: Send + Sync>() {}
    fn is_error<E: Error + Send + Sync + 'static>() {}
    has_both::<LightProc>();
    has_both::<ProcHandle<Cell<u8>>>();
    has_both::<RecoverableHandle<Cell<u8>>>();
    is_error::<Panic>();
    fn survives<T: UnwindSafe + RefUnwindSafe>() {}
    survives::<LightProc>();
    survives::<ProcHandle<Cell<u8>>>();
    survives::<RecoverableHandle<&mut u8>>();
    lacks!(ProcHandle<Rc<u8>>: Send);
    lacks!(ProcHandle<Rc<u8>>: Sync);
    lacks!(RecoverableHandle<Rc<u8>>: Send);
    lacks!(RecoverableHandle<Rc<u8>>: Sync);
    lacks!(Outcome<Cell<u8>>: Sync);
}
