//! The word of a one-shot: what its two ends have done. The only file that changes it.
//!
//! | bit | name | meaning |
//! |---|---|---|
//! | 0 | PARKED | a waker is in its place: the receiver's until SENT, from then on the sender's, who clears this when it has taken it |
//! | 1 | SENT | the sender has sent, or was dropped: the value's place is the receiver's |
//! | 2 | GONE | the receiver has left |

use crate::sync::AtomicU8;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

const PARKED: u8 = 1 << 0;
const SENT: u8 = 1 << 1;
const GONE: u8 = 1 << 2;

/// What the word said.
#[derive(Clone, Copy)]
pub(super) struct Word(u8);

impl Word {
    #[inline]
    pub(super) fn is_sent(self) -> bool {
        self.0 & SENT != 0
    }

    #[inline]
    pub(super) fn is_parked(self) -> bool {
        self.0 & PARKED != 0
    }

    #[inline]
    pub(super) fn is_gone(self) -> bool {
        self.0 & GONE != 0
    }
}

pub(super) struct State(AtomicU8);

impl State {
    pub(super) fn new() -> State {
        State(AtomicU8::new(0))
    }

    /// Looks. Acquire pairs with the Release of `send`, for the value; and with that of `took`: who sees that the sender has done
    /// all may free the slot.
    #[inline]
    pub(super) fn look(&self) -> Word {
        Word(self.0.load(Acquire))
    }

    /// Says that the value's place is as it is to be. By the sender, once; returns what the receiver had done.
    ///
    /// Release pairs with the Acquire of `look`, `park`, `unpark` and `leave`: the value is read as it was written. Acquire pairs with the Release of
    /// `park`, for the waker, and with that of `leave`: the slot is freed after the receiver has left it.
    #[must_use]
    #[inline]
    pub(super) fn send(&self) -> Word {
        Word(self.0.fetch_or(SENT, AcqRel))
    }

    /// Says that the sender has taken the waker, and touches nothing any more. True: the receiver has left, so the slot is the caller's.
    ///
    /// Release pairs with the Acquire of `look` and `leave_all`: the receiver frees the slot after the waker was read. Acquire pairs
    /// with the Release of `leave_all`: the sender frees it after the value was taken.
    #[must_use]
    #[inline]
    pub(super) fn took(&self) -> bool {
        Word(self.0.fetch_and(!PARKED, AcqRel)).is_gone()
    }

    /// Gives the waker, which is in its place, to the sender. False: the sender has sent, and the waker is still the caller's.
    ///
    /// Release pairs with the Acquire of `send`. If it fails, Acquire is as in `look`.
    #[must_use]
    #[inline]
    pub(super) fn park(&self) -> bool {
        self.0.compare_exchange(0, PARKED, Release, Acquire).is_ok()
    }

    /// Takes the waker back. False: the sender has sent, and the waker is its own.
    ///
    /// Relaxed: the receiver itself has put it there. If it fails, Acquire is as in `look`.
    #[must_use]
    pub(super) fn unpark(&self) -> bool {
        self.0.compare_exchange(PARKED, 0, Relaxed, Acquire).is_ok()
    }

    /// Leaves the slot to a sender that has not sent; a waker that was in its place is the caller's. False: the word is another by now.
    ///
    /// Release pairs with the Acquire of `send`.
    #[must_use]
    pub(super) fn leave(&self, word: Word) -> bool {
        self.0.compare_exchange(word.0, GONE, Release, Relaxed).is_ok()
    }

    /// Leaves a slot after SENT. True: the sender has done all, so the slot is the caller's.
    ///
    /// Release pairs with the Acquire of `took`, and Acquire with its Release.
    #[must_use]
    pub(super) fn leave_all(&self) -> bool {
        !Word(self.0.fetch_or(GONE, AcqRel)).is_parked()
    }
}
