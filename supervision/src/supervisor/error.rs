//! [`SupervisorError`]: how a supervisor ends that was not asked to.

use crate::plan::{ExitReason, Failure, Finish};
use crate::runtime::RuntimeError;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// How a supervisor has ended, other than by being asked to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SupervisorError {
    /// A declared child could not be started, or the supervisor gave up.
    Finished {
        /// The supervisor's name.
        supervisor: Arc<str>,
        /// How it ended.
        finish: Finish,
    },
    /// The description contradicts itself; no child was started.
    Invalid {
        /// The supervisor's name.
        supervisor: Arc<str>,
        /// What is wrong.
        error: Arc<dyn Error + Send + Sync>,
    },
    /// There is no runtime to run on, or none could be made; no child was started.
    Runtime {
        /// The supervisor's name.
        supervisor: Arc<str>,
        /// Why.
        error: RuntimeError,
    },
    /// The supervisor itself was ended: with its runtime, which was shut down.
    Ended {
        /// The supervisor's name.
        supervisor: Arc<str>,
        /// How.
        reason: ExitReason,
    },
}

impl SupervisorError {
    /// Returns the name of the supervisor that has ended.
    pub fn supervisor(&self) -> &str {
        match self {
            SupervisorError::Finished { supervisor, .. }
            | SupervisorError::Invalid { supervisor, .. }
            | SupervisorError::Runtime { supervisor, .. }
            | SupervisorError::Ended { supervisor, .. } => supervisor,
        }
    }

    /// Returns who is at the bottom of it, with all supervisors above: `supervisor/nested/child`. A child without a name is its pid.
    pub fn path(&self) -> String {
        let mut path = self.supervisor().to_owned();
        let mut error = self;
        while let Some((child, reason)) = error.child() {
            path.extend(["/", &*child]);
            let Some(below) = below(reason) else { break };
            if below.supervisor() != child {
                path.extend(["/", below.supervisor()]);
            }
            error = below;
        }
        path
    }

    /// Returns why the child at the end of [`path`](Self::path) has ended; `None`: it is no child that has.
    pub fn reason(&self) -> Option<&ExitReason> {
        let (_, reason) = self.child()?;
        match below(reason) {
            Some(below) => below.reason(),
            None => Some(reason),
        }
    }

    /// The child that is to blame, and how it ended.
    fn child(&self) -> Option<(String, &ExitReason)> {
        let SupervisorError::Finished { finish, .. } = self else { return None };
        let (pid, id, reason) = match finish {
            Finish::StartFailed { pid, id, reason } | Finish::GaveUp { pid, id, reason, .. } => {
                (pid, id, reason)
            }
            Finish::Stopped(_) => return None,
        };
        Some((id.as_ref().map_or_else(|| pid.to_string(), |id| id.to_string()), reason))
    }
}

/// The error that a process has ended with.
fn failure(reason: &ExitReason) -> Option<&Failure> {
    match reason {
        ExitReason::Error(failure)
        | ExitReason::ShutdownWith(failure)
        | ExitReason::InitFailed(failure) => Some(failure),
        _ => None,
    }
}

/// How the supervisor below has ended, if it is one.
pub(crate) fn below(reason: &ExitReason) -> Option<&SupervisorError> {
    failure(reason)?.downcast_ref()
}

impl fmt::Display for SupervisorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.supervisor();
        match self {
            SupervisorError::Finished { finish, .. } => write!(f, "supervisor {name}: {finish}"),
            SupervisorError::Invalid { error, .. } => {
                write!(f, "supervisor {name} is described wrongly: {error}")
            }
            SupervisorError::Runtime { error, .. } => write!(f, "supervisor {name}: {error}"),
            SupervisorError::Ended { reason, .. } => {
                write!(f, "supervisor {name} was ended: {reason}")
            }
        }
    }
}

impl Error for SupervisorError {
    /// The child's own error, if it has ended with one.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            SupervisorError::Finished { .. } => Some(&**failure(self.child()?.1)?),
            SupervisorError::Invalid { error, .. } => Some(&**error),
            SupervisorError::Runtime { error, .. } => Some(error),
            SupervisorError::Ended { .. } => None,
        }
    }
}

/// What is wrong with the description of a supervisor, other than its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InvalidSupervisor {
    /// It has an empty name.
    EmptyName,
    /// It is to have a runtime without threads.
    NoThreads,
}

impl fmt::Display for InvalidSupervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InvalidSupervisor::EmptyName => "its name is empty",
            InvalidSupervisor::NoThreads => "a runtime of its own needs a thread at least",
        })
    }
}

impl Error for InvalidSupervisor {}
