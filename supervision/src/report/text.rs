//! Reports for humans, a line each.

use super::{CrashReport, Decision, Report};
use crate::pid::Pid;
use crate::plan;
use std::fmt;
use std::sync::Arc;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Report::Crash(crash) => {
                let CrashReport { pid, name, incarnation, reason, queued, .. } = crash;
                write!(f, "{} crashed: {reason}; incarnation {incarnation}", Who(name, *pid))?;
                write!(f, ", {queued} messages waiting")
            }
            Report::Supervisor { supervisor, child, report, .. } => {
                let Decision { pid, reason, .. } = Decision::of(report);
                write!(f, "{supervisor}: {} ", Who(child, Some(pid)))?;
                decided(report, f)?;
                reason.map_or(Ok(()), |reason| write!(f, ": {reason}"))
            }
            Report::Abandoned { supervisor, pid, child, .. } => {
                write!(f, "{supervisor}: {} never yields, it is abandoned", Who(child, Some(*pid)))
            }
            Report::Refused { supervisor, pid, child, error } => {
                write!(
                    f,
                    "{supervisor}: {} was spawned and is not taken: {error}",
                    Who(child, Some(*pid))
                )
            }
            Report::AskCircle { processes } => {
                for (pid, name) in processes {
                    write!(f, "{} asks ", Who(name, Some(*pid)))?;
                }
                let first = processes.first().map(|(pid, name)| Who(name, Some(*pid)));
                first.map_or(Ok(()), |first| write!(f, "{first}, and nobody can answer"))
            }
            Report::HookPanicked { panic } => write!(f, "a hook for reports {panic}"),
            Report::DeadLetters { pid, name, count } => {
                write!(f, "{}: {count} messages were never handled", Who(name, *pid))
            }
        }
    }
}

fn decided(report: &plan::Report, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use plan::Report as R;
    match report {
        R::StartFailed { .. } => f.write_str("failed to start"),
        R::Restarting { delay, .. } if delay.is_zero() => f.write_str("is restarted"),
        R::Restarting { delay, .. } => write!(f, "is restarted in {delay:?}"),
        R::NotRestarted { .. } => f.write_str("is not restarted"),
        R::Exhausted { restarts, .. } => write!(f, "is given up after {restarts} restarts"),
        R::GaveUp { restarts, .. } => {
            write!(f, "failed, {restarts} failures are more than is borne")
        }
        R::Quarantined { cool_down, .. } => {
            write!(f, "fails too often, it is in quarantine for {cool_down:?}")
        }
        R::Stuck { limit, .. } => write!(f, "made no progress for {limit:?} and is killed"),
        R::Recycled { .. } => f.write_str("is stopped to be started again"),
        R::AutoShutdown { .. } => f.write_str("was significant: the supervisor shuts down"),
        R::ForcedKill { .. } => f.write_str("did not stop in time and is killed"),
        R::UnexpectedEnd { .. } => f.write_str("was being stopped and ended otherwise"),
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
