//! The table of children: by pid, by id, in order. Knows what state a child is in, not why.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use super::child_spec::{ChildKind, ChildSpec};
use super::time::Time;
use crate::pid::Pid;

/// A child's place in the order of its siblings, never used twice.
pub(super) type Seq = u64;

/// What a child does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChildState {
    /// It does not run.
    Stopped,
    /// Its incarnation has been started and is not ready yet.
    Starting,
    /// It runs.
    Running,
    /// It failed, and waits for its restart.
    Backoff,
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
    /// How often it was restarted because it failed itself.
    pub restarts: u64,
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

    fn view(self) -> ChildState {
        match self {
            Self::Stopped => ChildState::Stopped,
            Self::Backoff { .. } => ChildState::Backoff,
            Self::Starting => ChildState::Starting,
            Self::Running { .. } => ChildState::Running,
            Self::Stopping { .. } | Self::Killing { .. } => ChildState::Stopping,
        }
    }
}

/// Who wanted the start under way, or the next one: decides what its failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The child is new and was never ready: it leaves again.
    First,
    /// `restart_child`: the child rests.
    Asked,
    /// The supervisor restarts it: one more failure.
    Restart,
}

/// One child.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) seq: Seq,
    pub(super) spec: ChildSpec,
    pub(super) state: State,
    pub(super) incarnation: u32,
    pub(super) cause: Cause,
    /// Consecutive failures, for the back-off.
    pub(super) failures: u32,
    /// Restarts for failures of its own, for `Tries`.
    pub(super) restarts: u64,
    /// Declared before the start, and neither ready nor given up yet.
    pub(super) declared: bool,
    /// It is being stopped by request: when it has ended, it rests.
    pub(super) asked: bool,
    /// The group restart under way is not to start it: it was asked to rest since that began.
    pub(super) held: bool,
    /// It came to rest, and has not lived since.
    rests: bool,
}

impl Child {
    pub(super) fn view(&self, pid: Pid) -> ChildView<'_> {
        ChildView {
            pid,
            incarnation: self.incarnation,
            spec: &self.spec,
            state: self.state.view(),
            restarts: self.restarts,
        }
    }
}

/// The children of one supervisor.
///
/// Nothing here scans: every lookup is by hash, every step along the order is one in a tree. The
/// order of the hash maps never shows.
#[derive(Debug, Default)]
pub(super) struct Children {
    table: HashMap<Pid, Child>,
    ids: HashMap<Arc<str>, Pid>,
    order: BTreeMap<Seq, Pid>,
    alive: BTreeMap<Seq, Pid>,
    next: Seq,
    active: usize,
    supervisors: usize,
    /// How many significant children do not rest.
    significant: usize,
}

impl Children {
    /// Appends a child that does not run. The pid and the id must be free.
    pub(super) fn insert(&mut self, pid: Pid, spec: ChildSpec, declared: bool) {
        let seq = self.next;
        self.next += 1;
        if let Some(id) = &spec.id {
            self.ids.insert(Arc::clone(id), pid);
        }
        self.supervisors += usize::from(spec.kind == ChildKind::Supervisor);
        self.significant += usize::from(spec.significant);
        self.order.insert(seq, pid);
        let child = Child {
            seq,
            spec,
            state: State::Stopped,
            incarnation: 0,
            cause: Cause::First,
            failures: 0,
            restarts: 0,
            declared,
            asked: false,
            held: false,
            rests: false,
        };
        let former = self.table.insert(pid, child);
        debug_assert!(former.is_none(), "{pid} twice");
    }

    /// Takes a child out.
    pub(super) fn remove(&mut self, pid: Pid) -> Option<Child> {
        self.set_state(pid, State::Stopped);
        let child = self.table.remove(&pid)?;
        if let Some(id) = &child.spec.id {
            self.ids.remove(id);
        }
        self.supervisors -= usize::from(child.spec.kind == ChildKind::Supervisor);
        self.significant -= usize::from(child.spec.significant && !child.rests);
        self.order.remove(&child.seq);
        Some(child)
    }

    /// Moves a child to another state; the only place where a state changes.
    pub(super) fn set_state(&mut self, pid: Pid, state: State) {
        let Some(child) = self.table.get_mut(&pid) else { return };
        let former = std::mem::replace(&mut child.state, state);
        match (former.is_alive(), state.is_alive()) {
            (false, true) => {
                self.alive.insert(child.seq, pid);
                if std::mem::take(&mut child.rests) {
                    self.significant += usize::from(child.spec.significant);
                }
            }
            (true, false) => {
                self.alive.remove(&child.seq);
            }
            _ => {}
        }
        self.active += usize::from(state.is_active());
        self.active -= usize::from(former.is_active());
    }

    /// Takes note that a child has come to rest: it does not run, and nothing is to start it.
    pub(super) fn rest(&mut self, pid: Pid) {
        self.set_state(pid, State::Stopped);
        let Some(child) = self.table.get_mut(&pid) else { return };
        if !std::mem::replace(&mut child.rests, true) {
            self.significant -= usize::from(child.spec.significant);
        }
    }

    /// Returns how many significant children there are that do not rest.
    pub(super) fn significant(&self) -> usize {
        self.significant
    }

    pub(super) fn get(&self, pid: Pid) -> Option<&Child> {
        self.table.get(&pid)
    }

    pub(super) fn get_mut(&mut self, pid: Pid) -> Option<&mut Child> {
        self.table.get_mut(&pid)
    }

    pub(super) fn find(&self, id: &str) -> Option<Pid> {
        self.ids.get(id).copied()
    }

    /// Returns the first child at `from` or after it.
    pub(super) fn first_from(&self, from: Seq) -> Option<(Seq, Pid)> {
        self.order.range(from..).next().map(|(&seq, &pid)| (seq, pid))
    }

    /// Returns the place that the next child will have.
    pub(super) fn end(&self) -> Seq {
        self.next
    }

    /// Returns the last living child in a range of places.
    pub(super) fn last_alive_in(&self, range: Range<Seq>) -> Option<Pid> {
        self.alive.range(range).next_back().map(|(_, &pid)| pid)
    }

    pub(super) fn last(&self) -> Option<Pid> {
        self.order.last_key_value().map(|(_, &pid)| pid)
    }

    /// Returns the pids in order.
    pub(super) fn pids(&self) -> impl DoubleEndedIterator<Item = Pid> {
        self.order.values().copied()
    }

    /// Returns the pids of the living children in order.
    pub(super) fn alive(&self) -> impl DoubleEndedIterator<Item = Pid> {
        self.alive.values().copied()
    }

    pub(super) fn views(&self) -> impl Iterator<Item = ChildView<'_>> {
        self.order.values().filter_map(|&pid| Some(self.table.get(&pid)?.view(pid)))
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            specs: self.table.len(),
            active: self.active,
            supervisors: self.supervisors,
            workers: self.table.len() - self.supervisors,
        }
    }
}
