//! The place of the waker of who waits.
//!
//! Knows nothing of when it is full: the tail word says so. While PARKED is set it holds a waker, which belongs to whoever clears
//! PARKED; while TAKING is set that one reads it; while neither is, it is empty and belongs to who holds the receiver's lock.

use crate::sync::UnsafeCell;
use std::mem::MaybeUninit;
use std::task::Waker;

pub(crate) struct Place(UnsafeCell<MaybeUninit<Waker>>);

impl Place {
    pub(crate) fn new() -> Place {
        Place(UnsafeCell::new(MaybeUninit::uninit()))
    }

    /// Fills the place.
    ///
    /// # Safety
    /// The caller holds the receiver's lock and has seen neither PARKED nor TAKING.
    pub(crate) unsafe fn fill(&self, waker: Waker) {
        // SAFETY: it is the caller's.
        self.0.with_mut(|place| unsafe { (*place).write(waker) });
    }

    /// Empties the place. Its bytes stay: somebody may still compare them.
    ///
    /// # Safety
    /// The waker is the caller's, as the tail word says.
    pub(crate) unsafe fn take(&self) -> Waker {
        // SAFETY: a waker is there, and nobody else takes it; a look at it at the same time is no write.
        self.0.with(|place| unsafe { (*place).assume_init_read() })
    }

    /// Says whether the waker in the place, or the one that has just been taken, is as good as this one.
    ///
    /// # Safety
    /// The caller holds the receiver's lock and has seen PARKED, so that nobody fills the place.
    pub(crate) unsafe fn will_wake(&self, waker: &Waker) -> bool {
        // SAFETY: it was filled, and its bytes stay while the caller looks. The comparison follows no pointer, so it does not
        // matter if its owner has dropped it meanwhile.
        self.0.with(|place| waker.will_wake(unsafe { (*place).assume_init_ref() }))
    }
}
