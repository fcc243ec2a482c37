//! What all workers of an executor share: injectors, stealers, the idle state; and where a due process goes.

use crate::blocking;
use crate::idle::Idle;
use crate::local::Local;
use crate::metrics::{Meter, Metrics};
use crossbeam_deque::{Injector, Steal, Stealer};
use crossbeam_utils::CachePadded;
use lightproc::LightProc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::time::Instant;

/// One executor, as its workers, handles and processes see it.
pub(crate) struct Shared {
    pub(crate) idle: Idle,
    pub(crate) workers: Box<[Remote]>,
    /// Processes that come from outside the workers: one queue a domain, each on its own cache lines.
    injectors: Box<[CachePadded<Injector<LightProc>>]>,
    closed: AtomicBool,
    /// How often a thread that is no worker has woken one.
    outside_unparks: AtomicU64,
    started: Instant,
}

/// A worker, as the others see it.
pub(crate) struct Remote {
    pub(crate) stealer: Stealer<LightProc>,
    /// The domain (NUMA node) that it belongs to.
    pub(crate) domain: usize,
    /// The others, nearest first.
    pub(crate) victims: Box<[usize]>,
    /// What it counts about itself, on its own cache lines.
    pub(crate) meter: CachePadded<Meter>,
}

impl Shared {
    /// `started` is what the workers' meters count their time from.
    pub(crate) fn new(workers: Box<[Remote]>, domains: usize, started: Instant) -> Shared {
        Shared {
            idle: Idle::new(workers.len()),
            workers,
            injectors: (0..domains.max(1)).map(|_| CachePadded::default()).collect(),
            closed: AtomicBool::new(false),
            outside_unparks: AtomicU64::new(0),
            started,
        }
    }

    /// Queues a process that is due: on this thread's worker if it is one of ours, else through an injector.
    pub(crate) fn schedule(self: &Arc<Self>, process: LightProc) {
        let outside = Local::with(|local| match local {
            Some(local) if Arc::ptr_eq(&local.shared, self) && !self.is_closed() => {
                local.push(process);
                None
            }
            _ => Some(process),
        });
        if let Some(process) = outside {
            self.inject(process);
            if self.is_closed() {
                // The workers have stopped, or may have before they saw it. Dropping a future runs foreign code, and whoever
                // wakes may be under a lock that it wants: not here.
                let shared = self.clone();
                crate::spawn_blocking(move || shared.drain()).detach();
            }
        }
    }

    fn inject(&self, process: LightProc) {
        self.injectors[own_turn() % self.injectors.len()].push(process);
        if self.idle.notify() {
            // Beside the waking of a thread this costs nothing.
            self.outside_unparks.fetch_add(1, Relaxed);
        }
    }

    /// Takes a batch from the injectors, the domain's own first.
    pub(crate) fn take_injected(&self, local: &Local) -> Option<LightProc> {
        let own = self.workers[local.index].domain;
        let others = (0..self.injectors.len()).filter(|domain| *domain != own);
        let taken = std::iter::once(own)
            .chain(others)
            .find_map(|domain| retry(|| self.injectors[domain].steal_batch_and_pop(&local.queue)));
        if taken.is_some() && !local.queue.is_empty() {
            // While the batch was on its way nobody could see it: a worker may have gone to sleep over that.
            local.notify();
        }
        taken
    }

    /// Steals a batch from the other workers, the nearest first.
    pub(crate) fn steal(&self, local: &Local) -> Option<LightProc> {
        let victims = &self.workers[local.index].victims;
        let stolen = victims.iter().find_map(|victim| {
            retry(|| self.workers[*victim].stealer.steal_batch_and_pop(&local.queue))
        })?;
        local.meter().steals.add(1);
        // The queue was empty before: what is in it came with the batch.
        local.meter().stolen.add(1 + local.queue.len() as u64);
        Some(stolen)
    }

    /// Reads what everybody has counted.
    pub(crate) fn metrics(&self) -> Metrics {
        let read = |worker: &Remote| worker.meter.read(worker.stealer.len());
        Metrics {
            workers: self.workers.iter().map(read).collect(),
            uptime: self.started.elapsed(),
            sleeping: self.idle.sleeping(),
            injected: self.injectors.iter().map(|injector| injector.len()).sum(),
            outside_unparks: self.outside_unparks.load(Relaxed),
            blocking: blocking::metrics(),
        }
    }

    /// Says whether any queue that all workers can see has a process in it.
    pub(crate) fn has_work(&self) -> bool {
        self.is_closed()
            || self.injectors.iter().any(|injector| !injector.is_empty())
            || self.workers.iter().any(|worker| !worker.stealer.is_empty())
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(SeqCst)
    }

    /// Tells the workers to stop after the poll that they are in.
    pub(crate) fn close(&self) {
        self.closed.store(true, SeqCst);
        self.idle.wake_all();
    }

    /// Drops what is queued anywhere; each process drops its future.
    pub(crate) fn drain(&self) {
        let injected = || self.injectors.iter().find_map(|injector| retry(|| injector.steal()));
        let queued = || self.workers.iter().find_map(|worker| retry(|| worker.stealer.steal()));
        while let Some(process) = injected().or_else(queued) {
            drop(process);
        }
    }
}

/// A number of this thread's own: each outside thread stays with one injector, and they take turns.
fn own_turn() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static TURN: usize = NEXT.fetch_add(1, Relaxed));
    // During the destruction of the thread's locals any injector will do.
    TURN.try_with(|turn| *turn).unwrap_or_default()
}

fn retry<T>(mut steal: impl FnMut() -> Steal<T>) -> Option<T> {
    loop {
        match steal() {
            Steal::Success(found) => return Some(found),
            Steal::Empty => return None,
            Steal::Retry => std::hint::spin_loop(),
        }
    }
}
