//! What is done about children that run: the watchdog, and the end of their lifetime.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::action::{Action, Report};
use super::admin::ChildError;
use super::child_spec::ChildSpec;
use super::children::State;
use super::machine::{Phase, Plan};
use super::time::Time;
use crate::pid::Pid;

/// When something is to be done about a child that runs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Upkeep {
    /// When its progress is looked at.
    look: Option<Time>,
    /// When it is restarted although nothing is wrong.
    recycle: Option<Time>,
}

impl Upkeep {
    /// Returns when the first thing is to be done.
    pub(super) fn due(&self) -> Option<Time> {
        match (self.look, self.recycle) {
            (Some(look), Some(recycle)) => Some(look.min(recycle)),
            (look, recycle) => look.or(recycle),
        }
    }
}

/// The error with which a child has failed that its watchdog found without progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stuck {
    /// The watchdog's limit.
    pub limit: Duration,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no progress for {:?}", self.limit)
    }
}

impl Error for Stuck {}

impl Plan {
    /// Begins to look after a child that runs since now, if its rules say so.
    pub(super) fn keep_up(&mut self, pid: Pid, now: Time) {
        let Some(child) = self.children.get(pid) else { return };
        let ChildSpec { watchdog, max_lifetime, .. } = *child.spec;
        if (watchdog.is_none() && max_lifetime.is_none()) || self.is_ending() {
            return;
        }
        // Those that were started together are not to be restarted together.
        let recycle = max_lifetime.map(|limit| now + (limit - up_to_a_tenth(limit, self.draw())));
        self.plan_upkeep(pid, Upkeep { look: watchdog.map(|limit| now + limit), recycle });
    }

    fn plan_upkeep(&mut self, pid: Pid, upkeep: Upkeep) {
        if let Some(due) = upkeep.due() {
            let former = self.upkeep.insert(pid, upkeep);
            if former.and_then(|former| former.due()) != Some(due) {
                self.timers.arm(due, pid);
            }
        }
    }

    /// Does what is due about a child that runs.
    pub(super) fn look_after(&mut self, pid: Pid, now: Time, out: &mut Vec<Action>) {
        let Some(upkeep) = self.upkeep.get(&pid).copied() else { return };
        let Some(child) = self.children.get(pid) else { return };
        if upkeep.recycle.is_some_and(|at| at <= now) {
            return self.recycle(pid, now, out);
        }
        out.push(Action::Watch { pid, incarnation: child.incarnation });
        let look = child.spec.watchdog.map(|limit| now + limit);
        self.plan_upkeep(pid, Upkeep { look, ..upkeep });
    }

    /// Answers [`Action::Watch`]: the incarnation has made no progress. It is killed, and has failed by [`Stuck`].
    ///
    /// So a child is found out between one and two times its limit after its last progress.
    pub fn silent(&mut self, pid: Pid, incarnation: u32, now: Time, out: &mut Vec<Action>) {
        let Some(child) = self.children.get_mut(pid) else { return };
        let runs = matches!(child.state, State::Running { .. })
            && child.incarnation == incarnation
            && matches!(self.phase, Phase::Started);
        let Some(limit) = child.spec.watchdog.filter(|_| runs) else { return };
        child.stuck = true;
        out.push(Action::Report(Report::Stuck { pid, incarnation, limit }));
        self.kill(pid, false, now, out);
        self.conclude(now, out);
    }

    /// Restarts a child that runs, after a time, although nothing is wrong: it is stopped as its rules say, and started again, with
    /// those that are restarted when it fails. It does not count as a failure. A temporary child only ends.
    ///
    /// What its [`max_lifetime`](ChildSpec::max_lifetime) says holds as well. An incarnation that ends before takes the request with it.
    ///
    /// # Errors
    ///
    /// The child does not run, or the supervisor is stopping.
    pub fn recycle_child(
        &mut self,
        pid: Pid,
        after: Duration,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Result<(), ChildError> {
        let child = self.children.get(pid).ok_or(ChildError::NotFound)?;
        if self.is_ending() {
            return Err(ChildError::Stopping);
        }
        if !matches!(child.state, State::Running { .. }) {
            return Err(ChildError::NotRunning);
        }
        let known = self.upkeep.get(&pid).copied().unwrap_or_default();
        let at = now + after;
        let recycle = Some(known.recycle.map_or(at, |known| known.min(at)));
        self.plan_upkeep(pid, Upkeep { recycle, ..known });
        if after.is_zero() {
            self.recycle(pid, now, out);
        }
        self.conclude(now, out);
        Ok(())
    }

    fn recycle(&mut self, pid: Pid, now: Time, out: &mut Vec<Action>) {
        let known = self.upkeep.remove(&pid).unwrap_or_default();
        // It may have to wait for others, and is watched meanwhile.
        self.plan_upkeep(pid, Upkeep { recycle: None, ..known });
        let Some(child) = self.children.get(pid) else { return };
        out.push(Action::Report(Report::Recycled { pid, incarnation: child.incarnation }));
        if !self.is_one_for_one() && matches!(self.phase, Phase::Started) {
            return self.restart_group(pid);
        }
        self.begin_to_follow(pid);
        self.followed(pid);
        self.go_down(pid, now, out);
    }
}

/// Returns a random part of a tenth of a time.
fn up_to_a_tenth(time: Duration, random: u64) -> Duration {
    (time / 10).mul_f64(random as f64 / u64::MAX as f64)
}
