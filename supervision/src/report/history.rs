//! The last reports of a system, and the last restarts of a process: bounded, with the times at which they happened.

use super::Report;
use crate::plan::{ExitReason, Time};
use crate::process::guard;
use crate::sync::lock;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

/// The last reports of a system: see [`System::history`](crate::System::history).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct History {
    /// The reports, oldest first.
    pub records: Vec<Record>,
    /// How many older ones are not kept any more.
    pub dropped: u64,
}

/// A report, and when it was made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record {
    /// When, in the system's time: see [`System::now`](crate::System::now).
    pub at: Duration,
    /// What happened.
    pub report: Report,
}

/// Where the last reports are kept. Errors in them are foreign: none is dropped under the lock.
pub(super) struct Ring {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    records: VecDeque<Record>,
    dropped: u64,
    closed: bool,
}

impl Ring {
    pub(super) fn new(limit: usize) -> Ring {
        Ring { limit, state: Mutex::default() }
    }

    /// Keeps a report, and drops the oldest if there are too many.
    pub(super) fn push(&self, now: impl FnOnce() -> Time, report: Report) {
        if self.limit == 0 {
            return guard::contain(|| drop(report));
        }
        let record = Record { at: now().as_duration(), report };
        let mut state = lock(&self.state);
        let surplus = if state.closed {
            Some(record)
        } else {
            let oldest = if state.records.len() < self.limit {
                None
            } else {
                state.dropped += 1;
                state.records.pop_front()
            };
            state.records.push_back(record);
            oldest
        };
        drop(state);
        guard::contain(|| drop(surplus));
    }

    pub(super) fn history(&self) -> History {
        let state = lock(&self.state);
        History { records: state.records.iter().cloned().collect(), dropped: state.dropped }
    }

    /// Drops what is kept, and keeps nothing from now on.
    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        let records = std::mem::take(&mut state.records);
        drop(state);
        for record in records {
            guard::contain(|| drop(record));
        }
    }
}

/// How a process has crashed last.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LastCrash {
    /// When, in the system's time: see [`System::now`](crate::System::now).
    pub at: Duration,
    /// Which incarnation.
    pub incarnation: u32,
    /// Why.
    pub reason: ExitReason,
}

/// How many restarts of a process are remembered.
const RESTARTS: usize = 4;

/// When a process was last started again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Restarts {
    times: [Duration; RESTARTS],
    count: usize,
}

impl Restarts {
    /// Adds one, and forgets the oldest if there are too many.
    pub(crate) fn add(&mut self, at: Time) {
        if self.count == RESTARTS {
            self.times.rotate_left(1);
            self.count -= 1;
        }
        self.times[self.count] = at.as_duration();
        self.count += 1;
    }

    /// Oldest first.
    pub(crate) fn times(&self) -> &[Duration] {
        &self.times[..self.count]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_restarts_are_remembered_in_order() {
        let mut restarts = Restarts::default();
        for second in 1..=6 {
            let at = Time::from_duration(Duration::from_secs(second));
            restarts.add(at);
            let expected: Vec<_> = (second.saturating_sub(3).max(1)..=second).collect();
            let times = restarts.times();
            assert_eq!(times.iter().map(Duration::as_secs).collect::<Vec<_>>(), expected);
        }
    }
}
