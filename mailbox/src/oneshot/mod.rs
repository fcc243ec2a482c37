//! One value from one thread to another, or the word that there will be none: the slot of an answer.
//!
//! ```
//! use bastion_mailbox::oneshot;
//! use std::pin::pin;
//! # use std::task::{Context, Poll, Waker};
//!
//! let (sender, receiver) = oneshot::channel();
//! std::thread::spawn(move || sender.send(42)).join().unwrap().unwrap();
//! # let mut cx = Context::from_waker(Waker::noop());
//! # assert_eq!(pin!(receiver).poll(&mut cx), Poll::Ready(Some(42)));
//! // In an async function: receiver.await == Some(42).
//!
//! // Who waits is told at once that nothing comes.
//! let (sender, receiver) = oneshot::channel::<u32>();
//! drop(sender);
//! # assert_eq!(pin!(receiver).poll(&mut cx), Poll::Ready(None));
//!
//! // A value that comes too late goes back.
//! let (sender, receiver) = oneshot::channel();
//! drop(receiver);
//! assert!(!sender.is_wanted());
//! assert_eq!(sender.send(42), Err(42));
//! ```
//!
//! One allocation, no lock, and nobody waits for the other end: see the protocol in the README.

mod state;

use self::state::{State, Word};
use crate::sync::UnsafeCell;
use crate::wake::wake;
use std::fmt;
use std::future::Future;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

/// Makes the two ends of a slot for one value.
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let slot = NonNull::from(Box::leak(Box::new(Slot {
        state: State::new(),
        value: UnsafeCell::new(None),
        waker: UnsafeCell::new(MaybeUninit::uninit()),
    })));
    (Sender { slot }, Receiver { slot })
}

struct Slot<T> {
    state: State,
    /// The sender's until SENT, then the receiver's; of who frees the slot in the end.
    value: UnsafeCell<Option<T>>,
    /// Filled while PARKED is set. The receiver writes it while PARKED and SENT are clear; both may read it while PARKED is set.
    waker: UnsafeCell<MaybeUninit<Waker>>,
}

impl<T> Slot<T> {
    /// Replaces the value.
    ///
    /// # Safety
    /// The value's place is the caller's.
    #[inline]
    unsafe fn replace(&self, value: Option<T>) -> Option<T> {
        // SAFETY: nobody else touches the place, as the caller promises.
        self.value.with_mut(|place| std::mem::replace(unsafe { &mut *place }, value))
    }

    /// Reads the waker, whose bytes stay in their place: the caller finds out whether it is its own.
    ///
    /// # Safety
    /// PARKED is set, and only the other end's transitions or the caller's next one can change that.
    #[inline]
    unsafe fn waker(&self) -> ManuallyDrop<Waker> {
        // SAFETY: while PARKED is set the place is filled. Nobody writes to it: only the receiver does, and not while PARKED is set.
        self.waker.with(|place| ManuallyDrop::new(unsafe { (*place).assume_init_read() }))
    }

    /// Frees the slot. A value that is still there is dropped.
    ///
    /// # Safety
    /// Both ends have left it, as its state has told the caller.
    unsafe fn free(slot: NonNull<Slot<T>>) {
        // SAFETY: it came from a box, and nobody uses it any more.
        let slot = unsafe { Box::from_raw(slot.as_ptr()) };
        // A model sees by this what came before.
        #[cfg(loom)]
        slot.waker.with_mut(|_| ());
        drop(slot);
    }
}

/// The end that sends. Dropped, it tells the receiver at once that nothing comes.
pub struct Sender<T> {
    slot: NonNull<Slot<T>>,
}

// SAFETY: an end passes a `T` and a `Waker`, which is `Send` and `Sync`, to the thread of the other one, and gives no reference to either.
// What both ends touch is guarded by the state.
unsafe impl<T: Send> Send for Sender<T> {}
// SAFETY: as above; by reference it only reads the state.
unsafe impl<T: Send> Sync for Sender<T> {}

// A panic meets neither end in the middle of a change.
impl<T> UnwindSafe for Sender<T> {}
impl<T> RefUnwindSafe for Sender<T> {}
impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}

impl<T> Sender<T> {
    /// Sends the value, and wakes who waits for it. The waker runs last.
    ///
    /// # Errors
    /// Gives the value back when the receiver has left. A receiver that leaves at the same time may have it dropped.
    #[inline]
    pub fn send(self, value: T) -> Result<(), T> {
        let slot = ManuallyDrop::new(self).slot;
        // SAFETY: this end lives, so the slot does; the value's place is the sender's until it says so.
        let sent = unsafe {
            slot.as_ref().replace(Some(value));
            finish(slot)
        };
        sent.map_err(|value| value.expect("nobody else takes it"))
    }

    /// Says whether the receiver still waits for the value, or may come to.
    #[inline]
    pub fn is_wanted(&self) -> bool {
        // SAFETY: this end lives, so the slot does.
        !unsafe { self.slot.as_ref() }.state.look().is_gone()
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // SAFETY: this end lives, so the slot does, and it is not used after this.
        let _ = unsafe { finish(self.slot) };
    }
}

/// Ends the sender's part: what is in the value's place is the receiver's, or comes back when that has left.
///
/// # Safety
/// The caller is the sender, and does not touch the slot afterwards.
#[inline]
unsafe fn finish<T>(slot: NonNull<Slot<T>>) -> Result<(), Option<T>> {
    // SAFETY: until `send` this end keeps the slot.
    let before = unsafe { slot.as_ref() }.state.send();
    if before.is_gone() {
        // SAFETY: the receiver had left before: the slot is the caller's.
        let value = unsafe { slot.as_ref().replace(None) };
        // SAFETY: the same.
        unsafe { Slot::free(slot) };
        return Err(value);
    }
    if before.is_parked() {
        // SAFETY: SENT was set while PARKED was: the slot stays, and PARKED with it, until `took`.
        let (waker, is_last) = unsafe {
            let slot = slot.as_ref();
            (slot.waker(), slot.state.took())
        };
        if is_last {
            // SAFETY: the receiver had left before the waker was taken, and has left the slot to who takes it.
            unsafe { Slot::free(slot) };
        }
        // It may run foreign code: nothing is held.
        wake(ManuallyDrop::into_inner(waker));
    }
    Ok(())
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("is_wanted", &self.is_wanted()).finish()
    }
}

/// The end that waits: a future of the value, or of `None` when the sender was dropped. Ready for the second time, it has `None`.
///
/// # Cancel safety
/// A value that is not taken is dropped with the receiver, or goes back to who sends it afterwards.
#[must_use = "futures do nothing unless polled"]
pub struct Receiver<T> {
    slot: NonNull<Slot<T>>,
}

// SAFETY: as for the sender.
unsafe impl<T: Send> Send for Receiver<T> {}
// SAFETY: as for the sender; by reference nothing can be done with it.
unsafe impl<T: Send> Sync for Receiver<T> {}

// Nothing is pinned in it.
impl<T> Unpin for Receiver<T> {}

impl<T> Receiver<T> {
    /// Stops waiting, and returns the value if it has come. What comes later goes back to its sender.
    #[inline]
    pub fn close(self) -> Option<T> {
        let slot = ManuallyDrop::new(self).slot;
        // SAFETY: this end lives, so the slot does, and it is not used after this.
        unsafe { leave(slot) }
    }

    fn slot(&self) -> &Slot<T> {
        // SAFETY: this end lives, so the slot does.
        unsafe { self.slot.as_ref() }
    }

    /// Leaves the waker for the sender. False: the sender has sent.
    fn park(&self, waker: &Waker) -> bool {
        // Cloned before anything is changed: it may run foreign code.
        let waker = waker.clone();
        let slot = self.slot();
        // SAFETY: PARKED and SENT are clear, so nobody else looks at the place, which is empty.
        slot.waker.with_mut(|place| unsafe { (*place).write(waker) });
        let parked = slot.state.park();
        if !parked {
            // SAFETY: it was filled just now, and nobody else knows.
            drop(unsafe { slot.waker.with_mut(|place| (*place).assume_init_read()) });
        }
        parked
    }

    /// Has another waker woken. False: the sender has sent.
    #[cold]
    fn park_anew(&self, waker: &Waker) -> bool {
        let slot = self.slot();
        // SAFETY: PARKED is set, and only this end or the sender, who leaves the bytes, clears it.
        let old = unsafe { slot.waker() };
        if waker.will_wake(&old) {
            return true;
        }
        let taken_back = slot.state.unpark();
        if taken_back {
            drop(ManuallyDrop::into_inner(old));
        }
        taken_back && self.park(waker)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let word = self.slot().state.look();
        let parked = match word {
            _ if word.is_sent() => false,
            _ if word.is_parked() => self.park_anew(cx.waker()),
            _ => self.park(cx.waker()),
        };
        if parked {
            return Poll::Pending;
        }
        // SAFETY: SENT is set, as this end has seen: the value's place is its own.
        Poll::Ready(unsafe { self.slot().replace(None) })
    }
}

impl<T> Drop for Receiver<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this end lives, so the slot does, and it is not used after this.
        drop(unsafe { leave(self.slot) });
    }
}

/// Ends the receiver's part. Returns the value if it has come.
///
/// # Safety
/// The caller is the receiver, and does not touch the slot afterwards.
#[inline]
unsafe fn leave<T>(slot: NonNull<Slot<T>>) -> Option<T> {
    loop {
        // SAFETY: until it has left, this end keeps the slot.
        let word = unsafe { slot.as_ref() }.state.look();
        if word.is_sent() {
            // SAFETY: the same.
            return unsafe { leave_sent(slot, word) };
        }
        // SAFETY: the same. Before SENT only this end clears PARKED; if the sender does meanwhile, its bytes stay, and are not used.
        let waker = word.is_parked().then(|| unsafe { slot.as_ref().waker() });
        // SAFETY: the same.
        if unsafe { slot.as_ref() }.state.leave(word) {
            drop(waker.map(ManuallyDrop::into_inner));
            return None;
        }
    }
}

/// Ends the receiver's part after SENT was seen.
///
/// # Safety
/// As [`leave`].
#[inline]
unsafe fn leave_sent<T>(slot: NonNull<Slot<T>>, word: Word) -> Option<T> {
    // SAFETY: after SENT the value's place is the receiver's.
    let value = unsafe { slot.as_ref().replace(None) };
    // If PARKED was clear, the sender had done all. Else it decides who comes last.
    // SAFETY: until `leave_all` this end keeps the slot.
    if !word.is_parked() || unsafe { slot.as_ref() }.state.leave_all() {
        // SAFETY: the sender touches it no more.
        unsafe { Slot::free(slot) };
    }
    value
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
