//! The rules: where each panic goes, and what happens all the same.

use crate::case::{Case, Entry, Handle, Part, Path, Waker};
use crate::drive::{Account, Saw};
use crate::world::{Counts, LEAK};

/// How a process ends.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Value,
    Panic(&'static str),
    Dropped,
}

impl Case {
    fn panics(self, part: Part) -> bool {
        self.parts.has(part)
    }

    fn is_run(self) -> bool {
        !matches!(self.path, Path::CancelledFirst | Path::Unrun)
    }

    /// A panic in the start hook is a panic of the process, before any poll.
    fn is_polled(self) -> bool {
        self.is_run() && !self.panics(Part::StartHook)
    }

    fn polls(self) -> usize {
        // An orphan has nobody who could wake it, unless its waker is kept and woken.
        let woken_again = self.path == Path::Orphan && self.waker == Waker::WokenLast;
        usize::from(self.is_polled()) * (1 + usize::from(woken_again))
    }

    fn end(self) -> End {
        match self.path {
            _ if self.is_run() && !self.is_polled() => End::Panic("the start hook"),
            // A destructor that panics after the return takes the output with it.
            Path::Returns if self.panics(Part::FutureDrop) => End::Panic("the future's destructor"),
            Path::Returns => End::Value,
            Path::PollPanics => End::Panic("the poll"),
            // At any other end there is nobody to tell of a destructor's panic.
            _ => End::Dropped,
        }
    }

    fn has_output(self) -> bool {
        self.is_polled() && self.path == Path::Returns
    }

    /// Says whether the process ends while its handle is there.
    fn ends_by_itself(self) -> bool {
        self.end() != End::Dropped || self.path != Path::Orphan
    }

    /// Says whether the foreign awaiter gets into the process.
    fn is_registered(self) -> bool {
        self.handle.is_awaited_early() && !self.panics(Part::AwaiterClone)
    }

    fn is_awaiter_woken(self) -> bool {
        self.is_registered() && self.handle == Handle::Awaited && self.ends_by_itself()
    }

    /// Says whether the handle, at the end, takes what the process has left.
    fn is_asked(self) -> bool {
        !self.handle.is_gone_early() && self.handle != Handle::DroppedAfter
    }

    /// The panics that nobody sees, nobody being there to whom they could go.
    fn contained(self) -> usize {
        let end = self.end();
        let by_part = [
            (Part::CompleteHook, end == End::Value),
            (Part::PanicHook, matches!(end, End::Panic(_))),
            (Part::UnheardHook, self.is_unheard()),
            (Part::FutureDrop, end != End::Panic("the future's destructor")),
            (Part::OutputDrop, self.has_output() && !(end == End::Value && self.is_asked())),
            (Part::DataDrop, true),
            (Part::ScheduleDrop, true),
            (Part::AwaiterWake, self.is_awaiter_woken()),
            (Part::AwaiterDrop, self.is_registered() && !self.is_awaiter_woken()),
        ];
        by_part.into_iter().filter(|&(part, happens)| happens && self.panics(part)).count()
    }

    /// Says whether the process has ended by a panic that nobody asks for.
    fn is_unheard(self) -> bool {
        matches!(self.end(), End::Panic(_)) && !self.is_asked()
    }

    /// Says whether a panic that ended the process is dropped by the process or by its handle.
    fn is_end_dropped(self) -> bool {
        let as_future = self.entry == Entry::Recoverable && self.handle != Handle::AwaitedAfter;
        matches!(self.end(), End::Panic(_)) && (!self.is_asked() || as_future)
    }

    /// Each payload that is dropped so, and whose destructor panics, leaves what that destructor panicked with.
    fn leaks(self) -> usize {
        let dropped = self.contained() + usize::from(self.is_end_dropped());
        dropped * usize::from(self.panics(Part::PayloadDrop))
    }

    fn first_look(self) -> Saw {
        match self.handle.is_awaited_early() {
            // The panic is the awaiter's own.
            true if self.panics(Part::AwaiterClone) => Saw::Panic("the awaiter's clone"),
            true => Saw::Running,
            false => Saw::Unasked,
        }
    }

    fn last_look(self) -> Saw {
        match self.end() {
            _ if !self.is_asked() => Saw::Unasked,
            _ if !self.ends_by_itself() => Saw::Running,
            End::Value => Saw::Value,
            End::Panic(_) if self.is_end_dropped() => Saw::Nothing,
            End::Panic(what) => Saw::Panic(what),
            End::Dropped => Saw::Nothing,
        }
    }
}

/// Returns what must have been seen when the case is over.
pub(crate) fn expected(case: Case) -> Account {
    let end = case.end();
    let counts = Counts {
        polls: case.polls(),
        started: usize::from(case.is_run()),
        completed: usize::from(end == End::Value),
        panicked: usize::from(matches!(end, End::Panic(_))),
        unheard: usize::from(case.is_unheard()),
        futures_dropped: 1,
        outputs_dropped: usize::from(case.has_output()),
        data_dropped: 1,
        schedules_dropped: 1,
        awaiter_woken: usize::from(case.is_awaiter_woken()),
        awaiter_clones: 0,
        payloads_left: 0,
        siblings_run: 1,
        let_loose: 0,
    };
    let leaks = case.leaks().cast_signed();
    Account {
        counts,
        first_look: case.first_look(),
        last_look: case.last_look(),
        blocks_left: leaks,
        bytes_left: leaks * LEAK,
    }
}
