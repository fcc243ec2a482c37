//! The table of children: by pid, by id, in order. Knows what state a child is in, not why.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::child_spec::{ChildKind, ChildSpec};
use super::time::Time;
use crate::pid::{Pid, SlotMap};

/// A child's place in the order of its siblings, until the table is made compact.
pub(super) type Seq = u32;

/// How many gaps more than children the table bears.
const SLACK: usize = 64;

/// What a child does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum ChildState {
    /// It does not run.
    Stopped,
    /// Its incarnation has been started and is not ready yet.
    Starting,
    /// It runs.
    Running,
    /// It waits for its restart: for the end of its back-off, or for those that it depends on.
    Backoff,
    /// It failed too often, and waits for its trial: see [`Quarantine`](super::Quarantine).
    Quarantined,
    /// It has been asked to stop, or killed, and has not ended yet.
    Stopping,
}

/// What the plan tells about a child.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ChildView<'a> {
    /// The child.
    pub pid: Pid,
    /// Its last incarnation, counted from 1; 0 before its first start.
    pub incarnation: u32,
    /// Its rules.
    pub spec: &'a ChildSpec,
    /// What it does.
    pub state: ChildState,
    /// Since when it runs, if it does.
    pub since: Option<Time>,
    /// How often it was restarted because it failed itself.
    pub restarts: u32,
}

/// How many children there are (OTP's `count_children`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Counts {
    /// All children in the table.
    pub specs: usize,
    /// Those that run, or are being stopped.
    pub active: usize,
    /// Nested supervisors, running or not.
    pub supervisors: usize,
    /// Workers, running or not.
    pub workers: usize,
}

/// A child's state, with what is to be known in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Stopped,
    Backoff { until: Time },
    Starting,
    Running { since: Time },
    Stopping { kill: Option<Time> },
    Killing { until: Time },
}

impl State {
    /// Returns whether an incarnation exists.
    pub(super) fn is_alive(self) -> bool {
        !matches!(self, Self::Stopped | Self::Backoff { .. })
    }

    /// Returns whether that incarnation has been told to end.
    pub(super) fn is_ending(self) -> bool {
        matches!(self, Self::Stopping { .. } | Self::Killing { .. })
    }

    fn is_active(self) -> bool {
        self.is_alive() && self != Self::Starting
    }

    /// Returns when something has to be done about this state.
    pub(super) fn due(self) -> Option<Time> {
        match self {
            Self::Stopped | Self::Starting | Self::Running { .. } => None,
            Self::Backoff { until } | Self::Killing { until } => Some(until),
            Self::Stopping { kill } => kill,
        }
    }
}

/// Who wanted the start under way, or the next one: decides what its failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The child is new and was never ready: it leaves again.
    First,
    /// The child ran when it came, and still does: only the failure of that start makes it leave.
    Adopted,
    /// `restart_child`: the child rests.
    Asked,
    /// The supervisor restarts it: one more failure.
    Restart,
}

/// One child. Kept small: supervisors may have very many.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) pid: Pid,
    /// Shared by children without an id that have the same rules.
    pub(super) spec: Arc<ChildSpec>,
    pub(super) state: State,
    pub(super) incarnation: u32,
    /// Consecutive failures, for the back-off.
    pub(super) failures: u32,
    /// Restarts for failures of its own, for `Tries`.
    pub(super) restarts: u32,
    pub(super) cause: Cause,
    /// Declared before the start, and neither ready nor given up yet.
    pub(super) declared: bool,
    /// It is being stopped by request: when it has ended, it rests.
    pub(super) asked: bool,
    /// The group restart under way is not to start it: it was asked to rest since that began.
    pub(super) held: bool,
    /// It goes down, or is down, to come back as soon as those that it depends on are there.
    pub(super) follows: bool,
    /// It is being killed because it was stuck: that is a failure of its own.
    pub(super) stuck: bool,
    /// It failed too often, and has not yet run well since.
    pub(super) half_open: bool,
    /// It came to rest, and has not lived since.
    rests: bool,
}

impl Child {
    pub(super) fn view(&self) -> ChildView<'_> {
        let state = match self.state {
            State::Stopped if self.follows => ChildState::Backoff,
            State::Stopped => ChildState::Stopped,
            State::Backoff { .. } if self.half_open => ChildState::Quarantined,
            State::Backoff { .. } => ChildState::Backoff,
            State::Starting => ChildState::Starting,
            State::Running { .. } => ChildState::Running,
            State::Stopping { .. } | State::Killing { .. } => ChildState::Stopping,
        };
        let since = match self.state {
            State::Running { since } => Some(since),
            _ => None,
        };
        let (pid, incarnation, restarts) = (self.pid, self.incarnation, self.restarts);
        ChildView { pid, incarnation, spec: &self.spec, state, since, restarts }
    }
}

/// The children of one supervisor, in order; one that left has left a gap.
///
/// Nothing here scans for a child: every lookup is by hash. The order of the hash maps never
/// shows. When there are more gaps than children the table is made compact, which costs each
/// child that left one step.
#[derive(Debug, Default)]
pub(super) struct Children {
    rows: Vec<Option<Child>>,
    /// By the pid's slot: two children never have the same.
    places: SlotMap<Seq>,
    ids: HashMap<Arc<str>, Pid>,
    /// The rules of the child without an id that was inserted last.
    rules: Option<Arc<ChildSpec>>,
    /// No child lives at this place or after it.
    alive_end: Seq,
    active: usize,
    supervisors: usize,
    /// How many significant children do not rest.
    significant: usize,
}

impl Children {
    /// Appends a child that does not run. The pid and the id must be free.
    pub(super) fn insert(&mut self, pid: Pid, spec: ChildSpec, declared: bool) {
        if let Some(id) = &spec.id {
            self.ids.insert(Arc::clone(id), pid);
        }
        self.supervisors += usize::from(spec.kind == ChildKind::Supervisor);
        self.significant += usize::from(spec.significant);
        let child = Child {
            pid,
            spec: self.shared(spec),
            state: State::Stopped,
            incarnation: 0,
            failures: 0,
            restarts: 0,
            cause: Cause::First,
            declared,
            asked: false,
            held: false,
            follows: false,
            stuck: false,
            half_open: false,
            rests: false,
        };
        if self.rows.len() == self.rows.capacity() {
            // Less than twice as much: what is not used would count for every child.
            self.rows.reserve_exact((self.rows.len() / 8).max(4));
        }
        let seq = self.end();
        self.rows.push(Some(child));
        let former = self.places.insert(pid.slot(), seq);
        debug_assert!(former.is_none(), "{pid} twice");
    }

    fn shared(&mut self, spec: ChildSpec) -> Arc<ChildSpec> {
        if spec.id.is_some() {
            return Arc::new(spec);
        }
        match &self.rules {
            Some(rules) if **rules == spec => Arc::clone(rules),
            _ => Arc::clone(self.rules.insert(Arc::new(spec))),
        }
    }

    /// Takes a child out.
    pub(super) fn remove(&mut self, pid: Pid) -> Option<Child> {
        self.set_state(pid, State::Stopped);
        let seq = self.seq(pid)?;
        self.places.remove(&pid.slot());
        let child = self.rows[seq as usize].take()?;
        if let Some(id) = &child.spec.id {
            self.ids.remove(id);
        }
        self.supervisors -= usize::from(child.spec.kind == ChildKind::Supervisor);
        self.significant -= usize::from(child.spec.significant && !child.rests);
        Some(child)
    }

    /// Gives places at the end back that are free. Nobody may remember them.
    pub(super) fn trim(&mut self) {
        while let Some(None) = self.rows.last() {
            self.rows.pop();
        }
    }

    /// Closes the gaps, if there are too many, and returns the former places of all children.
    pub(super) fn compact(&mut self) -> Option<Vec<Seq>> {
        if self.rows.len() - self.len() <= self.len() + SLACK {
            return None;
        }
        let mut former = Vec::with_capacity(self.len());
        let mut seq = 0;
        self.rows.retain(|row| {
            if row.is_some() {
                former.push(seq);
            }
            seq += 1;
            row.is_some()
        });
        self.rows.shrink_to(self.rows.len() + SLACK);
        self.alive_end = self.end();
        self.places.clear();
        self.places.shrink_to(self.rows.len());
        self.places
            .extend((0..).zip(self.rows.iter().flatten()).map(|(seq, row)| (row.pid.slot(), seq)));
        Some(former)
    }

    /// Moves a child to another state; the only place where a state changes.
    pub(super) fn set_state(&mut self, pid: Pid, state: State) {
        let Some(seq) = self.seq(pid) else { return };
        let Some(child) = &mut self.rows[seq as usize] else { return };
        if state.is_alive() {
            self.alive_end = self.alive_end.max(seq + 1);
        }
        let former = std::mem::replace(&mut child.state, state);
        let woken = state.is_alive() && std::mem::take(&mut child.rests) && child.spec.significant;
        self.significant += usize::from(woken);
        self.active += usize::from(state.is_active());
        self.active -= usize::from(former.is_active());
    }

    /// Takes note that a child has come to rest: it does not run, and nothing is to start it.
    pub(super) fn rest(&mut self, pid: Pid) {
        self.set_state(pid, State::Stopped);
        let Some(child) = self.get_mut(pid) else { return };
        let news = !std::mem::replace(&mut child.rests, true);
        self.significant -= usize::from(news && child.spec.significant);
    }

    /// Returns how many significant children there are that do not rest.
    pub(super) fn significant(&self) -> usize {
        self.significant
    }

    /// Returns a child's place.
    pub(super) fn seq(&self, pid: Pid) -> Option<Seq> {
        let seq = *self.places.get(&pid.slot())?;
        let row = self.rows[seq as usize].as_ref()?;
        (row.pid == pid).then_some(seq)
    }

    /// Returns the child that has a pid's slot.
    pub(super) fn holder(&self, pid: Pid) -> Option<Pid> {
        let seq = *self.places.get(&pid.slot())?;
        self.rows[seq as usize].as_ref().map(|row| row.pid)
    }

    pub(super) fn get(&self, pid: Pid) -> Option<&Child> {
        self.rows[self.seq(pid)? as usize].as_ref()
    }

    pub(super) fn get_mut(&mut self, pid: Pid) -> Option<&mut Child> {
        let seq = self.seq(pid)?;
        self.rows[seq as usize].as_mut()
    }

    pub(super) fn find(&self, id: &str) -> Option<Pid> {
        self.ids.get(id).copied()
    }

    /// Returns the first child at `from` or after it.
    pub(super) fn first_from(&self, from: Seq) -> Option<(Seq, Pid)> {
        let rows = self.rows.get(from as usize..)?;
        (from..).zip(rows).find_map(|(seq, row)| Some((seq, row.as_ref()?.pid)))
    }

    /// Returns the place that the next child will have.
    pub(super) fn end(&self) -> Seq {
        Seq::try_from(self.rows.len()).expect("fewer than 2^32 children")
    }

    /// Returns the last living child in a range of places. What was looked through in vain is not
    /// looked through again before a child lives there.
    pub(super) fn last_alive_in(&mut self, range: Range<Seq>) -> Option<(Seq, Pid)> {
        let end = range.end.min(self.alive_end).min(self.end());
        let rows = self.rows.get(range.start as usize..end as usize)?;
        let alive = |row: &Option<Child>| row.as_ref().is_some_and(|row| row.state.is_alive());
        let found = rows.iter().enumerate().rfind(|(_, row)| alive(row));
        let seq = found.map(|(offset, _)| range.start + offset as Seq);
        let pid = found.and_then(|(_, row)| Some(row.as_ref()?.pid));
        if range.end >= self.alive_end {
            self.alive_end = seq.map_or(range.start, |seq| seq + 1);
        }
        seq.zip(pid)
    }

    pub(super) fn last(&self) -> Option<Pid> {
        self.pids().next_back()
    }

    /// Returns the pids in order.
    pub(super) fn pids(&self) -> impl DoubleEndedIterator<Item = Pid> {
        self.rows.iter().flatten().map(|child| child.pid)
    }

    /// Returns the pids of the living children in order.
    pub(super) fn alive(&self) -> impl DoubleEndedIterator<Item = Pid> {
        let alive = self.rows.iter().flatten().filter(|child| child.state.is_alive());
        alive.map(|child| child.pid)
    }

    pub(super) fn views(&self) -> impl Iterator<Item = ChildView<'_>> {
        self.rows.iter().flatten().map(Child::view)
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            specs: self.len(),
            active: self.active,
            supervisors: self.supervisors,
            workers: self.len() - self.supervisors,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_small() {
        assert!(size_of::<Option<Child>>() <= 56, "{}", size_of::<Option<Child>>());
    }

    #[test]
    fn gaps_are_closed_and_the_order_stays() {
        let mut children = Children::default();
        let pid = |slot| Pid::new(slot, 0);
        (0..1000).for_each(|slot| children.insert(pid(slot), ChildSpec::worker(), false));
        for slot in (0..1000).filter(|slot| slot % 3 != 1) {
            children.remove(pid(slot));
        }
        let former = children.compact().expect("two gaps for each child");
        assert_eq!(former[..3], [1, 4, 7]);
        assert_eq!((children.len(), children.end()), (333, 333));
        assert!(children.pids().eq((0..333).map(|n| pid(3 * n + 1))));
        assert_eq!(children.seq(pid(4)), Some(1));
        assert_eq!(children.first_from(2), Some((2, pid(7))));
        assert!(children.compact().is_none());
    }

    #[test]
    fn equal_rules_are_kept_once() {
        let mut children = Children::default();
        for slot in 0..3 {
            children.insert(Pid::new(slot, 0), ChildSpec::worker(), false);
        }
        let rules = children.get(Pid::new(0, 0)).map(|child| Arc::strong_count(&child.spec));
        assert_eq!(rules, Some(4));
    }
}
