//! Requests about one child: add, adopt, stop, restart, delete (conformance group J).

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::action::Action;
use super::child_spec::{ChildSpec, SpecError};
use super::children::{Cause, Child, State};
use super::exit::ExitReason;
use super::group::Group;
use super::machine::{Phase, Plan};
use super::restart::RestartType;
use super::settings::AutoShutdown;
use super::time::Time;
use crate::pid::Pid;

/// Why a child was not added. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddError {
    /// The spec contradicts itself.
    Invalid(SpecError),
    /// A child with this id runs (row 127).
    AlreadyStarted(Pid),
    /// A child with this id is known, but does not run (rows 128, 151).
    AlreadyPresent(Pid),
    /// A child with this pid, or another with its slot, is known.
    PidInUse(Pid),
    /// The child is significant, and its supervisor's [`AutoShutdown`] is `Never` (row 43).
    SignificantInVain,
    /// The child depends on a sibling that is not there. Those that it depends on come first.
    UnknownDependency(Arc<str>),
    /// The child would depend on itself, by way of siblings that depend on one of its id.
    DependencyCycle,
    /// A dynamic supervisor's children have no order, so they cannot depend on each other.
    DependencyWithoutOrder,
    /// The supervisor has as many children as it may have (row 225).
    TooMany {
        /// How many that is.
        max: u32,
    },
    /// The supervisor is stopping, or has ended.
    Stopping,
}

impl fmt::Display for AddError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyStarted(pid) => write!(f, "a child with this id runs already: {pid}"),
            Self::AlreadyPresent(pid) => write!(f, "a child with this id exists already: {pid}"),
            Self::PidInUse(pid) => write!(f, "{pid} is a child already"),
            Self::Invalid(error) => write!(f, "the child is described wrongly: {error}"),
            Self::SignificantInVain => {
                f.write_str("a child is significant, but its supervisor's auto-shutdown is never")
            }
            Self::UnknownDependency(id) => write!(f, "there is no sibling {id:?} to depend on"),
            Self::DependencyCycle => {
                f.write_str("the child would depend on itself, by way of others")
            }
            Self::DependencyWithoutOrder => {
                f.write_str("children of a dynamic supervisor cannot depend on each other")
            }
            Self::TooMany { max } => write!(f, "the supervisor may have {max} children, and has"),
            Self::Stopping => f.write_str("the supervisor is stopping"),
        }
    }
}

impl Error for AddError {}

/// Why a request about a child was refused. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChildError {
    /// There is no such child (row 133).
    NotFound,
    /// The child runs, or its end is being waited for (rows 132, 134).
    Running,
    /// The child does not run.
    NotRunning,
    /// The child is being restarted (row 136).
    Restarting,
    /// The children of an unordered supervisor have no rest to be called back or deleted from
    /// (row 105).
    Unordered,
    /// The supervisor is stopping.
    Stopping,
}

impl fmt::Display for ChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "there is no such child",
            Self::Running => "the child is running",
            Self::NotRunning => "the child does not run",
            Self::Restarting => "the child is being restarted",
            Self::Unordered => "a dynamic supervisor keeps no children that do not run",
            Self::Stopping => "the supervisor is stopping",
        })
    }
}

impl Error for ChildError {}

impl Plan {
    /// Adds a child: declares it, or, after [`Plan::start`], appends and starts it.
    ///
    /// Under one-for-one it is started at once, unless the declared children are still being
    /// started; then, and under the other strategies, it is started when its elder siblings are
    /// ready. If its start fails it leaves again (row 15).
    ///
    /// # Errors
    ///
    /// The spec contradicts itself or does not fit this supervisor, its id or the pid is taken, or the supervisor is stopping.
    pub fn add(
        &mut self,
        pid: Pid,
        spec: ChildSpec,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Result<(), AddError> {
        self.add_known(pid, spec, 0, now, out)
    }

    /// Adds a child that an earlier supervisor has had: its incarnations are counted from
    /// `incarnation`, the last one, on. Otherwise as [`Plan::add`].
    ///
    /// # Errors
    ///
    /// As for [`Plan::add`].
    pub fn add_known(
        &mut self,
        pid: Pid,
        spec: ChildSpec,
        incarnation: u32,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Result<(), AddError> {
        self.insert(pid, spec, matches!(self.phase, Phase::Declared))?;
        if let Some(child) = self.children.get_mut(pid) {
            child.incarnation = incarnation;
        }
        if matches!(self.phase, Phase::Started) {
            if self.group.is_none() && !self.is_one_for_one() {
                self.group = self.children.seq(pid).map(Group::starting);
            }
            if self.group.is_none() {
                self.launch_in_turn(pid, out);
            }
        }
        self.conclude(now, out);
        Ok(())
    }

    /// Adds a child whose incarnation 1 its creator has started already: it counts as running.
    ///
    /// Whether it reports to be ready is of no importance; if it reports a failed start it leaves
    /// again, as one that was added. A group restart that is under way leaves it alone.
    ///
    /// # Errors
    ///
    /// As for [`Plan::add`]; then the creator has to end what it started.
    pub fn adopt(
        &mut self,
        pid: Pid,
        spec: ChildSpec,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Result<(), AddError> {
        self.insert(pid, spec, false)?;
        if let Some(child) = self.children.get_mut(pid) {
            child.incarnation = 1;
            child.cause = Cause::Adopted;
        }
        self.children.set_state(pid, State::Running { since: now });
        self.keep_up(pid, now);
        self.join_those_that_go_down(pid);
        self.conclude(now, out);
        Ok(())
    }

    /// Returns whether children that run, and whose rules demand nothing, may be adopted later, when the plan is told of something
    /// else: it has no reason to refuse them, and nothing under way.
    pub fn is_at_ease(&self) -> bool {
        let calm = matches!(self.phase, Phase::Started) && self.group.is_none();
        calm && self.settings.max_children.is_none()
    }

    /// Returns whether a child that has ended since it was started by its creator need not be adopted: it would leave again at once,
    /// with [`Report::NotRestarted`](super::Report::NotRestarted), and nothing else would have changed.
    pub fn passes_by(&self, spec: &ChildSpec) -> bool {
        let counts = self.settings.auto_shutdown == AutoShutdown::WhenEmpty;
        let leaves = spec.restart == RestartType::Temporary && spec.is_undemanding();
        leaves && !counts && self.is_at_ease()
    }

    fn insert(&mut self, pid: Pid, spec: ChildSpec, declared: bool) -> Result<(), AddError> {
        if matches!(self.phase, Phase::Ending(_) | Phase::Finished) {
            return Err(AddError::Stopping);
        }
        spec.validate().map_err(AddError::Invalid)?;
        if spec.significant && self.settings.auto_shutdown == AutoShutdown::Never {
            return Err(AddError::SignificantInVain);
        }
        if !spec.depends_on.is_empty() && !self.is_ordered() {
            return Err(AddError::DependencyWithoutOrder);
        }
        if let Some(unknown) = spec.depends_on.iter().find(|id| self.children.find(id).is_none()) {
            return Err(AddError::UnknownDependency(Arc::clone(unknown)));
        }
        if self.is_cyclic(&spec) {
            return Err(AddError::DependencyCycle);
        }
        if let Some(max) =
            self.settings.max_children.filter(|&max| self.children.len() >= max as usize)
        {
            return Err(AddError::TooMany { max });
        }
        if let Some(holder) = self.children.holder(pid) {
            return Err(AddError::PidInUse(holder));
        }
        if let Some(other) = spec.id.as_deref().and_then(|id| self.children.find(id)) {
            let runs = self
                .children
                .get(other)
                .is_some_and(|child| self.rests(child) == Err(ChildError::Running));
            return Err(if runs {
                AddError::AlreadyStarted(other)
            } else {
                AddError::AlreadyPresent(other)
            });
        }
        self.awaited += usize::from(declared);
        self.ties.insert(pid, &spec);
        self.children.insert(pid, spec, declared);
        Ok(())
    }

    /// Stops a child, and leaves it in the table, not running (OTP's `terminate_child`).
    ///
    /// When it has ended, `Stopped` tells so; or `Removed`, for a temporary child (row 137) and for
    /// any child of an unordered supervisor (row 101). For a child that does not run that is now
    /// (rows 120, 130). A restart that it waits for is dropped (rows 75, 153). Its siblings do not
    /// care: also a group restart under way goes on, without this child.
    ///
    /// # Errors
    ///
    /// There is no such child.
    pub fn stop_child(
        &mut self,
        pid: Pid,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Result<(), ChildError> {
        self.take_down(pid, false, now, out)
    }

    /// Kills a child, without asking it to stop. Otherwise as [`Plan::stop_child`].
    ///
    /// # Errors
    ///
    /// There is no such child.
    pub fn kill_child(
        &mut self,
        pid: Pid,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Result<(), ChildError> {
        self.take_down(pid, true, now, out)
    }

    fn take_down(
        &mut self,
        pid: Pid,
        kill: bool,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Result<(), ChildError> {
        let child = self.children.get(pid).ok_or(ChildError::NotFound)?;
        if matches!(self.phase, Phase::Ending(_)) {
            return Ok(());
        }
        let (state, held) = (child.state, self.is_to_start(pid));
        if !state.is_alive() {
            self.forget_backoff(pid);
            self.put_to_rest(pid, ExitReason::Shutdown, out);
        } else if let Some(child) = self.children.get_mut(pid) {
            child.asked = true;
            child.held = held;
            if kill && !matches!(state, State::Killing { .. }) {
                self.kill(pid, false, now, out);
            } else if !state.is_ending() {
                self.ask_to_stop(pid, None, now, out);
            }
        }
        self.conclude(now, out);
        Ok(())
    }

    /// Starts a child that rests (OTP's `restart_child`).
    ///
    /// If the start fails, the child rests again (row 14). Its consecutive failures are forgotten.
    ///
    /// # Errors
    ///
    /// The child does not rest, or cannot.
    pub fn restart_child(
        &mut self,
        pid: Pid,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Result<(), ChildError> {
        self.resting(pid)?;
        let child = self.children.get_mut(pid).ok_or(ChildError::NotFound)?;
        child.cause = Cause::Asked;
        child.failures = 0;
        child.held = false;
        if !self.is_to_start(pid) {
            self.launch_in_turn(pid, out);
        }
        self.conclude(now, out);
        Ok(())
    }

    /// Takes a child that rests out of the table (OTP's `delete_child`).
    ///
    /// # Errors
    ///
    /// The child does not rest, or cannot.
    pub fn delete_child(
        &mut self,
        pid: Pid,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Result<(), ChildError> {
        self.resting(pid)?;
        self.remove(pid, ExitReason::Shutdown, out);
        self.conclude(now, out);
        Ok(())
    }

    /// Checks that a child rests.
    fn resting(&self, pid: Pid) -> Result<(), ChildError> {
        let child = self.children.get(pid).ok_or(ChildError::NotFound)?;
        if matches!(self.phase, Phase::Ending(_)) {
            return Err(ChildError::Stopping);
        }
        if !self.is_ordered() {
            return Err(ChildError::Unordered);
        }
        self.rests(child)
    }

    fn rests(&self, child: &Child) -> Result<(), ChildError> {
        match child.state {
            State::Stopped if child.follows => Err(ChildError::Restarting),
            State::Stopped if child.held || !self.is_to_start(child.pid) => Ok(()),
            State::Stopped | State::Backoff { .. } => Err(ChildError::Restarting),
            State::Starting if child.cause == Cause::Restart => Err(ChildError::Restarting),
            State::Starting | State::Running { .. } => Err(ChildError::Running),
            State::Stopping { .. } | State::Killing { .. } => Err(ChildError::Running),
        }
    }
}
