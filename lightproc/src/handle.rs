//! Handles: the one that awaits a process, cancels it, or lets it go.
//!
//! A process has one handle. Dropping it detaches the process, which goes on. Awaiting it is cancel-safe: the outcome
//! stays with the process until a poll takes it.

use crate::compat::HandleState;
use crate::hooks::Hooks;
use crate::outcome::Outcome;
use crate::panic::{Panic, contain};
use crate::proc::{self, LightProc};
use crate::raw::{self, Header};
use crate::state::{Detach, Look};
use crate::sync::UnsafeCell;
use crate::waker;
use futures_core::future::FusedFuture;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::ptr::{NonNull, drop_in_place};
use std::task::{Context, Poll, Waker};

/// Awaits a process. Its output is `None` when the process was cancelled; a panic of the process goes on in whoever
/// awaits it.
///
/// Dropping the handle detaches the process. The handle is ready only after the future was dropped.
///
/// # Panics
/// Awaiting it panics with the process's payload when the process panicked. Polling it after it was ready panics. A panic
/// in the awaiter's `Waker::clone` goes on in whoever polls; the handle stays usable, and has no awaiter then.
#[must_use = "dropping a handle detaches its process; call `detach` to say that this is meant"]
pub struct ProcHandle<T> {
    /// The process whose HANDLE flag this is; `None` once the outcome was taken.
    raw: Option<NonNull<Header>>,
    _output: PhantomData<T>,
}

// SAFETY: what a handle may take, drop, call or free is the output, which is `Send` by this bound, and the future, the
// schedule function and the data, which are `Send` by the bounds of `allocate`, the last two also `Sync`; the state word
// says when it may touch which.
unsafe impl<T: Send> Send for ProcHandle<T> {}
// SAFETY: `&ProcHandle` gives no access to the output. `cancel` may call the schedule function, which is `Sync`, with the
// process, which is `Send`; `data` gives out what is `Sync`.
unsafe impl<T: Send> Sync for ProcHandle<T> {}

// What the process has left unfinished when it panicked is dropped with it, and nobody else sees it.
impl<T> UnwindSafe for ProcHandle<T> {}
impl<T> RefUnwindSafe for ProcHandle<T> {}

impl<T> Unpin for ProcHandle<T> {}

impl<T> ProcHandle<T> {
    /// # Safety
    /// The process was made with a handle, its output is a `T`, and its HANDLE flag is the result's.
    pub(crate) unsafe fn from_raw(raw: NonNull<Header>) -> Self {
        ProcHandle { raw: Some(raw), _output: PhantomData }
    }

    fn header(&self) -> Option<&Header> {
        // SAFETY: the HANDLE flag keeps the process live.
        self.raw.as_ref().map(|raw| unsafe { raw.as_ref() })
    }

    /// Asks for cancellation: the future is dropped at the process's next run, where processes run, and not polled any
    /// more. Await the handle to wait until that has happened. A process that has ended stays as it is.
    ///
    /// A poll that is going on comes to its end first. If it returns or panics, that stands; else the future is dropped
    /// right after it, also when it was woken.
    ///
    /// # Examples
    /// ```
    /// use lightproc::LightProc;
    /// let (process, handle) = LightProc::build(std::future::pending::<()>(), |_| {}, ());
    /// handle.cancel();
    /// process.run();
    /// assert_eq!(futures_lite::future::block_on(handle), None); // Now its future is gone.
    /// ```
    pub fn cancel(&self) {
        let Some(raw) = self.raw else { return };
        // SAFETY: the HANDLE flag keeps the process live.
        if unsafe { raw.as_ref() }.state.close() {
            // SAFETY: the transition made us the runner.
            unsafe { LightProc::from_header(raw) }.schedule();
        }
    }

    /// Lets the process go on without a handle. The same as dropping it, but says so.
    ///
    /// A process that waits for something that nobody can wake it for (it keeps no waker anywhere) is dropped.
    pub fn detach(self) {}

    /// Says whether the process has ended, which never becomes false again.
    pub fn is_finished(&self) -> bool {
        self.header().is_none_or(|header| !matches!(header.state.look(), Look::Running { .. }))
    }

    /// Returns the data that the process was made with, when they are of type `D`; `None` after the handle was ready. See
    /// [`LightProc::data`].
    pub fn data<D: Hooks>(&self) -> Option<&D> {
        // SAFETY: the HANDLE flag keeps the process live for the borrow of `self`.
        self.raw.and_then(|raw| unsafe { proc::data(raw) })
    }

    pub(crate) fn facts(&self) -> Option<HandleState> {
        self.header().map(|header| header.state.facts())
    }

    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        let raw = self.raw.expect("a process handle was polled after it was ready");
        // SAFETY: the HANDLE flag keeps the process live.
        let header = unsafe { raw.as_ref() };
        let mut look = header.state.look();
        if let Look::Running { awaiter } = look {
            // SAFETY: the handle is ours.
            if unsafe { register(raw, awaiter, cx) } {
                return Poll::Pending;
            }
            look = header.state.look();
        }
        self.raw = None;
        // SAFETY: the process has ended, its output is a `T` by `from_raw`, and the HANDLE flag was ours.
        Poll::Ready(unsafe { take(raw, look) })
    }
}

/// Puts the awaiter's waker into the slot. False: the process has ended.
///
/// # Safety
/// The caller is the handle; `awaiter` says whether the slot was full when it looked.
unsafe fn register(raw: NonNull<Header>, awaiter: bool, cx: &mut Context<'_>) -> bool {
    // SAFETY: the HANDLE flag keeps the process live, and says that it was made with a handle.
    let (header, slot) = unsafe { (raw.as_ref(), raw::awaiter(raw)) };
    if awaiter {
        // SAFETY: the slot is full: only the handle fills it, and the finisher reads it without changing it.
        let same = slot.with(|slot| unsafe { (*slot).assume_init_ref().will_wake(cx.waker()) });
        if same {
            // Whoever ends the process after the look sees AWAITER, and wakes.
            return true;
        }
        if !header.state.clear_awaiter() {
            return false;
        }
        // SAFETY: the transition gave the full slot to us.
        unsafe { empty_awaiter(slot) };
    }
    let waker = cx.waker().clone();
    // SAFETY: AWAITER is clear, so the slot is ours.
    slot.with_mut(|slot| unsafe { (*slot).write(waker) });
    if header.state.set_awaiter() {
        return true;
    }
    // SAFETY: the process ended before the slot was published: it is full and still ours.
    unsafe { empty_awaiter(slot) };
    false
}

/// Drops the waker in the awaiter slot.
///
/// # Safety
/// The slot is full and the caller's.
unsafe fn empty_awaiter(slot: &UnsafeCell<MaybeUninit<Waker>>) {
    // SAFETY: full and ours, by contract; AWAITER is clear, so nobody reads it again before it is written.
    let waker = slot.with(|slot| unsafe { (*slot).assume_init_read() });
    contain(|| drop(waker));
}

/// Takes the outcome of an ended process and gives up its HANDLE flag.
///
/// # Safety
/// The process has ended as `look` says, its output is a `T`, and the flag is the caller's.
unsafe fn take<T>(raw: NonNull<Header>, look: Look) -> Outcome<T> {
    // SAFETY: the HANDLE flag keeps the process live.
    let header = unsafe { raw.as_ref() };
    let outcome = match look {
        Look::Completed => {
            // SAFETY: the state word says that the output is there and is the handle's, who takes it once.
            Outcome::Completed(header.stage.with_mut(|_| unsafe { raw::stage::<T>(raw).read() }))
        }
        Look::Panicked => {
            // SAFETY: the same for a panic.
            Outcome::Panicked(header.stage.with_mut(|_| unsafe { raw::stage::<Panic>(raw).read() }))
        }
        Look::Running { .. } | Look::Empty => {
            debug_assert_eq!(look, Look::Empty, "the process has ended");
            Outcome::Cancelled
        }
    };
    // SAFETY: the stage is empty, and the flag was ours.
    unsafe { release(raw) };
    outcome
}

/// Drops what an ended process has left, and gives up its HANDLE flag.
///
/// # Safety
/// The process has ended, its output is a `T`, and the flag is the caller's.
unsafe fn discard<T>(raw: NonNull<Header>) {
    // SAFETY: the HANDLE flag keeps the process live.
    let header = unsafe { raw.as_ref() };
    match header.state.look() {
        Look::Completed => contain(|| {
            // SAFETY: the state word says that the output is there and is the handle's, who drops it once.
            header.stage.with_mut(|_| unsafe { drop_in_place(raw::stage::<T>(raw)) });
        }),
        Look::Panicked => {
            // SAFETY: the same for a panic, which is told and dropped once.
            unsafe { (header.vtable.drop_unheard)(raw) };
        }
        look => debug_assert_eq!(look, Look::Empty, "the process has ended"),
    }
    // SAFETY: the stage is empty, and the flag was ours.
    unsafe { release(raw) };
}

/// Gives up the HANDLE flag of an ended process.
///
/// # Safety
/// The process has ended, its stage is empty, and the flag is the caller's.
unsafe fn release(raw: NonNull<Header>) {
    // SAFETY: the HANDLE flag keeps the process live until the transition.
    if unsafe { raw.as_ref() }.state.release_handle() {
        // SAFETY: the transition says that nobody else holds the process; the stage is empty.
        unsafe { waker::free(raw) };
    }
}

impl<T> Drop for ProcHandle<T> {
    fn drop(&mut self) {
        let Some(raw) = self.raw else { return };
        // SAFETY: the HANDLE flag, given up below, keeps the process live until then.
        let header = unsafe { raw.as_ref() };
        loop {
            match header.state.detach() {
                Detach::Done => return,
                // SAFETY: the transition made us the runner of the last run.
                Detach::Orphan => return unsafe { LightProc::from_header(raw) }.schedule(),
                Detach::Awaiter => {
                    // SAFETY: live and made with a handle; the transition gave the full slot to us.
                    unsafe { empty_awaiter(raw::awaiter(raw)) };
                }
                // SAFETY: the process has ended, its output is a `T` by `from_raw`, and the flag is ours.
                Detach::Ended => return unsafe { discard::<T>(raw) },
            }
        }
    }
}

impl<T> Future for ProcHandle<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.poll_outcome(cx).map(|outcome| match outcome {
            Outcome::Completed(output) => Some(output),
            Outcome::Cancelled => None,
            Outcome::Panicked(panic) => panic.resume(),
        })
    }
}

impl<T> FusedFuture for ProcHandle<T> {
    fn is_terminated(&self) -> bool {
        self.raw.is_none()
    }
}

impl<T> fmt::Debug for ProcHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcHandle").field("state", &self.header().map(|h| &h.state)).finish()
    }
}

/// Awaits a process and turns its panic into a value.
///
/// As a future its output is `None` when the process panicked or was cancelled; [`outcome`](RecoverableHandle::outcome)
/// keeps the panic and tells the two apart. Dropping the handle detaches the process.
///
/// # Panics
/// Polling it after it was ready panics.
///
/// # Examples
/// ```
/// use lightproc::{LightProc, Outcome};
/// std::panic::set_hook(Box::new(|_| {}));
/// let (process, mut handle) = LightProc::recoverable(async { panic!("lost") }, |_| {}, ());
/// process.run();
/// match futures_lite::future::block_on(handle.outcome()) {
///     Outcome::Panicked(panic) => assert_eq!(panic.message(), Some("lost")),
///     other => unreachable!("{other:?}"),
/// }
/// ```
#[must_use = "dropping a handle detaches its process; call `detach` to say that this is meant"]
pub struct RecoverableHandle<T> {
    inner: ProcHandle<T>,
}

impl<T> RecoverableHandle<T> {
    pub(crate) fn new(inner: ProcHandle<T>) -> Self {
        RecoverableHandle { inner }
    }

    /// Asks for cancellation; see [`ProcHandle::cancel`].
    pub fn cancel(&self) {
        self.inner.cancel();
    }

    /// Lets the process go on without a handle. The same as dropping it, but says so.
    pub fn detach(self) {}

    /// Says whether the process has ended, which never becomes false again.
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }

    /// Returns the data that the process was made with; see [`ProcHandle::data`].
    pub fn data<D: Hooks>(&self) -> Option<&D> {
        self.inner.data()
    }

    pub(crate) fn facts(&self) -> Option<HandleState> {
        self.inner.facts()
    }

    /// Waits for the end of the process and says how it came about.
    ///
    /// # Panics
    /// When the handle was ready before.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing: the handle can be awaited again, or cancelled first.
    pub async fn outcome(&mut self) -> Outcome<T> {
        std::future::poll_fn(|cx| self.inner.poll_outcome(cx)).await
    }
}

impl<T> Future for RecoverableHandle<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.inner.poll_outcome(cx).map(Outcome::completed)
    }
}

impl<T> FusedFuture for RecoverableHandle<T> {
    fn is_terminated(&self) -> bool {
        self.inner.raw.is_none()
    }
}

impl<T> fmt::Debug for RecoverableHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecoverableHandle").field("inner", &self.inner).finish()
    }
}
