//! More wakes than the state word can count. In these models a run sees at most two, and the count ends at four.

use crate::model::{Model, check, spawn};
use crate::news::{Readers, wake};
use loom::sync::atomic::Ordering::SeqCst;
use loom::thread;

/// The count is not raised beyond this many wakes (`WAKES_LIMIT` of the model's state word).
const WAKES_LIMIT: usize = 4;

/// Wakes before the run begins, then wakes against the run. With and without a handle, by value and by reference.
fn wakes_lose_nothing(before: usize, during: usize, by_value: bool, detached: bool) {
    check(move || {
        let (readers, process, handle) = Readers::new(during + 1);
        process.run();
        let mut wakers = readers.take();
        let first = wakers.pop().unwrap();
        (0..before).for_each(|_| first.wake_by_ref());
        drop(first);
        let handle = (!detached).then_some(handle);
        let due = readers.due().unwrap();
        let waking = thread::spawn({
            let readers = readers.clone();
            move || {
                for (news, waker) in (1..).zip(wakers) {
                    readers.tell(news);
                    wake(waker, by_value);
                }
            }
        });
        due.run();
        readers.run();
        waking.join().unwrap();
        readers.run();
        readers.end(during);
        drop(handle);
        readers.gone();
    });
}

/// Each number of wakes before the run, up to one beyond the limit.
fn every_count_before(during: usize, by_value: bool) {
    for detached in [false, true] {
        for before in 1..=WAKES_LIMIT + 1 {
            wakes_lose_nothing(before, during, by_value, detached);
        }
    }
}

#[test]
fn a_wake_by_reference_beyond_the_limits_is_not_lost() {
    every_count_before(1, false);
}

#[test]
fn a_wake_by_value_beyond_the_limits_is_not_lost() {
    every_count_before(1, true);
}

#[test]
fn wakes_by_reference_that_pass_the_limit_during_a_poll_are_not_lost() {
    wakes_lose_nothing(1, WAKES_LIMIT + 1, false, false);
    wakes_lose_nothing(WAKES_LIMIT, 2, false, true);
}

#[test]
fn wakes_by_value_that_pass_the_limit_during_a_poll_are_not_lost() {
    wakes_lose_nothing(1, WAKES_LIMIT + 1, true, false);
    wakes_lose_nothing(WAKES_LIMIT, 2, true, true);
}

/// Two threads find the count at its limit while a run begins that lowers it.
#[test]
fn two_wakers_at_the_limit_lose_nothing() {
    for by_value in [false, true] {
        check(move || {
            let (readers, process, handle) = Readers::new(2);
            process.run();
            let mut wakers = readers.take();
            (0..WAKES_LIMIT).for_each(|_| wakers[0].wake_by_ref());
            let due = readers.due().unwrap();
            let (one, other) = (wakers.pop().unwrap(), wakers.pop().unwrap());
            let waking = thread::spawn(move || wake(one, by_value));
            let telling = thread::spawn({
                let readers = readers.clone();
                move || {
                    readers.tell(1);
                    wake(other, by_value);
                }
            });
            due.run();
            readers.run();
            waking.join().unwrap();
            telling.join().unwrap();
            readers.run();
            readers.end(1);
            drop(handle);
            readers.gone();
        });
    }
}

/// The first poll is woken beyond the limits while it lasts; the next ones are not the first.
#[test]
fn before_start_runs_once_over_several_polls() {
    for wakes in [1, WAKES_LIMIT + 1] {
        check(move || {
            let (readers, process, handle) = Readers::new(1);
            let runner = thread::spawn({
                let readers = readers.clone();
                move || {
                    process.run();
                    readers.run();
                }
            });
            let waker = readers.take().pop();
            let woken = waker.is_some();
            if let Some(waker) = waker {
                readers.tell(1);
                (0..wakes).for_each(|_| waker.wake_by_ref());
            }
            runner.join().unwrap();
            readers.run();
            readers.end(usize::from(woken));
            assert!(readers.polls() > usize::from(woken), "a wake leads to a poll");
            // The wakers that nobody took.
            drop(readers.take());
            drop(handle);
            readers.gone();
        });
    }
}

/// A process that is cancelled before its first poll does not start; one that is cancelled during it has, once.
#[test]
fn before_start_against_cancel() {
    check(|| {
        let (model, process, handle) = Model::new(1, true);
        let runner = spawn(&model, move |_| process.run());
        handle.cancel();
        runner.join().unwrap();
        model.run();
        let (started, polls) = (&model.counts.started, &model.counts.polls);
        assert!(polls.load(SeqCst) <= 1, "the cancelled process is not polled again");
        assert_eq!(started.load(SeqCst), polls.load(SeqCst), "every start belongs to a poll");
        drop(handle);
        model.end(Some(0));
    });
}
