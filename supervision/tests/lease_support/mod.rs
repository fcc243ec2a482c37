//! A resource in plain values, for tests that compare.

use std::collections::VecDeque;

/// How many want the resource.
pub(crate) const PARTIES: usize = 5;

/// What is expected. Parties are numbers.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) holder: Option<usize>,
    pub(crate) queue: VecDeque<usize>,
    /// The value has left for good.
    pub(crate) gone: bool,
    pub(crate) retired: bool,
    pub(crate) leases: u64,
}

impl Model {
    pub(crate) fn is_here(&self) -> bool {
        !self.gone && self.holder.is_none()
    }

    /// It is the turn of this one, who may wait already.
    pub(crate) fn may_take(&self, party: usize) -> bool {
        self.is_here() && !self.retired && self.queue.front().is_none_or(|first| *first == party)
    }

    pub(crate) fn take(&mut self, party: usize) {
        self.leave(party);
        self.holder = Some(party);
        self.leases += 1;
    }

    pub(crate) fn wait(&mut self, party: usize) {
        if !self.queue.contains(&party) {
            self.queue.push_back(party);
        }
    }

    pub(crate) fn leave(&mut self, party: usize) {
        self.queue.retain(|waiting| *waiting != party);
    }

    pub(crate) fn retire(&mut self) {
        self.retired = true;
        self.queue.clear();
    }
}
