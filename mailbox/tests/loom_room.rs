//! Senders that wait for room, under every interleaving.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release -p bastion-mailbox --test loom_room`
#![cfg(loom)]

mod loom_support;

use bastion_mailbox::{Queue, Sending};
use loom::sync::Arc;
use loom::sync::atomic::Ordering::SeqCst;
use loom::thread;
use loom_support::{Message, Shared, counted, fetch};
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

fn model(check: fn(Shared)) {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 10_000;
    builder.check(move || check(Arc::new(Queue::new())));
}

/// Polls once.
fn poll(send: Pin<&mut Sending<'_, Message>>, waker: &Waker) -> Option<bool> {
    match send.poll(&mut Context::from_waker(waker)) {
        Poll::Ready(result) => Some(result.is_ok()),
        Poll::Pending => None,
    }
}

/// A queue with room for one message, which is there.
fn filled(queue: &Shared) {
    queue.set_capacity(1);
    queue.push((0, 0)).unwrap();
}

#[test]
fn room_that_is_made_wakes_a_sender_that_waits() {
    model(|queue| {
        filled(&queue);
        let fetching = thread::spawn({
            let queue = queue.clone();
            move || fetch(&queue, 1)
        });
        let (waker, woken) = counted();
        let mut send = pin!(queue.send((1, 0)));
        let first = poll(send.as_mut(), &waker);
        assert_eq!(fetching.join().unwrap(), [(0, 0)]);
        if first.is_none() {
            assert_eq!(woken.load(SeqCst), 1);
            assert_eq!(poll(send.as_mut(), &waker), Some(true));
        }
        assert_eq!(queue.close(), [(1, 0)]);
    });
}

#[test]
fn a_sender_that_is_dropped_leaves_its_turn_to_the_next() {
    model(|queue| {
        filled(&queue);
        let (first, second) = (counted().0, counted());
        let mut one = Box::pin(queue.send((1, 0)));
        let mut two = pin!(queue.send((2, 0)));
        assert_eq!(poll(one.as_mut(), &first), None);
        assert_eq!(poll(two.as_mut(), &second.0), None);
        let fetching = thread::spawn({
            let queue = queue.clone();
            move || fetch(&queue, 1)
        });
        drop(one);
        assert_eq!(fetching.join().unwrap(), [(0, 0)]);
        assert_eq!(second.1.load(SeqCst), 1);
        assert_eq!(poll(two.as_mut(), &second.0), Some(true));
    });
}

#[test]
fn a_close_wakes_senders_that_wait() {
    model(|queue| {
        filled(&queue);
        let closing = thread::spawn({
            let queue = queue.clone();
            move || queue.close()
        });
        let (waker, woken) = counted();
        let mut send = pin!(queue.send((1, 0)));
        let first = poll(send.as_mut(), &waker);
        assert_eq!(closing.join().unwrap(), [(0, 0)]);
        match first {
            None => {
                assert_eq!(woken.load(SeqCst), 1);
                assert_eq!(poll(send.as_mut(), &waker), Some(false));
            }
            first => assert_eq!(first, Some(false)),
        }
    });
}

#[test]
fn a_larger_capacity_wakes_a_sender_that_waits() {
    model(|queue| {
        filled(&queue);
        let setting = thread::spawn({
            let queue = queue.clone();
            move || queue.set_capacity(2)
        });
        let (waker, woken) = counted();
        let mut send = pin!(queue.send((1, 0)));
        let first = poll(send.as_mut(), &waker);
        setting.join().unwrap();
        if first.is_none() {
            assert_eq!(woken.load(SeqCst), 1);
            assert_eq!(poll(send.as_mut(), &waker), Some(true));
        }
        assert_eq!(queue.len(), 2);
    });
}

#[test]
fn a_close_wakes_a_sender_for_which_there_was_never_room() {
    model(|queue| {
        queue.set_capacity(0);
        let closing = thread::spawn({
            let queue = queue.clone();
            move || queue.close()
        });
        let (waker, woken) = counted();
        let mut send = pin!(queue.send((1, 0)));
        let first = poll(send.as_mut(), &waker);
        closing.join().unwrap();
        assert!(first == Some(false) || woken.load(SeqCst) == 1, "{first:?}");
    });
}
