//! What the tests of pools share: workers that write down what they have done.

#![allow(dead_code, reason = "each test file uses a part of it")]

use bastion_supervision::plan::{Backoff, RestartType};
use bastion_supervision::{Context, Exit, Pool, Runtime, Sim, System};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn in_sim<T>(seed: u64, body: impl AsyncFnOnce(Sim, System) -> T) -> T {
    let sim = Sim::new(seed);
    let inner = sim.clone();
    sim.run(async move {
        let system = System::new(Runtime::sim(&inner));
        let result = body(inner, system.clone()).await;
        let stopped = system.stop(5 * SECOND).await;
        assert!(stopped.forced.is_empty(), "{:?}", stopped.forced);
        result
    })
}

/// A message: how many seconds it takes, and what it is called.
pub(crate) type Work = (u64, u32);

/// Which worker has handled what, at the second when it was done.
#[derive(Clone, Default)]
pub(crate) struct Done(pub(crate) Arc<Mutex<Vec<(String, u32, u64)>>>);

impl Done {
    pub(crate) fn numbers(&self) -> Vec<u32> {
        let mut numbers: Vec<_> = self.0.lock().unwrap().iter().map(|done| done.1).collect();
        numbers.sort_unstable();
        numbers
    }

    pub(crate) fn workers_of(&self, wanted: impl Fn(u32) -> bool) -> Vec<String> {
        let done = self.0.lock().unwrap();
        let mut workers: Vec<_> =
            done.iter().filter(|done| wanted(done.1)).map(|done| done.0.clone()).collect();
        workers.sort_unstable();
        workers.dedup();
        workers
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub(crate) fn last(&self) -> u64 {
        self.0.lock().unwrap().iter().map(|done| done.2).max().unwrap_or_default()
    }
}

/// A pool whose workers write down what they have done.
pub(crate) fn working(sim: &Sim, name: &'static str) -> (Pool<Work>, Done) {
    let done = Done::default();
    let (clock, record) = (sim.clone(), done.clone());
    let pool = Pool::new(name, move |mut cx: Context<Work>| {
        let (clock, record) = (clock.clone(), record.clone());
        async move {
            while let Some((seconds, number)) = cx.recv().await {
                cx.sleep(seconds as u32 * SECOND).await;
                let now = clock.now().as_secs();
                record.0.lock().unwrap().push((cx.pid().to_string(), number, now));
            }
            Ok(())
        }
    });
    (pool, done)
}

/// A pool whose workers fail, or end for good, at the numbers that say so.
pub(crate) const FAIL: u32 = 1000;

pub(crate) fn failing(sim: &Sim, restart: RestartType) -> (Pool<Work>, Done) {
    let done = Done::default();
    let (clock, record) = (sim.clone(), done.clone());
    let pool = Pool::new("failing", move |mut cx: Context<Work>| {
        let (clock, record) = (clock.clone(), record.clone());
        async move {
            while let Some((seconds, number)) = cx.recv().await {
                cx.sleep(seconds as u32 * SECOND).await;
                if number == FAIL {
                    return Err(Exit::error("told to"));
                }
                let now = clock.now().as_secs();
                record.0.lock().unwrap().push((cx.pid().to_string(), number, now));
            }
            Ok(())
        }
    });
    let pool = pool.worker(move |worker| worker.restart(restart).backoff(Backoff::immediate()));
    (pool, done)
}
