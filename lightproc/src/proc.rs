//! [`LightProc`]: a process that is due to run, and what one run does.

use crate::handle::{ProcHandle, RecoverableHandle};
use crate::hooks::Hooks;
use crate::panic::Panic;
use crate::raw::{self, Awaited, Header};
use crate::waker;
use std::any::TypeId;
use std::fmt;
use std::future::IntoFuture;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::NonNull;
use std::task::Waker;

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
    /// `schedule` is called with the process each time it becomes due, from whatever thread wakes it. A function
    /// without captured values costs nothing; one with captured values costs two atomic operations a call. It must not
    /// panic: that would unwind out of whatever made the process due (`schedule`, `run`, a wake, a cancel, the drop of
    /// a handle or of a waker; which aborts, as Rust has it, when that was itself an unwinding), and cancel the process
    /// unless it is in a queue already. A function that runs the process at once, as `LightProc::run` would, goes one
    /// call deeper for each wake during a poll: queue it. `data`
    /// travels with the process: `()`, a [`ProcStack`](crate::ProcStack), or any [`Hooks`] type. A large future is best
    /// given as [`InPlace`](crate::InPlace).
    ///
    /// # Panics
    /// When the conversion into a future does.
    ///
    /// # Examples
    /// ```
    /// use lightproc::LightProc;
    /// let (process, handle) = LightProc::build(async { 1 + 2 }, |_| {}, ());
    /// process.run();
    /// assert_eq!(futures_lite::future::block_on(handle), Some(3));
    /// ```
    #[inline]
    pub fn build<I, S, D>(future: I, schedule: S, data: D) -> (LightProc, ProcHandle<I::Output>)
    where
        I: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
        S: Fn(LightProc) + Send + Sync + 'static,
        D: Hooks,
    {
        let raw = raw::allocate::<Awaited, _, _, _>(future, schedule, data);
        // SAFETY: the new process has FUTURE, one wake and HANDLE set: one runner and one handle of its output's type. It was
        // made with an awaiter slot.
        unsafe { (LightProc::from_header(raw), ProcHandle::from_raw(raw)) }
    }

    /// Makes a process whose handle turns a panic into a value, with the place where it happened.
    ///
    /// Everything else is as in [`LightProc::build`]. Installs the panic hook of [`Panic::locate`].
    #[inline]
    pub fn recoverable<I, S, D>(
        future: I,
        schedule: S,
        data: D,
    ) -> (LightProc, RecoverableHandle<I::Output>)
    where
        I: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
        S: Fn(LightProc) + Send + Sync + 'static,
        D: Hooks,
    {
        Panic::locate();
        let (process, handle) = LightProc::build(future, schedule, data);
        (process, RecoverableHandle::new(handle))
    }

    /// Makes a process without a handle; its output, or its panic, is dropped.
    ///
    /// Everything else is as in [`LightProc::build`]. The cheapest kind: if it returns at its first poll and has kept no
    /// waker, its life takes no locked instruction. When a poll ends without a waker kept anywhere, or the last one is dropped
    /// without a wake, nobody could ever wake it, and its future is dropped: at once, or by one more call of `schedule`.
    ///
    /// # Examples
    /// ```
    /// use lightproc::LightProc;
    /// let (told, tells) = std::sync::mpsc::channel();
    /// LightProc::detached(async move { told.send("done").unwrap() }, |_| {}, ()).run();
    /// assert_eq!(tells.recv(), Ok("done"));
    /// ```
    #[inline]
    pub fn detached<I, S, D>(future: I, schedule: S, data: D) -> LightProc
    where
        I: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
        S: Fn(LightProc) + Send + Sync + 'static,
        D: Hooks,
    {
        let raw = raw::allocate::<Header, _, _, _>(future, schedule, data);
        // SAFETY: the new process has FUTURE and one wake set: one runner.
        unsafe { LightProc::from_header(raw) }
    }

    /// Turns the process into a pointer, for a queue that keeps pointers; [`from_raw`](LightProc::from_raw) turns it back.
    ///
    /// The pointer keeps the role of running the process: one that is never turned back leaks the process.
    ///
    /// # Examples
    /// ```
    /// use lightproc::LightProc;
    /// let pointer = LightProc::detached(async { println!("run") }, |_| {}, ()).into_raw();
    /// // SAFETY: the pointer comes from `into_raw`, and is turned back once.
    /// unsafe { LightProc::from_raw(pointer) }.run();
    /// ```
    pub fn into_raw(self) -> NonNull<()> {
        let raw = self.raw;
        std::mem::forget(self);
        raw.cast()
    }

    /// Turns a pointer of [`into_raw`](LightProc::into_raw) back into the process.
    ///
    /// # Safety
    /// The pointer comes from `into_raw`, and is turned back once only. If that is on another thread, what happened before
    /// `into_raw` happens before this call.
    pub unsafe fn from_raw(pointer: NonNull<()>) -> LightProc {
        LightProc { raw: pointer.cast() }
    }

    /// # Safety
    /// The process is live and the caller is its runner, a role that the result takes over.
    pub(crate) unsafe fn from_header(raw: NonNull<Header>) -> LightProc {
        LightProc { raw }
    }

    #[cfg(all(test, not(loom)))]
    pub(crate) fn raw(&self) -> NonNull<Header> {
        self.raw
    }

    fn header(&self) -> &Header {
        // SAFETY: a runner keeps its process live.
        unsafe { self.raw.as_ref() }
    }

    /// Gives the process to its schedule function.
    #[inline]
    pub fn schedule(self) {
        let raw = self.raw;
        let schedule = self.header().vtable.schedule;
        std::mem::forget(self);
        // SAFETY: we were the runner, and hand that role over with the call.
        unsafe { schedule(raw) }
    }

    /// Polls the process once and schedules it again if it was woken meanwhile.
    ///
    /// More than four thousand million wakers of one process at once abort the program, as too many clones of an `Arc` do.
    ///
    /// # Panics
    /// Only if the schedule function does; nothing else that a user wrote can make it unwind.
    #[inline]
    pub fn run(self) {
        if let Polled::Woken(process) = self.poll() {
            process.schedule();
        }
    }

    /// Polls the process once. Never unwinds: a panic in the future, in a hook, in any destructor or in the awaiter's
    /// waker ends the process at most.
    #[inline]
    pub fn poll(self) -> Polled {
        let raw = self.raw;
        let poll = self.header().vtable.poll;
        std::mem::forget(self);
        // SAFETY: we are the runner, a role that ends with this call or goes into its result.
        unsafe { poll(raw) }
    }

    /// Asks for cancellation: the next run drops the future instead of polling it. See [`ProcHandle::cancel`].
    pub fn cancel(&self) {
        let idle = self.header().state.close();
        debug_assert!(!idle, "a process with a runner is not idle");
    }

    /// Returns a waker of the process, the same that its polls get. For a list of all processes: waking one makes it due.
    ///
    /// It counts as any other: as long as it is kept the process is not taken for one that nobody can wake.
    ///
    /// # Examples
    /// ```
    /// use lightproc::LightProc;
    /// let (due, queue) = std::sync::mpsc::channel();
    /// let schedule = move |process| due.send(process).unwrap();
    /// let process = LightProc::detached(std::future::pending::<()>(), schedule, ());
    /// let waker = process.waker();
    /// process.run();
    /// assert!(queue.try_recv().is_err());
    /// waker.wake();
    /// drop(queue.try_recv().unwrap()); // And with it the future.
    /// ```
    pub fn waker(&self) -> Waker {
        // SAFETY: a runner keeps its process live.
        unsafe { waker::hold(self.raw) }
    }

    /// Returns the data that the process was made with, when they are of type `D`; or the [`ProcStack`](crate::ProcStack)
    /// in them, see [`Hooks::stack`].
    pub fn data<D: Hooks>(&self) -> Option<&D> {
        // SAFETY: a runner keeps its process live for the borrow of `self`.
        unsafe { data(self.raw) }
    }
}

impl Drop for LightProc {
    fn drop(&mut self) {
        self.header().state.acquire();
        // SAFETY: we are the runner and FUTURE is set.
        unsafe { (self.header().vtable.abandon)(self.raw) };
    }
}

// What a process has left unfinished when it panicked is dropped with it, and nobody else sees it.
impl UnwindSafe for LightProc {}
impl RefUnwindSafe for LightProc {}

impl fmt::Debug for LightProc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LightProc").field("state", &self.header().state).finish()
    }
}

/// Returns the process's data when they are of type `D`, or the stack in them when `D` is that.
///
/// # Safety
/// The process is live for `'a`.
pub(crate) unsafe fn data<'a, D: Hooks>(raw: NonNull<Header>) -> Option<&'a D> {
    // SAFETY: live by contract.
    let found = unsafe { (raw.as_ref().vtable.data)(raw, TypeId::of::<D>()) }?;
    // SAFETY: the vtable compared the type; data, and the stack that they lend, are only shared until the free.
    Some(unsafe { found.cast::<D>().as_ref() })
}
