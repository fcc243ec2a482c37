//! What can be done to a process, each thing against each other, from each state, and the triples that meet in one place.
//!
//! The threads share nothing but the process: each has its waker, its handle or its `LightProc` from the start, so that
//! only the state word orders what they do.

use crate::model::{Model, Value, check, poll};
use lightproc::{LightProc, ProcHandle};
use loom::sync::atomic::Ordering::SeqCst;

/// What one thread does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    /// Runs the process that is due.
    Run,
    /// Drops the process that is due.
    DropProcess,
    /// Cancels the process that is due, then runs it.
    CancelAndRun,
    WakeByValue,
    WakeByReference,
    CloneAndDropWaker,
    DropWaker,
    Cancel,
    Await,
    /// Awaits, then lets the handle go.
    AwaitAndDrop,
    DropHandle,
}

use Act::*;

const ACTS: [Act; 11] = [
    Run,
    DropProcess,
    CancelAndRun,
    WakeByValue,
    WakeByReference,
    CloneAndDropWaker,
    DropWaker,
    Cancel,
    Await,
    AwaitAndDrop,
    DropHandle,
];

const TRIPLES: [[Act; 3]; 9] = [
    [Run, WakeByReference, DropHandle],
    [Run, WakeByValue, Cancel],
    [Run, WakeByReference, Await],
    [Run, DropWaker, AwaitAndDrop],
    [Run, DropWaker, DropHandle],
    [CancelAndRun, WakeByValue, Await],
    [WakeByValue, DropWaker, DropHandle],
    [WakeByReference, WakeByValue, Cancel],
    [DropWaker, DropWaker, DropHandle],
];

/// The state in which the threads meet the process.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Start {
    /// It was made, and is due.
    New,
    /// It was polled and woken, and is due.
    Woken,
    /// It was polled, and waits.
    Waiting,
}

impl Act {
    fn is_runner(self) -> bool {
        matches!(self, Run | DropProcess | CancelAndRun)
    }

    fn is_waker(self) -> bool {
        matches!(self, WakeByValue | WakeByReference | CloneAndDropWaker | DropWaker)
    }

    fn is_handle(self) -> bool {
        matches!(self, Cancel | Await | AwaitAndDrop | DropHandle)
    }
}

/// What a thread has of the process.
enum Part {
    Process(LightProc),
    Waker(std::task::Waker),
    Handle(ProcHandle<Value>),
}

/// Says whether these can be done at the same time to a process in that state.
fn is_possible(start: Start, acts: &[Act]) -> bool {
    let count = |is: fn(Act) -> bool| acts.iter().filter(|act| is(**act)).count();
    let runners = if start == Start::Waiting { 0 } else { 1 };
    count(Act::is_runner) <= runners
        && count(Act::is_handle) <= 1
        && (start != Start::New || count(Act::is_waker) == 0)
}

fn act(act: Act, part: Part, model: &Model) -> Option<ProcHandle<Value>> {
    let open = || model.counts.open.store(1, SeqCst);
    match (act, part) {
        (Run, Part::Process(process)) => process.run(),
        (DropProcess, Part::Process(process)) => drop(process),
        (CancelAndRun, Part::Process(process)) => {
            process.cancel();
            process.run();
        }
        (WakeByValue, Part::Waker(waker)) => {
            open();
            waker.wake();
        }
        (WakeByReference, Part::Waker(waker)) => {
            open();
            waker.wake_by_ref();
        }
        (CloneAndDropWaker, Part::Waker(waker)) => drop(waker.clone()),
        (DropWaker, Part::Waker(waker)) => drop(waker),
        (Cancel, Part::Handle(handle)) => {
            handle.cancel();
            return Some(handle);
        }
        (Await, Part::Handle(mut handle)) => {
            if poll(&mut handle).is_pending() {
                return Some(handle);
            }
        }
        (AwaitAndDrop, Part::Handle(mut handle)) => drop(poll(&mut handle)),
        (DropHandle, Part::Handle(handle)) => drop(handle),
        (act, _) => unreachable!("{act:?} has another part"),
    }
    None
}

fn run(start: Start, acts: &[Act]) {
    let wakers = acts.iter().filter(|act| act.is_waker()).count();
    let (model, process, handle) = Model::new(wakers + usize::from(start == Start::Woken), true);
    let mut due = Some(process);
    if start != Start::New {
        due.take().unwrap().run();
    }
    if start == Start::Woken {
        model.take().unwrap().wake();
        due = model.queue.lock().unwrap().pop();
    }
    let mut handle = Some(handle);
    let mut parts: Vec<(Act, Part)> = Vec::new();
    for act in acts {
        let part = if act.is_runner() {
            Part::Process(due.take().unwrap())
        } else if act.is_waker() {
            Part::Waker(model.take().unwrap())
        } else {
            Part::Handle(handle.take().unwrap())
        };
        parts.push((*act, part));
    }
    let here = parts.pop().unwrap();
    let threads: Vec<_> = parts
        .into_iter()
        .map(|(other, part)| {
            let model = model.clone();
            loom::thread::spawn(move || act(other, part, &model))
        })
        .collect();
    let mut handles = vec![act(here.0, here.1, &model), handle];
    handles.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
    due.into_iter().for_each(LightProc::run);
    model.run();
    let woken = acts.iter().any(|act| matches!(act, WakeByValue | WakeByReference));
    let ended = acts.iter().any(|act| matches!(act, DropProcess | CancelAndRun | Cancel));
    if woken && !ended {
        // No wake is lost: a poll came after it, and found the gate open.
        assert_eq!(model.counts.futures.load(SeqCst), 1, "the process has ended");
    }
    drop(handles);
    model.end((woken && !ended).then_some(1));
}

fn check_all(start: Start, combinations: impl IntoIterator<Item = Vec<Act>>) -> usize {
    let possible = combinations.into_iter().filter(|acts| is_possible(start, acts));
    possible.map(|acts| check(move || run(start, &acts))).count()
}

fn pairs() -> impl Iterator<Item = Vec<Act>> {
    let second = |first: usize| ACTS[first..].iter().map(move |act| vec![ACTS[first], *act]);
    (0..ACTS.len()).flat_map(second)
}

#[test]
fn pairs_that_meet_a_new_process() {
    assert_eq!(check_all(Start::New, pairs()), 12);
}

#[test]
fn pairs_that_meet_a_woken_process() {
    assert_eq!(check_all(Start::Woken, pairs()), 50);
}

#[test]
fn pairs_that_meet_a_waiting_process() {
    assert_eq!(check_all(Start::Waiting, pairs()), 26);
}

#[test]
fn triples_that_meet_a_woken_process() {
    assert_eq!(check_all(Start::Woken, TRIPLES.map(Vec::from)), 9);
}

#[test]
fn triples_that_meet_a_waiting_process() {
    assert_eq!(check_all(Start::Waiting, TRIPLES.map(Vec::from)), 3);
}
