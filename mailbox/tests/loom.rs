//! The queue under every interleaving: push, fetch, park, wake, close, open and put back against each other.
//!
//! A block has three slots here. What comes before the race is chosen so that it meets the first block, the middle of one, or its
//! end. `RUSTFLAGS="--cfg loom" cargo test --release -p bastion-mailbox --test loom`
#![cfg(loom)]

mod loom_support;

use bastion_mailbox::Queue;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use loom::thread;
use loom_support::{Message, Shared, counted, fetch};
use std::collections::VecDeque;

/// A queue through which so many messages went already: none, it has no block yet.
fn used(before: u8) -> Shared {
    let queue = Queue::new();
    let mut batch = VecDeque::new();
    (0..before).try_for_each(|number| queue.push((99, number))).unwrap();
    while queue.fetch(&mut batch, 9, None) {}
    assert_eq!(batch.len(), usize::from(before));
    Arc::new(queue)
}

/// Checks each model from each of these positions.
fn model(befores: &[u8], check: fn(Shared)) {
    for &before in befores {
        let mut builder = loom::model::Builder::new();
        // Who waits for a slot or for the receiver's side tries again and again. Two of them at once would do so for ever: in no
        // model do two threads receive while a third sends to them, but for `pop_oldest`, which does not wait.
        builder.max_branches = 10_000;
        builder.check(move || check(used(before)));
    }
}

/// A thread that sends so many messages and returns how many were accepted.
fn sender(queue: &Shared, name: u8, count: u8) -> thread::JoinHandle<u8> {
    let queue = queue.clone();
    thread::spawn(move || {
        (0..count).filter(|&number| queue.push((name, number)).is_ok()).count() as u8
    })
}

/// Checks that messages are all those of one sender, in order.
fn all_of(name: u8, count: u8, messages: &VecDeque<Message>) {
    let of_one = messages.iter().filter(|message| message.0 == name).map(|message| message.1);
    assert!(of_one.eq(0..count), "{name} has sent {count}: {messages:?}");
}

#[test]
fn two_senders_and_a_receiver() {
    model(&[0, 2], |queue| {
        let (a, b) = (sender(&queue, 0, 1), sender(&queue, 1, 1));
        let mut all = fetch(&queue, 1);
        a.join().unwrap();
        b.join().unwrap();
        all.append(&mut queue.close());
        assert_eq!(all.len(), 2);
        all_of(0, 1, &all);
        all_of(1, 1, &all);
    });
}

/// The block that the receiver leaves goes behind the one that the sender has just allocated, and is used after it.
#[test]
fn a_block_is_left_behind_another_spare_one() {
    model(&[0], |queue| {
        (0..4).try_for_each(|number| queue.push((0, number))).unwrap();
        let sender = {
            let queue = queue.clone();
            thread::spawn(move || (4..7).try_for_each(|number| queue.push((0, number))).unwrap())
        };
        let mut all = fetch(&queue, 3);
        sender.join().unwrap();
        (7..14).try_for_each(|number| queue.push((0, number))).unwrap();
        while queue.fetch(&mut all, 3, None) {}
        all_of(0, 14, &all);
    });
}

#[test]
fn a_sender_goes_from_block_to_block_before_the_receiver() {
    model(&[0, 2], |queue| {
        let a = sender(&queue, 0, 4);
        let mut all = fetch(&queue, 2);
        a.join().unwrap();
        all.append(&mut queue.close());
        all_of(0, 4, &all);
    });
}

#[test]
fn two_senders_at_the_end_of_a_block_that_is_used_again() {
    model(&[1, 2], |queue| {
        queue.push((2, 0)).unwrap();
        let (a, b) = (sender(&queue, 0, 2), sender(&queue, 1, 1));
        let mut all = fetch(&queue, 2);
        a.join().unwrap();
        b.join().unwrap();
        all.append(&mut queue.close());
        assert_eq!(all.pop_front(), Some((2, 0)));
        assert_eq!(all.len(), 3);
        all_of(0, 2, &all);
        all_of(1, 1, &all);
    });
}

#[test]
fn push_against_close() {
    model(&[0, 1, 2], |queue| {
        let a = sender(&queue, 0, 2);
        let mut all = queue.close();
        let accepted = a.join().unwrap();
        assert_eq!(queue.push((9, 9)).unwrap_err().into_message(), (9, 9));
        all_of(0, accepted, &all);
        all.append(&mut fetch(&queue, 9));
        assert_eq!(all.len(), usize::from(accepted), "nothing comes after the close");
    });
}

#[test]
fn push_against_a_fetch_that_is_followed_by_close() {
    model(&[0, 1, 2], |queue| {
        let a = sender(&queue, 0, 2);
        let mut all = fetch(&queue, 1);
        all.append(&mut queue.close());
        let accepted = a.join().unwrap();
        all_of(0, accepted, &all);
        assert_eq!(queue.len(), 0);
    });
}

#[test]
fn close_against_fetch() {
    model(&[0, 2], |queue| {
        (0..2).try_for_each(|number| queue.push((0, number))).unwrap();
        let closer = thread::spawn({
            let queue = queue.clone();
            move || queue.close()
        });
        let mut all = fetch(&queue, 1);
        all.append(&mut closer.join().unwrap());
        all_of(0, 2, &all);
    });
}

#[test]
fn close_and_open_against_push() {
    model(&[0, 1, 2], |queue| {
        let closer = thread::spawn({
            let queue = queue.clone();
            move || {
                let messages = queue.close();
                queue.open();
                messages
            }
        });
        let accepted: Vec<u8> = (0..3).filter(|&number| queue.push((0, number)).is_ok()).collect();
        let mut all = closer.join().unwrap();
        all.append(&mut fetch(&queue, 9));
        assert!(all.iter().map(|message| message.1).eq(accepted.iter().copied()), "{all:?}");
    });
}

#[test]
fn who_is_refused_or_accepted_again_sees_what_came_before() {
    model(&[1], |queue| {
        let news = Arc::new(AtomicUsize::new(0));
        let closer = thread::spawn({
            let (queue, news) = (queue.clone(), news.clone());
            move || {
                news.store(1, Relaxed);
                queue.close();
                news.store(2, Relaxed);
                queue.open();
            }
        });
        if queue.push((0, 0)).is_err() {
            assert!(news.load(Relaxed) >= 1);
            if queue.push((0, 1)).is_ok() {
                assert_eq!(news.load(Relaxed), 2);
            }
        }
        closer.join().unwrap();
    });
}

#[test]
fn push_against_park_loses_no_wake() {
    model(&[0, 1, 2], |queue| {
        let (waker, woken) = counted();
        let a = sender(&queue, 0, 1);
        let mut batch = VecDeque::new();
        let found = queue.fetch(&mut batch, 9, Some(&waker));
        a.join().unwrap();
        assert!(found || woken.load(SeqCst) == 1);
        batch.append(&mut queue.close());
        all_of(0, 1, &batch);
    });
}

#[test]
fn push_against_a_first_one_that_parks() {
    model(&[0, 1, 2], |queue| {
        let (waker, woken) = counted();
        let a = sender(&queue, 0, 2);
        let mut batch = VecDeque::new();
        let mut first = None;
        let found = queue.fetch_first(&mut batch, 9, Some(&waker), &mut first);
        a.join().unwrap();
        assert!(found == first.is_some() && (found || woken.load(SeqCst) >= 1));
        let mut all = VecDeque::from_iter(first);
        all.append(&mut batch);
        all.append(&mut queue.close());
        all_of(0, 2, &all);
    });
}

#[test]
fn a_parked_receiver_is_woken_by_one_of_two_senders() {
    model(&[1], |queue| {
        let (waker, woken) = counted();
        let mut batch = VecDeque::new();
        assert!(!queue.fetch(&mut batch, 9, Some(&waker)));
        let (a, b) = (sender(&queue, 0, 1), sender(&queue, 1, 1));
        let again = queue.fetch(&mut batch, 9, Some(&waker));
        a.join().unwrap();
        b.join().unwrap();
        assert!(woken.load(SeqCst) >= 1);
        if !again {
            assert!(queue.fetch(&mut batch, 9, Some(&waker)));
        }
        batch.append(&mut queue.close());
        assert_eq!(batch.len(), 2);
    });
}

#[test]
fn a_receiver_parks_again_while_the_last_waker_is_taken() {
    model(&[1], |queue| {
        let ((first, first_woken), (second, second_woken)) = (counted(), counted());
        let mut batch = VecDeque::new();
        assert!(!queue.fetch(&mut batch, 9, Some(&first)));
        let a = sender(&queue, 0, 1);
        // The model checker lets the sender come between these, where it would not come before the first.
        let mut found = queue.fetch(&mut batch, 9, None);
        thread::yield_now();
        found |= queue.fetch(&mut batch, 9, Some(&second));
        // Now it waits for a second message.
        let again = found && queue.fetch(&mut batch, 9, Some(&second));
        a.join().unwrap();
        assert!(!again);
        assert!(found || second_woken.load(SeqCst) == 1, "it is woken if it left its waker");
        assert!(first_woken.load(SeqCst) <= 1);
        batch.append(&mut queue.close());
        all_of(0, 1, &batch);
    });
}

#[test]
fn a_waker_replaced_by_two_receivers_while_a_sender_comes() {
    model(&[1], |queue| {
        let ((first, _), (second, second_woken)) = (counted(), counted());
        assert!(!queue.fetch(&mut VecDeque::new(), 9, Some(&first)));
        let other = thread::spawn({
            let queue = queue.clone();
            move || {
                let mut batch = VecDeque::new();
                let found = queue.fetch(&mut batch, 9, Some(&second));
                (found, second)
            }
        });
        queue.push((0, 0)).unwrap();
        let (found, _second) = other.join().unwrap();
        assert!(found || second_woken.load(SeqCst) == 1);
    });
}

fn check_reason(queue: &Shared) {
    let (waker, woken) = counted();
    let stop = Arc::new(AtomicUsize::new(0));
    let waking = thread::spawn({
        let (queue, stop) = (queue.clone(), stop.clone());
        move || {
            stop.store(1, Relaxed);
            queue.wake();
        }
    });
    assert!(!queue.fetch(&mut VecDeque::new(), 9, Some(&waker)));
    let seen = stop.load(Relaxed) == 1;
    waking.join().unwrap();
    assert!(seen || woken.load(SeqCst) == 1);
}

#[test]
fn wake_against_park_loses_no_reason() {
    model(&[0, 1], |queue| check_reason(&queue));
}

/// As a mailbox is used whose messages are elsewhere.
#[test]
fn wake_against_park_at_a_closed_queue_loses_no_reason() {
    model(&[0, 1], |queue| {
        queue.close();
        check_reason(&queue);
    });
}

#[test]
fn wake_against_push_against_a_receiver_that_parks_again() {
    model(&[1], |queue| {
        let (waker, woken) = counted();
        assert!(!queue.fetch(&mut VecDeque::new(), 9, Some(&waker)));
        let waking = thread::spawn({
            let queue = queue.clone();
            move || queue.wake()
        });
        let a = sender(&queue, 0, 1);
        let mut batch = VecDeque::new();
        let found = queue.fetch(&mut batch, 9, Some(&waker));
        waking.join().unwrap();
        a.join().unwrap();
        assert!(woken.load(SeqCst) >= 1);
        if !found {
            assert!(queue.fetch(&mut batch, 9, None));
        }
        all_of(0, 1, &batch);
    });
}

#[test]
fn push_against_put_back() {
    model(&[0, 1], |queue| {
        (0..2).try_for_each(|number| queue.push((0, number))).unwrap();
        let mut batch = fetch(&queue, 2);
        let a = sender(&queue, 1, 1);
        assert!(queue.put_back(&mut batch) && batch.is_empty());
        let mut all = fetch(&queue, 1);
        a.join().unwrap();
        all.append(&mut fetch(&queue, 9));
        assert_eq!(all, [(0, 0), (0, 1), (1, 0)]);
    });
}

/// A thread that puts a message back, and says whether it could, and how many it has left.
fn putting(queue: &Shared) -> thread::JoinHandle<(bool, usize)> {
    queue.push((0, 0)).unwrap();
    let mut batch = fetch(queue, 1);
    let queue = queue.clone();
    thread::spawn(move || (queue.put_back(&mut batch), batch.len()))
}

#[test]
fn put_back_against_a_receiver_that_parks() {
    model(&[1], |queue| {
        let putting = putting(&queue);
        let (waker, woken) = counted();
        let mut all = VecDeque::new();
        let found = queue.fetch(&mut all, 9, Some(&waker));
        assert_eq!(putting.join().unwrap(), (true, 0));
        assert_eq!(woken.load(SeqCst), usize::from(!found));
        all.append(&mut queue.close());
        assert_eq!(all, [(0, 0)]);
    });
}

#[test]
fn put_back_against_close() {
    model(&[1], |queue| {
        let putting = putting(&queue);
        let all = queue.close();
        let (put, left) = putting.join().unwrap();
        assert_eq!((left, all.len()), (usize::from(!put), usize::from(put)));
    });
}

#[test]
fn pop_oldest_against_fetch_against_push() {
    model(&[0, 1], |queue| {
        (0..2).try_for_each(|number| queue.push((0, number))).unwrap();
        let popping = thread::spawn({
            let queue = queue.clone();
            move || queue.pop_oldest()
        });
        let a = sender(&queue, 1, 1);
        let mut all = fetch(&queue, 1);
        let popped = popping.join().unwrap();
        a.join().unwrap();
        let (first, second) = (all[0], popped.unwrap());
        assert_eq!(first.1 + second.1, 1, "each is taken once");
        all.append(&mut fetch(&queue, 9));
        assert_eq!(all.len(), 2);
        assert_eq!(all[1], (1, 0));
    });
}

#[test]
fn a_receiver_and_a_popper_leave_blocks_to_a_sender() {
    model(&[1, 2], |queue| {
        (0..3).try_for_each(|number| queue.push((0, number))).unwrap();
        let popping = thread::spawn({
            let queue = queue.clone();
            move || (queue.pop_oldest(), queue.pop_oldest())
        });
        let a = sender(&queue, 1, 3);
        popping.join().unwrap();
        a.join().unwrap();
        let all = queue.close();
        assert_eq!(all.len(), 4);
        all_of(1, 3, &all);
    });
}

#[test]
fn capacity_is_set_by_two_and_kept() {
    model(&[0, 2], |queue| {
        let setting = thread::spawn({
            let queue = queue.clone();
            move || queue.set_capacity(1)
        });
        queue.set_capacity(1);
        let a = sender(&queue, 0, 1);
        let b = queue.push((1, 0)).is_ok();
        let a = a.join().unwrap() == 1;
        setting.join().unwrap();
        assert!(a != b, "one of two is accepted");
        assert_eq!(queue.len(), 1);
    });
}
