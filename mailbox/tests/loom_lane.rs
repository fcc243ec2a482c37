//! A lane under every interleaving: no message lies there while all who take from it wait.
//! `RUSTFLAGS="--cfg loom" cargo test --release -p bastion-mailbox --test loom_lane`
#![cfg(loom)]

mod loom_support;

use bastion_mailbox::{Lane, Seat};
use loom::sync::Arc;
use loom::sync::atomic::Ordering::SeqCst;
use loom::thread;
use loom_support::counted;

type Shared = Arc<Lane<u8>>;

fn model(check: fn(Shared)) {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 10_000;
    builder.check(move || check(Arc::new(Lane::new(9))));
}

/// Takes an item as a worker does, without a wait: what it leaves its waker for comes later.
fn take(lane: &Lane<u8>, seat: Seat) -> Option<u8> {
    let (waker, _) = counted();
    let mut item = lane.pop();
    if item.is_none() {
        lane.wait(seat, &waker);
        item = lane.pop();
        if item.is_some() {
            lane.leave(seat);
        }
    }
    item
}

#[test]
fn push_against_one_who_waits_loses_no_wake() {
    model(|lane| {
        let sender = thread::spawn({
            let lane = lane.clone();
            move || lane.push(7).unwrap()
        });
        let (waker, woken) = counted();
        lane.wait(1, &waker);
        let found = lane.pop();
        sender.join().unwrap();
        assert!(found.is_some() || woken.load(SeqCst) == 1);
    });
}

#[test]
fn of_two_messages_and_two_who_take_none_is_left() {
    model(|lane| {
        let taker = thread::spawn({
            let lane = lane.clone();
            move || take(&lane, 1)
        });
        lane.push(1).unwrap();
        lane.push(2).unwrap();
        let own = take(&lane, 2);
        let other = taker.join().unwrap();
        let taken = usize::from(own.is_some()) + usize::from(other.is_some());
        assert!(own.is_some(), "two were there, and one other at most has taken one");
        // Who waits now was woken, or there is nothing to take.
        assert_eq!(lane.len() + taken, 2);
        assert!(lane.is_empty() || !lane.has_waiting());
    });
}

#[test]
fn who_leaves_passes_a_wake_on() {
    model(|lane| {
        let (first, second) = (counted(), counted());
        lane.wait(1, &first.0);
        lane.wait(2, &second.0);
        let sender = thread::spawn({
            let lane = lane.clone();
            move || lane.push(7).unwrap()
        });
        // It does something else.
        lane.leave(2);
        sender.join().unwrap();
        assert_eq!(first.1.load(SeqCst), 1, "woken by the message, or by who left");
    });
}

#[test]
fn of_many_that_come_at_once_who_takes_one_wakes_the_next() {
    model(|lane| {
        let (first, second) = (counted(), counted());
        lane.wait(1, &first.0);
        lane.wait(2, &second.0);
        let sender = thread::spawn({
            let lane = lane.clone();
            move || assert!(lane.put_back(&mut [1, 2].into()))
        });
        let early = lane.pop();
        sender.join().unwrap();
        let taken = early.or_else(|| lane.pop());
        assert_eq!(taken, Some(1));
        assert_eq!((first.1.load(SeqCst), second.1.load(SeqCst)), (1, 1));
    });
}
