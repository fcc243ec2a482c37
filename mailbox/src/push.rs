//! The senders' side: one slot is reserved with one compare-and-swap, then written.

use crate::block::Block;
use crate::error::PushError;
use crate::queue::{DEFAULT_CAPACITY, Queue};
use crate::sync::Wait;
use crate::tail::{Index, Word};
use crate::wake::wake;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

impl<M> Queue<M> {
    /// Queues a message at the end, and wakes the receiver if it waits.
    ///
    /// The messages of one thread stay in order. Waits for another thread only if that one is just installing a block, which
    /// is an allocation and three instructions, once in 31 messages.
    ///
    /// # Errors
    /// The message comes back if the queue is closed, or if as many messages wait as may.
    ///
    /// # Examples
    /// ```
    /// use bastion_mailbox::{PushError, Queue};
    ///
    /// let queue = Queue::new();
    /// queue.set_capacity(1);
    /// assert_eq!(queue.push('a'), Ok(()));
    /// assert_eq!(queue.push('b'), Err(PushError::Full('b')));
    /// queue.close();
    /// assert_eq!(queue.push('c'), Err(PushError::Closed('c')));
    /// ```
    #[inline]
    pub fn push(&self, message: M) -> Result<(), PushError<M>> {
        let mut wait = Wait::default();
        let (word, block) = loop {
            let word = self.tail.look();
            if word.is_closed() {
                return Err(PushError::Closed(message));
            }
            if self.is_full(word.index()) {
                return Err(PushError::Full(message));
            }
            if word.index().is_gap() {
                wait.longer();
                continue;
            }
            // Acquire pairs with the Release of `install_first`; the other blocks were acquired with the tail.
            let Some(block) = NonNull::new(self.tail_block.load(Acquire)) else {
                self.install_first();
                continue;
            };
            if self.tail.reserve(word) {
                break (word, block);
            }
        };
        self.fill(word, block, message);
        Ok(())
    }

    /// Writes the message into the slot that was reserved.
    #[inline]
    fn fill(&self, word: Word, block: NonNull<Block<M>>, message: M) {
        let index = word.index();
        if index.is_last() {
            self.install_next(block);
        } else if index.is_near_the_end() {
            // SAFETY: as in `install_next`.
            let _ = unsafe { block.as_ref() }.next_or_new();
        }
        // SAFETY: the slot was reserved, in this block: an index never comes back, so the tail and the block belong together.
        unsafe { Block::write(block, index.offset(), message) };
        if word.is_parked() {
            self.wake_taken();
        }
    }

    /// Says whether no message may be queued at this index.
    #[inline]
    fn is_full(&self, tail: Index) -> bool {
        // Relaxed: an old head lets the queue look fuller than it is, to who has not heard of the newer one. If the head is
        // newer than the tail, the reservation fails.
        let waiting = tail.since(self.head.look());
        match self.extras() {
            None => waiting >= DEFAULT_CAPACITY as u64,
            Some(extras) => {
                let in_front = extras.in_front.load(Relaxed) as u64;
                waiting + in_front >= extras.capacity.load(Relaxed) as u64
            }
        }
    }

    /// Installs the first block, if nobody else does.
    #[cold]
    fn install_first(&self) {
        let first = Block::allocate();
        // Release pairs with the Acquire in `push`.
        match self.tail_block.compare_exchange(ptr::null_mut(), first.as_ptr(), Release, Relaxed) {
            // Release pairs with the Acquire in `Receiver::block`.
            Ok(_) => self.head_block.store(first.as_ptr(), Release),
            // SAFETY: it is new, empty, and nobody has heard of it.
            Err(_) => unsafe { Block::free(first) },
        }
    }

    /// Installs the block after one whose last slot the caller has reserved. Everybody else waits for it.
    #[cold]
    fn install_next(&self, block: NonNull<Block<M>>) {
        // SAFETY: a block lives as long as one of its slots was not read, and the caller's is not even written.
        let next = unsafe { block.as_ref() }.next_or_new();
        // Release pairs with the Acquire of `Receiver::leave`. Senders go by the tail.
        self.tail_block.store(next.as_ptr(), Release);
        self.tail.installed();
    }

    /// Wakes who waited, for a caller that has cleared PARKED.
    #[inline(never)]
    pub(crate) fn wake_taken(&self) {
        self.tail.own_waker();
        // SAFETY: who clears PARKED owns the waker.
        let waker = unsafe { self.place.take() };
        // It may run foreign code: nothing is held.
        wake(waker);
    }
}
