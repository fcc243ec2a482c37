//! Who a report goes to: the counters, the log, the hooks, the history.

use super::history::{History, Ring};
use super::{Report, Stats};
use crate::plan::{self, PanicReport, Time};
use crate::process::guard;
use lightproc::Panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Receives the reports of a system.
pub(crate) type Hook = Box<dyn Fn(&Report) + Send + Sync>;

/// What a system does with its reports. All that it calls is foreign code, and contained.
pub(crate) struct Reporter {
    hooks: Vec<(Hook, HasPanicked)>,
    ring: Ring,
    pub(crate) counters: Counters,
}

/// Whether it has been said of a hook that it panics.
type HasPanicked = AtomicBool;

/// See [`Stats`].
#[derive(Default)]
pub(crate) struct Counters {
    crashes: AtomicU64,
    restarts: AtomicU64,
    give_ups: AtomicU64,
    forced_kills: AtomicU64,
    pub(crate) abandoned: AtomicU64,
    dead_letters: AtomicU64,
    superseded: AtomicU64,
    hook_panics: AtomicU64,
}

impl Reporter {
    pub(crate) fn new(hooks: Vec<Hook>, history: usize) -> Reporter {
        let hooks = hooks.into_iter().map(|hook| (hook, AtomicBool::new(false))).collect();
        Reporter { hooks, ring: Ring::new(history), counters: Counters::default() }
    }

    /// Counts a report, logs it, shows it to the hooks and keeps it, in this order. Ordinary ones are not kept: many short lives would leave
    /// no room for what has failed.
    pub(crate) fn report(&self, report: Report, now: &dyn Fn() -> Time) {
        self.counters.count(&report);
        if Panic::catch(|| report.log()).is_err() {
            guard::contain(|| report.log_without_text());
        }
        let mut panics = Vec::new();
        for (hook, has_panicked) in &self.hooks {
            if let Err(panic) = Panic::catch(|| hook(&report)) {
                self.counters.hook_panics.fetch_add(1, Relaxed);
                if !has_panicked.swap(true, Relaxed) {
                    panics.push(panic);
                }
            }
        }
        if report.is_ordinary() {
            guard::contain(|| drop(report));
        } else {
            self.ring.push(now, report);
        }
        for panic in panics {
            // As often as there are hooks, at most.
            self.report(Report::HookPanicked { panic: described(&panic) }, now);
            guard::contain(|| drop(panic));
        }
    }

    pub(crate) fn history(&self) -> History {
        self.ring.history()
    }

    /// Forgets the history, and keeps none from now on: an error in it may have an address, which keeps all that is shared here.
    pub(crate) fn close(&self) {
        self.ring.close();
    }

    /// Counts messages that gave way to newer ones of the same key. Nothing is lost by it, and nothing reported.
    pub(crate) fn count_superseded(&self, count: u64) {
        self.counters.superseded.fetch_add(count, Relaxed);
    }

    pub(crate) fn stats(&self) -> Stats {
        let Counters {
            crashes,
            restarts,
            give_ups,
            forced_kills,
            abandoned,
            dead_letters,
            superseded,
            hook_panics,
        } = &self.counters;
        Stats {
            crashes: crashes.load(Relaxed),
            restarts: restarts.load(Relaxed),
            give_ups: give_ups.load(Relaxed),
            forced_kills: forced_kills.load(Relaxed),
            abandoned: abandoned.load(Relaxed),
            dead_letters: dead_letters.load(Relaxed),
            superseded: superseded.load(Relaxed),
            hook_panics: hook_panics.load(Relaxed),
        }
    }
}

impl Counters {
    fn count(&self, report: &Report) {
        use plan::Report::{ForcedKill, GaveUp, Restarting};
        let (counter, count) = match report {
            Report::Crash(_) => (&self.crashes, 1),
            Report::Supervisor { report: Restarting { .. }, .. } => (&self.restarts, 1),
            Report::Supervisor { report: GaveUp { .. }, .. } => (&self.give_ups, 1),
            Report::Supervisor { report: ForcedKill { .. }, .. } => (&self.forced_kills, 1),
            Report::Abandoned { .. } => (&self.abandoned, 1),
            Report::DeadLetters { count, .. } => (&self.dead_letters, *count as u64),
            _ => return,
        };
        counter.fetch_add(count, Relaxed);
    }
}

pub(crate) fn described(panic: &Panic) -> PanicReport {
    PanicReport {
        message: Arc::from(panic.message().unwrap_or("a payload that is not text")),
        location: panic.location().map(|location| Arc::from(location.to_string())),
    }
}
