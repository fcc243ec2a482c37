//! What all processes of a system share: the runtime, the pids, the names, the reports, the counters.

use crate::names::Names;
use crate::pid::{self, Pid};
use crate::plan::{ExitReason, Time};
use crate::process::circles::Waits;
use crate::process::{Core, Life, guard};
use crate::report::{CrashReport, LastCrash, Letters, Report, Reporter, described};
use crate::runtime::Runtime;
use crate::sync::lock;
use crate::weak_list::WeakList;
use lightproc::Panic;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

/// How many pid tables there are: threads that spawn at the same time rarely meet.
const SHARDS: usize = pid::STRIDE;

/// The surroundings of a process. Does not know the tree: no process is kept alive by it.
#[derive(Clone)]
pub(crate) struct Env(Arc<Inner>);

/// What is the same in a subtree.
struct Inner {
    runtime: Runtime,
    common: Arc<Common>,
}

/// What is the same in a system.
struct Common {
    pids: [Mutex<PidTable>; SHARDS],
    names: Names,
    waits: Waits,
    reporter: Reporter,
    letters: Letters,
    watches: Watches,
    /// Incarnations that were killed together with their supervisor. Each keeps itself until it has left; kept from here it would
    /// keep its supervisor, and that one these surroundings.
    orphans: Mutex<WeakList<Life>>,
}

/// What a system watches of its processes' messages, if it is told to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watches {
    /// It is counted what processes handle.
    pub(crate) measures: bool,
    /// Messages have spans.
    pub(crate) traces: bool,
}

/// The generations of the slots of one shard, and which slots are free.
#[derive(Default)]
struct PidTable {
    generations: Vec<u32>,
    free: Vec<u32>,
}

impl Env {
    pub(crate) fn new(runtime: Runtime, reporter: Reporter, watches: Watches) -> Env {
        let common = Arc::new(Common {
            pids: Default::default(),
            names: Names::new(),
            waits: Waits::default(),
            reporter,
            letters: Letters::new(),
            watches,
            orphans: Mutex::new(WeakList::new()),
        });
        Env(Arc::new(Inner { runtime, common }))
    }

    /// The surroundings of a subtree that has a runtime of its own.
    pub(crate) fn on(&self, runtime: Runtime) -> Env {
        Env(Arc::new(Inner { runtime, common: self.0.common.clone() }))
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.0.runtime
    }

    pub(crate) fn now(&self) -> Time {
        self.0.runtime.now()
    }

    /// Says whether both are of one system.
    #[cfg(debug_assertions)]
    pub(crate) fn is_of_system(&self, other: &Env) -> bool {
        Arc::ptr_eq(&self.0.common, &other.0.common)
    }

    /// Who waits for whom.
    pub(crate) fn waits(&self) -> &Waits {
        &self.0.common.waits
    }

    pub(crate) fn names(&self) -> &Names {
        &self.0.common.names
    }

    /// Takes a free slot of this thread's shard, or a new one. Slots of a shard are `SHARDS` apart.
    pub(crate) fn new_pid(&self) -> Pid {
        let shard = own_shard();
        let mut table = lock(&self.0.common.pids[shard]);
        let index = table.free.pop().unwrap_or_else(|| {
            table.generations.push(0);
            u32::try_from(table.generations.len() - 1).expect("fewer than 2^32 processes")
        });
        let slot = index * SHARDS as u32 + shard as u32;
        Pid::new(slot, table.generations[index as usize])
    }

    /// Gives a slot back under its next generation. A slot whose generations are used up is not used again.
    pub(crate) fn free_pid(&self, pid: Pid) {
        let (index, shard) = (pid.slot() / SHARDS as u32, pid.slot() as usize % SHARDS);
        let mut table = lock(&self.0.common.pids[shard]);
        if let Some(next) = pid.generation().checked_add(1) {
            table.generations[index as usize] = next;
            table.free.push(index);
        }
    }

    /// Calls foreign code whose panic is nobody's failure, and reports that.
    pub(crate) fn contain(&self, f: impl FnOnce()) {
        if let Err(panic) = Panic::catch(f) {
            self.report(Report::HookPanicked { panic: described(&panic) });
            guard::contain(|| drop(panic));
        }
    }

    /// Remembers an incarnation that nobody but its system waits for.
    pub(crate) fn orphan(&self, life: &Arc<Life>) {
        if !life.has_left() {
            lock(&self.0.common.orphans).push(life);
        }
    }

    /// Waits until the orphans have left, but not longer than `grace`. Those that have not are abandoned, and counted, by the first
    /// who waited so long.
    ///
    /// # Cancel safety
    /// None is forgotten.
    pub(crate) async fn bury_orphans(&self, grace: Duration) {
        let mut timer = pin!(self.0.runtime.callers_timer(grace));
        loop {
            let orphan = lock(&self.0.common.orphans).last(|orphan| !orphan.has_left());
            let Some(orphan) = orphan else { return };
            let mut left = pin!(orphan.left());
            let gone = poll_fn(|task| match left.as_mut().poll(task) {
                Poll::Ready(()) => Poll::Ready(true),
                Poll::Pending => timer.as_mut().poll(task).map(|()| false),
            });
            if !gone.await {
                let abandoned = &self.0.common.reporter.counters.abandoned;
                let rest = lock(&self.0.common.orphans).take();
                let stuck = rest.iter().filter(|orphan| !orphan.has_left()).count();
                abandoned.fetch_add(stuck as u64, Relaxed);
                return;
            }
        }
    }

    /// Reports that an incarnation has ended abnormally.
    pub(crate) fn crashed(&self, core: &Core, life: &Life, reason: &ExitReason, queued: usize) {
        let (supervisor, now) = (life.supervised_by(), self.now());
        let (at, incarnation) = (now.as_duration(), life.incarnation());
        // One that was abandoned does not count.
        if !life.has_left() {
            core.crashed(LastCrash { at, incarnation, reason: reason.clone() });
        }
        let crash = CrashReport {
            pid: core.pid(),
            name: core.name().cloned(),
            incarnation,
            reason: reason.clone(),
            queued,
            supervisor: supervisor.core.name().cloned(),
            above: supervisor.path().cloned(),
            restarts: core.restarts(),
        };
        self.report_at(Report::Crash(crash), now);
    }

    /// Counts messages that were accepted and never handled.
    pub(crate) fn dead_letters(&self, core: &Core, count: usize) {
        let (pid, name) = (core.pid(), core.name().cloned());
        self.report(Report::DeadLetters { pid, name, count });
    }

    /// Hands a report to the log, to the hooks and to the history.
    pub(crate) fn report(&self, report: Report) {
        self.0.common.reporter.report(report, &|| self.now());
    }

    /// The same, by one who has just looked at the clock.
    pub(crate) fn report_at(&self, report: Report, at: Time) {
        self.0.common.reporter.report(report, &|| at);
    }

    pub(crate) fn reporter(&self) -> &Reporter {
        &self.0.common.reporter
    }

    pub(crate) fn measures(&self) -> bool {
        self.0.common.watches.measures
    }

    pub(crate) fn traces(&self) -> bool {
        self.0.common.watches.traces
    }

    pub(crate) fn letters(&self) -> &Letters {
        &self.0.common.letters
    }
}

/// The shard of this thread: threads take turns.
fn own_shard() -> usize {
    use std::sync::atomic::AtomicUsize;
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static SHARD: usize = NEXT.fetch_add(1, Relaxed) % SHARDS);
    SHARD.with(|shard| *shard)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sim;

    #[test]
    fn a_pid_is_used_again_only_under_another_generation() {
        let env =
            Env::new(Runtime::sim(&Sim::new(0)), Reporter::new(Vec::new(), 0), Watches::default());
        let (first, second) = (env.new_pid(), env.new_pid());
        assert_ne!(first.slot(), second.slot());
        env.free_pid(first);
        let again = env.new_pid();
        assert_eq!((again.slot(), again.generation()), (first.slot(), first.generation() + 1));
    }
}
