//! The slot under every interleaving: whatever its worker puts in is taken out once, by the worker or by who takes it over.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release -p bastion-executor --no-default-features --test loom_slot`
#![cfg(loom)]

#[path = "../src/slot.rs"]
mod slot;

use lightproc::LightProc;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;
use slot::Slot;

/// Makes a process that counts its run; what is dropped without a run is not counted.
fn process(runs: &Arc<AtomicUsize>) -> LightProc {
    let runs = runs.clone();
    let run = async move {
        runs.fetch_add(1, Relaxed);
    };
    LightProc::detached(run, |_| {}, ())
}

/// Runs a worker that puts in `count` processes, runs whatever that displaces, and takes out the last; and so many others who each
/// try once to take one over. All processes must have run.
fn check(count: usize, others: usize) {
    loom::model(move || {
        let (slot, runs) = (Arc::new(Slot::new()), Arc::new(AtomicUsize::new(0)));
        let others: Vec<_> = (0..others)
            .map(|_| {
                let slot = slot.clone();
                thread::spawn(move || slot.take().map(LightProc::run))
            })
            .collect();
        for _ in 0..count {
            slot.put(process(&runs)).map(LightProc::run);
        }
        slot.take().map(LightProc::run);
        assert!(slot.is_empty());
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(runs.load(Relaxed), count);
    });
}

#[test]
fn one_is_taken_by_the_worker_or_by_the_other() {
    check(1, 1);
}

#[test]
fn what_is_displaced_is_not_taken_as_well() {
    check(2, 1);
}

#[test]
fn two_others_do_not_take_the_same() {
    check(2, 2);
}
