//! How much waits at each worker of the global executor, in the form that bastion-executor 0.4 has for it.
//!
//! A view of [`Executor::metrics`](crate::Executor::metrics), which has more: each [`update`] copies what waits in the workers' queues.
//! Nothing is balanced by it: idle workers steal.

use super::cores::{CoreId, get_core_ids};
use crate::runtime::global;
use arrayvec::ArrayVec;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How many loads there are at most.
const MAX_CORE: usize = 256;

/// The load of a place in the table that is none of a worker.
const NONE: usize = usize::MAX;

/// How old the figures must be for an update to do something.
const UPDATE_AFTER: Duration = Duration::from_millis(200);

/// Loads of queues, and their mean.
pub trait SmpStats {
    /// Notes the load of a queue.
    fn store_load(&self, affinity: usize, load: usize);

    /// Returns the queues' numbers with their loads, the highest load first.
    fn get_sorted_load(&self) -> ArrayVec<(usize, usize), MAX_CORE>;

    /// Returns the mean load, as it was when it was updated last.
    fn mean(&self) -> usize;

    /// Updates the mean load.
    fn update_mean(&self);
}

/// A table of loads.
///
/// # Examples
/// ```
/// use bastion_executor::load_balancer::{SmpStats, Stats};
/// let stats = Stats::new(3);
/// stats.store_load(1, 10);
/// stats.store_load(2, 5);
/// stats.update_mean();
/// assert_eq!(stats.get_sorted_load().as_slice(), [(1, 10), (2, 5), (0, 0)]);
/// assert_eq!(stats.mean(), 5);
/// ```
pub struct Stats {
    loads: [AtomicUsize; MAX_CORE],
    mean: AtomicUsize,
}

impl Stats {
    /// Makes a table for so many queues, 256 at most, whose loads are 0.
    pub fn new(num_cores: usize) -> Stats {
        let load = |queue| AtomicUsize::new(if queue < num_cores { 0 } else { NONE });
        Stats { loads: std::array::from_fn(load), mean: AtomicUsize::new(0) }
    }

    fn loads(&self) -> impl Iterator<Item = (usize, usize)> {
        let loads = self.loads.iter().map(|load| load.load(Relaxed)).enumerate();
        loads.filter(|(_, load)| *load != NONE)
    }
}

impl SmpStats for Stats {
    /// Notes the load of a queue; not of one beyond the 256th.
    fn store_load(&self, affinity: usize, load: usize) {
        if let Some(place) = self.loads.get(affinity) {
            place.store(load, Relaxed);
        }
    }

    fn get_sorted_load(&self) -> ArrayVec<(usize, usize), MAX_CORE> {
        let mut sorted: ArrayVec<_, MAX_CORE> = self.loads().collect();
        sorted.sort_by_key(|(_, load)| std::cmp::Reverse(*load));
        sorted
    }

    fn mean(&self) -> usize {
        self.mean.load(Relaxed)
    }

    fn update_mean(&self) {
        let (sum, count) = self
            .loads()
            .fold((0_usize, 0), |(sum, n), (_, load)| (sum.saturating_add(load), n + 1));
        self.mean.store(sum.checked_div(count).unwrap_or(0), Relaxed);
    }
}

impl fmt::Debug for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let loads: Vec<usize> = self.loads().map(|(_, load)| load).collect();
        f.debug_struct("Stats").field("smp_load", &loads).field("mean_level", &self.mean()).finish()
    }
}

/// The PUs, and when [`stats`] were updated last.
#[derive(Debug)]
pub struct LoadBalancer {
    /// How many PUs there are.
    pub num_cores: usize,
    /// The PUs.
    pub cores: Vec<CoreId>,
    updated: Mutex<Option<Instant>>,
}

impl LoadBalancer {
    /// Makes one for these PUs. Those of the program: [`get_cores`].
    pub fn new(cores: Vec<CoreId>) -> LoadBalancer {
        LoadBalancer { num_cores: cores.len(), cores, updated: Mutex::new(None) }
    }

    /// Brings [`stats`] up to date, if this one has not done so in the last 200 milliseconds.
    pub fn update_load_mean(&self) {
        if self.is_due() {
            refresh();
        }
    }

    fn is_due(&self) -> bool {
        let mut updated = self.updated.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = updated.is_none_or(|last| last.elapsed() > UPDATE_AFTER);
        if is_due {
            *updated = Some(Instant::now());
        }
        is_due
    }
}

/// Copies what waits at the workers of the global executor, if there is one.
fn refresh() {
    if let Some(executor) = global() {
        for (number, worker) in executor.metrics().workers.iter().enumerate() {
            stats().store_load(number, worker.queued);
        }
    }
    stats().update_mean();
}

fn balancer() -> &'static LoadBalancer {
    static BALANCER: OnceLock<LoadBalancer> = OnceLock::new();
    BALANCER.get_or_init(|| LoadBalancer::new(get_core_ids().unwrap_or_default()))
}

/// Brings [`stats`] up to date, if it was not called in the last 200 milliseconds.
///
/// # Examples
/// ```
/// use bastion_executor::load_balancer::{self, SmpStats};
/// load_balancer::update();
/// for (worker, waiting) in load_balancer::stats().get_sorted_load() {
///     println!("worker {worker}: {waiting} processes wait");
/// }
/// ```
pub fn update() {
    balancer().update_load_mean();
}

/// Returns how many processes waited in the queue of each worker of the global executor, by its number, at the last [`update`].
pub fn stats() -> &'static Stats {
    static STATS: OnceLock<Stats> = OnceLock::new();
    STATS.get_or_init(|| Stats::new(*core_count()))
}

/// Returns how many PUs the program may use.
pub fn core_count() -> &'static usize {
    &balancer().num_cores
}

/// Returns the PUs that the program may use: those of the thread that asked first.
pub fn get_cores() -> &'static [CoreId] {
    &balancer().cores
}
