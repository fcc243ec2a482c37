//! Awaiters that use the process, its queue or its handle while they are cloned, dropped or woken.

use crate::alloc::Heap;
use crate::case::{Case, Entry, Handle, Part, Parts, Path, Waker as Kept};
use crate::world::{self, Counts, Data, Scripted, Value, guarded};
use lightproc::{LightProc, ProcHandle};
use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// What the awaiter does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    /// Its clone runs the process to its end, while the handle is about to register it.
    CloneRuns,
    /// Its destructor does, while the handle is about to replace it by another.
    ReplacedRuns,
    /// Its destructor does, while the handle is being dropped.
    DropRuns,
    /// Its wake asks the handle for the outcome.
    WakeAsks,
    /// Its wake drops the handle.
    WakeDrops,
}

const ACTS: [Act; 5] =
    [Act::CloneRuns, Act::ReplacedRuns, Act::DropRuns, Act::WakeAsks, Act::WakeDrops];

/// What the handle says: an output, nothing, or a panic; nothing at all while it is pending.
type Said = Option<Result<bool, &'static str>>;

thread_local! {
    static HANDLE: Cell<Option<ProcHandle<Value>>> = const { Cell::new(None) };
    static SAID: Cell<Said> = const { Cell::new(None) };
}

fn poll(handle: &mut ProcHandle<Value>, waker: &Waker) -> Said {
    match guarded(|| Pin::new(handle).poll(&mut Context::from_waker(waker))) {
        Ok(Poll::Pending) => None,
        Ok(Poll::Ready(output)) => Some(Ok(output.is_some())),
        Err(what) => Some(Err(what)),
    }
}

fn ask_in_the_wake() {
    let mut handle = HANDLE.take().expect("it is there");
    SAID.set(poll(&mut handle, Waker::noop()));
}

fn act(act: Act, mut handle: ProcHandle<Value>) {
    let mut register = || world::with_awaiter(|waker| poll(&mut handle, waker));
    match act {
        Act::CloneRuns => {
            world::once(Part::AwaiterClone, world::run_all);
            SAID.set(register());
        }
        Act::ReplacedRuns => {
            assert_eq!(register(), None);
            world::once(Part::AwaiterDrop, world::run_all);
            SAID.set(poll(&mut handle, Waker::noop()));
        }
        Act::DropRuns => {
            assert_eq!(register(), None);
            world::once(Part::AwaiterDrop, world::run_all);
            drop(handle);
        }
        Act::WakeAsks | Act::WakeDrops => {
            assert_eq!(register(), None);
            HANDLE.set(Some(handle));
            let drops: fn() = || drop(HANDLE.take());
            let acts = if act == Act::WakeAsks { ask_in_the_wake } else { drops };
            world::once(Part::AwaiterWake, acts);
            world::run_all();
        }
    }
}

fn check(act_: Act, path: Path, panics: &[Part]) {
    let name = format!("{act_:?} x {path:?} x {panics:?}");
    let case = Case {
        entry: Entry::Build,
        handle: Handle::Awaited,
        path,
        waker: Kept::NotKept,
        parts: Parts::of(panics),
    };
    world::begin(case.parts);
    SAID.take();
    let start = Heap::now();
    let (process, handle) = LightProc::build(Scripted(case), world::enqueue, Data);
    if path == Path::CancelledFirst {
        process.cancel();
    }
    process.schedule();
    let unwound = guarded(|| act(act_, handle)).is_err();
    let left = Heap::since(start);
    assert!(!unwound, "{name}");
    let ended = match path {
        Path::Returns => Ok(true),
        Path::PollPanics => Err("the poll"),
        _ => Ok(false),
    };
    let asked = matches!(act_, Act::CloneRuns | Act::ReplacedRuns | Act::WakeAsks);
    assert_eq!(SAID.take(), asked.then_some(ended), "{name}: what the handle said");
    let run = usize::from(path != Path::CancelledFirst);
    let counts = Counts {
        polls: run,
        started: run,
        completed: usize::from(path == Path::Returns),
        panicked: usize::from(path == Path::PollPanics),
        unheard: usize::from(path == Path::PollPanics && !asked),
        futures_dropped: 1,
        outputs_dropped: usize::from(path == Path::Returns),
        data_dropped: 1,
        awaiter_woken: usize::from(matches!(act_, Act::WakeAsks | Act::WakeDrops)),
        ..Counts::default()
    };
    assert_eq!(world::counts(), counts, "{name}");
    assert_eq!((left.blocks, left.bytes), (0, 0), "{name}: everything is freed");
}

#[test]
fn an_awaiter_may_use_the_process_in_its_clone_its_destructor_and_its_wake() {
    for act in ACTS {
        for path in [Path::Returns, Path::PollPanics, Path::CancelledFirst] {
            check(act, path, &[]);
            // And panic when it has done so, where a panic has nowhere to go.
            check(act, path, &[Part::AwaiterDrop, Part::AwaiterWake]);
        }
    }
}

#[test]
fn an_awaiter_that_polls_again_is_not_cloned_again() {
    world::begin(Parts::default());
    let (process, mut handle) = LightProc::build(std::future::pending::<Value>(), |_| {}, ());
    world::with_awaiter(|waker| {
        assert_eq!(poll(&mut handle, waker), None);
        world::once(Part::AwaiterClone, || unreachable!("it is the same awaiter"));
        assert_eq!(poll(&mut handle, waker), None);
    });
    assert_eq!(world::counts().awaiter_clones, 1);
    drop(process);
    assert_eq!(poll(&mut handle, Waker::noop()), Some(Ok(false)));
}
