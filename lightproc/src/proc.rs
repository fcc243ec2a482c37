//! [`LightProc`]: a process that is due to run, and what one run does.

use crate::handle::{ProcHandle, RecoverableHandle};
use crate::hooks::Hooks;
use crate::outcome::contain;
use crate::raw::{self, Header, Output};
use crate::state::{Begin, Complete, Finish, Pending};
use crate::waker;
use std::any::{Any, TypeId};
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::task::{Context, Poll};

/// A process that is due to run: keep it in a queue, then [`run`](LightProc::run) it.
///
/// It exists only while the process has something to do, and only once: whoever has it is the one that may run the
/// process. Dropping it cancels the process and drops the future.
#[must_use = "dropping a LightProc cancels its process"]
pub struct LightProc {
    raw: NonNull<Header>,
}

// SAFETY: `allocate` demands that future, output, schedule function and data are `Send`, and the last two `Sync`; the
// state word lets one runner at a time touch the future.
unsafe impl Send for LightProc {}
// SAFETY: through `&LightProc` only `cancel`, an atomic transition, and `data`, which is `Sync`, can be reached.
unsafe impl Sync for LightProc {}

/// What one poll of a process came to.
#[must_use]
#[derive(Debug)]
pub enum Polled {
    /// The process waits: its wakers schedule it.
    Waiting,
    /// It was woken while it was polled: schedule it again, behind the others that wait.
    Woken(LightProc),
    /// It has ended.
    Ended,
}

impl LightProc {
    /// Makes a process from a future; its handle lets a panic go on in whoever awaits it.
    ///
    /// `schedule` is called with the process each time it becomes due, from whatever thread wakes it; it must not panic. A
    /// function without captured values costs nothing; one with captured values costs two atomic operations a call. `data` travels with
    /// the process: `()`, a [`ProcStack`](crate::ProcStack), or any [`Hooks`] type.
    ///
    /// # Examples
    /// ```
    /// use lightproc::LightProc;
    /// let (process, handle) = LightProc::build(async { 1 + 2 }, |_| {}, ());
    /// process.run();
    /// assert_eq!(futures_lite::future::block_on(handle), Some(3));
    /// ```
    pub fn build<F, S, D>(future: F, schedule: S, data: D) -> (LightProc, ProcHandle<F::Output>)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
        S: Fn(LightProc) + Send + Sync + 'static,
        D: Hooks,
    {
        let raw = raw::allocate(future, schedule, data);
        // SAFETY: the new process has FUTURE, one wake and HANDLE set: one runner and one handle of its output's type.
        unsafe { (LightProc::from_raw(raw), ProcHandle::from_raw(raw)) }
    }

    /// Makes a process whose handle turns a panic into a value.
    ///
    /// Everything else is as in [`LightProc::build`].
    pub fn recoverable<F, S, D>(
        future: F,
        schedule: S,
        data: D,
    ) -> (LightProc, RecoverableHandle<F::Output>)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
        S: Fn(LightProc) + Send + Sync + 'static,
        D: Hooks,
    {
        let (process, handle) = LightProc::build(future, schedule, data);
        (process, RecoverableHandle::new(handle))
    }

    /// # Safety
    /// The process is live and the caller is its runner, a role that the result takes over.
    pub(crate) unsafe fn from_raw(raw: NonNull<Header>) -> LightProc {
        LightProc { raw }
    }

    fn header(&self) -> &Header {
        // SAFETY: a runner keeps its process live.
        unsafe { self.raw.as_ref() }
    }

    /// Gives the process to its schedule function.
    pub fn schedule(self) {
        let raw = self.raw;
        let schedule = self.header().vtable.schedule;
        std::mem::forget(self);
        // SAFETY: we were the runner, and hand that role over with the call.
        unsafe { schedule(raw) }
    }

    /// Polls the process once and schedules it again if it was woken meanwhile.
    ///
    /// # Panics
    /// Only if the schedule function does; nothing else that a user wrote can make it unwind.
    pub fn run(self) {
        if let Polled::Woken(process) = self.poll() {
            process.schedule();
        }
    }

    /// Polls the process once. Never unwinds: a panic in the future, in a hook, in any destructor or in the awaiter's
    /// waker ends the process at most.
    pub fn poll(self) -> Polled {
        let raw = self.raw;
        std::mem::forget(self);
        // SAFETY: we are the runner, a role that ends with this function or goes into its result.
        unsafe { poll(raw) }
    }

    /// Asks for cancellation: the next run drops the future instead of polling it.
    pub fn cancel(&self) {
        let idle = self.header().state.close();
        debug_assert!(!idle, "a process with a runner is not idle");
    }

    /// Returns the data that the process was made with, when they are of type `D`.
    pub fn data<D: Hooks>(&self) -> Option<&D> {
        // SAFETY: a runner keeps its process live for the borrow of `self`.
        unsafe { data(self.raw) }
    }
}

impl Drop for LightProc {
    fn drop(&mut self) {
        self.header().state.acquire();
        // SAFETY: we are the runner and FUTURE is set.
        unsafe { abandon(self.raw) };
    }
}

impl fmt::Debug for LightProc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LightProc").field("state", &self.header().state).finish()
    }
}

/// Returns the process's data when they are of type `D`.
///
/// # Safety
/// The process is live for `'a`.
pub(crate) unsafe fn data<'a, D: Hooks>(raw: NonNull<Header>) -> Option<&'a D> {
    // SAFETY: live by contract.
    let found = unsafe { (raw.as_ref().vtable.data)(raw, TypeId::of::<D>()) }?;
    // SAFETY: the vtable compared the type; data are only shared until the free.
    Some(unsafe { found.cast::<D>().as_ref() })
}

/// Runs the process once.
///
/// # Safety
/// The caller is the runner, and gives that role up.
unsafe fn poll(raw: NonNull<Header>) -> Polled {
    // SAFETY: the runner keeps the process live until it gives its role up below.
    let header = unsafe { raw.as_ref() };
    let (seen, first) = match header.state.begin_run() {
        Begin::Poll { seen, first } => (seen, first),
        Begin::Closed => {
            // SAFETY: we are the runner and FUTURE is set.
            unsafe { abandon(raw) };
            return Polled::Ended;
        }
    };
    // SAFETY: used only in this poll.
    let waker = unsafe { waker::borrowed(raw) };
    let mut cx = Context::from_waker(&waker);
    let polled = catch_unwind(AssertUnwindSafe(|| {
        if first {
            // SAFETY: live.
            unsafe { (header.vtable.before_start)(raw) };
        }
        // SAFETY: we are the runner and FUTURE is set.
        unsafe { (header.vtable.poll)(raw, &mut cx) }
    }));
    match polled {
        Ok(Poll::Ready(output)) => {
            // SAFETY: the poll has replaced the future by its output.
            unsafe { ended(raw, output) };
            Polled::Ended
        }
        Ok(Poll::Pending) => match header.state.end_pending(seen) {
            Pending::Idle => Polled::Waiting,
            // SAFETY: the transition left us the runner.
            Pending::Woken => Polled::Woken(unsafe { LightProc::from_raw(raw) }),
            Pending::Closed | Pending::Orphan => {
                // SAFETY: the transition left us the runner, or the only one who can reach the process; FUTURE is set.
                unsafe { abandon(raw) };
                Polled::Ended
            }
        },
        Err(payload) => {
            // SAFETY: we are the runner and FUTURE is set.
            unsafe { panicked(raw, payload) };
            Polled::Ended
        }
    }
}

/// Ends a process whose start hook or poll has panicked.
///
/// # Safety
/// The caller is the runner, and gives that role up.
unsafe fn panicked(raw: NonNull<Header>, payload: Box<dyn Any + Send>) {
    // SAFETY: the runner keeps the process live.
    let header = unsafe { raw.as_ref() };
    // SAFETY: the future is in the stage and ours.
    contain(|| unsafe { (header.vtable.drop_future)(raw) });
    // SAFETY: the stage is empty and ours.
    unsafe { (header.vtable.put_panic)(raw, payload) };
    // SAFETY: the payload is in the stage.
    unsafe { ended(raw, Output::Panic) };
}

/// Calls the last hook and hands what is in the stage to the handle, or drops it.
///
/// # Safety
/// The caller is the runner and gives that role up; `output` says what is in the stage.
unsafe fn ended(raw: NonNull<Header>, output: Output) {
    // SAFETY: the runner keeps the process live until it gives its role up below.
    let header = unsafe { raw.as_ref() };
    let hook = match output {
        Output::Value => header.vtable.after_complete,
        Output::Panic => header.vtable.after_panic,
    };
    // SAFETY: live.
    contain(|| unsafe { hook(raw) });
    match header.state.complete(output == Output::Panic) {
        Complete::Kept => {}
        // SAFETY: the transition left the awaiter slot to us.
        Complete::Notify => unsafe { notify(raw) },
        Complete::Unwanted => {
            // SAFETY: no handle exists, so the output is ours.
            contain(|| unsafe { (header.vtable.drop_output)(raw, output) });
            // SAFETY: the stage is empty.
            unsafe { finish(raw) };
        }
    }
}

/// Drops the future and ends the process without an output.
///
/// # Safety
/// The caller is the runner and gives that role up; FUTURE is set.
unsafe fn abandon(raw: NonNull<Header>) {
    // SAFETY: the future is in the stage and ours.
    contain(|| unsafe { (raw.as_ref().vtable.drop_future)(raw) });
    // SAFETY: the stage is empty.
    unsafe { finish(raw) };
}

/// Ends a process whose stage is empty.
///
/// # Safety
/// The caller is the runner and gives that role up.
unsafe fn finish(raw: NonNull<Header>) {
    // SAFETY: the runner keeps the process live until the transition.
    match unsafe { raw.as_ref() }.state.finish() {
        Finish::Shared => {}
        // SAFETY: the transition left the awaiter slot to us.
        Finish::Notify => unsafe { notify(raw) },
        // SAFETY: the transition says that nobody else holds the process.
        Finish::Free => unsafe { waker::free(raw) },
    }
}

/// Wakes whoever awaits the handle.
///
/// # Safety
/// The caller is the finisher of an ended process whose AWAITER is set: it keeps the process live, the slot is full.
unsafe fn notify(raw: NonNull<Header>) {
    // SAFETY: live by contract.
    let header = unsafe { raw.as_ref() };
    // SAFETY: the slot is full and ours to empty; the handle only reads it while FUTURE is set.
    let awaiter = header.awaiter.with(|slot| unsafe { (*slot).assume_init_read() });
    if header.state.release_awaiter() {
        // SAFETY: the transition says that nobody else holds the process.
        unsafe { waker::free(raw) };
    }
    contain(|| awaiter.wake());
}
