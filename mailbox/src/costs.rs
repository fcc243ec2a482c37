//! Locked instructions of each path.

use crate::block::{NEAR_THE_END, SLOTS};
use crate::oneshot;
use crate::queue::Queue;
use crate::sync::counted::locked;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

struct Nothing;

impl Wake for Nothing {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_push_is_one_locked_instruction() {
    let queue = Queue::new();
    queue.push(0).unwrap();
    for offset in 1..SLOTS - 1 {
        // One of them allocates the next block.
        let locks = if offset == NEAR_THE_END { 2 } else { 1 };
        assert_eq!(locked(|| queue.push(1)), (locks, Ok(())));
    }
    // The last slot: the step over the gap.
    assert_eq!(locked(|| queue.push(1)), (2, Ok(())));
}

#[test]
fn a_fetch_is_one_and_parking_is_one_more() {
    let (queue, mut batch, mut first) = (Queue::new(), VecDeque::new(), None);
    let waker = Waker::from(Arc::new(Nothing));
    queue.push(0).unwrap();
    assert_eq!(locked(|| queue.fetch(&mut batch, 1, None)), (1, true));
    assert_eq!(locked(|| queue.fetch(&mut batch, 1, Some(&waker))), (2, false));
    assert_eq!(locked(|| queue.fetch(&mut batch, 1, Some(&waker))), (1, false));
    assert_eq!(locked(|| queue.fetch_first(&mut batch, 1, Some(&waker), &mut first)), (1, false));
    // A wake costs what the waker costs.
    assert_eq!(locked(|| queue.push(1)), (1, Ok(())));
    assert_eq!(locked(|| queue.fetch_first(&mut batch, 9, Some(&waker), &mut first)), (1, true));
    assert_eq!(locked(|| queue.fetch_first(&mut batch, 9, Some(&waker), &mut first)), (2, false));
    assert_eq!(first, Some(1));
}

#[test]
fn a_recycled_block_is_one_more_for_the_receiver() {
    let (queue, mut batch) = (Queue::new(), VecDeque::new());
    (0..SLOTS).try_for_each(|number| queue.push(number)).unwrap();
    assert_eq!(locked(|| queue.fetch(&mut batch, SLOTS, None)), (2, true));
    // None is allocated near the end.
    (1..SLOTS).for_each(|number| assert_eq!(locked(|| queue.push(number)), (1, Ok(()))));
    assert_eq!(locked(|| queue.push(0)), (2, Ok(())));
}

#[test]
fn an_idle_queue_is_small() {
    assert_eq!(size_of::<Queue<u64>>(), 64);
    assert_eq!(size_of::<Queue<[u64; 20]>>(), 64);
}

#[test]
fn an_answer_that_is_waited_for_is_three_and_one_that_is_there_is_one() {
    let waker = Waker::from(Arc::new(Nothing));
    let mut cx = Context::from_waker(&waker);
    let (sender, mut receiver) = oneshot::channel();
    assert_eq!(locked(|| Pin::new(&mut receiver).poll(&mut cx)), (1, Poll::Pending));
    assert_eq!(locked(|| Pin::new(&mut receiver).poll(&mut cx)), (0, Poll::Pending));
    assert_eq!(locked(|| sender.send(7)), (2, Ok(())));
    assert_eq!(locked(|| Pin::new(&mut receiver).poll(&mut cx)), (0, Poll::Ready(Some(7))));
    assert_eq!(locked(|| drop(receiver)), (0, ()));

    let (sender, mut receiver) = oneshot::channel();
    assert_eq!(locked(|| sender.send(7)), (1, Ok(())));
    assert_eq!(locked(|| Pin::new(&mut receiver).poll(&mut cx)), (0, Poll::Ready(Some(7))));
    assert_eq!(locked(|| drop(receiver)), (0, ()));
}
