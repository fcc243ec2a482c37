//! Children that need others: dependencies between siblings, under one-for-one.
//!
//! A child that depends on others starts when they are ready, and goes down before they are
//! started again. So when one fails, or is restarted for another reason, those that depend on it,
//! also by way of others, *follow* it: they end, those first that nobody else depends on, and each
//! comes back as soon as all that it depends on are ready. Children that are not tied to each other
//! never wait for each other. Under the other strategies the order of the children says all this.
//!
//! A dependency that does not come back, because it rests or has left the table, holds nobody up.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::action::Action;
use super::child_spec::ChildSpec;
use super::children::State;
use super::machine::{Phase, Plan};
use super::time::Time;
use crate::pid::Pid;

/// Who depends on whom.
#[derive(Debug, Default)]
pub(super) struct Ties {
    dependants: HashMap<Arc<str>, Vec<Pid>>,
    /// How many of them live and go down.
    going: HashMap<Arc<str>, usize>,
    /// The children whose neighbours may have to do something now.
    touched: Vec<Pid>,
}

impl Ties {
    pub(super) fn insert(&mut self, pid: Pid, spec: &ChildSpec) {
        for id in &spec.depends_on {
            self.dependants.entry(Arc::clone(id)).or_default().push(pid);
        }
    }

    pub(super) fn remove(&mut self, pid: Pid, spec: &ChildSpec) {
        for id in &spec.depends_on {
            if let Some(dependants) = self.dependants.get_mut(id) {
                // From behind: those that end together end in reverse.
                if let Some(place) = dependants.iter().rposition(|known| *known == pid) {
                    dependants.swap_remove(place);
                }
                if dependants.is_empty() {
                    self.dependants.remove(id);
                }
            }
        }
    }
}

impl Ties {
    /// Takes note that a child that lives goes down, to follow another.
    fn goes(&mut self, spec: &ChildSpec) {
        for id in &spec.depends_on {
            *self.going.entry(Arc::clone(id)).or_default() += 1;
        }
    }

    /// Takes note that it has ended.
    fn went(&mut self, spec: &ChildSpec) {
        for id in &spec.depends_on {
            if let Some(going) = self.going.get_mut(id) {
                *going -= 1;
                if *going == 0 {
                    self.going.remove(id);
                }
            }
        }
    }
}

impl Plan {
    /// Has a child follow that lives: it goes down, and comes back.
    pub(super) fn begin_to_follow(&mut self, pid: Pid) {
        let Some(child) = self.children.get_mut(pid) else { return };
        if !std::mem::replace(&mut child.follows, true) {
            self.ties.goes(&child.spec);
        }
    }

    /// Takes note that the living incarnation of a child has ended, whether it follows or not.
    pub(super) fn no_longer_goes(&mut self, pid: Pid) {
        if let Some(child) = self.children.get(pid).filter(|child| child.follows) {
            self.ties.went(&child.spec);
        }
    }

    /// Returns whether any ties are to be looked at. What is under way goes on under another strategy too.
    fn has_ties(&self) -> bool {
        !self.ties.dependants.is_empty()
    }

    /// Returns whether children have to wait for others, and to follow them.
    fn is_tied(&self) -> bool {
        self.is_one_for_one() && self.has_ties()
    }

    fn dependants(&self, pid: Pid) -> &[Pid] {
        let id = self.children.get(pid).and_then(|child| child.spec.id.as_ref());
        id.and_then(|id| self.ties.dependants.get(id)).map_or(&[], Vec::as_slice)
    }

    fn dependencies(&self, pid: Pid) -> impl Iterator<Item = Pid> {
        let ids = self.children.get(pid).map_or(&[][..], |child| &child.spec.depends_on);
        ids.iter().filter_map(|id| self.children.find(id))
    }

    /// Returns whether a child that is to be added would depend on itself, by way of children that have depended on one of its id before.
    pub(super) fn is_cyclic(&self, spec: &ChildSpec) -> bool {
        let Some(own) = spec.id.as_ref().filter(|id| self.ties.dependants.contains_key(*id)) else {
            return false;
        };
        let (mut reached, mut seen) = (spec.depends_on.clone(), HashSet::new());
        while let Some(id) = reached.pop() {
            if id == *own {
                return true;
            }
            let child = self.children.find(&id).and_then(|pid| self.children.get(pid));
            if let Some(child) = child.filter(|_| seen.insert(id)) {
                reached.extend(child.spec.depends_on.iter().cloned());
            }
        }
        false
    }

    /// Takes note that something has happened to a child that others may wait for.
    pub(super) fn touch(&mut self, pid: Pid) {
        if self.has_ties() {
            let near: Vec<_> =
                self.dependants(pid).iter().copied().chain(self.dependencies(pid)).collect();
            self.ties.touched.extend(near);
            self.ties.touched.push(pid);
        }
    }

    /// Has those follow a child that depend on it, also by way of others. It goes down itself, or
    /// is down, to be started again.
    pub(super) fn followed(&mut self, pid: Pid) {
        let mut reached = vec![pid];
        while let Some(next) = reached.pop().filter(|_| self.is_tied()) {
            for dependant in self.dependants(next).to_vec() {
                let Some(child) = self.children.get(dependant) else { continue };
                if child.state.is_alive() && !child.follows {
                    self.begin_to_follow(dependant);
                    self.ties.touched.push(dependant);
                    reached.push(dependant);
                }
            }
        }
    }

    /// Has a child that is new, and lives, follow those that it depends on, if they go down.
    pub(super) fn join_those_that_go_down(&mut self, pid: Pid) {
        let goes = |other: Pid| {
            self.children.get(other).is_some_and(|child| child.follows && child.state.is_alive())
        };
        if self.is_tied() && self.dependencies(pid).any(goes) {
            self.begin_to_follow(pid);
            self.ties.touched.push(pid);
        }
    }

    /// Starts the next incarnation of a child, or has it follow if it must not start yet.
    pub(super) fn launch_in_turn(&mut self, pid: Pid, out: &mut Vec<Action>) {
        if !self.has_to_wait(pid) {
            self.launch(pid, out);
        } else if let Some(child) = self.children.get_mut(pid) {
            child.follows = true;
        }
    }

    /// A child that followed has ended: it starts again in its turn, which may be that of a group.
    pub(super) fn come_back(&mut self, pid: Pid, out: &mut Vec<Action>) {
        let grouped = self.is_grouped(pid);
        let Some(child) = self.children.get_mut(pid).filter(|child| child.follows) else { return };
        if grouped {
            child.follows = false;
        } else {
            self.launch_in_turn(pid, out);
        }
    }

    /// Returns whether a child must not start yet. In a group only those wait that follow since before it was one.
    fn has_to_wait(&self, pid: Pid) -> bool {
        let follows = self.children.get(pid).is_some_and(|child| child.follows);
        let waits = self.is_tied() || (self.has_ties() && follows);
        self.is_needed(pid) || (waits && self.dependencies(pid).any(|other| self.is_coming(other)))
    }

    /// Returns whether one that depends on the child, and follows it, has still to end. Nobody is in the way of a first start.
    fn is_needed(&self, pid: Pid) -> bool {
        let child = self.children.get(pid).filter(|child| child.incarnation > 0);
        let id = child.and_then(|child| child.spec.id.as_ref());
        id.is_some_and(|id| self.ties.going.contains_key(id))
    }

    /// Returns whether a child is not ready, and going to be.
    fn is_coming(&self, pid: Pid) -> bool {
        let Some(child) = self.children.get(pid) else { return false };
        match child.state {
            State::Starting | State::Backoff { .. } => true,
            State::Running { .. } => child.follows,
            State::Stopping { .. } | State::Killing { .. } => {
                (child.follows || child.stuck) && !child.asked
            }
            State::Stopped => child.follows || (self.is_to_start(pid) && !child.held),
        }
    }

    /// Has those do what they can now that follow others: they go down in reverse, and come back in
    /// order.
    pub(super) fn follow(&mut self, now: Time, out: &mut Vec<Action>) {
        if self.ties.touched.is_empty() {
            return;
        }
        let mut touched = std::mem::take(&mut self.ties.touched);
        touched.sort_by_cached_key(|&pid| self.children.seq(pid));
        touched.dedup();
        if matches!(self.phase, Phase::Declared | Phase::Started) {
            for &pid in touched.iter().rev() {
                if self.children.get(pid).is_some_and(|child| child.follows) {
                    self.go_down(pid, now, out);
                }
            }
            for &pid in &touched {
                let Some(child) = self.children.get(pid) else { continue };
                if child.follows && child.state == State::Stopped && !self.has_to_wait(pid) {
                    self.launch(pid, out);
                }
            }
        }
    }

    /// Asks a child to stop that goes down to come back, unless another has to end before.
    pub(super) fn go_down(&mut self, pid: Pid, now: Time, out: &mut Vec<Action>) {
        let Some(child) = self.children.get(pid) else { return };
        if child.state.is_alive() && !child.state.is_ending() && !self.is_needed(pid) {
            self.ask_to_stop(pid, None, now, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stays_of_children_that_left() {
        let (mut ties, spec) = (Ties::default(), ChildSpec::worker().depends_on("a"));
        ties.insert(Pid::new(1, 0), &spec);
        ties.insert(Pid::new(2, 0), &spec);
        ties.remove(Pid::new(1, 0), &spec);
        assert_eq!(ties.dependants["a"], [Pid::new(2, 0)]);
        ties.remove(Pid::new(2, 0), &spec);
        assert!(ties.dependants.is_empty());
    }
}
