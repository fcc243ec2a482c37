//! The ledger: what service, chaos and clients count while they run. Shared, and of constant size.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Latencies up to here are kept to the microsecond.
const EXACT_MICROS: usize = 1 << 17;

/// All counters of one run.
pub(crate) struct Ledger {
    /// Lines that were answered with a count.
    pub(crate) answered: AtomicU64,
    /// The bytes of their texts.
    pub(crate) bytes: AtomicU64,
    /// Lines that were sent again.
    pub(crate) retries: AtomicU64,
    /// Connections that were lost, and made again.
    pub(crate) reconnects: AtomicU64,
    /// Answers that differ from the plain sequential count.
    pub(crate) wrong: AtomicU64,
    /// Workers that were made to panic.
    pub(crate) crashes: AtomicU64,
    /// Workers that came back.
    pub(crate) restarts: AtomicU64,
    /// Connections that were made to end.
    pub(crate) kills: AtomicU64,
    workers: Box<[WorkerEntry]>,
    latencies: Mutex<Latencies>,
}

#[derive(Default)]
struct WorkerEntry {
    /// It was told to panic and is not back yet.
    doomed: AtomicBool,
    /// When it panicked.
    crashed_at: Mutex<Option<Instant>>,
}

impl Ledger {
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            answered: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            reconnects: AtomicU64::new(0),
            wrong: AtomicU64::new(0),
            crashes: AtomicU64::new(0),
            restarts: AtomicU64::new(0),
            kills: AtomicU64::new(0),
            workers: (0..workers).map(|_| WorkerEntry::default()).collect(),
            latencies: Mutex::new(Latencies::new()),
        }
    }

    /// Marks a worker as told to panic. False: it is already, and has not come back since.
    pub(crate) fn doom(&self, worker: usize) -> bool {
        !self.workers[worker].doomed.swap(true, SeqCst)
    }

    /// Notes that a worker is about to panic.
    pub(crate) fn crashing(&self, worker: usize) {
        self.crashes.fetch_add(1, Relaxed);
        *lock(&self.workers[worker].crashed_at) = Some(Instant::now());
    }

    /// Notes that a worker starts: for the first time, or after a crash.
    pub(crate) fn starting(&self, worker: usize) {
        let entry = &self.workers[worker];
        if let Some(crashed_at) = lock(&entry.crashed_at).take() {
            lock(&self.latencies).add(crashed_at.elapsed());
            self.restarts.fetch_add(1, Relaxed);
        }
        entry.doomed.store(false, SeqCst);
    }

    /// Says whether all workers that were told to panic have done so and are back.
    pub(crate) fn is_settled(&self) -> bool {
        self.workers.iter().all(|entry| !entry.doomed.load(SeqCst))
    }

    /// Returns the restart latency that this share of all restarts did not exceed; 1.0 is the longest.
    pub(crate) fn latency(&self, share: f64) -> Duration {
        lock(&self.latencies).quantile(share)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often each latency occurred, to the microsecond: exact, and of constant size however long the run is.
struct Latencies {
    /// By microseconds; what is longer is only counted in `count`.
    exact: Box<[u32]>,
    count: u64,
    longest: Duration,
}

impl Latencies {
    fn new() -> Self {
        Self { exact: vec![0; EXACT_MICROS].into(), count: 0, longest: Duration::ZERO }
    }

    fn add(&mut self, latency: Duration) {
        self.count += 1;
        self.longest = self.longest.max(latency);
        let micros = usize::try_from(latency.as_micros()).unwrap_or(usize::MAX);
        if let Some(times) = self.exact.get_mut(micros) {
            *times = times.saturating_add(1);
        }
    }

    /// The nearest rank: the smallest latency that at least this share of all did not exceed.
    fn quantile(&self, share: f64) -> Duration {
        let rank = ((self.count as f64 * share).ceil() as u64).max(1);
        let mut below = 0;
        for (micros, times) in self.exact.iter().enumerate() {
            below += u64::from(*times);
            if below >= rank && share < 1.0 {
                return Duration::from_micros(micros as u64);
            }
        }
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_the_nearest_ranks() {
        let mut latencies = Latencies::new();
        assert_eq!(latencies.quantile(0.5), Duration::ZERO);
        (1..=100).rev().for_each(|micros| latencies.add(Duration::from_micros(micros)));
        let quantiles = [0.01, 0.5, 0.99, 1.0].map(|share| latencies.quantile(share).as_micros());
        assert_eq!(quantiles, [1, 50, 99, 100]);
        latencies.add(Duration::from_secs(1));
        assert_eq!(latencies.quantile(1.0), Duration::from_secs(1));
        assert_eq!(latencies.quantile(0.999), Duration::from_secs(1));
    }

    #[test]
    fn a_worker_is_doomed_once_a_life() {
        let ledger = Ledger::new(2);
        ledger.starting(1);
        assert!(ledger.doom(1) && !ledger.doom(1) && ledger.doom(0));
        ledger.crashing(1);
        assert!(!ledger.is_settled());
        ledger.starting(1);
        assert!(ledger.doom(1));
        let counts = [&ledger.crashes, &ledger.restarts].map(|counter| counter.load(Relaxed));
        assert_eq!(counts, [1, 1]);
    }
}
