//! Each message is dropped once, whatever becomes of it.
#![cfg(not(loom))]

use bastion_mailbox::Queue;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Wake, Waker};

struct Counted {
    dropped: Arc<AtomicUsize>,
    panics: bool,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Relaxed);
        assert!(!self.panics, "a message that panics when it is dropped");
    }
}

fn message(dropped: &Arc<AtomicUsize>) -> Counted {
    Counted { dropped: dropped.clone(), panics: false }
}

/// Checks that so many messages are dropped in the end, and each once.
fn check(messages: usize, test: impl FnOnce(Queue<Counted>, &Arc<AtomicUsize>)) {
    let dropped = Arc::new(AtomicUsize::new(0));
    test(Queue::new(), &dropped);
    assert_eq!((dropped.load(Relaxed), Arc::strong_count(&dropped)), (messages, 1));
}

/// A waker that panics.
struct Bad;

impl Wake for Bad {
    fn wake(self: Arc<Self>) {
        panic!("a waker");
    }
}

#[test]
fn a_panic_of_the_waker_is_not_that_of_who_wakes() {
    let (queue, mut batch) = (Queue::new(), VecDeque::new());
    let bad = Waker::from(Arc::new(Bad));
    let waits = |batch: &mut VecDeque<u8>| assert!(!queue.fetch(batch, 9, Some(&bad)));
    waits(&mut batch);
    queue.push(1).unwrap();
    assert!(queue.fetch(&mut batch, 9, None));
    waits(&mut VecDeque::new());
    assert!(queue.put_back(&mut batch));
    assert!(queue.fetch(&mut batch, 9, None));
    waits(&mut VecDeque::new());
    queue.wake();
    assert_eq!((batch, queue.len()), (VecDeque::from([1]), 0));
}

#[test]
fn a_queue_drops_what_waits() {
    for count in [0, 1, 30, 31, 32, 100] {
        check(count, |queue, dropped| {
            (0..count).try_for_each(|_| queue.push(message(dropped))).unwrap();
            assert_eq!(dropped.load(Relaxed), 0);
        });
    }
}

#[test]
fn what_was_fetched_is_the_callers() {
    check(100, |queue, dropped| {
        (0..100).try_for_each(|_| queue.push(message(dropped))).unwrap();
        let mut batch = VecDeque::new();
        queue.fetch(&mut batch, 50, None);
        drop(queue);
        assert_eq!(dropped.load(Relaxed), 50);
    });
}

#[test]
fn what_was_put_back_is_the_queues() {
    check(100, |queue, dropped| {
        (0..100).try_for_each(|_| queue.push(message(dropped))).unwrap();
        let mut batch = VecDeque::new();
        queue.fetch(&mut batch, 50, None);
        assert!(queue.put_back(&mut batch));
        assert!(queue.pop_oldest().is_some());
        assert_eq!(dropped.load(Relaxed), 1);
    });
}

#[test]
fn what_was_refused_is_the_callers() {
    check(2, |queue, dropped| {
        queue.set_capacity(1);
        queue.push(message(dropped)).unwrap();
        drop(queue.push(message(dropped)));
        assert_eq!(dropped.load(Relaxed), 1);
    });
}

#[test]
fn a_message_that_panics_takes_no_other_along() {
    check(100, |queue, dropped| {
        for number in 0..100 {
            queue.push(Counted { dropped: dropped.clone(), panics: number == 50 }).unwrap();
        }
        catch_unwind(AssertUnwindSafe(|| drop(queue))).unwrap_err();
    });
}

struct Nothing;

impl Wake for Nothing {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_waker_is_dropped_once() {
    let held = Arc::new(Nothing);
    let waker = || Waker::from(held.clone());
    let queue = Queue::<u8>::new();
    let fetch = |waker| assert!(!queue.fetch(&mut VecDeque::new(), 9, Some(&waker)));
    fetch(waker());
    assert_eq!(Arc::strong_count(&held), 2);
    // The same again, and another in its place.
    fetch(waker());
    assert_eq!(Arc::strong_count(&held), 2);
    fetch(Waker::from(Arc::new(Nothing)));
    assert_eq!(Arc::strong_count(&held), 1);
    fetch(waker());
    queue.wake();
    assert_eq!(Arc::strong_count(&held), 1);
    fetch(waker());
    queue.close();
    assert_eq!(Arc::strong_count(&held), 1, "close forgets who waits");
    fetch(waker());
    assert_eq!(Arc::strong_count(&held), 2);
    drop(queue);
    assert_eq!(Arc::strong_count(&held), 1);
}
