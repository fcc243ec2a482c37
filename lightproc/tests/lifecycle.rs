//! Every way a process can go from its first run to its end: each future, output, hook and process counted.
#![cfg(not(loom))]

use lightproc::{Hooks, LightProc, Outcome, Polled, RecoverableHandle};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, Once};
use std::task::{Context, Poll, Waker};

/// What the future does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Body {
    Ready,
    PendingThenReady,
    PanicsAtPoll(usize),
    DestructorPanics,
}

/// What happens to the handle.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Handle {
    DroppedFirst,
    DroppedLast,
    AwaitedFromTheStart,
    AwaitedAtTheEnd,
    CancelledFirst,
    CancelledWhilePending,
    CancelledLast,
}

/// How a pending future is woken.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wake {
    ByValue,
    ByReference,
    DuringThePoll,
    Twice,
    Never,
}

#[derive(Default)]
struct Counts {
    polls: AtomicUsize,
    futures_dropped: AtomicUsize,
    outputs_dropped: AtomicUsize,
    started: AtomicUsize,
    completed: AtomicUsize,
    panicked: AtomicUsize,
    data_dropped: AtomicUsize,
}

struct Data(Arc<Counts>);

impl Hooks for Data {
    fn before_start(&self) {
        self.0.started.fetch_add(1, SeqCst);
    }
    fn after_complete(&self) {
        self.0.completed.fetch_add(1, SeqCst);
    }
    fn after_panic(&self) {
        self.0.panicked.fetch_add(1, SeqCst);
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        self.0.data_dropped.fetch_add(1, SeqCst);
    }
}

struct Value(Arc<Counts>);

impl Drop for Value {
    fn drop(&mut self) {
        self.0.outputs_dropped.fetch_add(1, SeqCst);
    }
}

struct Scripted {
    body: Body,
    wake: Wake,
    counts: Arc<Counts>,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl Future for Scripted {
    type Output = Value;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Value> {
        let poll = self.counts.polls.fetch_add(1, SeqCst);
        match self.body {
            Body::PanicsAtPoll(n) if n == poll => panic!("poll {n}"),
            Body::PendingThenReady | Body::PanicsAtPoll(_) if poll == 0 => {
                match self.wake {
                    Wake::DuringThePoll => cx.waker().wake_by_ref(),
                    Wake::Never => {}
                    _ => *self.waker.lock().unwrap() = Some(cx.waker().clone()),
                }
                Poll::Pending
            }
            _ => Poll::Ready(Value(self.counts.clone())),
        }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.counts.futures_dropped.fetch_add(1, SeqCst);
        if self.body == Body::DestructorPanics {
            panic!("destructor");
        }
    }
}

struct Queue {
    send: Sender<LightProc>,
    due: Receiver<LightProc>,
}

impl Queue {
    /// Runs what is due, once each; returns how many there were.
    fn run(&self) -> usize {
        let due: Vec<LightProc> = self.due.try_iter().collect();
        let count = due.len();
        due.into_iter().for_each(LightProc::run);
        count
    }
}

fn poll(handle: &mut RecoverableHandle<Value>) -> Poll<Option<Value>> {
    Pin::new(handle).poll(&mut Context::from_waker(Waker::noop()))
}

fn quiet() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}

fn check(body: Body, handle: Handle, wake: Wake) {
    let case = format!("{body:?} x {handle:?} x {wake:?}");
    let counts = Arc::new(Counts::default());
    let waker = Arc::new(Mutex::new(None::<Waker>));
    let (send, due) = channel();
    let queue = Queue { send, due };
    let send = queue.send.clone();
    let future = Scripted { body, wake, counts: counts.clone(), waker: waker.clone() };
    let schedule = move |process| drop(send.send(process));
    let (process, h) = LightProc::recoverable(future, schedule, Data(counts.clone()));
    let mut h = Some(h);
    let mut got = None;
    process.schedule();
    match handle {
        Handle::DroppedFirst => drop(h.take()),
        Handle::AwaitedFromTheStart => assert!(poll(h.as_mut().unwrap()).is_pending(), "{case}"),
        Handle::CancelledFirst => h.as_ref().unwrap().cancel(),
        _ => {}
    }
    assert_eq!(queue.run(), 1, "{case}: the first run");
    if handle == Handle::CancelledWhilePending {
        h.as_ref().unwrap().cancel();
    }
    if let Some(w) = waker.lock().unwrap().take() {
        match wake {
            Wake::ByValue => w.wake(),
            Wake::ByReference => w.wake_by_ref(),
            Wake::Twice => {
                w.wake_by_ref();
                w.wake();
            }
            Wake::DuringThePoll | Wake::Never => unreachable!(),
        }
    }
    while queue.run() > 0 {}
    if handle == Handle::CancelledLast {
        h.as_ref().unwrap().cancel();
        queue.run();
    }
    if let Some(mut h) = h.take()
        && handle != Handle::DroppedLast
    {
        match poll(&mut h) {
            Poll::Ready(output) => got = Some(output.is_some()),
            Poll::Pending => drop(h), // The orphan's last run drops the future.
        }
    }
    while queue.run() > 0 {}

    let cancelled_first = handle == Handle::CancelledFirst;
    let waits = matches!(body, Body::PendingThenReady | Body::PanicsAtPoll(1));
    let resumed = wake != Wake::Never && handle != Handle::CancelledWhilePending;
    let ran_to_end = !cancelled_first && (!waits || resumed);
    let value = ran_to_end && matches!(body, Body::Ready | Body::PendingThenReady);
    let panicked = ran_to_end && !value;
    let output_made = value || (ran_to_end && body == Body::DestructorPanics);
    let count = |c: &AtomicUsize| c.load(SeqCst);
    assert_eq!(count(&counts.futures_dropped), 1, "{case}: futures");
    assert_eq!(count(&counts.outputs_dropped), usize::from(output_made), "{case}: outputs");
    assert_eq!(count(&counts.started), usize::from(!cancelled_first), "{case}: before_start");
    assert_eq!(count(&counts.completed), usize::from(value), "{case}: after_complete");
    assert_eq!(count(&counts.panicked), usize::from(panicked), "{case}: after_panic");
    assert_eq!(count(&counts.data_dropped), 1, "{case}: the process is freed");
    if let Some(some) = got {
        assert_eq!(some, value, "{case}: what the handle saw");
    }
}

#[test]
fn every_lifecycle() {
    quiet();
    let bodies = [
        Body::Ready,
        Body::PendingThenReady,
        Body::PanicsAtPoll(0),
        Body::PanicsAtPoll(1),
        Body::DestructorPanics,
    ];
    let handles = [
        Handle::DroppedFirst,
        Handle::DroppedLast,
        Handle::AwaitedFromTheStart,
        Handle::AwaitedAtTheEnd,
        Handle::CancelledFirst,
        Handle::CancelledWhilePending,
        Handle::CancelledLast,
    ];
    let wakes = [Wake::ByValue, Wake::ByReference, Wake::DuringThePoll, Wake::Twice, Wake::Never];
    for body in bodies {
        for handle in handles {
            for wake in wakes {
                check(body, handle, wake);
            }
        }
    }
}

#[test]
fn a_panic_becomes_a_value_with_its_message() {
    quiet();
    let (process, handle) = LightProc::recoverable(async { panic!("number {}", 7) }, |_| {}, ());
    process.run();
    match futures_lite::future::block_on(handle.outcome()) {
        Outcome::Panicked(panic) => assert_eq!(panic.message(), Some("number 7")),
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn a_panic_goes_on_in_whoever_awaits_a_proc_handle() {
    quiet();
    let (process, handle) = LightProc::build(async { panic!("on and on") }, |_| {}, ());
    process.run();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        futures_lite::future::block_on(handle)
    }));
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
fn a_panicking_start_hook_ends_the_process_as_a_panic() {
    struct Bad;
    impl Hooks for Bad {
        fn before_start(&self) {
            panic!("hook");
        }
        fn after_panic(&self) {
            panic!("and again");
        }
    }
    quiet();
    let (process, handle) = LightProc::recoverable(async { 1 }, |_| {}, Bad);
    process.run();
    let outcome = futures_lite::future::block_on(handle.outcome());
    assert!(matches!(outcome, Outcome::Panicked(p) if p.message() == Some("hook")));
}

#[test]
fn the_fixed_part_of_a_process_is_small() {
    // Seen through the allocator's eyes: a process of one byte of state.
    assert_eq!(size_of::<LightProc>(), size_of::<usize>());
    assert_eq!(size_of::<Option<LightProc>>(), size_of::<usize>());
}
