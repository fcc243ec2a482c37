//! The place of the waker of who waits.
//!
//! Knows nothing of PARKED, the bit of the tail word. While it is set, the waker belongs to whoever clears it; while it is not, and the
//! place is full, to who has cleared it and is about to take it; while the place is empty, it is the receiver's.

use crate::sync::{AtomicBool, UnsafeCell};
use std::mem::MaybeUninit;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::task::Waker;

pub(crate) struct Place {
    waker: UnsafeCell<MaybeUninit<Waker>>,
    full: AtomicBool,
}

impl Place {
    pub(crate) fn new() -> Place {
        let waker = UnsafeCell::new(MaybeUninit::uninit());
        Place { waker, full: AtomicBool::new(false) }
    }

    /// Says whether there is a waker that its owner has not yet taken.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        // Acquire pairs with the Release of `take`: the place is written after it was read.
        self.full.load(Acquire)
    }

    /// Fills the place.
    ///
    /// # Safety
    /// The caller is the receiver, and has seen that the place is not full.
    #[inline]
    pub(crate) unsafe fn fill(&self, waker: Waker) {
        // SAFETY: nobody else touches an empty place.
        self.waker.with_mut(|place| unsafe { (*place).write(waker) });
        // Relaxed: only the receiver asks, and who is to take it has it from the tail word.
        self.full.store(true, Relaxed);
    }

    /// Empties the place. Its bytes stay: somebody may still compare them.
    ///
    /// # Safety
    /// The waker is the caller's, as the tail word says, and there.
    #[inline]
    pub(crate) unsafe fn take(&self) -> Waker {
        // SAFETY: nobody else takes it; a look at it at the same time is no write.
        let waker = self.waker.with(|place| unsafe { (*place).assume_init_read() });
        // Release pairs with the Acquire of `is_full`. A store is enough: there is one owner.
        self.full.store(false, Release);
        waker
    }

    /// Says whether the waker in the place, or the one that has just been taken, is as good as this one.
    ///
    /// # Safety
    /// The caller is the receiver and has seen PARKED, so that nobody fills the place.
    #[inline]
    pub(crate) unsafe fn will_wake(&self, waker: &Waker) -> bool {
        // SAFETY: it was filled, and its bytes stay while the caller looks. The comparison follows no pointer, so it does not
        // matter if its owner has dropped it meanwhile.
        self.waker.with(|place| waker.will_wake(unsafe { (*place).assume_init_ref() }))
    }
}
