//! A process whose every part tells the thread's world what happens to it.
//!
//! All is in one thread, so the world is a thread-local, and no part has anything to allocate or to share.

use crate::case::{Body, Case, Handle, Woken};
use crate::handle::AnyHandle;
use lightproc::{Hooks, LightProc};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// How often what has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) schedules: usize,
    pub(crate) polls: usize,
    pub(crate) started: usize,
    pub(crate) completed: usize,
    pub(crate) panicked: usize,
    pub(crate) futures_dropped: usize,
    pub(crate) outputs_dropped: usize,
    pub(crate) data_dropped: usize,
    pub(crate) schedules_dropped: usize,
    /// Wakes of each awaiter.
    pub(crate) awaiters_woken: [usize; 2],
    /// Panics in the process's parts.
    pub(crate) raised: usize,
    /// Things that came before what must come first.
    pub(crate) disorder: usize,
}

/// What a thread's processes share.
pub(crate) struct World {
    pub(crate) counts: Cell<Counts>,
    pub(crate) due: RefCell<VecDeque<LightProc>>,
    /// The waker that the last poll has kept.
    pub(crate) waker: Cell<Option<Waker>>,
    /// The handle that the first poll is to use.
    pub(crate) handle: Cell<Option<AnyHandle>>,
}

thread_local! {
    pub(crate) static WORLD: World = World {
        counts: Cell::default(),
        due: RefCell::new(VecDeque::with_capacity(8)),
        waker: Cell::default(),
        handle: Cell::default(),
    };
}

/// Returns the counts of now.
pub(crate) fn counts() -> Counts {
    WORLD.with(|world| world.counts.get())
}

/// Changes the counts.
pub(crate) fn tally(change: impl FnOnce(&mut Counts)) {
    WORLD.with(|world| {
        let mut counts = world.counts.get();
        change(&mut counts);
        world.counts.set(counts);
    });
}

/// Counts a disorder unless all is as it should be.
fn expect(order: impl FnOnce(Counts) -> bool) {
    if !order(counts()) {
        tally(|counts| counts.disorder += 1);
    }
}

/// Panics without the panic hook, which would only make noise.
pub(crate) fn raise(what: &'static str) -> ! {
    tally(|counts| counts.raised += 1);
    resume_unwind(Box::new(what))
}

/// Takes the process that became due first.
pub(crate) fn next_due() -> Option<LightProc> {
    WORLD.with(|world| world.due.borrow_mut().pop_front())
}

/// What every schedule function does.
pub(crate) fn enqueue(process: LightProc) {
    tally(|counts| counts.schedules += 1);
    WORLD.with(|world| world.due.borrow_mut().push_back(process));
}

pub(crate) struct Data;

impl Hooks for Data {
    fn before_start(&self) {
        expect(|now| now.polls == 0);
        tally(|counts| counts.started += 1);
    }

    fn after_complete(&self) {
        expect(|now| now.futures_dropped == 1 && now.awaiters_woken == [0, 0]);
        tally(|counts| counts.completed += 1);
    }

    fn after_panic(&self) {
        expect(|now| now.futures_dropped == 1 && now.awaiters_woken == [0, 0]);
        tally(|counts| counts.panicked += 1);
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        expect(|now| now.futures_dropped == 1);
        tally(|counts| counts.data_dropped += 1);
    }
}

/// What a schedule function captures, with or without a size.
pub(crate) struct Captured<T>(pub(crate) T);

impl<T> Drop for Captured<T> {
    fn drop(&mut self) {
        expect(|now| now.futures_dropped == 1);
        tally(|counts| counts.schedules_dropped += 1);
    }
}

/// The output of a process.
pub(crate) struct Value {
    panics: bool,
}

impl Drop for Value {
    fn drop(&mut self) {
        expect(|now| now.futures_dropped == 1);
        tally(|counts| counts.outputs_dropped += 1);
        if self.panics {
            raise("the output's destructor");
        }
    }
}

/// The future of a process, which does what its case says.
pub(crate) struct Scripted(pub(crate) Case);

impl Scripted {
    fn use_handle(&self) {
        let Some(handle) = WORLD.with(|world| world.handle.take()) else { return };
        if self.0.handle == Handle::DroppedInThePoll {
            return drop(handle);
        }
        handle.cancel();
        WORLD.with(|world| world.handle.set(Some(handle)));
    }

    fn use_waker(&self, waker: &Waker) {
        match self.0.woken {
            Woken::InThePollByReference => waker.wake_by_ref(),
            Woken::InThePollByValue => {
                let clone = waker.clone();
                clone.wake();
            }
            Woken::Never => {}
            _ => drop(WORLD.with(|world| world.waker.replace(Some(waker.clone())))),
        }
    }
}

impl Future for Scripted {
    type Output = Value;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Value> {
        expect(|now| now.started == 1 && now.futures_dropped == 0);
        let poll = counts().polls;
        tally(|counts| counts.polls += 1);
        self.use_handle();
        let pending = match self.0.body {
            Body::Ready => 0,
            Body::PendingThenReady => 1,
            Body::PanicsAtPoll(n) | Body::BadFuture(n) | Body::BadOutput(n) => n,
        };
        // A late waker is there also when the first poll is the last.
        let is_late =
            matches!(self.0.woken, Woken::LateByValue | Woken::LateByReference | Woken::LateDrop);
        if poll < pending || is_late {
            self.use_waker(cx.waker());
        }
        if poll < pending {
            return Poll::Pending;
        }
        match self.0.body {
            Body::PanicsAtPoll(_) => raise("the poll"),
            body => Poll::Ready(Value { panics: matches!(body, Body::BadOutput(_)) }),
        }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        tally(|counts| counts.futures_dropped += 1);
        if matches!(self.0.body, Body::BadFuture(_)) {
            raise("the future's destructor");
        }
    }
}

/// The awaiter of that number.
pub(crate) struct Awaiter(pub(crate) usize);

impl Wake for Awaiter {
    fn wake(self: Arc<Self>) {
        expect(|now| now.futures_dropped == 1);
        tally(|counts| counts.awaiters_woken[self.0] += 1);
    }
}
