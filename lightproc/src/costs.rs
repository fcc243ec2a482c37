//! What each path of a process's life costs: its locked instructions and its bytes, as a table that a test holds.
//!
//! Only in the crate's own tests, whose atomic counts. Locked instructions of the foreign awaiter are not ours.

use crate::sync::counted::locked;
use crate::{LightProc, Polled, ProcStack};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

thread_local! {
    static QUEUE: RefCell<VecDeque<LightProc>> = const { RefCell::new(VecDeque::new()) };
    static WAKER: RefCell<Option<Waker>> = const { RefCell::new(None) };
}

/// A schedule function without captured values.
fn queue(process: LightProc) {
    QUEUE.with_borrow_mut(|queue| queue.push_back(process));
}

fn run() {
    while let Some(process) = QUEUE.with_borrow_mut(VecDeque::pop_front) {
        process.run();
    }
}

/// Waits for ever, and keeps its waker.
fn waiting() -> impl Future<Output = ()> + Send + 'static {
    poll_fn(|cx| {
        WAKER.with_borrow_mut(|waker| match waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => *waker = Some(cx.waker().clone()),
        });
        Poll::Pending
    })
}

/// An awaiter of which it can be told that it is the same. (`Waker::noop` and its clones differ in a debug build.)
struct Awaiter;

impl std::task::Wake for Awaiter {
    fn wake(self: Arc<Self>) {}
}

fn await_once<F: Future + Unpin>(future: &mut F, awaiter: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(awaiter))
}

fn costs(expected: usize, f: impl FnOnce()) {
    assert_eq!(locked(f).0, expected);
}

#[test]
fn a_detached_process_that_returns_at_its_first_poll_locks_nothing() {
    costs(0, || LightProc::detached(async {}, queue, ()).run());
}

#[test]
fn dropping_the_handle_locks_once() {
    costs(1, || {
        let (process, handle) = LightProc::build(async {}, queue, ());
        drop(handle);
        process.run();
    });
    let (process, handle) = LightProc::build(async {}, queue, ());
    costs(1, || process.run());
    costs(0, || drop(handle));
}

#[test]
fn a_wake_and_a_poll_lock_twice() {
    LightProc::detached(waiting(), queue, ()).run();
    let waker = WAKER.take().unwrap();
    WAKER.set(Some(waker.clone()));
    costs(2, || {
        waker.wake_by_ref();
        run();
    });
    drop((waker, WAKER.take()));
    run();
}

#[test]
fn a_yield_locks_twice() {
    let process = LightProc::detached(
        poll_fn(|cx| -> Poll<()> {
            cx.waker().wake_by_ref();
            Poll::Pending
        }),
        queue,
        (),
    );
    costs(2, || assert!(matches!(process.poll(), Polled::Woken(_))));
}

#[test]
fn awaiting_a_process_that_is_not_ready_locks_three_times() {
    let awaiter = Waker::from(Arc::new(Awaiter));
    let (process, mut handle) = LightProc::build(async { 1 }, queue, ());
    costs(1, || assert!(await_once(&mut handle, &awaiter).is_pending()));
    costs(0, || assert!(await_once(&mut handle, &awaiter).is_pending()));
    costs(2, || process.run());
    costs(0, || assert_eq!(await_once(&mut handle, &awaiter), Poll::Ready(Some(1))));
}

#[test]
fn awaiting_a_process_that_has_ended_locks_once() {
    let awaiter = Waker::from(Arc::new(Awaiter));
    let (process, mut handle) = LightProc::build(async { 1 }, queue, ());
    costs(1, || process.run());
    costs(0, || assert_eq!(await_once(&mut handle, &awaiter), Poll::Ready(Some(1))));
}

#[test]
fn cancelling_a_waiting_process_locks_twice() {
    let awaiter = Waker::from(Arc::new(Awaiter));
    let (process, mut handle) = LightProc::build(waiting(), queue, ());
    process.run();
    drop(WAKER.take());
    costs(2, || {
        handle.cancel();
        run();
        assert_eq!(await_once(&mut handle, &awaiter), Poll::Ready(None));
    });
}

#[test]
fn the_fixed_part_is_two_words_and_two_for_an_awaiter_and_two_for_an_empty_stack() {
    fn before_the_stage(process: LightProc) -> usize {
        // SAFETY: the process is live.
        unsafe { process.raw().as_ref() }.vtable.stage
    }
    assert_eq!(before_the_stage(LightProc::detached(async {}, queue, ())), 16);
    assert_eq!(before_the_stage(LightProc::build(async {}, queue, ()).0), 32);
    assert_eq!(before_the_stage(LightProc::build(async {}, queue, ProcStack::default()).0), 48);
}
