//! Leads a process and its sibling through a case, and reports what was seen.

use crate::alloc::Heap;
use crate::case::{Case, Entry, Handle, Path, Waker as Kept};
use crate::world::{self, Captured, Counts, Data, Scripted, Value, guarded, sound};
use lightproc::{LightProc, Outcome, ProcHandle, RecoverableHandle};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// What the handle said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Saw {
    Unasked,
    Running,
    Value,
    /// A panic, as an unwinding or as a value.
    Panic(&'static str),
    /// `None`: no output, for whatever reason.
    Nothing,
}

/// What is known of a case when it is over.
#[derive(Debug, PartialEq)]
pub(crate) struct Account {
    pub(crate) counts: Counts,
    /// What the handle said before the first run.
    pub(crate) first_look: Saw,
    /// What it said in the end.
    pub(crate) last_look: Saw,
    pub(crate) blocks_left: isize,
    pub(crate) bytes_left: isize,
}

enum AnyHandle {
    Proc(ProcHandle<Value>),
    Recoverable(RecoverableHandle<Value>),
}

impl AnyHandle {
    fn poll(&mut self, waker: &Waker) -> Saw {
        let mut cx = Context::from_waker(waker);
        let polled = guarded(|| match self {
            AnyHandle::Proc(handle) => Pin::new(handle).poll(&mut cx),
            AnyHandle::Recoverable(handle) => Pin::new(handle).poll(&mut cx),
        });
        match polled {
            Ok(Poll::Pending) => Saw::Running,
            Ok(Poll::Ready(Some(value))) => value_seen(value),
            Ok(Poll::Ready(None)) => Saw::Nothing,
            Err(what) => Saw::Panic(what),
        }
    }

    /// Polls the outcome of a handle that has one.
    fn outcome(mut self) -> Saw {
        let AnyHandle::Recoverable(mut handle) = self else { return self.poll(Waker::noop()) };
        match pin!(handle.outcome()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => Saw::Running,
            Poll::Ready(Outcome::Completed(value)) => value_seen(value),
            Poll::Ready(Outcome::Panicked(panic)) => Saw::Panic(world::what(panic.into_payload())),
            Poll::Ready(Outcome::Cancelled) => Saw::Nothing,
        }
    }

    fn cancel(&self) {
        match self {
            AnyHandle::Proc(handle) => handle.cancel(),
            AnyHandle::Recoverable(handle) => handle.cancel(),
        }
    }
}

/// Drops the output, whose destructor's panic is now the awaiter's affair.
fn value_seen(value: Value) -> Saw {
    let _ = guarded(|| drop(value));
    Saw::Value
}

fn make(case: Case) -> (LightProc, Option<AnyHandle>) {
    let captured = Captured;
    let schedule = move |process| {
        let _captured = &captured;
        world::enqueue(process);
    };
    match case.entry {
        Entry::Build => {
            let (process, handle) = LightProc::build(Scripted(case), schedule, Data);
            (process, Some(AnyHandle::Proc(handle)))
        }
        Entry::Recoverable => {
            let (process, handle) = LightProc::recoverable(Scripted(case), schedule, Data);
            (process, Some(AnyHandle::Recoverable(handle)))
        }
        Entry::Detached => (LightProc::detached(Scripted(case), schedule, Data), None),
    }
}

/// What is done with the handle before the first run; returns what is left of it, and what it said.
fn before(case: Case, handle: Option<AnyHandle>) -> (Option<AnyHandle>, Saw) {
    let Some(mut handle) = handle else { return (None, Saw::Unasked) };
    let mut said = Saw::Unasked;
    if case.handle.is_awaited_early() {
        said = world::with_awaiter(|waker| handle.poll(waker));
    }
    let panicked = matches!(said, Saw::Panic(_));
    if case.handle == Handle::AwaitedByOther || panicked && case.handle == Handle::Awaited {
        // Also after a panic in the awaiter's clone, the handle is as good as before.
        assert_eq!(handle.poll(Waker::noop()), Saw::Running, "{case:?}");
    }
    if case.handle.is_gone_early() {
        sound(|| drop(handle));
        return (None, said);
    }
    (Some(handle), said)
}

/// The last thing that is done with the handle.
fn after(case: Case, handle: Option<AnyHandle>) -> Saw {
    match (case.handle, handle) {
        (_, None) => Saw::Unasked,
        (Handle::DroppedAfter, Some(handle)) => {
            sound(|| drop(handle));
            Saw::Unasked
        }
        (Handle::AwaitedAfter, Some(handle)) => handle.outcome(),
        (_, Some(mut handle)) => {
            let saw = handle.poll(Waker::noop());
            sound(|| drop(handle));
            saw
        }
    }
}

/// Leads a process through its case.
pub(crate) fn drive(case: Case) -> Account {
    world::begin(case.parts);
    let start = Heap::now();
    let (process, handle) = make(case);
    let sibling = async { world::tally(|counts| counts.siblings_run += 1) };
    process.schedule();
    LightProc::detached(sibling, world::enqueue, ()).schedule();
    let (handle, first_look) = before(case, handle);
    let process = world::next_due().expect("it was scheduled");
    match case.path {
        Path::Unrun => sound(|| drop(process)),
        Path::CancelledFirst => {
            process.cancel();
            sound(|| process.run());
        }
        _ => sound(|| process.run()),
    }
    world::run_all();
    if let (Path::CancelledPending, Some(handle)) = (case.path, &handle) {
        sound(|| handle.cancel());
        world::run_all();
    }
    let last_look = after(case, handle);
    world::run_all();
    if let Some(waker) = world::take_waker() {
        match case.waker {
            Kept::WokenLast => sound(|| waker.wake()),
            _ => sound(|| drop(waker)),
        }
        world::run_all();
    }
    let left = Heap::since(start);
    Account {
        counts: world::counts(),
        first_look,
        last_look,
        blocks_left: left.blocks,
        bytes_left: left.bytes,
    }
}
