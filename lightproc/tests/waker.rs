//! The waker that a process gives away before it runs: one like all others.
#![cfg(not(loom))]

use lightproc::{LightProc, Polled};
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::task::{Poll, Waker};

struct CountDrop(Arc<AtomicUsize>);

impl Drop for CountDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A process without a handle that keeps no waker, and hands over that of its poll; its queue; how often its future was dropped.
fn process(polled: mpsc::Sender<bool>) -> (LightProc, mpsc::Receiver<LightProc>, Arc<AtomicUsize>) {
    let (due, queue) = mpsc::channel();
    let dropped = Arc::new(AtomicUsize::new(0));
    let guard = CountDrop(dropped.clone());
    let own = Arc::new(std::sync::Mutex::new(None::<Waker>));
    let known = own.clone();
    let future = poll_fn(move |cx| {
        let _guard = &guard;
        let own = own.lock().unwrap();
        let own = own.as_ref().expect("given before the first poll");
        polled.send(own.will_wake(cx.waker())).unwrap();
        Poll::<()>::Pending
    });
    let process = LightProc::detached(future, move |process| due.send(process).unwrap(), ());
    *known.lock().unwrap() = Some(process.waker());
    (process, queue, dropped)
}

#[test]
fn it_is_the_waker_of_the_polls_and_makes_the_process_due() {
    let (polled, polls) = mpsc::channel();
    let (process, queue, dropped) = process(polled);
    let waker = process.waker();
    assert!(matches!(process.poll(), Polled::Waiting));
    assert_eq!(polls.try_recv(), Ok(true));
    waker.wake_by_ref();
    waker.wake_by_ref();
    let process = queue.try_recv().expect("woken");
    assert!(queue.try_recv().is_err(), "there is one runner");
    drop(process);
    assert_eq!(dropped.load(SeqCst), 1);
    waker.wake();
    assert!(queue.try_recv().is_err(), "a wake after the end does nothing");
}

#[test]
fn a_process_that_waits_for_nothing_else_lives_as_long_as_it_does() {
    let (due, queue) = mpsc::channel();
    let dropped = Arc::new(AtomicUsize::new(0));
    let guard = CountDrop(dropped.clone());
    let future = async move {
        let _guard = guard;
        std::future::pending::<()>().await;
    };
    let process = LightProc::detached(future, move |process| due.send(process).unwrap(), ());
    let waker = process.waker();
    assert!(matches!(process.poll(), Polled::Waiting));
    assert_eq!(dropped.load(SeqCst), 0);
    drop(waker);
    queue.try_recv().expect("scheduled for its end").run();
    assert_eq!(dropped.load(SeqCst), 1);
}
