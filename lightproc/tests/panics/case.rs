//! The dimensions of the table: which parts panic, how the process ends, and what becomes of its handle.

/// A part that panics, other than the poll.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Part {
    StartHook,
    CompleteHook,
    PanicHook,
    UnheardHook,
    FutureDrop,
    OutputDrop,
    DataDrop,
    ScheduleDrop,
    AwaiterWake,
    AwaiterDrop,
    AwaiterClone,
    /// The destructor of each payload that the others panic with.
    PayloadDrop,
}

const PARTS: [Part; 12] = [
    Part::StartHook,
    Part::CompleteHook,
    Part::PanicHook,
    Part::UnheardHook,
    Part::FutureDrop,
    Part::OutputDrop,
    Part::DataDrop,
    Part::ScheduleDrop,
    Part::AwaiterWake,
    Part::AwaiterDrop,
    Part::AwaiterClone,
    Part::PayloadDrop,
];

/// A set of parts that panic.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) struct Parts(u16);

impl Parts {
    pub(crate) const fn has(self, part: Part) -> bool {
        self.0 & 1 << part as u16 != 0
    }

    pub(crate) fn of(parts: &[Part]) -> Parts {
        Parts(parts.iter().fold(0, |bits, &part| bits | 1 << part as u16))
    }

    /// No part, each one, each two, and all, as far as the program survives it.
    fn sets() -> impl Iterator<Item = Parts> {
        let pairs = PARTS.into_iter().flat_map(|a| PARTS.map(|b| (a, b)));
        // A pair of a part with itself is the part alone.
        let small = pairs.filter(|&(a, b)| a as u16 <= b as u16).map(|(a, b)| Parts::of(&[a, b]));
        let all_but = |part: Part| Parts(Parts::of(&PARTS).0 & !(1 << part as u16));
        let large = [all_but(Part::DataDrop), all_but(Part::ScheduleDrop)];
        small.chain([Parts::default(), Parts::of(&PARTS)]).chain(large)
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(PARTS.iter().filter(|part| self.has(**part))).finish()
    }
}

/// How the process would end if only its poll and its runner had a say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Path {
    Returns,
    PollPanics,
    /// By its runner, before the first run.
    CancelledFirst,
    /// By its handle, when it waits.
    CancelledPending,
    /// Its `LightProc` is dropped.
    Unrun,
    /// It waits until nobody can wake it.
    Orphan,
}

const PATHS: [Path; 6] = [
    Path::Returns,
    Path::PollPanics,
    Path::CancelledFirst,
    Path::CancelledPending,
    Path::Unrun,
    Path::Orphan,
];

/// What becomes of the handle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Handle {
    None,
    DroppedFirst,
    DroppedAfter,
    /// Awaited before the first run, and dropped then.
    AwaitedThenDropped,
    /// Before the first run and at the end, as a future.
    Awaited,
    /// The same, with another awaiter in between.
    AwaitedByOther,
    /// At the end, by its outcome if it has one.
    AwaitedAfter,
}

const HANDLES: [Handle; 6] = [
    Handle::DroppedFirst,
    Handle::DroppedAfter,
    Handle::AwaitedThenDropped,
    Handle::Awaited,
    Handle::AwaitedByOther,
    Handle::AwaitedAfter,
];

impl Handle {
    /// Says whether it is gone before the first run.
    pub(crate) fn is_gone_early(self) -> bool {
        matches!(self, Handle::None | Handle::DroppedFirst | Handle::AwaitedThenDropped)
    }

    /// Says whether it is awaited before the first run.
    pub(crate) fn is_awaited_early(self) -> bool {
        matches!(self, Handle::Awaited | Handle::AwaitedByOther | Handle::AwaitedThenDropped)
    }
}

/// What becomes of the waker of the first poll.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Waker {
    NotKept,
    /// When all else is over.
    DroppedLast,
    /// When all else is over, by value.
    WokenLast,
}

/// How the process is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Entry {
    Build,
    Recoverable,
    Detached,
}

/// One process with parts that panic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Case {
    pub(crate) entry: Entry,
    pub(crate) handle: Handle,
    pub(crate) path: Path,
    pub(crate) waker: Waker,
    pub(crate) parts: Parts,
}

/// Calls the function with every case that is possible; returns how many they are.
pub(crate) fn for_each(mut check: impl FnMut(Case)) -> usize {
    let with_handle = [Entry::Build, Entry::Recoverable]
        .into_iter()
        .flat_map(|entry| HANDLES.map(|handle| (entry, handle)));
    let mut cases = 0;
    for (entry, handle) in with_handle.chain([(Entry::Detached, Handle::None)]) {
        // A handle that is gone cannot cancel.
        let possible = |path: &Path| *path != Path::CancelledPending || !handle.is_gone_early();
        for path in PATHS.into_iter().filter(possible) {
            for waker in [Waker::NotKept, Waker::DroppedLast, Waker::WokenLast] {
                for parts in Parts::sets() {
                    check(Case { entry, handle, path, waker, parts });
                    cases += 1;
                }
            }
        }
    }
    cases
}
