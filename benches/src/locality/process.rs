//! A process in the simulation: whether it is due, and where what it needs was touched last.

use super::caches::Data;
use super::seats::Seat;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unborn,
    Waiting,
    /// In a queue.
    Due,
    Polled,
    /// Woken during its poll.
    DueAgain,
    Ended,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Process {
    state: State,
    /// Since when it is due.
    pub(super) due_ns: u64,
    /// Who touched its state last: who has woken, spawned or polled it.
    pub(super) header: Option<Seat>,
    /// None before the first touch.
    pub(super) data: Option<Data>,
}

impl Process {
    pub(super) const UNBORN: Process =
        Process { state: State::Unborn, due_ns: 0, header: None, data: None };

    pub(super) fn is_unborn(&self) -> bool {
        self.state == State::Unborn
    }

    /// Wakes or spawns it. True: it is due now, and was not before, so it belongs into a queue.
    ///
    /// # Panics
    /// Panics if the process has ended, or was not spawned: no workload does that.
    #[must_use]
    pub(super) fn wake(&mut self, now: u64, by: Seat) -> bool {
        self.header = Some(by);
        match self.state {
            State::Unborn | State::Waiting => {
                (self.state, self.due_ns) = (State::Due, now);
                true
            }
            State::Polled => {
                self.state = State::DueAgain;
                false
            }
            State::Due | State::DueAgain => false,
            State::Ended => panic!("a process was woken that has ended"),
        }
    }

    /// Begins a poll; returns how long it was due.
    pub(super) fn begin(&mut self, now: u64, here: Seat) -> u64 {
        assert_eq!(self.state, State::Due, "a process is in one queue, once");
        (self.state, self.header) = (State::Polled, Some(here));
        now - self.due_ns
    }

    /// Ends a poll after which the process waits. True: it was woken meanwhile and is due.
    #[must_use]
    pub(super) fn rest(&mut self, now: u64) -> bool {
        let again = self.state == State::DueAgain;
        self.state = State::Waiting;
        if again {
            (self.state, self.due_ns) = (State::Due, now);
        }
        again
    }

    /// Ends a poll after which the process is due.
    pub(super) fn stay_due(&mut self, now: u64) {
        (self.state, self.due_ns) = (State::Due, now);
    }

    pub(super) fn end(&mut self) {
        self.state = State::Ended;
    }
}
