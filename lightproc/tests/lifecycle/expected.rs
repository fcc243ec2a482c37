//! The rules: what must have been seen when a life is over.
//!
//! Written from the documentation of handles, hooks, outcomes and wakers, not from the code.

use crate::case::{Body, Case, Entry, Handle, Schedule, Woken};
use crate::drive::Account;
use crate::handle::Saw;
use crate::world::Counts;

/// How a process ends.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Value,
    Panic(&'static str),
    /// Its future was dropped before it had an outcome.
    Dropped,
}

impl Case {
    /// How many polls are pending before the one that is not.
    fn pending(self) -> usize {
        match self.body {
            Body::Ready => 0,
            Body::PendingThenReady => 1,
            Body::PanicsAtPoll(n) | Body::BadFuture(n) | Body::BadOutput(n) => n,
        }
    }

    /// Says whether a process that waits gets its wake.
    fn is_woken(self) -> bool {
        !matches!(self.woken, Woken::Dropped | Woken::Never)
    }

    /// Says whether it is cancelled at the latest when it waits for the first time.
    fn is_cancelled_early(self) -> bool {
        matches!(
            self.handle,
            Handle::CancelledFirst | Handle::CancelledWhilePending | Handle::CancelledInThePoll
        )
    }

    /// Says whether the future comes to its own end. A cancellation comes too late for a poll that is running.
    fn runs_to_end(self) -> bool {
        if self.pending() == 0 {
            self.handle != Handle::CancelledFirst
        } else {
            self.is_woken() && !self.is_cancelled_early()
        }
    }

    fn end(self) -> End {
        if !self.runs_to_end() {
            return End::Dropped;
        }
        match self.body {
            Body::PanicsAtPoll(_) => End::Panic("the poll"),
            Body::BadFuture(_) => End::Panic("the future's destructor"),
            Body::Ready | Body::PendingThenReady | Body::BadOutput(_) => End::Value,
        }
    }

    fn polls(self) -> usize {
        match (self.end(), self.handle) {
            (End::Dropped, Handle::CancelledFirst) => 0,
            (End::Dropped, _) => 1,
            _ => self.pending() + 1,
        }
    }

    /// Says whether nothing can wake or cancel it any more once its first poll has ended.
    fn is_orphan_at_once(self) -> bool {
        let no_handle = matches!(
            self.handle,
            Handle::None
                | Handle::DroppedFirst
                | Handle::DroppedInThePoll
                | Handle::AwaitedThenDropped
        );
        no_handle && self.woken == Woken::Never
    }

    /// Says whether the future is dropped in a run of its own, after a schedule call.
    fn has_last_run(self) -> bool {
        let dropped_after_the_poll =
            self.handle == Handle::CancelledInThePoll || self.is_orphan_at_once();
        self.end() == End::Dropped && !dropped_after_the_poll
    }

    /// The awaiter that is registered when the process ends, if it ends before the handle is let go.
    fn awaiters_woken(self) -> [usize; 2] {
        let waits_for_ever = self.pending() > 0 && !self.is_woken();
        match self.handle {
            Handle::AwaitedBefore | Handle::AwaitedAgain if !waits_for_ever => [1, 0],
            Handle::AwaitedByTwo if !waits_for_ever => [0, 1],
            Handle::CancelledFirst | Handle::CancelledInThePoll => [1, 0],
            // It is awaited after the first run: in time only when that was not the last.
            Handle::CancelledWhilePending if self.pending() > 0 => [1, 0],
            _ => [0, 0],
        }
    }

    fn saw(self) -> Saw {
        let unasked = matches!(
            self.handle,
            Handle::None
                | Handle::Kept
                | Handle::DroppedFirst
                | Handle::DroppedWhilePending
                | Handle::DroppedInThePoll
                | Handle::AwaitedThenDropped
        );
        let cancelled = self.is_cancelled_early() || self.handle == Handle::CancelledAfter;
        let as_future = self.entry == Entry::Recoverable && self.handle == Handle::AwaitedBefore;
        match self.end() {
            _ if unasked => Saw::Unasked,
            End::Value => Saw::Value,
            End::Dropped if !cancelled => Saw::Running,
            End::Panic(_) | End::Dropped if as_future => Saw::PanicOrCancelled,
            End::Panic(what) => Saw::Panic(what),
            End::Dropped => Saw::Cancelled,
        }
    }
}

/// Returns what must have been seen when the life is over.
pub(crate) fn expected(case: Case) -> Account {
    let end = case.end();
    let has_output = case.runs_to_end() && !matches!(case.body, Body::PanicsAtPoll(_));
    let raised = match case.body {
        Body::Ready | Body::PendingThenReady => false,
        Body::PanicsAtPoll(_) => matches!(end, End::Panic(_)),
        Body::BadFuture(_) => true,
        Body::BadOutput(_) => has_output,
    };
    let counts = Counts {
        schedules: case.polls() + usize::from(case.has_last_run()),
        polls: case.polls(),
        started: usize::from(case.polls() > 0),
        completed: usize::from(end == End::Value),
        panicked: usize::from(matches!(end, End::Panic(_))),
        futures_dropped: 1,
        outputs_dropped: usize::from(has_output),
        data_dropped: 1,
        schedules_dropped: usize::from(case.schedule != Schedule::Nothing),
        awaiters_woken: case.awaiters_woken(),
        raised: usize::from(raised),
        disorder: 0,
    };
    Account {
        counts,
        saw: case.saw(),
        at_birth: 1,
        in_all: 1,
        blocks_left: 0,
        bytes_left: 0,
        awaiters_left: 0,
    }
}
