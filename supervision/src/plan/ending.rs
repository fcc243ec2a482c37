//! The end of a supervisor: because it was asked to, gave up, or could not start.

use super::action::{Action, Finish};
use super::children::State;
use super::exit::ExitReason;
use super::machine::{Phase, Plan};
use super::settings::AutoShutdown;
use super::shutdown::Shutdown;
use super::time::Time;
use crate::pid::Pid;

/// The end under way.
#[derive(Debug)]
pub(super) struct Ending {
    finish: Finish,
    deadline: Option<Time>,
    /// The deadline has passed, and all that lived were killed.
    forced: bool,
}

impl Ending {
    /// Returns when all that still live have to be killed.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.deadline.filter(|_| !self.forced)
    }
}

impl Plan {
    /// Returns whether the supervisor ends, or has ended, because it gave up, or could not start.
    pub const fn has_failed(&self) -> bool {
        self.failed
    }

    /// Returns whether a child whose end is being waited for is to be started again: by this supervisor, or, as far as this plan knows,
    /// by the one above, with this supervisor. `with_me`: this supervisor was asked to stop only to be started again.
    pub fn comes_back(&self, pid: Pid, with_me: bool) -> bool {
        match &self.phase {
            Phase::Ending(_) => with_me || self.has_failed(),
            _ => {
                self.children.get(pid).is_some_and(|child| !child.asked && child.spec.comes_back())
            }
        }
    }

    /// Ends a supervisor that has just lost its last child, if it is to.
    pub(super) fn end_if_empty(&mut self, now: Time, out: &mut Vec<Action>) {
        let emptied = std::mem::take(&mut self.emptied) && self.children.len() == 0;
        let ends = self.settings.auto_shutdown == AutoShutdown::WhenEmpty;
        if emptied && ends && matches!(self.phase, Phase::Started) {
            self.end(Finish::Stopped(ExitReason::Shutdown), None, now, out);
            self.step(now, out);
        }
    }

    /// Ends the supervisor, whatever it was about to do.
    pub(super) fn end(
        &mut self,
        finish: Finish,
        deadline: Option<Time>,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        self.group = None;
        self.upkeep.clear();
        self.failed = !matches!(finish, Finish::Stopped(_));
        self.phase = Phase::Ending(Ending { finish, deadline: None, forced: false });
        self.tighten(deadline, now, out);
        if !self.is_ordered() {
            for pid in self.children.pids().rev().collect::<Vec<_>>() {
                let state = self.children.get(pid).map(|child| child.state);
                match state {
                    Some(state) if !state.is_alive() => {
                        self.remove(pid, ExitReason::Shutdown, out);
                    }
                    Some(state) if !state.is_ending() => {
                        self.ask_to_stop(pid, deadline, now, out);
                    }
                    _ => {}
                }
            }
        }
    }

    /// Takes the end as far as it goes: removes from behind what is gone, asks the next to stop.
    pub(super) fn step_end(&mut self, now: Time, out: &mut Vec<Action>) {
        let Phase::Ending(ending) = &self.phase else { return };
        let deadline = ending.deadline;
        while let Some(pid) = self.children.last() {
            match self.children.get(pid).map(|child| child.state) {
                Some(state) if state.is_alive() => {
                    if !state.is_ending() {
                        self.ask_to_stop(pid, deadline, now, out);
                    }
                    return;
                }
                _ => self.remove(pid, ExitReason::Shutdown, out),
            }
        }
        if let Phase::Ending(ending) = std::mem::replace(&mut self.phase, Phase::Finished) {
            out.push(Action::Finish(ending.finish));
        }
    }

    /// Caps the end under way by a deadline, if that is earlier than the one it has.
    pub(super) fn tighten(&mut self, deadline: Option<Time>, now: Time, out: &mut Vec<Action>) {
        let Phase::Ending(ending) = &mut self.phase else { return };
        let Some(cap) = deadline.filter(|&at| ending.deadline.is_none_or(|old| at < old)) else {
            return;
        };
        ending.deadline = Some(cap);
        if cap <= now {
            return self.force_if_due(now, out);
        }
        for pid in self.children.alive().rev().collect::<Vec<_>>() {
            let Some(child) = self.children.get(pid) else { continue };
            if let State::Stopping { kill } = child.state
                && kill.is_none_or(|old| cap < old)
            {
                let told = Shutdown::Infinity.stop_times(child.spec.kind, now, Some(cap)).told;
                // It is killed with all others when the deadline has passed.
                out.push(Action::Stop { pid, incarnation: child.incarnation, deadline: told });
            }
        }
    }

    /// Kills all that live, if the deadline of the end has passed: in reverse order, and without
    /// waiting for one another, so that all of them together take no longer than one.
    pub(super) fn force_if_due(&mut self, now: Time, out: &mut Vec<Action>) {
        let Phase::Ending(ending) = &mut self.phase else { return };
        if ending.next_deadline().is_none_or(|at| at > now) {
            return;
        }
        ending.forced = true;
        for pid in self.children.alive().rev().collect::<Vec<_>>() {
            let Some(child) = self.children.get(pid) else { continue };
            if !matches!(child.state, State::Killing { .. }) {
                let forced = child.spec.shutdown != Shutdown::Brutal;
                self.kill(pid, forced, now, out);
            }
        }
    }
}
