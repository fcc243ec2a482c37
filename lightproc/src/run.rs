//! One run of a process, from the poll to whatever it leaves behind.
//!
//! The only file that touches a future. It is compiled once for each kind of process, so that an empty hook, a future or
//! an output without a destructor, and a schedule function without captured values leave no instruction behind.

use crate::LightProc;
use crate::hooks::Hooks;
use crate::panic::{Panic, contain};
use crate::proc::Polled;
use crate::raw::{self, Cell, Head, Header};
use crate::state::{Begin, Complete, Finish, Pending};
use crate::waker;
use std::pin::Pin;
use std::ptr::{NonNull, drop_in_place};
use std::task::{Context, Poll};

/// What a poll came to.
enum Turn {
    /// The future is where it was.
    Pending,
    /// The output is in its place.
    Kept,
    /// The stage is empty: there was no handle.
    Unwanted,
    /// The stage is empty: the future has returned, and its destructor has panicked.
    Failed(Panic),
}

impl<F, H, S, D> Cell<F, H, S, D>
where
    H: Head,
    F: Future<Output: Send + 'static> + Send + 'static,
    S: Fn(LightProc) + Send + Sync + 'static,
    D: Hooks,
{
    /// Runs the process once. Never unwinds.
    ///
    /// # Safety
    /// `raw` is a live cell of these types; the caller is its runner, and gives that role up.
    pub(crate) unsafe fn poll(raw: NonNull<Header>) -> Polled {
        // SAFETY: the runner keeps the process live until it gives its role up below.
        let cell = unsafe { Self::of(raw) };
        let state = &cell.header().state;
        let seen = match state.begin_run() {
            Begin::Poll(seen) => seen,
            Begin::Closed => {
                // SAFETY: we are the runner.
                unsafe { Self::abandon(raw) };
                return Polled::Ended;
            }
        };
        let turn = Panic::catch(|| {
            if seen.is_first() {
                cell.hooks().before_start();
            }
            // SAFETY: used only in this poll.
            let waker = unsafe { waker::borrowed(raw) };
            let mut cx = Context::from_waker(&waker);
            let polled = cell.header().stage.with_mut(|_| {
                // SAFETY: we are the runner and FUTURE is set, so the stage holds the future and is ours alone. It stays
                // in this allocation until it is dropped in place, so it is pinned.
                unsafe { Pin::new_unchecked(&mut *cell.place::<F>()).poll(&mut cx) }
            });
            match polled {
                Poll::Pending => Turn::Pending,
                // SAFETY: we are the runner and FUTURE is set.
                Poll::Ready(output) => unsafe { Self::settle(raw, output) },
            }
        });
        match turn {
            Ok(Turn::Pending) => match state.end_pending(seen) {
                Pending::Idle => return Polled::Waiting,
                // SAFETY: the transition left us the runner.
                Pending::Woken => return Polled::Woken(unsafe { LightProc::from_header(raw) }),
                // SAFETY: the transition left us the runner, or the only one who can reach the process; FUTURE is set.
                Pending::Closed | Pending::Orphan => unsafe { Self::abandon(raw) },
            },
            // SAFETY: we are the runner and the output is in the stage.
            Ok(Turn::Kept) => unsafe { Self::hand_over::<F::Output>(raw, false) },
            // SAFETY: we are the runner and the stage is empty.
            Ok(Turn::Unwanted) => unsafe { Self::finish(raw) },
            // SAFETY: the same.
            Ok(Turn::Failed(panic)) => unsafe { Self::failed(raw, panic) },
            // SAFETY: we are the runner and FUTURE is set.
            Err(panic) => unsafe { Self::panicked(raw, panic) },
        }
        Polled::Ended
    }

    /// Replaces a future that has returned by its output, if anybody may want it, and calls the hook. Never unwinds.
    ///
    /// # Safety
    /// The caller is the runner and FUTURE is set.
    #[inline]
    unsafe fn settle(raw: NonNull<Header>, output: F::Output) -> Turn {
        // SAFETY: the runner keeps the process live.
        let cell = unsafe { Self::of(raw) };
        // SAFETY: we are the runner and FUTURE is set; the future is not used again.
        if let Err(panic) = Panic::catch(|| unsafe { Self::drop_future(raw) }) {
            contain(|| drop(output));
            return Turn::Failed(panic);
        }
        contain(|| cell.hooks().after_complete());
        if H::HANDLE && cell.header().state.has_handle() {
            // SAFETY: the stage is empty and ours.
            cell.header().stage.with_mut(|_| unsafe { cell.place::<F::Output>().write(output) });
            Turn::Kept
        } else {
            contain(|| drop(output));
            Turn::Unwanted
        }
    }

    /// Ends a process whose start hook or poll has panicked.
    ///
    /// # Safety
    /// The caller is the runner and gives that role up; FUTURE is set.
    #[cold]
    unsafe fn panicked(raw: NonNull<Header>, panic: Panic) {
        // SAFETY: we are the runner and FUTURE is set; the future is not used again.
        contain(|| unsafe { Self::drop_future(raw) });
        // SAFETY: the stage is empty and ours.
        unsafe { Self::failed(raw, panic) };
    }

    /// Ends a process with a panic; the future is gone.
    ///
    /// # Safety
    /// The caller is the runner and gives that role up; FUTURE is set and the stage is empty.
    #[cold]
    unsafe fn failed(raw: NonNull<Header>, panic: Panic) {
        // SAFETY: the runner keeps the process live until it gives its role up below.
        let cell = unsafe { Self::of(raw) };
        contain(|| cell.hooks().after_panic());
        if H::HANDLE {
            // SAFETY: the stage is empty and ours.
            cell.header().stage.with_mut(|_| unsafe { cell.place::<Panic>().write(panic) });
            // SAFETY: the panic is in the stage.
            unsafe { Self::hand_over::<Panic>(raw, true) };
        } else {
            contain(|| cell.hooks().unheard(&panic));
            drop(panic);
            // SAFETY: the stage is empty.
            unsafe { Self::finish(raw) };
        }
    }

    /// Hands what is in the stage to the handle; drops it when there is none.
    ///
    /// # Safety
    /// The caller is the runner and gives that role up; FUTURE is set and the stage holds a `T`, a panic if so said.
    unsafe fn hand_over<T>(raw: NonNull<Header>, panicked: bool) {
        // SAFETY: the runner keeps the process live until the transition.
        let cell = unsafe { Self::of(raw) };
        match cell.header().state.complete(panicked) {
            Complete::Kept => {}
            // SAFETY: the transition left the awaiter slot to us.
            Complete::Notify => unsafe { notify(raw) },
            Complete::Unwanted if panicked => {
                // SAFETY: no handle exists, so the panic in the stage is ours.
                unsafe { Self::drop_unheard(raw) };
                // SAFETY: the stage is empty.
                unsafe { Self::finish(raw) };
            }
            Complete::Unwanted => {
                contain(|| {
                    // SAFETY: no handle exists, so what is in the stage is ours.
                    cell.header().stage.with_mut(|_| unsafe { drop_in_place(cell.place::<T>()) })
                });
                // SAFETY: the stage is empty.
                unsafe { Self::finish(raw) };
            }
        }
    }

    /// Drops a panic of which nobody will learn, after the hook was told. Never unwinds.
    ///
    /// # Safety
    /// `raw` is a live cell of these types, whose stage holds a panic that is the caller's; it is empty afterwards.
    #[cold]
    pub(crate) unsafe fn drop_unheard(raw: NonNull<Header>) {
        // SAFETY: live by contract.
        let cell = unsafe { Self::of(raw) };
        // SAFETY: the stage holds a panic, ours alone, which is taken once. Its drop does not panic.
        let panic = cell.header().stage.with_mut(|_| unsafe { cell.place::<Panic>().read() });
        contain(|| cell.hooks().unheard(&panic));
    }

    /// Drops the future and ends the process without an output.
    ///
    /// # Safety
    /// `raw` is a live cell of these types; the caller is its runner and gives that role up; FUTURE is set.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn abandon(raw: NonNull<Header>) {
        // SAFETY: we are the runner and FUTURE is set; the future is not used again.
        contain(|| unsafe { Self::drop_future(raw) });
        // SAFETY: the stage is empty.
        unsafe { Self::finish(raw) };
    }

    /// # Safety
    /// The caller is the runner and FUTURE is set; the stage is empty afterwards.
    unsafe fn drop_future(raw: NonNull<Header>) {
        // SAFETY: the runner keeps the process live.
        let cell = unsafe { Self::of(raw) };
        // SAFETY: the stage holds the future, ours alone, which is dropped once.
        cell.header().stage.with_mut(|_| unsafe { drop_in_place(cell.place::<F>()) });
    }

    /// Ends a process whose stage is empty.
    ///
    /// # Safety
    /// The caller is the runner and gives that role up; FUTURE is set.
    #[inline]
    unsafe fn finish(raw: NonNull<Header>) {
        // SAFETY: the runner keeps the process live.
        if unsafe { raw.as_ref() }.state.is_runners_alone() {
            // SAFETY: nobody else holds the process, and its stage is empty.
            unsafe { Self::free(raw) };
        } else {
            // SAFETY: the caller's promise.
            unsafe { finish_shared(raw) };
        }
    }
}

/// Ends a process whose stage is empty and that others may hold.
///
/// # Safety
/// The caller is the runner and gives that role up; FUTURE is set.
#[inline(never)]
unsafe fn finish_shared(raw: NonNull<Header>) {
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
    // SAFETY: live by contract, and only a handle sets AWAITER.
    let slot = unsafe { raw::awaiter(raw) };
    // SAFETY: the slot is full and ours to empty; the handle only reads it while FUTURE is set.
    let awaiter = slot.with(|slot| unsafe { (*slot).assume_init_read() });
    if header.state.release_awaiter() {
        // SAFETY: the transition says that nobody else holds the process.
        unsafe { (header.vtable.free)(raw) };
    }
    contain(|| awaiter.wake());
}
