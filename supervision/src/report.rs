//! What a system tells about itself: crashes and decisions, as data.

use crate::pid::Pid;
use crate::plan::{self, ExitReason};
use std::fmt;
use std::sync::Arc;

/// Something that happened in a system. Logged through `tracing`, and handed to the system's hook.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Report {
    /// A process has ended abnormally.
    Crash(CrashReport),
    /// A supervisor has decided something.
    Supervisor {
        /// The supervisor's name.
        supervisor: Arc<str>,
        /// The name of the child, if it has one.
        child: Option<Arc<str>>,
        /// What was decided.
        report: plan::Report,
    },
    /// A process did not end although it was killed: it never yields. Nothing waits for it any more.
    Abandoned {
        /// The supervisor's name.
        supervisor: Arc<str>,
        /// The process.
        pid: Pid,
        /// Its name.
        child: Option<Arc<str>>,
    },
    /// A supervisor did not take a child that was spawned. The child is killed.
    Refused {
        /// The supervisor's name.
        supervisor: Arc<str>,
        /// The process.
        pid: Pid,
        /// Its name.
        child: Option<Arc<str>>,
        /// Why.
        error: plan::AddError,
    },
    /// Messages were accepted, and never handled: their process has ended for good.
    DeadLetters {
        /// The process.
        pid: Option<Pid>,
        /// Its name.
        name: Option<Arc<str>>,
        /// How many messages.
        count: usize,
    },
}

/// How a process has crashed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CrashReport {
    /// The process.
    pub pid: Option<Pid>,
    /// Its name.
    pub name: Option<Arc<str>>,
    /// Which incarnation, from 1.
    pub incarnation: u32,
    /// Why; a panic with its message and place.
    pub reason: ExitReason,
    /// How many messages waited in the mailbox.
    pub queued: usize,
}

/// What a system has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Processes that ended abnormally, killed ones included.
    pub crashes: u64,
    /// Restarts of children that ended by themselves; not the siblings that a strategy restarted with them.
    pub restarts: u64,
    /// Children that did not stop in time and were killed.
    pub forced_kills: u64,
    /// Processes that did not even end when killed.
    pub abandoned: u64,
    /// Messages that were accepted and never handled.
    pub dead_letters: u64,
}

impl Report {
    pub(crate) fn log(&self) {
        use plan::Report::{Exhausted, GaveUp, StartFailed};
        match self {
            Report::Crash(_) => tracing::error!("{self}"),
            Report::Supervisor {
                report: GaveUp { .. } | Exhausted { .. } | StartFailed { .. },
                ..
            } => {
                tracing::error!("{self}");
            }
            Report::Supervisor { .. } => tracing::info!("{self}"),
            Report::Abandoned { .. } | Report::Refused { .. } | Report::DeadLetters { .. } => {
                tracing::warn!("{self}");
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Report::Crash(crash) => {
                let CrashReport { pid, name, incarnation, reason, queued } = crash;
                write!(f, "{} crashed: {reason}; incarnation {incarnation}", Who(name, *pid))?;
                write!(f, ", {queued} messages waiting")
            }
            Report::Supervisor { supervisor, child, report } => {
                let (what, pid, reason) = decision(report);
                write!(f, "{supervisor}: {} {what}", Who(child, Some(pid)))?;
                reason.map_or(Ok(()), |reason| write!(f, ": {reason}"))
            }
            Report::Abandoned { supervisor, pid, child } => {
                write!(f, "{supervisor}: {} never yields, it is abandoned", Who(child, Some(*pid)))
            }
            Report::Refused { supervisor, pid, child, error } => {
                write!(
                    f,
                    "{supervisor}: {} was spawned and is not taken: {error}",
                    Who(child, Some(*pid))
                )
            }
            Report::DeadLetters { pid, name, count } => {
                write!(f, "{} has ended, {count} messages are dead letters", Who(name, *pid))
            }
        }
    }
}

fn decision(report: &plan::Report) -> (String, Pid, Option<&ExitReason>) {
    use plan::Report as R;
    match report {
        R::StartFailed { pid, reason, .. } => ("failed to start".into(), *pid, Some(reason)),
        R::Restarting { pid, reason, delay, .. } if delay.is_zero() => {
            ("is restarted".into(), *pid, Some(reason))
        }
        R::Restarting { pid, reason, delay, .. } => {
            (format!("is restarted in {delay:?}"), *pid, Some(reason))
        }
        R::NotRestarted { pid, reason, .. } => ("is not restarted".into(), *pid, Some(reason)),
        R::Exhausted { pid, reason, restarts, .. } => {
            (format!("is given up after {restarts} restarts"), *pid, Some(reason))
        }
        R::GaveUp { pid, reason, restarts, .. } => {
            (format!("failed, {restarts} failures are more than is borne"), *pid, Some(reason))
        }
        R::Quarantined { pid, reason, cool_down, .. } => {
            (format!("fails too often, it is in quarantine for {cool_down:?}"), *pid, Some(reason))
        }
        R::Stuck { pid, limit, .. } => {
            (format!("made no progress for {limit:?} and is killed"), *pid, None)
        }
        R::Recycled { pid, .. } => ("is stopped to be started again".into(), *pid, None),
        R::AutoShutdown { pid, .. } => {
            ("was significant: the supervisor shuts down".into(), *pid, None)
        }
        R::ForcedKill { pid, .. } => ("did not stop in time and is killed".into(), *pid, None),
        R::UnexpectedEnd { pid, reason, .. } => {
            ("was being stopped and ended otherwise".into(), *pid, Some(reason))
        }
    }
}

/// A process in a message.
struct Who<'a>(&'a Option<Arc<str>>, Option<Pid>);

impl fmt::Display for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (Some(name), Some(pid)) => write!(f, "{name} {pid}"),
            (Some(name), None) => f.write_str(name),
            (None, Some(pid)) => pid.fmt(f),
            (None, None) => f.write_str("a process that was never started"),
        }
    }
}
