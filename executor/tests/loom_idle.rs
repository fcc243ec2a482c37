//! The idle protocol under every interleaving, with a queue reduced to a counter: no wake-up is lost.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release -p bastion-executor --no-default-features --test loom_idle`
#![cfg(loom)]

#[path = "../src/idle/mod.rs"]
#[allow(dead_code, reason = "the model does not shut down, nor counts")]
mod idle;
#[path = "../src/parker.rs"]
#[allow(dead_code, reason = "the model has no sockets")]
mod parker;

use idle::Idle;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use loom::thread;
use parker::Parker;

struct Model {
    idle: Idle,
    queue: AtomicUsize,
}

impl Model {
    fn push(&self) {
        self.queue.fetch_add(1, SeqCst);
        self.idle.notify();
    }

    fn pop(&self) -> bool {
        self.queue.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok()
    }

    fn has_work(&self) -> bool {
        self.queue.load(SeqCst) > 0
    }

    /// Takes `items` processes, sleeping in between, as the worker's loop does. A lost wake-up is a deadlock.
    fn work(&self, worker: usize, items: usize) {
        let parker = std::sync::Arc::new(Parker::new());
        self.idle.register(worker, parker.clone());
        let mut searching = false;
        let mut done = 0;
        while done < items {
            searching = searching || self.idle.start_searching();
            if self.pop() {
                done += 1;
                if std::mem::take(&mut searching) && self.idle.stop_searching() && self.has_work() {
                    self.idle.notify();
                }
            } else {
                let wait = || {
                    parker.park(None);
                    false
                };
                self.idle.sleep(worker, searching, || self.has_work(), wait);
                searching = true;
            }
        }
        if searching {
            let _ = self.idle.stop_searching();
        }
    }
}

fn check(workers: usize, items_each: usize, pushers: usize) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(move || {
        let model = Arc::new(Model { idle: Idle::new(workers), queue: AtomicUsize::new(0) });
        let threads: Vec<_> = (0..workers)
            .map(|worker| {
                let model = model.clone();
                thread::spawn(move || model.work(worker, items_each))
            })
            .collect();
        let items = workers * items_each;
        if pushers == 2 {
            let other = {
                let model = model.clone();
                thread::spawn(move || (0..items / 2).for_each(|_| model.push()))
            };
            (items / 2..items).for_each(|_| model.push());
            other.join().unwrap();
        } else {
            (0..items).for_each(|_| model.push());
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(!model.has_work());
    });
}

#[test]
fn one_worker_two_pushes() {
    check(1, 2, 1);
}

#[test]
fn two_workers_one_pusher() {
    check(2, 1, 1);
}

#[test]
fn one_worker_two_pushers() {
    check(1, 2, 2);
}
