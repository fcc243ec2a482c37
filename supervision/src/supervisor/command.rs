//! What a supervisor is told: by its children, of them, and by whoever holds a [`SupervisorRef`](super::SupervisorRef).

use super::reference::{ChildInfo, RequestError, StartChildError};
use super::which::Which;
use crate::child::Given;
use crate::pid::Pid;
use crate::plan::{ChildSpec, Counts, ExitReason, Settings, SettingsError, Time};
use crate::process::{Life, Reply};
use crate::tree::Question;
use std::sync::Arc;
use std::time::Duration;

/// What a supervisor hears of its children, in order. It never waits behind commands.
pub(crate) enum Signal {
    /// A child runs already: it was spawned by whoever sent this.
    Arrived(Foundling),
    /// An incarnation has finished its initialisation.
    Started { pid: Pid, incarnation: u32 },
    /// An incarnation has declined to run, before that.
    Declined { pid: Pid, incarnation: u32 },
    /// An incarnation says that what it failed of is over.
    Healthy { pid: Pid, incarnation: u32 },
    /// An incarnation has ended before that.
    StartFailed { pid: Pid, incarnation: u32, reason: ExitReason },
    /// An incarnation has ended.
    Exited { pid: Pid, incarnation: u32, reason: ExitReason },
}

/// What a supervisor is asked.
pub(crate) enum Command {
    /// Start a child; the answer comes when it is ready.
    Start { child: Given, reply: Reply<Result<Pid, StartChildError>> },
    /// Do something with one child; the answer comes when it is done.
    Request { request: Request, which: Which, reply: Reply<Result<(), RequestError>> },
    /// Tell about the children, in order.
    Children { reply: Reply<Vec<ChildInfo>> },
    /// Tell about one child.
    Child { which: Which, reply: Reply<Result<ChildInfo, RequestError>> },
    /// Tell a child's rules.
    Spec { which: Which, reply: Reply<Result<ChildSpec, RequestError>> },
    /// Tell the supervisor's own rules.
    Settings { reply: Reply<Settings> },
    /// Change them.
    ChangeSettings { settings: Box<Settings>, reply: Reply<Result<(), SettingsError>> },
    /// Restart a child that runs, after a time, although nothing is wrong; without a delay the answer comes when it is done.
    Recycle { which: Which, after: Duration, reply: Reply<Result<(), RequestError>> },
    /// Tell about itself and its children, for a snapshot of the tree.
    Survey { question: Question },
    /// Count the children.
    Counts { reply: Reply<Counts> },
}

/// What can be asked for one child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Stop,
    Kill,
    Restart,
    Delete,
}

/// A child that runs since some time, and has no supervisor yet. If it gets none, it is killed.
pub(crate) struct Foundling(Option<(Given, Arc<Life>, Time)>);

impl Foundling {
    pub(crate) fn new(child: Given, life: Arc<Life>, since: Time) -> Foundling {
        Foundling(Some((child, life, since)))
    }

    pub(crate) fn take(mut self) -> Option<(Given, Arc<Life>, Time)> {
        self.0.take()
    }
}

impl Drop for Foundling {
    fn drop(&mut self) {
        if let Some((_given, life, _)) = self.0.take() {
            life.kill();
            life.env().orphan(&life);
        }
    }
}
