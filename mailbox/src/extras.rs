//! What few queues need: a capacity of their own, and messages that were put back. Allocated when first needed.

use crate::sync::{AtomicUsize, UnsafeCell};
use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;

pub(crate) struct Extras<M> {
    /// How many messages may wait. Relaxed: it says nothing of any message.
    pub(crate) capacity: AtomicUsize,
    /// How many there are in front, for who does not hold the lock. Relaxed, as `capacity`.
    pub(crate) in_front: AtomicUsize,
    /// Messages that come before those in the blocks. Touched by who holds the receiver's lock.
    front: UnsafeCell<VecDeque<M>>,
}

impl<M> Extras<M> {
    pub(crate) fn new(capacity: usize) -> Extras<M> {
        Extras {
            capacity: AtomicUsize::new(capacity),
            in_front: AtomicUsize::new(0),
            front: UnsafeCell::new(VecDeque::new()),
        }
    }

    /// Does something to the messages in front, and counts them anew.
    ///
    /// # Safety
    /// The caller holds the lock of the queue to which this belongs, or is alone with it; and `change` does not come back here.
    pub(crate) unsafe fn with_front<R>(&self, change: impl FnOnce(&mut VecDeque<M>) -> R) -> R {
        let (result, count) = self.front.with_mut(|front| {
            // SAFETY: the caller promises that nobody else is here.
            let front = unsafe { &mut *front };
            (change(front), front.len())
        });
        self.in_front.store(count, Relaxed);
        result
    }
}
