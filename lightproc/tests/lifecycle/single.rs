//! What a table of whole lives does not say: the words of a panic, what a run returns, who else may end a process.

use lightproc::{LightProc, Outcome, Panic, Polled};
use std::cell::Cell;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::pin;
use std::sync::Once;
use std::task::{Context, Poll, Waker};

fn quiet() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}

/// Runs a process that panics; returns what its handle says.
fn panic_of(body: impl FnOnce() + Send + 'static) -> Panic {
    quiet();
    let (process, mut handle) = LightProc::recoverable(async { body() }, |_| {}, ());
    process.run();
    match futures_lite::future::block_on(handle.outcome()) {
        Outcome::Panicked(panic) => panic,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn a_panic_becomes_a_value_with_its_message() {
    let panic = panic_of(|| panic!("number {}", 7));
    assert_eq!(panic.message(), Some("number 7"));
    assert!(panic.to_string().starts_with("number 7"));
    assert!(format!("{panic:?}").contains("\"number 7\""));
    let panic = panic_of(|| panic!("text"));
    assert_eq!(panic.message(), Some("text"));
    assert_eq!(panic.into_payload().downcast_ref::<&str>(), Some(&"text"));
    let panic = panic_of(|| panic_any(7));
    assert_eq!(panic.message(), None);
    assert!(panic.to_string().starts_with("panicked with a payload that is not text"));
    assert!(format!("{panic:?}").contains("\"a payload that is not text\""));
    let caught = catch_unwind(AssertUnwindSafe(|| panic.resume())).unwrap_err();
    assert_eq!(caught.downcast_ref::<i32>(), Some(&7));
}

#[test]
fn an_outcome_gives_its_output_only_when_it_has_one() {
    assert_eq!(Outcome::Completed(1).completed(), Some(1));
    assert_eq!(Outcome::<i32>::Cancelled.completed(), None);
    assert_eq!(Outcome::<i32>::Panicked(panic_of(|| panic!("lost"))).completed(), None);
}

#[test]
fn a_panic_goes_on_in_whoever_awaits_a_proc_handle() {
    quiet();
    let (process, handle) = LightProc::build(async { panic!("on and on") }, |_| {}, ());
    process.run();
    let caught = catch_unwind(AssertUnwindSafe(|| futures_lite::future::block_on(handle)));
    assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"on and on"));
}

#[test]
fn a_process_woken_while_polled_comes_back_to_its_runner() {
    let (process, handle) = LightProc::build(futures_lite::future::yield_now(), |_| {}, ());
    let Polled::Woken(process) = process.poll() else {
        panic!("a yield is a wake during the poll")
    };
    assert!(matches!(process.poll(), Polled::Ended));
    assert_eq!(futures_lite::future::block_on(handle), Some(()));
}

#[test]
fn a_poll_says_what_it_came_to() {
    let (process, handle) = LightProc::build(pending::<()>(), |_| {}, ());
    assert!(matches!(process.poll(), Polled::Waiting));
    drop(handle);
    // Nothing could wake it.
    let process = LightProc::detached(pending::<()>(), |_| {}, ());
    assert!(matches!(process.poll(), Polled::Ended));
    let process = LightProc::detached(async { panic_any(()) }, |_| {}, ());
    quiet();
    assert!(matches!(process.poll(), Polled::Ended));
}

/// Tells when it is dropped.
struct Noted;

thread_local! {
    static DROPPED: Cell<usize> = const { Cell::new(0) };
}

impl Drop for Noted {
    fn drop(&mut self) {
        DROPPED.set(DROPPED.get() + 1);
    }
}

/// The three points at which a runner has a process in its hands.
#[derive(Clone, Copy, Debug)]
enum InHand {
    New,
    Scheduled,
    Woken,
}

#[test]
fn a_runner_may_cancel_or_drop_what_it_has_in_hand() {
    for in_hand in [InHand::New, InHand::Scheduled, InHand::Woken] {
        for cancels in [true, false] {
            DROPPED.set(0);
            let noted = Noted;
            let future = async move {
                let _noted = noted;
                futures_lite::future::yield_now().await;
                unreachable!("a process that was ended is polled");
            };
            thread_local! {
                static DUE: Cell<Option<LightProc>> = const { Cell::new(None) };
            }
            let schedule = |process| DUE.set(Some(process));
            let (process, mut handle) = LightProc::recoverable(future, schedule, ());
            let process = match in_hand {
                InHand::New => process,
                InHand::Scheduled => {
                    process.schedule();
                    DUE.take().expect("it was scheduled")
                }
                InHand::Woken => match process.poll() {
                    Polled::Woken(process) => process,
                    other => unreachable!("{other:?}"),
                },
            };
            if cancels {
                process.cancel();
                assert!(!handle.is_finished(), "{in_hand:?}: cancelled, not yet ended");
                assert_eq!(DROPPED.get(), 0, "{in_hand:?}: the next run drops the future");
                assert!(matches!(process.poll(), Polled::Ended), "{in_hand:?}");
            } else {
                drop(process);
            }
            assert_eq!(DROPPED.get(), 1, "{in_hand:?}: the future is dropped at once");
            assert!(handle.is_finished(), "{in_hand:?}");
            let mut cx = Context::from_waker(Waker::noop());
            let outcome = pin!(handle.outcome()).poll(&mut cx);
            assert!(matches!(outcome, Poll::Ready(Outcome::Cancelled)), "{in_hand:?}");
        }
    }
}

#[test]
fn a_handle_that_was_ready_says_so_when_it_is_polled_again() {
    quiet();
    let (process, handle) = LightProc::build(async {}, |_| {}, ());
    process.run();
    let mut handle = pin!(handle);
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(handle.as_mut().poll(&mut cx), Poll::Ready(Some(())));
    let again = Panic::catch(|| handle.as_mut().poll(&mut cx)).unwrap_err();
    assert!(again.message().is_some_and(|message| message.contains("after it was ready")));
    assert!(handle.is_finished());
    handle.cancel();
}

#[test]
fn the_fixed_part_of_a_process_is_small() {
    // Seen through the allocator's eyes: a process of one byte of state.
    assert_eq!(size_of::<LightProc>(), size_of::<usize>());
    assert_eq!(size_of::<Option<LightProc>>(), size_of::<usize>());
}

#[test]
fn a_wait_for_the_outcome_can_be_given_up_and_the_process_cancelled() {
    let (process, mut handle) = LightProc::recoverable(pending::<()>(), |_| {}, ());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(pin!(handle.outcome()).poll(&mut cx).is_pending());
    handle.cancel();
    process.run();
    assert!(matches!(futures_lite::future::block_on(handle.outcome()), Outcome::Cancelled));
}

#[test]
fn the_state_of_a_process_can_be_read() {
    let (process, handle) = LightProc::build(async {}, |_| {}, ());
    let state = "future handle new (0 wakers, 1 wakes)";
    assert_eq!(format!("{process:?}"), format!("LightProc {{ state: {state} }}"));
    handle.cancel();
    assert!(format!("{handle:?}").contains("future cancelled handle new (0 wakers, 2 wakes)"));
}
