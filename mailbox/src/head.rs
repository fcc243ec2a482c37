//! The head word: where the oldest message is, and the lock of the receiver's side.
//!
//! Knows nothing of blocks. One word for both, so that to give the side back is to store the new head. Nobody sleeps for this lock: it is
//! held for the moves of a batch, and few ever meet at it.

use crate::sync::{AtomicU64, Wait};
use crate::tail::Index;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// Somebody is the receiver.
const HELD: u64 = 1;
/// One slot.
const ONE: u64 = 2;

#[derive(Debug)]
pub(crate) struct Head(AtomicU64);

impl Head {
    pub(crate) fn new() -> Head {
        Head(AtomicU64::new(0))
    }

    /// Returns where the oldest message was, the last time that somebody gave the receiver's side back. Relaxed: it is good for
    /// counting only.
    #[inline]
    pub(crate) fn look(&self) -> Index {
        Index(self.0.load(Relaxed) / ONE)
    }

    /// Makes the caller the receiver, once the others have given way. It must call `release`.
    #[inline]
    pub(crate) fn acquire(&self) -> Index {
        let mut wait = Wait::default();
        loop {
            let word = self.0.load(Relaxed);
            // Acquire pairs with the Release of `release`.
            if word & HELD == 0
                && self.0.compare_exchange(word, word | HELD, Acquire, Relaxed).is_ok()
            {
                return Index(word / ONE);
            }
            wait.longer();
        }
    }

    /// Gives the receiver's side back, with the place of the oldest message.
    #[inline]
    pub(crate) fn release(&self, head: Index) {
        // Release pairs with the Acquire of `acquire`.
        self.0.store(head.0 * ONE, Release);
    }
}
