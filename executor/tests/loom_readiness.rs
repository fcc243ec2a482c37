//! The readiness of a source under every interleaving: of an event and a waiter, one always sees the other.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release -p bastion-executor --no-default-features --test loom_readiness`
#![cfg(loom)]

#[path = "../src/reactor/readiness/mod.rs"]
#[allow(dead_code, reason = "the models do not use all of it")]
mod readiness;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use loom::thread;
use readiness::{Readiness, Token};
use std::task::{Wake, Waker};

/// A task: how often it was woken.
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A socket whose data is a count, and its readiness.
struct Model {
    data: AtomicUsize,
    readiness: Readiness,
}

impl Model {
    fn new() -> Arc<Model> {
        Arc::new(Model { data: AtomicUsize::new(0), readiness: Readiness::new() })
    }

    fn read(&self) -> bool {
        self.data.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok()
    }

    /// The peer writes, the system reports it, the driver wakes.
    fn event(&self) {
        self.data.fetch_add(1, SeqCst);
        let mut woken = Vec::new();
        self.readiness.set(&mut woken);
        woken.into_iter().for_each(Waker::wake);
    }

    /// The loop of `Source::poll`.
    fn poll(&self, token: &mut Token, waker: &Waker) -> bool {
        loop {
            if let Some(seen) = self.readiness.look() {
                if self.read() {
                    return true;
                }
                if !self.readiness.take_back(seen) {
                    continue;
                }
            }
            self.readiness.leave(Some(token), waker);
            if self.readiness.look().is_none() {
                return false;
            }
        }
    }
}

fn task() -> (std::sync::Arc<Task>, Waker) {
    let task = std::sync::Arc::new(Task(AtomicUsize::new(0)));
    let waker = Waker::from(task.clone());
    (task, waker)
}

#[test]
fn a_waiter_gets_the_data_or_a_wake() {
    loom::model(|| {
        let model = Model::new();
        let driver = model.clone();
        let driver = thread::spawn(move || driver.event());
        let (task, waker) = task();
        let got = model.poll(&mut Token::default(), &waker);
        driver.join().unwrap();
        assert!(got || task.0.load(SeqCst) > 0, "the wake is lost");
        // Woken, it finds the data.
        assert!(got || model.poll(&mut Token::default(), &waker));
    });
}

#[test]
fn of_two_waiters_one_gets_the_data_or_both_are_woken() {
    loom::model(|| {
        let model = Model::new();
        let (driver, other) = (model.clone(), model.clone());
        let driver = thread::spawn(move || driver.event());
        let other = thread::spawn(move || {
            let (task, waker) = task();
            (other.poll(&mut Token::default(), &waker), task)
        });
        let (task, waker) = task();
        let got = model.poll(&mut Token::default(), &waker);
        driver.join().unwrap();
        let (other_got, other) = other.join().unwrap();
        let woken = [&task, &other].map(|task| task.0.load(SeqCst) > 0);
        assert!(got || other_got || woken == [true; 2], "{woken:?}");
    });
}

#[test]
fn two_events_are_two_wakes_or_seen() {
    loom::model(|| {
        let model = Model::new();
        let driver = model.clone();
        let driver = thread::spawn(move || {
            driver.event();
            driver.event();
        });
        let (task, waker) = task();
        let mut token = Token::default();
        let mut got = usize::from(model.poll(&mut token, &waker));
        got += usize::from(model.poll(&mut token, &waker));
        driver.join().unwrap();
        // What it has not got it was woken for, and is there.
        assert!(got == 2 || task.0.load(SeqCst) > 0, "the wake is lost");
        while got < 2 {
            assert!(model.poll(&mut token, &waker), "the readiness is lost");
            got += 1;
        }
    });
}
