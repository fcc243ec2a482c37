//! What a system tells about itself: crashes and decisions, as data.
//!
//! `text` writes a report for humans, `log` hands it to `tracing`, `history` keeps the last ones, `reporter` gives it to all of them
//! and to the hooks. `letters` tells of dead letters one by one, to those who subscribe.

mod history;
mod letters;
mod log;
mod losses;
mod reporter;
mod text;

pub(crate) use self::history::Restarts;
pub use self::history::{History, LastCrash, Record};
pub(crate) use self::letters::Letters;
pub use self::letters::{DeadLetter, DeadLetters, Undelivered};
pub(crate) use self::losses::Losses;
pub(crate) use self::reporter::{Hook, Reporter, described};

use crate::pid::Pid;
use crate::plan::{self, ExitReason, PanicReport};
use std::sync::Arc;
use std::time::Duration;

/// Something that happened in a system.
///
/// It is logged through `tracing`, with the target `bastion` and, as far as they are known, the fields `event` (see [`Report::event`]),
/// `pid`, `name`, `incarnation`, `supervisor`, `path`, `reason`, `location` of a panic, `delay_ms`, `restarts`, `count`; handed to the
/// system's hooks ([`SystemBuilder::on_report`](crate::SystemBuilder::on_report)); and kept for a while ([`System::history`](crate::System::history)).
///
/// # Examples
/// An escalation is a chain: a supervisor gives up, and its end is what its own supervisor decides about.
/// ```
/// use bastion_supervision::plan::{self, ExitReason, Finish};
/// use bastion_supervision::{Report, SupervisorError};
/// /// The supervisor that gave up, if this report is about one, and the reason that was one too many for it.
/// fn escalated(report: &Report) -> Option<(&str, &ExitReason)> {
///     let Report::Supervisor { report: plan::Report::Restarting { reason, .. }, .. } = report else { return None };
///     let ExitReason::ShutdownWith(failure) = reason else { return None };
///     match failure.downcast_ref()? {
///         SupervisorError::Finished { supervisor, finish: Finish::GaveUp { reason, .. } } => Some((supervisor, reason)),
///         _ => None,
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Report {
    /// A process has ended abnormally.
    Crash(CrashReport),
    /// A supervisor has decided something.
    Supervisor {
        /// The supervisor's name.
        supervisor: Arc<str>,
        /// The names from the root down to the supervisor, joined by `/`.
        path: Arc<str>,
        /// The name of the child, if it has one.
        child: Option<Arc<str>>,
        /// What was decided. Incarnations are the process's own, as in [`CrashReport`].
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
        /// The incarnation that is left to itself.
        incarnation: u32,
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
    /// Messages were accepted, and never handled: their process has ended for good, or its mailbox was full. Who wants to know more about
    /// them subscribes: [`System::dead_letters`](crate::System::dead_letters).
    DeadLetters {
        /// The process.
        pid: Option<Pid>,
        /// Its name.
        name: Option<Arc<str>>,
        /// How many messages.
        count: usize,
    },
    /// Processes ask each other in a circle, each waiting for nothing but the answer of the next: see [`Address::ask`](crate::Address::ask).
    AskCircle {
        /// The processes and their names: each has asked the next, the last one the first. The first one has closed the circle, and was told.
        processes: Vec<(Pid, Option<Arc<str>>)>,
    },
    /// A hook or an [`Observer`](crate::Observer) panicked. It is called again; of a hook that goes on so, this is said once.
    HookPanicked {
        /// How.
        panic: PanicReport,
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
    /// Its supervisor's name.
    pub supervisor: Option<Arc<str>>,
    /// The names from the root down to the supervisor.
    pub(crate) above: Option<Arc<str>>,
    pub(crate) restarts: Restarts,
}

impl CrashReport {
    /// Returns the names from the root down to the process, joined by `/`; a pid stands for a name that is missing.
    pub fn path(&self) -> String {
        let above = self.above.iter().flat_map(|above| [above, "/"]).collect::<String>();
        match (&self.name, self.pid) {
            (Some(name), _) => above + name,
            (None, Some(pid)) => above + &pid.to_string(),
            (None, None) => above,
        }
    }

    /// Returns when the process was last started again before, oldest first, at most four times; in the system's time, see
    /// [`System::now`](crate::System::now).
    pub fn restarts(&self) -> &[Duration] {
        self.restarts.times()
    }
}

/// What a system has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Processes that ended abnormally, killed ones included.
    pub crashes: u64,
    /// Restarts of children that ended by themselves; not the siblings that a strategy restarted with them.
    pub restarts: u64,
    /// Supervisors that gave up because more failed than they bear.
    pub give_ups: u64,
    /// Children that did not stop in time and were killed.
    pub forced_kills: u64,
    /// Processes that did not even end when killed.
    pub abandoned: u64,
    /// Messages that were accepted and never handled.
    pub dead_letters: u64,
    /// Messages that were accepted and gave way to newer ones of the same key: see [`Child::coalesce_by`](crate::Child::coalesce_by). Of each process they are
    /// counted here at the first one, and then whenever their number has doubled; the rest when it ends.
    pub superseded: u64,
    /// Panics of hooks.
    pub hook_panics: u64,
}

impl Report {
    /// Returns one word for what happened, as it is logged: `crash`, `start_failed`, `restarting`, `not_restarted`, `exhausted`,
    /// `gave_up`, `quarantined`, `stuck`, `recycled`, `forced_kill`, `auto_shutdown`, `unexpected_end`, `abandoned`, `refused`, `dead_letters`, `ask_circle` or `hook_panicked`.
    pub fn event(&self) -> &'static str {
        match self {
            Report::Crash(_) => "crash",
            Report::Supervisor { report, .. } => Decision::of(report).event,
            Report::Abandoned { .. } => "abandoned",
            Report::Refused { .. } => "refused",
            Report::DeadLetters { .. } => "dead_letters",
            Report::AskCircle { .. } => "ask_circle",
            Report::HookPanicked { .. } => "hook_panicked",
        }
    }

    /// Says whether all is as it should be: a child that is not to be restarted has ended, and not failed.
    pub(super) fn is_ordinary(&self) -> bool {
        use plan::Report::NotRestarted;
        matches!(self, Report::Supervisor { report: NotRestarted { reason, .. }, .. } if !reason.is_abnormal())
    }
}

/// What a supervisor has decided, whatever it is.
struct Decision<'a> {
    event: &'static str,
    /// Something has gone wrong that nobody puts right by itself.
    is_error: bool,
    pid: Pid,
    incarnation: u32,
    reason: Option<&'a ExitReason>,
    delay: Option<Duration>,
    restarts: Option<u64>,
}

impl Decision<'_> {
    fn of(report: &plan::Report) -> Decision<'_> {
        use plan::Report as R;
        let new = |event, pid: &Pid, incarnation: &u32| Decision {
            event,
            is_error: false,
            pid: *pid,
            incarnation: *incarnation,
            reason: None,
            delay: None,
            restarts: None,
        };
        match report {
            R::StartFailed { pid, incarnation, reason } => Decision {
                is_error: true,
                reason: Some(reason),
                ..new("start_failed", pid, incarnation)
            },
            R::Restarting { pid, incarnation, reason, delay } => Decision {
                reason: Some(reason),
                delay: Some(*delay),
                ..new("restarting", pid, incarnation)
            },
            R::NotRestarted { pid, incarnation, reason } => {
                Decision { reason: Some(reason), ..new("not_restarted", pid, incarnation) }
            }
            R::Exhausted { pid, incarnation, reason, restarts } => Decision {
                is_error: true,
                reason: Some(reason),
                restarts: Some((*restarts).into()),
                ..new("exhausted", pid, incarnation)
            },
            R::GaveUp { pid, incarnation, reason, restarts } => Decision {
                is_error: true,
                reason: Some(reason),
                restarts: Some((*restarts).into()),
                ..new("gave_up", pid, incarnation)
            },
            R::Quarantined { pid, incarnation, reason, cool_down } => Decision {
                is_error: true,
                reason: Some(reason),
                delay: Some(*cool_down),
                ..new("quarantined", pid, incarnation)
            },
            R::Stuck { pid, incarnation, .. } => {
                Decision { is_error: true, ..new("stuck", pid, incarnation) }
            }
            R::Recycled { pid, incarnation } => new("recycled", pid, incarnation),
            R::ForcedKill { pid, incarnation } => new("forced_kill", pid, incarnation),
            R::AutoShutdown { pid, incarnation } => new("auto_shutdown", pid, incarnation),
            R::UnexpectedEnd { pid, incarnation, reason } => {
                Decision { reason: Some(reason), ..new("unexpected_end", pid, incarnation) }
            }
        }
    }
}
