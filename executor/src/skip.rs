//! When a clock that skips may go on: when nobody of its executor has anything to do.
//!
//! Workers say so by the idle protocol; threads in `run`, and whoever has processes or timers in hand that nobody else sees, are counted here.

use crate::shared::Shared;
use crate::sync::{AtomicU64, AtomicUsize};
use crate::timer::NEVER;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

/// Who has something to do, beside the workers that do not sleep. Counted only for a clock that skips.
#[derive(Debug, Default)]
pub(crate) struct Busy {
    /// How many threads in `run` do something, or have been woken to, or have in hand what nobody else sees.
    runners: AtomicUsize,
    /// How often one of them began to.
    runs: AtomicU64,
    /// How many workers are in `run` inside a process.
    inside: AtomicUsize,
}

impl Shared {
    /// Counts a thread in `run` that begins to do something, or ends.
    pub(crate) fn count_runner(&self, busy: bool) {
        if busy {
            self.busy.runners.fetch_add(1, SeqCst);
            self.busy.runs.fetch_add(1, SeqCst);
        } else if self.busy.runners.fetch_sub(1, SeqCst) == 1 {
            // If all workers sleep, one must see whether the time may go on.
            (0..self.workers.len()).for_each(|worker| self.rouse(worker));
        }
    }

    /// Counts a worker that waits in `run` inside a process, or does so no longer.
    pub(crate) fn count_inside(&self, inside: bool) {
        if inside {
            self.busy.inside.fetch_add(1, SeqCst);
        } else {
            self.busy.inside.fetch_sub(1, SeqCst);
        }
    }

    /// Lets a clock that skips go on to the first deadline, if nobody has anything to do. By a worker that waits, or has announced that
    /// it sleeps.
    pub(crate) fn skip_time(&self) {
        self.clock.skip(|| {
            let runs = self.busy.runs.load(SeqCst);
            let waits = self.busy.runners.load(SeqCst) == 0
                && self.idle.sleeping() + self.busy.inside.load(SeqCst) == self.workers.len()
                && !self.is_any_due();
            let next = self.workers.iter().map(|remote| remote.timers.settle()).min();
            // If nobody was counted between the looks, nobody was busy at the second one, nor had timers in hand that were due.
            if !waits || self.busy.runs.load(SeqCst) != runs {
                return None;
            }
            next.filter(|next| *next != NEVER)
        });
    }

    /// Says whether a process waits for a worker anywhere, however short it will.
    fn is_any_due(&self) -> bool {
        self.is_closed()
            || self.domains.iter().any(|d| !d.injector.is_empty() || !d.kept.is_empty())
            || self
                .workers
                .iter()
                .any(|remote| !remote.stealer.is_empty() || !remote.own.slot.is_empty())
    }

    /// Keeps a clock that skips from it while `f` has processes or timers in hand that nobody else sees.
    pub(crate) fn without_skips<R>(&self, f: impl FnOnce() -> R) -> R {
        if !self.clock.skips() {
            return f();
        }
        self.count_runner(true);
        let result = f();
        self.count_runner(false);
        result
    }

    /// Keeps a clock that skips from it until what this returns is dropped: a thread is on its way that has something to do.
    pub(crate) fn pause(self: &Arc<Self>) -> Pause {
        let shared = self.clock.skips().then(|| self.clone());
        shared.iter().for_each(|shared| shared.count_runner(true));
        Pause(shared)
    }
}

/// A time in which a clock does not skip.
pub(crate) struct Pause(Option<Arc<Shared>>);

impl Drop for Pause {
    fn drop(&mut self) {
        self.0.iter().for_each(|shared| shared.count_runner(false));
    }
}
