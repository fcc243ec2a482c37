//! Starting and restarting children in order.
//!
//! What one-for-all and rest-for-one restart is always a tail of the ordered table (one-for-all:
//! from the first child on), and so is what the start of a supervisor starts. One [`Group`]
//! therefore describes every such operation, and one that comes on top of another merges with it
//! by taking the earlier position.

use std::collections::BTreeSet;
use std::ops::Range;

use super::action::Action;
use super::children::{Seq, State};
use super::machine::{Phase, Plan};
use super::settings::Strategy;
use super::time::Time;
use crate::pid::Pid;

/// The start or group restart under way.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// From here on, children that do not live are still to be started. Moves on with every
    /// child that is ready.
    pub(super) from: Seq,
    /// The children that have to be stopped before any is started. Those that joined later are
    /// not among them.
    stopping: Option<Range<Seq>>,
    /// It is a restart, not a first start: whoever is to be started waits for it.
    pub(super) restarts: bool,
    /// The failed children that wait for their back-off: nothing is started before.
    waiting: BTreeSet<Pid>,
}

impl Group {
    /// Returns the operation that starts everything from here on.
    pub(super) fn starting(from: Seq) -> Self {
        Self { from, stopping: None, restarts: false, waiting: BTreeSet::new() }
    }

    /// Follows children to their new places: `former` has the old ones, in order.
    pub(super) fn renumber(&mut self, former: &[Seq]) {
        let place = |old| former.partition_point(|&place| place < old) as Seq;
        self.from = place(self.from);
        self.stopping = self.stopping.take().map(|range| place(range.start)..place(range.end));
    }

    /// Returns whether the child at `seq` has to end before anything is started.
    pub(super) fn stops(&self, seq: Seq) -> bool {
        self.stopping.as_ref().is_some_and(|range| range.contains(&seq))
    }
}

impl Plan {
    /// Restarts what has to be restarted with the child at `seq`, which has failed.
    pub(super) fn restart_group(&mut self, pid: Pid) {
        let Some(seq) = self.children.seq(pid) else { return };
        if matches!(self.phase, Phase::Declared) {
            // Nothing has been started yet; this child will be, with the others.
            return self.children.set_state(pid, State::Stopped);
        }
        let first = match self.settings.strategy {
            Strategy::OneForAll => 0,
            Strategy::OneForOne | Strategy::RestForOne => seq,
        };
        let end = self.children.end();
        let state = self.children.get(pid).map(|child| child.state);
        let group = self.group.get_or_insert_with(|| Group::starting(first));
        let start = group.stopping.as_ref().map_or(first, |range| range.start.min(first));
        group.from = group.from.min(first);
        group.stopping = Some(start..end);
        group.restarts = true;
        if matches!(state, Some(State::Backoff { .. })) {
            group.waiting.insert(pid);
        }
    }

    /// Ends a child's wait for its restart, if it waits.
    pub(super) fn forget_backoff(&mut self, pid: Pid) {
        let state = self.children.get(pid).map(|child| child.state);
        if !matches!(state, Some(State::Backoff { .. })) {
            return;
        }
        self.children.set_state(pid, State::Stopped);
        if let Some(group) = &mut self.group {
            group.waiting.remove(&pid);
        }
    }

    /// Takes the operation under way, or the end, as far as it goes without a further event.
    pub(super) fn step(&mut self, now: Time, out: &mut Vec<Action>) {
        if matches!(self.phase, Phase::Ending(_)) {
            return self.step_end(now, out);
        }
        let Some(group) = &mut self.group else { return };
        if let Some(range) = &mut group.stopping {
            if let Some((seq, pid)) = self.children.last_alive_in(range.clone()) {
                // Those after it have ended, and none of them is started before all have.
                range.end = seq + 1;
                let state = self.children.get(pid).map(|child| child.state);
                if state.is_some_and(|state| !state.is_ending()) {
                    self.ask_to_stop(pid, None, now, out);
                }
                return;
            }
            if !group.waiting.is_empty() {
                return;
            }
            group.stopping = None;
        }
        self.start_next(out);
    }

    /// Starts the next child that does not run, if the one before is ready.
    fn start_next(&mut self, out: &mut Vec<Action>) {
        while let Some(group) = &mut self.group {
            let Some((seq, pid)) = self.children.first_from(group.from) else {
                self.group = None;
                return;
            };
            // The gaps before it need not be looked at again.
            group.from = seq;
            let Some(child) = self.children.get_mut(pid) else { return };
            match child.state {
                State::Starting => return,
                State::Stopped if !child.held => {
                    self.launch_in_turn(pid, out);
                    if self.children.get(pid).is_some_and(|child| child.state == State::Starting) {
                        return;
                    }
                    // It follows those that it depends on; others need not wait for that.
                }
                // It runs already, is on its way out, waits for its own timer, or rests because
                // it was asked to.
                _ => child.held = false,
            }
            if let Some(group) = &mut self.group {
                group.from = seq + 1;
            }
        }
    }
}
