//! What all workers of an executor share: injectors, stealers, the idle state; and where a due process goes.

use crate::affinity;
use crate::dedicated;
use crate::domain::Domain;
use crate::end::End;
use crate::idle::Idle;
use crate::jobs::Pool;
use crate::local::Local;
use crate::metrics::{Meter, Metrics};
use crate::on_panic::OnPanic;
use crate::registry::Registry;
use crate::residence::Arrival;
use crate::settings::Settings;
use crate::skip::Busy;
use crate::slot::Slot;
use crate::steal::Victims;
use crate::sync::{AtomicBool, AtomicU64, AtomicUsize, fence};
use crate::timer::{Clock, Lease};
use crossbeam_deque::{Steal, Stealer};
use crossbeam_utils::CachePadded;
use lightproc::{LightProc, Panic};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::task::Waker;
use std::time::Instant;

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
    /// Each on its own cache lines.
    pub(crate) domains: Box<[CachePadded<Domain>]>,
    /// The domain nearest to each PU, by the PU's id; empty where threads from outside cannot tell where they are.
    homes: Box<[usize]>,
    closed: AtomicBool,
    pub(crate) dedicated: dedicated::Threads,
    /// How many workers wait in `run` inside a process, and leave their own processes to the others.
    pub(crate) waiting: AtomicUsize,
    /// Who keeps a clock that skips from it.
    pub(crate) busy: Busy,
    /// How often a thread that is no worker has woken one.
    outside_unparks: AtomicU64,
    started: Instant,
}

/// What an executor is made of.
pub(crate) struct Given {
    pub(crate) workers: Box<[Remote]>,
    pub(crate) domains: Box<[CachePadded<Domain>]>,
    pub(crate) homes: Box<[usize]>,
    pub(crate) idle: Idle,
    pub(crate) registry: Registry,
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
    pub(crate) victims: Victims,
    pub(crate) timers: Lease,
    /// How many polls it had begun when the monitor last looked.
    pub(crate) polls_seen: AtomicU64,
    /// What it alone writes, nearly always.
    pub(crate) own: Arc<CachePadded<Own>>,
}

/// What a worker writes, on its own cache lines.
pub(crate) struct Own {
    /// The process that was woken last: it runs next, its data are still in the cache.
    pub(crate) slot: Slot,
    /// What it counts about itself.
    pub(crate) meter: Meter,
    /// How many processes may wait in its queue before it is worth waking another worker for them.
    pub(crate) bearable: AtomicUsize,
    /// Where it has found itself when it began.
    pub(crate) arrival: std::sync::OnceLock<Arrival>,
}

impl Own {
    pub(crate) fn new(epoch: Instant) -> Own {
        let (slot, meter) = (Slot::new(), Meter::new(epoch));
        Own { slot, meter, bearable: AtomicUsize::new(0), arrival: std::sync::OnceLock::new() }
    }
}

impl Shared {
    pub(crate) fn new(given: Given) -> Arc<Shared> {
        let Given { workers, domains, homes, idle, registry, .. } = given;
        let Given { clock, settings, blocking, end, on_panic, started, .. } = given;
        let shared = Arc::new(Shared {
            idle,
            registry,
            workers,
            domains,
            homes,
            clock,
            settings,
            blocking,
            end,
            on_panic,
            closed: AtomicBool::new(false),
            dedicated: dedicated::Threads::default(),
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

    /// Queues a process that comes from outside the workers: in the domain of the node that this thread runs on.
    fn inject(&self, process: LightProc) {
        self.inject_into(self.domain_here(), process);
    }

    /// Queues a process for whoever of a domain is free first.
    pub(crate) fn inject_into(&self, domain: usize, process: LightProc) {
        let injector = &self.domains[domain].injector;
        injector.push(process);
        if self.idle.notify(domain, None, || injector.len()) {
            // Beside the waking of a thread this costs nothing.
            self.outside_unparks.fetch_add(1, Relaxed);
        }
    }

    /// Queues a process that only the workers of one domain may run.
    pub(crate) fn keep(self: &Arc<Self>, domain: usize, process: LightProc, fresh: bool) {
        let kept = &self.domains[domain].kept;
        kept.push(process);
        let is_ours = |local: &&Local| Arc::ptr_eq(&local.shared, self);
        Local::with(|local| match local.filter(is_ours) {
            Some(local) if local.domain() == domain => local.notify_of_kept(kept.len(), fresh),
            Some(local) => local.notify_only(domain),
            None if self.idle.notify_only(domain, None) => {
                self.outside_unparks.fetch_add(1, Relaxed);
            }
            None => {}
        });
        if self.is_closed() {
            self.sweep_elsewhere();
        }
    }

    /// Returns the domain that is nearest to this thread, or one that this thread keeps to.
    fn domain_here(&self) -> usize {
        if self.domains.len() == 1 {
            return 0;
        }
        let here = affinity::current_pu().and_then(|pu| self.homes.get(pu as usize)).copied();
        here.unwrap_or_else(|| own_turn() % self.domains.len())
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
        let _ = (0..self.domains.len()).any(|domain| self.idle.notify(domain, None, || 0));
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
            injected: self.domains.iter().map(|d| d.injector.len() + d.kept.len()).sum(),
            outside_unparks: self.outside_unparks.load(Relaxed),
            blocking: self.blocking.metrics(),
        }
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
        let outside = self.domains.iter().flat_map(|domain| [&domain.injector, &domain.kept]);
        let injected = || outside.clone().find_map(|injector| retry(|| injector.steal()));
        let queued = || self.workers.iter().find_map(|worker| retry(|| worker.stealer.steal()));
        let slots = || self.workers.iter().find_map(|worker| worker.own.slot.take());
        while let Some(process) = injected().or_else(queued).or_else(slots) {
            drop(process);
        }
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
