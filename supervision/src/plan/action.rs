//! What the plan tells its driver: plain data.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::exit::ExitReason;
use super::time::Time;
use crate::pid::Pid;

/// What the driver has to do, or to know. To be taken in the order given.
#[derive(Clone, Debug)]
pub enum Action {
    /// Start this incarnation of the child, and answer with `started`, `start_failed` or
    /// `start_ignored`.
    Start {
        /// The child.
        pid: Pid,
        /// Counted from 1.
        incarnation: u32,
    },
    /// Ask this incarnation to stop. May come again, with an earlier deadline.
    Stop {
        /// The child.
        pid: Pid,
        /// The incarnation that is meant.
        incarnation: u32,
        /// By when it has to be done: for a nested supervisor to pass on, for a worker to know.
        deadline: Option<Time>,
    },
    /// Kill this incarnation.
    Kill {
        /// The child.
        pid: Pid,
        /// The incarnation that is meant.
        incarnation: u32,
    },
    /// Look whether this incarnation has made progress since the last look, or since its start;
    /// if not, say so with `silent`.
    Watch {
        /// The child.
        pid: Pid,
        /// The incarnation that is meant.
        incarnation: u32,
    },
    /// The child came to rest: it stays in the table, not running, until someone asks for it or
    /// a sibling's failure restarts it too. A stop that was asked for is complete; a transient
    /// child did its work; a start declined; or a restart that was asked for failed.
    Stopped {
        /// The child.
        pid: Pid,
    },
    /// The child left the table for good. Every child does, once, before `Finish`.
    Removed {
        /// The child.
        pid: Pid,
        /// Why it ended; `Shutdown` when it was not running.
        reason: ExitReason,
    },
    /// This incarnation did not end although it was killed: it counts as gone from now on, and
    /// what it does later is ignored.
    ///
    /// This is the one case in which the next incarnation of a child may start while the last one
    /// still exists.
    Abandoned {
        /// The child.
        pid: Pid,
        /// The incarnation that is left to itself.
        incarnation: u32,
    },
    /// Something worth a log line.
    Report(Report),
    /// All children that were declared before the start have been started. Comes at most once.
    Ready,
    /// No child is left, and nothing follows.
    Finish(Finish),
}

/// How a supervisor ended.
#[derive(Clone, Debug)]
pub enum Finish {
    /// It was told to stop, for this reason.
    Stopped(ExitReason),
    /// A declared child could not be started; the others were stopped again (row 17).
    StartFailed {
        /// The child that failed to start.
        pid: Pid,
        /// Its id.
        id: Option<Arc<str>>,
        /// Why.
        reason: ExitReason,
    },
    /// More restarts were needed than the intensity allows. To the parent this is an exit with
    /// reason `Shutdown` (rows 64, 178, 179).
    GaveUp {
        /// The child whose failure was one too many.
        pid: Pid,
        /// Its id.
        id: Option<Arc<str>>,
        /// Why it ended the last time.
        reason: ExitReason,
        /// The failures in the window, this one included.
        restarts: u32,
    },
}

impl fmt::Display for Finish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped(reason) => write!(f, "stopped: {reason}"),
            Self::StartFailed { pid, id, reason } => {
                write!(f, "child {} failed to start: {reason}", Name(*pid, id.as_deref()))
            }
            Self::GaveUp { pid, id, reason, restarts } => {
                let name = Name(*pid, id.as_deref());
                write!(f, "gave up after {restarts} failures, the last of child {name}: {reason}")
            }
        }
    }
}

/// A child in a message: its id if it has one.
struct Name<'a>(Pid, Option<&'a str>);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(id) => write!(f, "{id:?} {}", self.0),
            None => self.0.fmt(f),
        }
    }
}

impl Report {
    /// Returns the child that is meant.
    pub const fn pid(&self) -> Pid {
        match self {
            Self::StartFailed { pid, .. }
            | Self::Restarting { pid, .. }
            | Self::NotRestarted { pid, .. }
            | Self::Exhausted { pid, .. }
            | Self::GaveUp { pid, .. }
            | Self::Quarantined { pid, .. }
            | Self::Stuck { pid, .. }
            | Self::Recycled { pid, .. }
            | Self::ForcedKill { pid, .. }
            | Self::AutoShutdown { pid, .. }
            | Self::UnexpectedEnd { pid, .. } => *pid,
        }
    }
}

/// Something worth a log line. What is *done* about it is told by the other actions.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Report {
    /// A start failed. What follows depends on who wanted it.
    StartFailed {
        /// The child.
        pid: Pid,
        /// The incarnation that failed to start.
        incarnation: u32,
        /// Why.
        reason: ExitReason,
    },
    /// A child ended by itself and is going to be restarted.
    Restarting {
        /// The child.
        pid: Pid,
        /// The incarnation that ended.
        incarnation: u32,
        /// Why it ended.
        reason: ExitReason,
        /// How long the restart is put off.
        delay: Duration,
    },
    /// A child ended by itself and is not restarted.
    NotRestarted {
        /// The child.
        pid: Pid,
        /// The incarnation that ended.
        incarnation: u32,
        /// Why it ended.
        reason: ExitReason,
    },
    /// A child has used up its `Tries`: it is removed, without harm to others.
    Exhausted {
        /// The child.
        pid: Pid,
        /// The incarnation that ended.
        incarnation: u32,
        /// Why it ended.
        reason: ExitReason,
        /// How often it had been restarted.
        restarts: u32,
    },
    /// The intensity is exceeded: the supervisor stops its children and ends.
    GaveUp {
        /// The child whose failure was one too many.
        pid: Pid,
        /// The incarnation that ended.
        incarnation: u32,
        /// Why it ended.
        reason: ExitReason,
        /// The failures in the window, this one included.
        restarts: u32,
    },
    /// A child failed more often than is borne: it is in quarantine, and will be tried again.
    Quarantined {
        /// The child.
        pid: Pid,
        /// The incarnation that ended.
        incarnation: u32,
        /// Why it ended.
        reason: ExitReason,
        /// How long it will not run.
        cool_down: Duration,
    },
    /// A child has made no progress for as long as its watchdog allows: it is killed, and has failed.
    Stuck {
        /// The child.
        pid: Pid,
        /// The incarnation that is killed.
        incarnation: u32,
        /// The watchdog's limit.
        limit: Duration,
    },
    /// A child has lived as long as it is to, or is restarted on request: it is stopped and started again.
    Recycled {
        /// The child.
        pid: Pid,
        /// The incarnation that is stopped.
        incarnation: u32,
    },
    /// A child did not stop in time and is killed.
    ForcedKill {
        /// The child.
        pid: Pid,
        /// The incarnation that is killed.
        incarnation: u32,
    },
    /// A significant child ended by itself: the supervisor stops its children and ends (row 158).
    AutoShutdown {
        /// The child.
        pid: Pid,
        /// The incarnation that ended.
        incarnation: u32,
    },
    /// A child that was being stopped ended for another reason than the stop (rows 117, 119).
    UnexpectedEnd {
        /// The child.
        pid: Pid,
        /// The incarnation that ended.
        incarnation: u32,
        /// Why it ended.
        reason: ExitReason,
    },
}
