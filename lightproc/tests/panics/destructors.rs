//! Who frees a process, with data or a schedule function whose destructor panics, and when the function is dropped.

use crate::alloc::Heap;
use lightproc::{Hooks, LightProc, Outcome, ProcHandle};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// Counts its drop, then panics if it should. Without the panic hook, which would only make noise.
struct Fragile {
    dropped: Arc<AtomicUsize>,
    panics: bool,
}

impl Drop for Fragile {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, SeqCst);
        if self.panics {
            resume_unwind(Box::new("a destructor"));
        }
    }
}

struct Data {
    _fragile: Fragile,
}

impl Hooks for Data {}

/// Ready when it is polled for the second time; keeps its waker outside.
struct Twice {
    polled: bool,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl Future for Twice {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.polled, true) {
            return Poll::Ready(());
        }
        *self.waker.lock().unwrap() = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Who holds the process last, and so frees it.
#[derive(Clone, Copy, Debug)]
enum Last {
    Runner,
    ScheduleCall,
    Handle,
    Waker,
    WakeByValue,
    Unrun,
}

/// Whose destructor panics.
#[derive(Clone, Copy, Debug)]
enum Panics {
    Data,
    Schedule,
}

/// Brings the process to its end; the free is the last thing that happens.
fn end(last: Last, process: LightProc, handle: ProcHandle<()>, waker: &Mutex<Option<Waker>>) {
    let take = || waker.lock().unwrap().take().unwrap();
    match last {
        Last::Unrun => {
            drop(handle);
            drop(process);
        }
        Last::Runner => {
            drop(handle);
            process.run();
        }
        Last::ScheduleCall => {
            drop(handle);
            process.run();
            take().wake();
        }
        Last::Handle => {
            process.run();
            take().wake();
            drop(handle);
        }
        Last::Waker => {
            process.run();
            let waker = take();
            waker.wake_by_ref();
            drop(handle);
            drop(waker);
        }
        Last::WakeByValue => {
            process.run();
            let waker = take();
            waker.wake_by_ref();
            drop(handle);
            waker.wake();
        }
    }
}

fn check(last: Last, panics: Panics) {
    let case = format!("{last:?} x {panics:?}");
    let dropped: [Arc<AtomicUsize>; 2] = Default::default();
    let [of_data, of_schedule] = [Panics::Data, Panics::Schedule].map(|part| Fragile {
        dropped: dropped[part as usize].clone(),
        panics: part as usize == panics as usize,
    });
    let waker = Arc::new(Mutex::new(None));
    // The runner is the last one when no waker was ever made.
    let future = Twice { polled: matches!(last, Last::Runner), waker: waker.clone() };
    // The process is run where it becomes due: whoever wakes it is its runner.
    let schedule = move |process: LightProc| {
        let _captured = &of_schedule;
        process.run();
    };
    let (process, handle) = LightProc::build(future, schedule, Data { _fragile: of_data });
    let unwound = catch_unwind(AssertUnwindSafe(|| end(last, process, handle, &waker))).is_err();
    assert!(!unwound, "{case}: the panic was let loose");
    assert_eq!(dropped[0].load(SeqCst), 1, "{case}: the data are dropped");
    assert_eq!(dropped[1].load(SeqCst), 1, "{case}: the schedule function is dropped");
}

#[test]
fn a_panicking_destructor_never_unwinds_and_the_process_is_freed() {
    let lasts = [
        Last::Runner,
        Last::ScheduleCall,
        Last::Handle,
        Last::Waker,
        Last::WakeByValue,
        Last::Unrun,
    ];
    for last in lasts {
        for panics in [Panics::Data, Panics::Schedule] {
            let start = Heap::now();
            check(last, panics);
            let left = Heap::since(start);
            assert_eq!((left.blocks, left.bytes), (0, 0), "{last:?} x {panics:?}: freed");
        }
    }
}

#[test]
fn a_zero_sized_schedule_function_is_not_dropped_while_it_is_called() {
    static ALIVE: AtomicBool = AtomicBool::new(true);
    struct Token;
    impl Token {
        fn is_alive(&self) -> bool {
            ALIVE.load(SeqCst)
        }
    }
    impl Drop for Token {
        fn drop(&mut self) {
            ALIVE.store(false, SeqCst);
        }
    }
    static OUTLIVED: AtomicBool = AtomicBool::new(false);
    let token = Token;
    // The process ends inside the call, and nobody else holds it.
    let schedule = move |process: LightProc| {
        process.run();
        OUTLIVED.store(token.is_alive(), SeqCst);
    };
    assert_eq!(size_of_val(&schedule), 0);
    let (ran, has_run) = channel();
    let (process, handle) = LightProc::build(async move { ran.send(()).unwrap() }, schedule, ());
    handle.detach();
    process.schedule();
    has_run.try_recv().expect("the process has run");
    assert!(OUTLIVED.load(SeqCst), "the function was dropped while it was called");
    assert!(!ALIVE.load(SeqCst), "it is dropped after the call");
}

#[test]
fn what_is_dropped_by_an_unwinding_holds_back_the_panics_of_its_own_parts() {
    for ends_first in [true, false] {
        let dropped = Arc::new(AtomicUsize::new(0));
        let output = Fragile { dropped: dropped.clone(), panics: true };
        let (process, handle) = LightProc::build(async { output }, |_| {}, ());
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let (process, _handle) = (process, handle);
            if ends_first {
                process.run();
            }
            resume_unwind(Box::new("the caller"));
        }));
        let payload: Box<dyn std::any::Any + Send> = caught.expect_err("the caller panics");
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"the caller"), "{ends_first}");
        assert_eq!(dropped.load(SeqCst), 1, "{ends_first}");
    }
}

#[test]
fn the_first_of_two_panics_is_told() {
    struct Bad;
    impl Drop for Bad {
        fn drop(&mut self) {
            panic!("second");
        }
    }
    let line = line!() + 5;
    // A future that owns it, and not only its body: the body's part is dropped by its own unwinding.
    let bad = Bad;
    let future = std::future::poll_fn(move |_| -> std::task::Poll<()> {
        let _bad = &bad;
        panic!("first");
    });
    let (process, mut handle) = LightProc::recoverable(future, |_| {}, ());
    process.run();
    match futures_lite::future::block_on(handle.outcome()) {
        Outcome::Panicked(panic) => {
            assert_eq!(panic.message(), Some("first"));
            let place = panic.location().map(|location| (location.file(), location.line()));
            assert_eq!(place, Some((file!(), line)));
        }
        other => unreachable!("{other:?}"),
    }
}
