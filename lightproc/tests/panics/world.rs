//! A process whose every part can panic, and counts what happens to it in its thread's world.

use crate::case::{Case, Part, Parts, Path, Waker as Kept};
use lightproc::{Hooks, LightProc, Panic};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

/// How often what has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) polls: usize,
    pub(crate) started: usize,
    pub(crate) completed: usize,
    pub(crate) panicked: usize,
    pub(crate) unheard: usize,
    pub(crate) futures_dropped: usize,
    pub(crate) outputs_dropped: usize,
    pub(crate) data_dropped: usize,
    pub(crate) schedules_dropped: usize,
    pub(crate) awaiter_woken: usize,
    /// Clones of the awaiter's waker that nobody has dropped or woken.
    pub(crate) awaiter_clones: isize,
    /// Payloads whose destructor did not run.
    pub(crate) payloads_left: isize,
    pub(crate) siblings_run: usize,
    /// Panics that came out where none may come out.
    pub(crate) let_loose: usize,
}

thread_local! {
    static COUNTS: Cell<Counts> = Cell::default();
    static PARTS: Cell<Parts> = Cell::default();
    static ACT: Cell<Option<Act>> = Cell::default();
    static DUE: RefCell<VecDeque<LightProc>> = RefCell::new(VecDeque::with_capacity(8));
    static WAKER: Cell<Option<Waker>> = Cell::default();
}

/// Forgets everything that was counted, and says which parts panic from now on.
pub(crate) fn begin(parts: Parts) {
    COUNTS.take();
    PARTS.set(parts);
    // Also has the queue allocated now, and not while others count.
    DUE.with_borrow(|due| assert!(due.is_empty(), "a process was left from the last case"));
}

/// Returns the counts of now.
pub(crate) fn counts() -> Counts {
    COUNTS.get()
}

/// Changes the counts.
pub(crate) fn tally(change: impl FnOnce(&mut Counts)) {
    let mut counts = COUNTS.get();
    change(&mut counts);
    COUNTS.set(counts);
}

/// What every part panics with.
struct Payload {
    what: &'static str,
    panics: bool,
}

impl Drop for Payload {
    fn drop(&mut self) {
        tally(|counts| counts.payloads_left -= 1);
        if self.panics {
            resume_unwind(Box::new("a payload's destructor"));
        }
    }
}

/// The allocation that is left of a panic in a payload's destructor.
pub(crate) const LEAK: isize = size_of::<&'static str>().cast_signed();

/// Panics without the panic hook, which would only make noise.
pub(crate) fn raise(what: &'static str) -> ! {
    tally(|counts| counts.payloads_left += 1);
    resume_unwind(Box::new(Payload { what, panics: PARTS.get().has(Part::PayloadDrop) }))
}

/// What a part does beside panicking.
type Act = (Part, fn());

/// Has a part do something when it is next called, before it panics if it does.
pub(crate) fn once(part: Part, act: fn()) {
    ACT.set(Some((part, act)));
}

/// Does what the part is to do now, then panics if it is one that does.
pub(crate) fn maybe(part: Part, what: &'static str) {
    if let Some((at, act)) = ACT.get()
        && at == part
    {
        ACT.take();
        act();
    }
    if PARTS.get().has(part) {
        raise(what);
    }
}

/// Says what a payload was raised with, and drops it.
pub(crate) fn what(payload: Box<dyn Any + Send>) -> &'static str {
    let what = payload.downcast_ref::<Payload>().map_or("a foreign payload", |raised| raised.what);
    let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    what
}

/// Calls something that may panic; returns its result or what it has panicked with.
pub(crate) fn guarded<R>(call: impl FnOnce() -> R) -> Result<R, &'static str> {
    catch_unwind(AssertUnwindSafe(call)).map_err(what)
}

/// Calls something that must not panic.
pub(crate) fn sound(call: impl FnOnce()) {
    if guarded(call).is_err() {
        tally(|counts| counts.let_loose += 1);
    }
}

/// Queues a process, as its schedule function does.
pub(crate) fn enqueue(process: LightProc) {
    DUE.with_borrow_mut(|due| due.push_back(process));
}

/// Takes the process that became due first.
pub(crate) fn next_due() -> Option<LightProc> {
    DUE.with_borrow_mut(VecDeque::pop_front)
}

/// Runs what is due until nothing is.
pub(crate) fn run_all() {
    while let Some(process) = next_due() {
        sound(|| process.run());
    }
}

/// Keeps a waker until it is taken.
pub(crate) fn keep_waker(waker: &Waker) {
    WAKER.set(Some(waker.clone()));
}

/// Takes the waker that the first poll has kept.
pub(crate) fn take_waker() -> Option<Waker> {
    WAKER.take()
}

pub(crate) struct Data;

impl Hooks for Data {
    fn before_start(&self) {
        tally(|counts| counts.started += 1);
        maybe(Part::StartHook, "the start hook");
    }

    fn after_complete(&self) {
        tally(|counts| counts.completed += 1);
        maybe(Part::CompleteHook, "the complete hook");
    }

    fn after_panic(&self) {
        tally(|counts| counts.panicked += 1);
        maybe(Part::PanicHook, "the panic hook");
    }

    fn unheard(&self, panic: &Panic) {
        tally(|counts| counts.unheard += 1);
        assert_eq!(panic.message(), None, "the payloads are no text");
        maybe(Part::UnheardHook, "the hook for the unheard");
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        tally(|counts| counts.data_dropped += 1);
        maybe(Part::DataDrop, "the data's destructor");
    }
}

/// What the schedule function captures.
pub(crate) struct Captured;

impl Drop for Captured {
    fn drop(&mut self) {
        tally(|counts| counts.schedules_dropped += 1);
        maybe(Part::ScheduleDrop, "the schedule function's destructor");
    }
}

pub(crate) struct Value;

impl Drop for Value {
    fn drop(&mut self) {
        tally(|counts| counts.outputs_dropped += 1);
        maybe(Part::OutputDrop, "the output's destructor");
    }
}

/// Ends, or does not, as its case says.
pub(crate) struct Scripted(pub(crate) Case);

impl Future for Scripted {
    type Output = Value;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Value> {
        if counts().polls == 0 && self.0.waker != Kept::NotKept {
            keep_waker(cx.waker());
        }
        tally(|counts| counts.polls += 1);
        match self.0.path {
            Path::Returns => Poll::Ready(Value),
            Path::PollPanics => raise("the poll"),
            _ => Poll::Pending,
        }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        tally(|counts| counts.futures_dropped += 1);
        maybe(Part::FutureDrop, "the future's destructor");
    }
}

/// A foreign waker whose `clone`, `wake` and `drop` may panic.
static AWAITER: RawWakerVTable = RawWakerVTable::new(
    |data| {
        maybe(Part::AwaiterClone, "the awaiter's clone");
        tally(|counts| counts.awaiter_clones += 1);
        RawWaker::new(data, &AWAITER)
    },
    |_| {
        tally(|counts| {
            counts.awaiter_clones -= 1;
            counts.awaiter_woken += 1;
        });
        maybe(Part::AwaiterWake, "the awaiter's wake");
    },
    |_| tally(|counts| counts.awaiter_woken += 1),
    |_| {
        tally(|counts| counts.awaiter_clones -= 1);
        maybe(Part::AwaiterDrop, "the awaiter's destructor");
    },
);

/// Calls something with the awaiter's own waker, of which there are only borrows.
pub(crate) fn with_awaiter<R>(call: impl FnOnce(&Waker) -> R) -> R {
    // SAFETY: the functions of the vtable use no data and may be called in any order, from any thread.
    let waker = unsafe { Waker::new(std::ptr::null(), &AWAITER) };
    let waker = std::mem::ManuallyDrop::new(waker);
    call(&waker)
}
