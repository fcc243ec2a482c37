//! The end of a supervisor: because it was asked to, gave up, or could not start.

use super::action::{Action, Finish};
use super::children::State;
use super::exit::ExitReason;
use super::machine::{Phase, Plan};
use super::shutdown::Shutdown;
use super::time::Time;

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
