//! The dimensions of the table, and their cross product.

/// What the future does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Body {
    Ready,
    PendingThenReady,
    /// Is pending before that poll.
    PanicsAtPoll(usize),
    /// The future's destructor panics, be it at the end or at a cancellation; pending so many polls before.
    BadFuture(usize),
    /// The output's destructor panics; pending so many polls before.
    BadOutput(usize),
}

/// What happens to the handle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Handle {
    /// It is never made.
    None,
    /// Dropped last, never awaited.
    Kept,
    DroppedFirst,
    DroppedWhilePending,
    /// By the future, in its first poll.
    DroppedInThePoll,
    AwaitedBefore,
    /// Twice before the first run, by the same awaiter.
    AwaitedAgain,
    /// Before the first run by one awaiter, then by another.
    AwaitedByTwo,
    AwaitedThenDropped,
    AwaitedAfter,
    /// Awaited from the cancellation on.
    CancelledFirst,
    /// Awaited from the cancellation on.
    CancelledWhilePending,
    /// By the future, in its first poll; awaited from before.
    CancelledInThePoll,
    /// When nothing more happens by itself.
    CancelledAfter,
}

/// What happens to the waker that a pending poll was given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Woken {
    /// By a clone of it, by value.
    ByValue,
    /// By a clone of it, by reference; the clone is dropped before the run.
    ByReference,
    /// First by reference, then by value.
    Twice,
    InThePollByReference,
    InThePollByValue,
    /// By reference; the clone lives on and is woken by value when all is over.
    LateByValue,
    LateByReference,
    LateDrop,
    /// A clone is made, and dropped without a wake.
    Dropped,
    /// No clone is made.
    Never,
}

/// How the process is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Entry {
    Build,
    Recoverable,
    Detached,
}

/// What the schedule function captures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Schedule {
    Nothing,
    /// Something without size that has a destructor.
    Token,
    /// Something with size that has a destructor.
    Number,
}

/// One life of a process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Case {
    pub(crate) entry: Entry,
    pub(crate) body: Body,
    pub(crate) handle: Handle,
    pub(crate) woken: Woken,
    pub(crate) schedule: Schedule,
}

const BODIES: [Body; 9] = [
    Body::Ready,
    Body::PendingThenReady,
    Body::PanicsAtPoll(0),
    Body::PanicsAtPoll(1),
    Body::PanicsAtPoll(2),
    Body::BadFuture(0),
    Body::BadFuture(1),
    Body::BadOutput(0),
    Body::BadOutput(1),
];

const HANDLES: [Handle; 13] = [
    Handle::Kept,
    Handle::DroppedFirst,
    Handle::DroppedWhilePending,
    Handle::DroppedInThePoll,
    Handle::AwaitedBefore,
    Handle::AwaitedAgain,
    Handle::AwaitedByTwo,
    Handle::AwaitedThenDropped,
    Handle::AwaitedAfter,
    Handle::CancelledFirst,
    Handle::CancelledWhilePending,
    Handle::CancelledInThePoll,
    Handle::CancelledAfter,
];

const WAKES: [Woken; 10] = [
    Woken::ByValue,
    Woken::ByReference,
    Woken::Twice,
    Woken::InThePollByReference,
    Woken::InThePollByValue,
    Woken::LateByValue,
    Woken::LateByReference,
    Woken::LateDrop,
    Woken::Dropped,
    Woken::Never,
];

const SCHEDULES: [Schedule; 3] = [Schedule::Nothing, Schedule::Token, Schedule::Number];

/// The number of cases: two entries with each handle, and one without any.
pub(crate) const CASES: usize =
    BODIES.len() * WAKES.len() * SCHEDULES.len() * (2 * HANDLES.len() + 1);

/// Calls the function with every case.
pub(crate) fn for_each(mut check: impl FnMut(Case)) {
    let with_handle = [Entry::Build, Entry::Recoverable]
        .into_iter()
        .flat_map(|entry| HANDLES.map(|handle| (entry, handle)));
    for (entry, handle) in with_handle.chain([(Entry::Detached, Handle::None)]) {
        for body in BODIES {
            for woken in WAKES {
                for schedule in SCHEDULES {
                    check(Case { entry, body, handle, woken, schedule });
                }
            }
        }
    }
}
