//! `ProcStack`: pid, state and hooks. The tests `l1` to `l9` are the defects of lightproc 0.3 that must not come back.
#![cfg(not(loom))]

use lightproc::{EmptyProcState, LightProc, Outcome, Panic, ProcStack};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

fn quiet() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// A stack whose hooks write their names down.
fn noted() -> ProcStack {
    ProcStack::default()
        .with_state(Vec::<&str>::new())
        .with_before_start(|names: &mut Vec<&str>| names.push("start"))
        .with_after_complete(|names: &mut Vec<&str>| names.push("complete"))
        .with_after_panic(|names: &mut Vec<&str>| names.push("panic"))
}

/// Runs a process to its end, without polling its handle, and returns the hooks that ran.
fn hooks_of(future: impl Future<Output = ()> + Send + 'static) -> Vec<&'static str> {
    let stack = noted();
    let (process, handle) = LightProc::recoverable(future, LightProc::run, stack.clone());
    process.run();
    drop(handle);
    stack.state().unwrap()
}

#[test]
fn l1_before_start_runs_once_over_several_polls() {
    let yields = async {
        futures_lite::future::yield_now().await;
        futures_lite::future::yield_now().await;
    };
    assert_eq!(hooks_of(yields), ["start", "complete"]);
}

#[test]
fn l2_after_complete_does_not_run_after_a_panic_and_l3_after_panic_needs_no_poll_of_the_handle() {
    quiet();
    assert_eq!(hooks_of(async { panic!() }), ["start", "panic"]);
}

#[test]
fn l4_a_state_of_another_type_is_refused_by_name() {
    quiet();
    let message = |f: fn() -> ProcStack| Panic::catch(f).unwrap_err().message().unwrap().to_owned();
    let mismatch =
        message(|| ProcStack::default().with_state(1_u8).with_after_panic(|_: &mut u16| {}));
    assert_eq!(mismatch, "the state of a ProcStack is `u8`, but a hook or with_state gave `u16`");
    let mismatch =
        message(|| ProcStack::default().with_before_start(|_: &mut u16| {}).with_state(1_u8));
    assert_eq!(mismatch, "the state of a ProcStack is `u16`, but a hook or with_state gave `u8`");
    let stack = ProcStack::default().with_state(1_u8);
    assert_eq!((stack.state::<u8>(), stack.state::<i8>()), (Some(1), None));
    let mismatch = Panic::catch(|| stack.get_state::<i8>()).unwrap_err();
    assert_eq!(mismatch.message(), Some("the state of a ProcStack is `u8`, not `i8`"));
}

#[test]
fn a_stack_without_a_state_has_the_empty_one() {
    quiet();
    let ran = Arc::new(AtomicUsize::new(0));
    let count = ran.clone();
    let stack = ProcStack::default().with_before_start(move |_: &mut EmptyProcState| {
        count.fetch_add(1, Relaxed);
    });
    stack.get_state::<EmptyProcState>();
    LightProc::detached(async {}, LightProc::run, stack).run();
    assert_eq!(ran.load(Relaxed), 1);
}

#[test]
fn a_start_hook_whose_state_was_never_given_ends_the_process() {
    quiet();
    let stack = ProcStack::default().with_before_start(|_: &mut u8| {});
    let (process, mut handle) = LightProc::recoverable(async {}, LightProc::run, stack);
    process.run();
    let Outcome::Panicked(panic) = futures_lite::future::block_on(handle.outcome()) else {
        unreachable!("the hook cannot have run")
    };
    assert_eq!(panic.message(), Some("a hook of a ProcStack expects a `u8`: give it with_state"));
}

#[test]
fn l5_a_panicking_hook_does_not_spoil_the_state_for_the_next() {
    quiet();
    let stack = ProcStack::default()
        .with_state(0)
        .with_before_start(|state: &mut i32| {
            *state += 1;
            panic!("a hook");
        })
        .with_after_panic(|state: &mut i32| *state += 2);
    let (process, handle) = LightProc::recoverable(async {}, LightProc::run, stack.clone());
    process.run();
    assert!(futures_lite::future::block_on(handle).is_none());
    assert_eq!(stack.get_state::<i32>(), 3);
}

#[test]
fn l7_a_panic_stays_in_its_process_whatever_its_handle() {
    quiet();
    let (process, handle) = LightProc::build(async { panic!() }, LightProc::run, ());
    process.run();
    drop::<lightproc::ProcHandle<()>>(handle);
    LightProc::detached(async { panic!() }, LightProc::run, ()).run();
}

#[test]
fn l8_a_cancelled_process_can_be_waited_for_until_its_future_is_gone() {
    struct Held(Arc<AtomicUsize>);
    impl Drop for Held {
        fn drop(&mut self) {
            self.0.fetch_add(1, Relaxed);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let held = Held(dropped.clone());
    let queue = Arc::new(Mutex::new(Vec::new()));
    let due = queue.clone();
    let forever = async move {
        let _held = held;
        std::future::pending::<()>().await;
    };
    let (process, mut handle) =
        LightProc::build(forever, move |process| due.lock().unwrap().push(process), ());
    process.run();
    handle.cancel();
    let mut cx = Context::from_waker(Waker::noop());
    let mut poll = || std::pin::Pin::new(&mut handle).poll(&mut cx);
    assert_eq!((poll(), dropped.load(Relaxed)), (Poll::Pending, 0));
    queue.lock().unwrap().pop().unwrap().run();
    assert_eq!((poll(), dropped.load(Relaxed)), (Poll::Ready(None), 1));
}

/// The example `state_change` of lightproc 0.3 ended with 6: its hooks ran too often.
#[test]
fn l9_the_classic_example_counts_each_hook_once() {
    quiet();
    let amount = Arc::new(Mutex::new(0));
    let stack = ProcStack::default()
        .with_pid(1)
        .with_state(amount.clone())
        .with_before_start(|amount: &mut Arc<Mutex<i32>>| *amount.lock().unwrap() += 1)
        .with_after_complete(|amount: &mut Arc<Mutex<i32>>| *amount.lock().unwrap() += 2)
        .with_after_panic(|amount: &mut Arc<Mutex<i32>>| *amount.lock().unwrap() += 3);
    let (process, handle) = LightProc::recoverable(async { panic!() }, LightProc::run, stack);
    process.schedule();
    assert!(futures_lite::future::block_on::<Option<()>>(handle).is_none());
    assert_eq!(*amount.lock().unwrap(), 4);
}

#[test]
fn a_clone_shares_the_state_and_has_a_pid_of_its_own() {
    let stack = ProcStack::default();
    assert_eq!(stack.get_pid(), 0xDEAD_BEEF);
    let stack = stack.with_pid(1).with_state(Arc::new(AtomicUsize::new(5)));
    let other = stack.clone();
    other.pid.store(2, Relaxed);
    assert_eq!((stack.get_pid(), other.get_pid()), (1, 2));
    other.state::<Arc<AtomicUsize>>().unwrap().store(6, Relaxed);
    assert_eq!(stack.state::<Arc<AtomicUsize>>().unwrap().load(Relaxed), 6);
    // A builder call on a clone changes the clone only.
    let third = other.with_before_start(|_: &mut Arc<AtomicUsize>| {});
    assert!(format!("{third:?}").contains("before_start: true"), "{third:?}");
    assert!(format!("{stack:?}").contains("before_start: false"), "{stack:?}");
}

#[test]
fn the_stack_of_a_process_is_found_by_its_type() {
    let (process, handle) =
        LightProc::build(async {}, LightProc::run, ProcStack::default().with_pid(3));
    assert_eq!(process.data::<ProcStack>().unwrap().get_pid(), 3);
    assert_eq!(handle.data::<ProcStack>().unwrap().get_pid(), 3);
    assert!(handle.data::<()>().is_none());
}
