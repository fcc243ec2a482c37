//! What few queues need: a capacity of their own, messages that were put back, senders that wait for room. Allocated when first needed.

use crate::sync::{AtomicUsize, UnsafeCell};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering::Relaxed;
use std::task::Waker;

pub(crate) struct Extras<M> {
    /// How many messages may wait. Relaxed: it says nothing of any message.
    pub(crate) capacity: AtomicUsize,
    /// How many there are in front, for who does not hold the lock. Relaxed, as `capacity`.
    pub(crate) in_front: AtomicUsize,
    /// Touched by who holds the receiver's lock.
    guarded: UnsafeCell<Guarded<M>>,
}

/// What the receiver's lock guards.
pub(crate) struct Guarded<M> {
    /// Messages that come before those in the blocks.
    pub(crate) front: VecDeque<M>,
    /// Senders that wait for room, in the order in which they came.
    pub(crate) senders: Senders,
}

/// Senders that wait for room, by their tickets.
#[derive(Default)]
pub(crate) struct Senders {
    waiting: BTreeMap<u64, Waker>,
    tickets: u64,
}

impl Senders {
    /// Leaves a sender's waker, at its old place if it has a ticket. Returns the one that was there.
    pub(crate) fn wait(&mut self, ticket: &mut Option<u64>, waker: Waker) -> Option<Waker> {
        let ticket = *ticket.get_or_insert_with(|| {
            self.tickets += 1;
            self.tickets
        });
        self.waiting.insert(ticket, waker)
    }

    /// Takes the waker of a sender that waits no longer. None: it was woken.
    pub(crate) fn leave(&mut self, ticket: u64) -> Option<Waker> {
        self.waiting.remove(&ticket)
    }

    /// Takes the wakers of those that have waited longest.
    pub(crate) fn take(&mut self, count: usize) -> Vec<Waker> {
        let count = count.min(self.waiting.len());
        (0..count).filter_map(|_| self.waiting.pop_first()).map(|(_, waker)| waker).collect()
    }
}

impl<M> Extras<M> {
    pub(crate) fn new(capacity: usize) -> Extras<M> {
        let guarded = Guarded { front: VecDeque::new(), senders: Senders::default() };
        Extras {
            capacity: AtomicUsize::new(capacity),
            in_front: AtomicUsize::new(0),
            guarded: UnsafeCell::new(guarded),
        }
    }

    /// Does something to what the lock guards, and counts the messages in front anew.
    ///
    /// # Safety
    /// The caller holds the lock of the queue to which this belongs, or is alone with it; and `change` does not come back here.
    pub(crate) unsafe fn with<R>(&self, change: impl FnOnce(&mut Guarded<M>) -> R) -> R {
        let (result, count) = self.guarded.with_mut(|guarded| {
            // SAFETY: the caller promises that nobody else is here.
            let guarded = unsafe { &mut *guarded };
            (change(guarded), guarded.front.len())
        });
        self.in_front.store(count, Relaxed);
        result
    }
}
