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

use idle::{Idle, Seat};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use loom::thread;
use parker::Parker;

/// Workers in domains, each domain with a queue that is a number.
struct Model {
    idle: Idle,
    queues: Vec<AtomicUsize>,
    /// Somebody of the domain takes from another one.
    abroad: Vec<AtomicBool>,
    left: AtomicUsize,
}

impl Model {
    /// One worker for each entry, in the domain of that number.
    fn new(homes: &[usize], items: usize) -> Model {
        let domains = homes.iter().max().unwrap() + 1;
        let seats: Vec<Seat> = homes.iter().map(|&domain| Seat { domain, core: None }).collect();
        let others = |domain| (0..domains).filter(|other| *other != domain).collect();
        Model {
            idle: Idle::new(&seats, &(0..domains).map(others).collect::<Vec<Vec<usize>>>()),
            queues: (0..domains).map(|_| AtomicUsize::new(0)).collect(),
            abroad: (0..domains).map(|_| AtomicBool::new(false)).collect(),
            left: AtomicUsize::new(items),
        }
    }

    fn push(&self, domain: usize) {
        self.queues[domain].fetch_add(1, SeqCst);
        self.idle.notify(domain, None, || self.queues[domain].load(SeqCst));
    }

    fn take(&self, domain: usize) -> bool {
        self.queues[domain].fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok()
    }

    fn others(&self, domain: usize) -> impl Iterator<Item = usize> {
        (0..self.queues.len()).filter(move |other| *other != domain)
    }

    /// Takes from another domain that needs help, if nobody of the own one does.
    fn take_abroad(&self, domain: usize) -> bool {
        if self.queues.len() == 1 || self.abroad[domain].swap(true, SeqCst) {
            return false;
        }
        let found =
            self.others(domain).any(|other| self.idle.needs_help(other) && self.take(other));
        self.abroad[domain].store(false, SeqCst);
        found
    }

    fn has_work(&self, domain: usize) -> bool {
        let waits = |domain: usize| self.queues[domain].load(SeqCst) > 0;
        let abroad = |other: usize| waits(other) && self.idle.needs_help(other);
        waits(domain)
            || (self.queues.len() > 1
                && !self.abroad[domain].load(SeqCst)
                && self.others(domain).any(abroad))
    }

    /// Takes processes, sleeping in between, as the worker's loop does, until all have been taken. A lost wake-up is a deadlock.
    fn work(&self, worker: usize, domain: usize) {
        let parker = std::sync::Arc::new(Parker::new());
        self.idle.register(worker, parker.clone());
        let mut searching = false;
        while self.left.load(SeqCst) > 0 {
            searching = searching || self.idle.start_searching(worker);
            if self.take(domain) || (searching && self.take_abroad(domain)) {
                if std::mem::take(&mut searching)
                    && self.idle.stop_searching(worker)
                    && self.has_work(domain)
                {
                    self.idle.notify(domain, Some(worker), || self.queues[domain].load(SeqCst));
                }
                if self.left.fetch_sub(1, SeqCst) == 1 {
                    self.idle.wake_all();
                }
            } else {
                let wait = || {
                    parker.park(None);
                    false
                };
                let has_work = || self.left.load(SeqCst) == 0 || self.has_work(domain);
                self.idle.sleep(worker, searching, has_work, wait);
                searching = true;
            }
        }
        if searching {
            let _ = self.idle.stop_searching(worker);
        }
    }
}

/// Pushes one process after the other into these domains, by each pusher its own list, and has workers at home in `homes` take them.
fn check(homes: &'static [usize], pushers: &'static [&'static [usize]]) {
    let mut builder = loom::model::Builder::new();
    // Two domains have many more interleavings: one interruption less.
    let less = usize::from(homes.len() > 1 && homes.iter().any(|home| *home != homes[0]));
    builder.preemption_bound = Some(builder.preemption_bound.unwrap_or(3) - less);
    builder.check(move || {
        let items = pushers.iter().map(|list| list.len()).sum();
        let model = Arc::new(Model::new(homes, items));
        let spawn = |f: Box<dyn FnOnce(&Model)>| {
            let model = model.clone();
            thread::spawn(move || f(&model))
        };
        let push = |list: &'static [usize]| {
            move |model: &Model| list.iter().for_each(|domain| model.push(*domain))
        };
        let workers = homes.iter().enumerate();
        let mut threads: Vec<_> = workers
            .map(|(worker, &home)| spawn(Box::new(move |model| model.work(worker, home))))
            .collect();
        threads.extend(pushers[1..].iter().map(|list| spawn(Box::new(push(list)))));
        push(pushers[0])(&model);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!((0..model.queues.len()).all(|domain| !model.has_work(domain)));
    });
}

#[test]
fn one_worker_two_pushes() {
    check(&[0], &[&[0, 0]]);
}

#[test]
fn two_workers_one_pusher() {
    check(&[0, 0], &[&[0, 0]]);
}

#[test]
fn one_worker_two_pushers() {
    check(&[0], &[&[0], &[0]]);
}

#[test]
fn a_domain_whose_workers_are_all_busy_is_helped() {
    // That nobody is at home in it is the same.
    check(&[1], &[&[0, 0]]);
}

#[test]
fn two_domains_one_pusher() {
    check(&[0, 1], &[&[0, 0]]);
}

#[test]
fn two_domains_work_for_each() {
    check(&[0, 1], &[&[0, 1]]);
}

#[test]
fn two_domains_help_a_third() {
    check(&[1, 2], &[&[0, 0]]);
}

#[test]
fn work_of_two_domains() {
    check(&[1, 2], &[&[0, 1]]);
}
