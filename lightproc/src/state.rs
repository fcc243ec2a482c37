//! The state word: who may touch the process, and what must happen to it next.
//!
//! The only file that changes it. Every change is a named transition that returns what the caller
//! must do; callers never see a bit or an ordering. The protocol is described in `src/README.md`.
//!
//! ```text
//!  63            40 39          7  6     5         4        3        2          1           0
//! | wakes not yet  | references | NEW | AWAITER | HANDLE | CLOSED | PANICKED | COMPLETED | FUTURE |
//! | accounted for  | by wakers  |
//! ```

use crate::compat::HandleState;
use crate::sync::AtomicU64;
use std::fmt;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// The future is in the cell. While it is set, the wake count says whether a runner exists.
const FUTURE: u64 = 1 << 0;
/// The output, or a panic's payload, is in the cell and belongs to the handle.
const COMPLETED: u64 = 1 << 1;
/// What is in the cell is a panic's payload.
const PANICKED: u64 = 1 << 2;
/// Cancellation was asked for: the next run drops the future.
const CLOSED: u64 = 1 << 3;
/// A handle exists.
const HANDLE: u64 = 1 << 4;
/// The awaiter slot is full. With FUTURE it belongs to whoever clears it; without, to the finisher until it clears it.
const AWAITER: u64 = 1 << 5;
/// No poll has ended yet. Cleared together with the wakes that the first poll accounts for, at no cost.
const NEW: u64 = 1 << 6;
/// One reference held by a waker.
const REF: u64 = 1 << 7;
const REFS: u64 = (WAKE - 1) & !(REF - 1);
/// More wakers than this at once abort the program: leaked clones, about to corrupt the count.
const REFS_LIMIT: u64 = REF << 32;
/// One wake that no finished poll has accounted for.
const WAKE: u64 = 1 << 40;
/// The wake count.
const WAKES: u64 = !(WAKE - 1);
/// What a poll accounts for at its end.
const SEEN: u64 = WAKES | NEW;
/// A run that finds this many wakes lowers the count first, so no poll accounts for more.
const SEEN_LIMIT: u64 = if cfg!(loom) { WAKE << 1 } else { WAKE << 20 };
/// A count this high is not raised further: it is more than any running poll can account for.
const WAKES_LIMIT: u64 = SEEN_LIMIT << 1;

#[inline]
fn wakes(word: u64) -> u64 {
    word & WAKES
}

/// Says that nobody holds the process any more: no future to run, no handle, no finisher, no waker.
#[inline]
fn is_unreachable(word: u64) -> bool {
    word & (FUTURE | HANDLE | AWAITER | REFS) == 0
}

/// Says that the future is there and nothing can ever wake it.
#[inline]
fn is_orphan(word: u64) -> bool {
    word & FUTURE != 0 && word & (HANDLE | REFS) == 0 && wakes(word) == 0
}

/// What a waker must do after a wake.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Nothing: a runner exists and will see the wake, or the process has ended.
    Nothing,
    /// The process was idle: the caller is now its runner, and schedules it.
    Schedule,
    /// The caller gave up the last reference to an ended process: free it.
    Free,
}

/// What remains after a reference was given up.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DropRef {
    /// Somebody else holds the process.
    Shared,
    /// The process has ended and nobody holds it: free it.
    Free,
    /// The future is there and nothing can wake it; it was made runnable and closed: schedule its last run.
    Orphan,
}

/// How a run begins.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// Poll; give this back to [`State::end_pending`].
    Poll(Seen),
    /// Cancelled: drop the future, then [`State::finish`].
    Closed,
}

/// What a poll accounts for: the wakes that came before it, and being new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen(u64);

impl Seen {
    /// Says that no poll came before.
    #[inline]
    pub(crate) fn is_first(self) -> bool {
        self.0 & NEW != 0
    }
}

/// How a run ends that did not complete the process.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pending {
    /// The process waits; the caller must not touch it any more.
    Idle,
    /// It was woken during the poll: the caller is still its runner.
    Woken,
    /// It was cancelled during the poll: drop the future, then [`State::finish`].
    Closed,
    /// Nothing can ever wake it: drop the future and free it.
    Orphan,
}

/// What the runner does with an output that it has written into the cell.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Complete {
    /// It belongs to the handle now.
    Kept,
    /// It belongs to the handle now; take the awaiter, call [`State::release_awaiter`], wake.
    Notify,
    /// No handle exists: drop the output, then [`State::finish`].
    Unwanted,
}

/// What the runner does after the cell was emptied.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    /// Somebody else holds the process.
    Shared,
    /// Take the awaiter, call [`State::release_awaiter`], wake.
    Notify,
    /// Nobody holds the process: free it.
    Free,
}

/// What a handle finds.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Not ended; says whether the awaiter slot is full.
    Running { awaiter: bool },
    /// The output is in the cell.
    Completed,
    /// A panic's payload is in the cell.
    Panicked,
    /// Ended without an output, or the output was taken.
    Empty,
}

/// What a handle must do to let go.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Detach {
    /// Gone; do not touch the process any more.
    Done,
    /// Gone; and nothing can wake the future: schedule its last run.
    Orphan,
    /// The awaiter slot was freed for the caller: drop the waker in it, then try again.
    Awaiter,
    /// The process has ended: drop what is in the cell, then [`State::release_handle`].
    Ended,
}

/// The state word of one process.
pub(crate) struct State(AtomicU64);

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.0.load(Relaxed);
        let flags = [
            (FUTURE, "future"),
            (COMPLETED, "completed"),
            (PANICKED, "panicked"),
            (CLOSED, "cancelled"),
            (HANDLE, "handle"),
            (AWAITER, "awaiter"),
            (NEW, "new"),
        ];
        let set = flags.iter().filter(|(flag, _)| word & flag != 0);
        let names: Vec<&str> = set.map(|(_, name)| *name).collect();
        write!(
            f,
            "{} ({} wakers, {} wakes)",
            names.join(" "),
            (word & REFS) / REF,
            wakes(word) / WAKE
        )
    }
}

impl State {
    /// A process that is about to be scheduled for the first time.
    #[inline]
    pub(crate) fn new(handle: bool) -> State {
        let handle = if handle { HANDLE } else { 0 };
        State(AtomicU64::new(FUTURE | handle | NEW | WAKE))
    }

    /// Adds a waker; aborts when there are too many. Relaxed: the caller already holds the process.
    #[inline]
    pub(crate) fn add_ref(&self) {
        if self.0.fetch_add(REF, Relaxed) & REFS >= REFS_LIMIT {
            std::process::abort();
        }
    }

    /// Wakes without giving up a reference.
    #[inline]
    pub(crate) fn wake_by_ref(&self) -> Wake {
        loop {
            let word = self.0.load(Relaxed);
            if word & FUTURE == 0 {
                return Wake::Nothing;
            }
            let add = if wakes(word) >= WAKES_LIMIT { 0 } else { WAKE };
            // Release pairs with the Acquire of `begin_run` and `end_pending`: what the waker did is seen by the poll.
            let old = self.0.fetch_add(add, Release);
            if old & FUTURE == 0 {
                return Wake::Nothing;
            }
            if add == 0 && wakes(old) < WAKES_LIMIT {
                // A poll has ended in between: the count may be one that the next poll has already seen.
                continue;
            }
            return if wakes(old) == 0 { Wake::Schedule } else { Wake::Nothing };
        }
    }

    /// Wakes and gives up the waker's reference in one step; the runner inherits the process.
    #[inline]
    pub(crate) fn wake_by_val(&self) -> Wake {
        let word = self.0.load(Relaxed);
        if word & FUTURE == 0 || wakes(word) >= WAKES_LIMIT {
            return self.wake_by_val_slow();
        }
        // Release as in `wake_by_ref`; Acquire pairs with every other release of a reference, before a free.
        let old = self.0.fetch_add(WAKE - REF, AcqRel);
        if old & FUTURE == 0 {
            return if is_unreachable(old - REF) { Wake::Free } else { Wake::Nothing };
        }
        if wakes(old) == 0 { Wake::Schedule } else { Wake::Nothing }
    }

    #[cold]
    fn wake_by_val_slow(&self) -> Wake {
        if let Wake::Schedule = self.wake_by_ref() {
            // Relaxed: the caller is the runner now, so this was not its last hold on the process.
            let _ = self.0.fetch_sub(REF, Relaxed);
            return Wake::Schedule;
        }
        match self.drop_ref() {
            DropRef::Shared => Wake::Nothing,
            DropRef::Free => Wake::Free,
            // The wake was accounted for, the process waits again, and this was its last waker.
            DropRef::Orphan => Wake::Schedule,
        }
    }

    /// Gives up a waker's reference.
    #[inline]
    pub(crate) fn drop_ref(&self) -> DropRef {
        // AcqRel: the last one sees what all the others did, before it frees.
        let old = self.0.fetch_sub(REF, AcqRel);
        self.released(old - REF)
    }

    #[inline]
    fn released(&self, word: u64) -> DropRef {
        if is_unreachable(word) {
            DropRef::Free
        } else if is_orphan(word) {
            self.adopt_orphan();
            DropRef::Orphan
        } else {
            DropRef::Shared
        }
    }

    /// Makes an orphan runnable for its last run. Plain store: nobody else can reach the process.
    #[inline]
    fn adopt_orphan(&self) {
        self.0.store(FUTURE | CLOSED | WAKE, Relaxed);
    }

    /// Makes a runner that will not poll see what the last poll did: a wake by reference is a Release only.
    #[inline]
    pub(crate) fn acquire(&self) {
        // Pairs with the Release of the previous `end_pending`, through the wakes since.
        let _ = self.0.load(Acquire);
    }

    /// Begins a run. A load is enough: the wake count makes the runner the only one.
    #[inline]
    pub(crate) fn begin_run(&self) -> Begin {
        // Acquire pairs with the Release of the wakes and of the previous `end_pending`.
        let word = self.0.load(Acquire);
        if word & CLOSED != 0 {
            return Begin::Closed;
        }
        if wakes(word) >= SEEN_LIMIT {
            return Begin::Poll(self.lower(word));
        }
        Begin::Poll(Seen(word & SEEN))
    }

    /// Lowers the wake count to one before a poll.
    #[cold]
    fn lower(&self, word: u64) -> Seen {
        // Acquire: a wake that no longer raises the count is accounted for by this poll, too.
        let _ = self.0.fetch_sub(wakes(word) - WAKE, Acquire);
        Seen(WAKE | (word & NEW))
    }

    /// Ends a run whose poll returned `Pending`: accounts for the wakes seen at its begin.
    #[inline]
    pub(crate) fn end_pending(&self, Seen(seen): Seen) -> Pending {
        // Release: the next runner, maybe on another thread, sees what this poll did. Acquire: a wake during the poll.
        let word = self.0.fetch_sub(seen, AcqRel) - seen;
        if word & CLOSED != 0 {
            Pending::Closed
        } else if wakes(word) != 0 {
            Pending::Woken
        } else if is_orphan(word) {
            Pending::Orphan
        } else {
            Pending::Idle
        }
    }

    /// Says whether a handle exists; once it does not, it never will again.
    #[must_use]
    #[inline]
    pub(crate) fn has_handle(&self) -> bool {
        self.0.load(Relaxed) & HANDLE != 0
    }

    /// Hands the output in the cell to the handle, if there is one.
    #[inline]
    pub(crate) fn complete(&self, panicked: bool) -> Complete {
        let done = if panicked { COMPLETED | PANICKED } else { COMPLETED };
        let mut word = self.0.load(Relaxed);
        loop {
            if word & HANDLE == 0 {
                return Complete::Unwanted;
            }
            // Release pairs with the Acquire of `look`: the handle sees the output. Acquire: the awaiter slot.
            match self.0.compare_exchange_weak(word, word & !FUTURE | done, AcqRel, Relaxed) {
                Ok(_) if word & AWAITER != 0 => return Complete::Notify,
                Ok(_) => return Complete::Kept,
                Err(now) => word = now,
            }
        }
    }

    /// Says that nobody but the runner holds the process, so that it may free it without a write.
    #[must_use]
    #[inline]
    pub(crate) fn is_runners_alone(&self) -> bool {
        // Acquire: see what the last holder did before the free.
        self.0.load(Acquire) & (HANDLE | AWAITER | REFS) == 0
    }

    /// Ends the process after its cell was emptied.
    pub(crate) fn finish(&self) -> Finish {
        // Release pairs with the Acquire of `look`: who sees the process ended sees its future dropped. A subtraction of what
        // is set is one instruction where `fetch_and` would be a loop.
        let old = self.0.fetch_sub(FUTURE, AcqRel);
        if old & AWAITER != 0 {
            Finish::Notify
        } else if is_unreachable(old - FUTURE) {
            Finish::Free
        } else {
            Finish::Shared
        }
    }

    /// Gives up the finisher's hold after it took the awaiter out of the slot. True: free the process.
    #[must_use]
    #[inline]
    pub(crate) fn release_awaiter(&self) -> bool {
        is_unreachable(self.0.fetch_sub(AWAITER, AcqRel) - AWAITER)
    }

    /// Asks for cancellation; true when the process was idle and the caller must schedule its last run.
    #[must_use]
    #[inline]
    pub(crate) fn close(&self) -> bool {
        let mut word = self.0.load(Relaxed);
        loop {
            if word & FUTURE == 0 || word & CLOSED != 0 {
                return false;
            }
            // The wake makes a running poll come back for another run, where it sees CLOSED. Release pairs with the Acquire
            // of `begin_run` and `end_pending`: what the canceller did is seen by the drop.
            match self.0.compare_exchange_weak(word, (word | CLOSED) + WAKE, Release, Relaxed) {
                Ok(_) => return wakes(word) == 0,
                Err(now) => word = now,
            }
        }
    }

    /// Looks at the process for its handle.
    #[inline]
    pub(crate) fn look(&self) -> Look {
        // Acquire pairs with the Release of `complete` and `finish`.
        let word = self.0.load(Acquire);
        if word & FUTURE != 0 {
            Look::Running { awaiter: word & AWAITER != 0 }
        } else if word & COMPLETED == 0 {
            Look::Empty
        } else if word & PANICKED != 0 {
            Look::Panicked
        } else {
            Look::Completed
        }
    }

    /// Looks at the process for who asks its handle how it is.
    pub(crate) fn facts(&self) -> HandleState {
        let word = self.0.load(Acquire);
        let is = |flag| word & flag != 0;
        let (completed, awaiter) = (!is(FUTURE), is(AWAITER));
        let closed = if completed { !is(COMPLETED) || is(PANICKED) } else { is(CLOSED) };
        let scheduled = !completed && wakes(word) != 0;
        HandleState { scheduled, completed, closed, awaiter }
    }

    /// Publishes the waker that the handle has written into the awaiter slot. False: the process has ended.
    #[must_use]
    #[inline]
    pub(crate) fn set_awaiter(&self) -> bool {
        self.while_running(|word| word | AWAITER)
    }

    /// Takes the awaiter slot back for the handle. False: the process has ended, the slot is the finisher's.
    #[must_use]
    #[inline]
    pub(crate) fn clear_awaiter(&self) -> bool {
        self.while_running(|word| word & !AWAITER)
    }

    #[inline]
    fn while_running(&self, change: impl Fn(u64) -> u64) -> bool {
        let mut word = self.0.load(Relaxed);
        loop {
            if word & FUTURE == 0 {
                return false;
            }
            // Release publishes the slot to the Acquire of `complete` and `finish`.
            match self.0.compare_exchange_weak(word, change(word), Release, Relaxed) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
    }

    /// Lets go of the process on behalf of its handle.
    #[inline]
    pub(crate) fn detach(&self) -> Detach {
        let mut word = self.0.load(Relaxed);
        loop {
            if word & FUTURE == 0 {
                return Detach::Ended;
            }
            let next = if word & AWAITER != 0 { word & !AWAITER } else { word & !HANDLE };
            // Release: whoever frees comes after us. Acquire: an orphan's last poll comes before us.
            match self.0.compare_exchange_weak(word, next, AcqRel, Relaxed) {
                Ok(_) if word & AWAITER != 0 => return Detach::Awaiter,
                Ok(_) if is_orphan(next) => {
                    self.adopt_orphan();
                    return Detach::Orphan;
                }
                Ok(_) => return Detach::Done,
                Err(now) => word = now,
            }
        }
    }

    /// Lets go of an ended process whose cell the handle has emptied. True: free it.
    #[must_use]
    #[inline]
    pub(crate) fn release_handle(&self) -> bool {
        // Nobody but the handle: no atomic write needed. Acquire: see what the last holder did before the free.
        self.0.load(Acquire) & (FUTURE | AWAITER | REFS) == 0
            || is_unreachable(self.0.fetch_sub(HANDLE, AcqRel) - HANDLE)
    }
}
