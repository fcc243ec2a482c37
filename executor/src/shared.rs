//! What all workers of an executor share: injectors, stealers, the idle state; and where a due process goes.

use crate::blocking::Pool;
use crate::end::End;
use crate::idle::Idle;
use crate::local::Local;
use crate::metrics::{Meter, Metrics};
use crate::on_panic::OnPanic;
use crate::registry::Registry;
use crate::settings::Settings;
use crate::skip::Busy;
use crate::slot::Slot;
use crate::sync::{AtomicBool, AtomicU64, AtomicUsize, fence};
use crate::timer::{Clock, Timers};
use crossbeam_deque::{Injector, Steal, Stealer};
use crossbeam_utils::CachePadded;
use lightproc::{LightProc, Panic};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::task::Waker;
use std::time::Instant;

/// So many processes come out of an injector at once.
const INJECTED_BATCH: usize = 32;

/// So many batches one worker takes out of an injector, if there are so many for each worker.
const INJECTED_BATCHES: usize = 8;

/// One executor, as its workers, handles and processes see it.
pub(crate) struct Shared {
    pub(crate) idle: Idle,
    pub(crate) workers: Box<[Remote]>,
    pub(crate) clock: Clock,
    pub(crate) settings: Settings,
    pub(crate) blocking: Arc<Pool>,
    pub(crate) end: End,
    pub(crate) on_panic: OnPanic,
    pub(crate) registry: Registry,
    /// Processes that come from outside the workers: one queue a domain, each on its own cache lines.
    pub(crate) injectors: Box<[CachePadded<Injector<LightProc>>]>,
    closed: AtomicBool,
    /// How many workers wait in `run` inside a process, and leave their own processes to the others.
    pub(crate) waiting: AtomicUsize,
    /// Who keeps a clock that skips from it.
    pub(crate) busy: Busy,
    /// How often a thread that is no worker has woken one.
    outside_unparks: AtomicU64,
    started: Instant,
}

/// What an executor is made of, beside its workers.
pub(crate) struct Given {
    pub(crate) clock: Clock,
    pub(crate) settings: Settings,
    pub(crate) blocking: Arc<Pool>,
    pub(crate) end: End,
    pub(crate) on_panic: OnPanic,
    /// What the workers' meters count their time from.
    pub(crate) started: Instant,
}

/// A worker, as the others see it.
pub(crate) struct Remote {
    pub(crate) stealer: Stealer<LightProc>,
    /// The domain (NUMA node) that it belongs to.
    pub(crate) domain: usize,
    /// The others, nearest first.
    pub(crate) victims: Box<[usize]>,
    pub(crate) timers: &'static Timers,
    /// How many polls it had begun when the monitor last looked.
    pub(crate) polls_seen: AtomicU64,
    /// What it alone writes, nearly always.
    pub(crate) own: CachePadded<Own>,
}

/// What a worker writes, on its own cache lines.
pub(crate) struct Own {
    /// The process that was woken last: it runs next, its data are still in the cache.
    pub(crate) slot: Slot,
    /// What it counts about itself.
    pub(crate) meter: Meter,
    /// How many processes may wait in its queue before it is worth waking another worker for them.
    pub(crate) bearable: AtomicUsize,
}

impl Own {
    pub(crate) fn new(epoch: Instant) -> Own {
        let (slot, meter) = (Slot::new(), Meter::new(epoch));
        Own { slot, meter, bearable: AtomicUsize::new(0) }
    }
}

impl Shared {
    pub(crate) fn new(workers: Box<[Remote]>, domains: usize, given: Given) -> Arc<Shared> {
        let Given { clock, settings, blocking, end, on_panic, started } = given;
        let shared = Arc::new(Shared {
            idle: Idle::new(workers.len()),
            registry: Registry::new(workers.len()),
            workers,
            clock,
            settings,
            blocking,
            end,
            on_panic,
            injectors: (0..domains.max(1)).map(|_| CachePadded::default()).collect(),
            closed: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            busy: Busy::default(),
            outside_unparks: AtomicU64::new(0),
            started,
        });
        shared.clock.register(&shared);
        shared
    }

    /// Queues a process that was woken: on this thread's worker if it is one of ours, else through an injector.
    #[inline]
    pub(crate) fn schedule(self: &Arc<Self>, process: LightProc) {
        self.push(process, false);
    }

    /// Queues a process that was spawned just now, as [`schedule`](Shared::schedule) does.
    #[inline]
    pub(crate) fn schedule_first(self: &Arc<Self>, process: LightProc) {
        self.push(process, true);
    }

    #[inline]
    fn push(self: &Arc<Self>, process: LightProc, fresh: bool) {
        let outside = Local::with(|local| match local {
            Some(local) if Arc::ptr_eq(&local.shared, self) && !self.is_closed() => {
                local.push(process, fresh);
                None
            }
            _ => Some(process),
        });
        if let Some(process) = outside {
            self.inject(process);
            if self.is_closed() {
                // The workers have stopped, or may have before they saw it.
                self.sweep_elsewhere();
            }
        }
    }

    pub(crate) fn inject(&self, process: LightProc) {
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
        let mut injectors =
            std::iter::once(own).chain(others).map(|domain| &self.injectors[domain]);
        let taken = injectors.find_map(|injector| {
            let first = retry(|| injector.steal_batch_and_pop(&local.queue))?;
            // One look takes several batches: the next may be a time slice away.
            let share = injector.len() / self.workers.len();
            for _ in 1..(share / INJECTED_BATCH).min(INJECTED_BATCHES) {
                let _ = injector.steal_batch(&local.queue);
            }
            Some(first)
        });
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

    /// Says whether all workers sleep, or have announced that they will, or wait in `run`.
    pub(crate) fn all_asleep(&self) -> bool {
        self.idle.sleeping() + self.waiting.load(SeqCst) == self.workers.len()
    }

    /// Makes a worker look at its timers, wherever it waits.
    pub(crate) fn rouse(&self, worker: usize) {
        self.idle.rouse(worker);
    }

    /// Makes one worker that sleeps, if there is one, wake up and go to sleep again.
    #[cfg(feature = "io")]
    pub(crate) fn rouse_a_sleeper(&self) {
        let _ = self.idle.notify();
    }

    /// Makes each worker look at its timers that has one that is due.
    pub(crate) fn rouse_due(&self) {
        // The time was set before; who has put a timer in looks at the time after that.
        fence(SeqCst);
        let tick = self.clock.tick();
        for (worker, remote) in self.workers.iter().enumerate() {
            if remote.timers.next() <= tick {
                self.rouse(worker);
            }
        }
    }

    /// Returns the time since the start, in nanoseconds.
    pub(crate) fn elapsed_ns(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.started).as_nanos() as u64
    }

    /// Reads what everybody has counted.
    pub(crate) fn metrics(&self) -> Metrics {
        let read = |worker: &Remote| worker.own.meter.read(worker.stealer.len());
        Metrics {
            workers: self.workers.iter().map(read).collect(),
            uptime: self.started.elapsed(),
            sleeping: self.idle.sleeping(),
            injected: self.injectors.iter().map(|injector| injector.len()).sum(),
            outside_unparks: self.outside_unparks.load(Relaxed),
            blocking: self.blocking.metrics(),
        }
    }

    /// Says whether there is something to do for one more worker: something in an injector, or more in a worker's queue than that will
    /// have done before another is awake.
    pub(crate) fn has_work(&self) -> bool {
        self.is_closed()
            || self.injectors.iter().any(|injector| !injector.is_empty())
            || self
                .workers
                .iter()
                .any(|worker| worker.stealer.len() > worker.own.bearable.load(Relaxed))
    }

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(SeqCst)
    }

    /// Tells the workers to stop after the poll that they are in.
    pub(crate) fn close(&self) {
        self.closed.store(true, SeqCst);
        self.idle.wake_all();
    }

    /// Drops what is queued anywhere; each process drops its future. What waits for a timer is queued, and so dropped, too.
    pub(crate) fn drain(&self) {
        let mut waiting = Vec::new();
        self.workers.iter().for_each(|worker| worker.timers.close(&mut waiting));
        waiting.into_iter().for_each(wake);
        let injected = || self.injectors.iter().find_map(|injector| retry(|| injector.steal()));
        let queued = || self.workers.iter().find_map(|worker| retry(|| worker.stealer.steal()));
        let slots = || self.workers.iter().find_map(|worker| worker.own.slot.take());
        while let Some(process) = injected().or_else(queued).or_else(slots) {
            drop(process);
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.workers.iter().for_each(|worker| worker.timers.give_back());
    }
}

/// Wakes. A foreign waker that panics, or a panic whose payload does, must not stop who wakes others, too.
pub(crate) fn wake(waker: Waker) {
    drop(Panic::catch(|| waker.wake()));
}

/// A number of this thread's own: each outside thread stays with one injector, and they take turns.
pub(crate) fn own_turn() -> usize {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    crate::sync::thread_local!(static TURN: usize = NEXT.fetch_add(1, Relaxed));
    // During the destruction of the thread's locals any injector will do.
    TURN.try_with(|turn| *turn).unwrap_or_default()
}

pub(crate) fn retry<T>(mut steal: impl FnMut() -> Steal<T>) -> Option<T> {
    loop {
        match steal() {
            Steal::Success(found) => return Some(found),
            Steal::Empty => return None,
            Steal::Retry => std::hint::spin_loop(),
        }
    }
}
