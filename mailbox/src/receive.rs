//! The receiver's side: whatever takes messages out, puts them back, or leaves a waker. One thread at a time, under a lock.

use crate::block::Block;
use crate::queue::Queue;
use crate::sync::{Wait, give_way};
use crate::tail::Index;
use crate::wake::{wake, wake_all};
use std::collections::VecDeque;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::task::Waker;

/// How many empty blocks are kept for the senders at most: where a receiver and a sender drift apart for a while, one was too few,
/// and both were in the allocator.
const SPARES: usize = 3;

impl<M> Queue<M> {
    /// Moves up to `max` waiting messages to the end of the batch. True: there was at least one. False: there was none, and the
    /// next message, or [`wake`](Queue::wake), wakes the waker.
    ///
    /// It never waits for a sender. If the oldest message is just being written for longer than a moment, the thread gives way to
    /// others once, the waker is woken, to try again soon, and the answer is false. Without a waker, false is all there is. With
    /// a `max` of 0 nothing happens.
    ///
    /// A waker takes the place of the one before, which is forgotten.
    ///
    /// # Panics
    /// What the waker's `clone`, `wake_by_ref` or `drop` panics with. The first runs under the receiver's lock and must not come
    /// back to this queue.
    ///
    /// # Cancel safety
    /// What was fetched is the caller's; what it has not handled it can [put back](Queue::put_back).
    ///
    /// # Examples
    /// ```
    /// use bastion_mailbox::Queue;
    /// use std::collections::VecDeque;
    ///
    /// let (queue, mut batch) = (Queue::new(), VecDeque::new());
    /// (0..3).try_for_each(|number| queue.push(number)).unwrap();
    /// assert!(queue.fetch(&mut batch, 2, None));
    /// assert_eq!(batch, [0, 1]);
    /// assert!(queue.fetch(&mut batch, 2, None));
    /// assert_eq!(batch, [0, 1, 2]);
    /// assert!(!queue.fetch(&mut batch, 2, None));
    /// ```
    pub fn fetch(&self, batch: &mut VecDeque<M>, max: usize, waker: Option<&Waker>) -> bool {
        if max == 0 {
            return false;
        }
        let receiver = self.receiver_of_some(waker);
        receiver.map(|receiver| receiver.fetch(batch, max)).is_some()
    }

    /// Puts the oldest message in a place of the caller's, and moves those behind it to the end of the batch: up to `max` in all.
    /// False: there was none, and the place is as it was.
    ///
    /// Otherwise as [`fetch`](Queue::fetch), and faster where mostly one message waits, which goes from the queue to its place. It is
    /// not returned because it would be in an `Option` that the caller looks into, and passes on: that is moved in parts, and slowly.
    ///
    /// # Panics
    /// As `fetch`.
    ///
    /// # Examples
    /// ```
    /// use bastion_mailbox::Queue;
    /// use std::collections::VecDeque;
    ///
    /// let (queue, mut batch, mut first) = (Queue::new(), VecDeque::new(), None);
    /// (0..4).try_for_each(|number| queue.push(number)).unwrap();
    /// assert!(queue.fetch_first(&mut batch, 3, None, &mut first));
    /// assert_eq!((first, batch), (Some(0), [1, 2].into()));
    /// ```
    pub fn fetch_first(
        &self,
        batch: &mut VecDeque<M>,
        max: usize,
        waker: Option<&Waker>,
        first: &mut Option<M>,
    ) -> bool {
        if max == 0 {
            return false;
        }
        let Some(mut receiver) = self.receiver_of_some(waker) else { return false };
        let before = batch.len();
        let block = if receiver.has_front() { None } else { receiver.ready() };
        let Some(block) = block else {
            receiver.fetch(batch, max);
            *first = batch.remove(before);
            return true;
        };
        // SAFETY: it was returned just now.
        let message = unsafe { receiver.read(block) };
        receiver.move_blocks(batch, max - 1);
        receiver.end(1 + batch.len() - before);
        *first = Some(message);
        true
    }

    /// Becomes the receiver if there is a message to take. Otherwise leaves the waker.
    #[inline]
    fn receiver_of_some(&self, waker: Option<&Waker>) -> Option<Receiver<'_, M>> {
        let receiver = self.receiver();
        if receiver.has_next() { Some(receiver) } else { receiver.or_park(waker) }
    }

    /// Puts messages back in front of those that wait, and wakes who waits already. They may be more than the capacity. False: the
    /// queue is closed, and the batch is as it was; otherwise it is empty.
    ///
    /// # Examples
    /// ```
    /// use bastion_mailbox::Queue;
    /// use std::collections::VecDeque;
    ///
    /// let (queue, mut batch) = (Queue::new(), VecDeque::new());
    /// (0..3).try_for_each(|number| queue.push(number)).unwrap();
    /// queue.fetch(&mut batch, 2, None);
    /// assert_eq!(batch.pop_front(), Some(0));
    /// assert!(queue.put_back(&mut batch));
    /// assert_eq!(queue.close(), [1, 2]);
    /// ```
    pub fn put_back(&self, batch: &mut VecDeque<M>) -> bool {
        if batch.is_empty() {
            return true;
        }
        let receiver = self.receiver();
        // `close` holds the lock, so it comes before or after.
        if self.is_closed() {
            return false;
        }
        // SAFETY: `receiver` holds the lock.
        unsafe {
            self.extras_or_new().with(|guarded| {
                batch.append(&mut guarded.front);
                std::mem::swap(&mut guarded.front, batch);
            });
        }
        let waker = receiver.take_waker();
        drop(receiver);
        if let Some(waker) = waker {
            wake(waker);
        }
        true
    }

    /// Refuses messages from now on, and returns those that were accepted and not yet fetched, in order, each exactly once. Forgets
    /// who waits for a message, and wakes who waits for room. Who is refused sees what the caller did before.
    ///
    /// Waits for senders whose message is accepted and not yet written: a few instructions, if they are running.
    ///
    /// # Examples
    /// ```
    /// use bastion_mailbox::Queue;
    ///
    /// let queue = Queue::new();
    /// queue.push(1).unwrap();
    /// assert_eq!(queue.close(), [1]);
    /// assert!(queue.close().is_empty());
    /// queue.push(2).unwrap_err();
    /// queue.open();
    /// queue.push(3).unwrap();
    /// ```
    pub fn close(&self) -> VecDeque<M> {
        let mut receiver = self.receiver();
        let end = self.tail.close();
        let waker = receiver.take_waker();
        let messages = receiver.take_until(end);
        receiver.end(usize::MAX);
        drop(waker);
        messages
    }

    /// Takes the oldest message; none if nothing waits, or if that one is just being written. For a sender that finds the queue full
    /// and would rather lose an old message than the new one.
    ///
    /// # Examples
    /// ```
    /// use bastion_mailbox::Queue;
    ///
    /// let queue = Queue::new();
    /// (0..2).try_for_each(|number| queue.push(number)).unwrap();
    /// assert_eq!(queue.pop_oldest(), Some(0));
    /// assert_eq!(queue.len(), 1);
    /// ```
    pub fn pop_oldest(&self) -> Option<M> {
        let mut wait = Wait::default();
        let mut receiver = self.receiver();
        loop {
            let message = receiver.next();
            if message.is_some() {
                receiver.end(1);
                return message;
            }
            if receiver.waiting(self.tail.look().index()) == 0 || !wait.shortly() {
                return None;
            }
        }
    }
}

/// Wakers that were not needed.
#[derive(Default)]
struct Dropped {
    /// Another receiver's.
    replaced: Option<Waker>,
    /// A clone that could not be left; it is used when it is tried again.
    own: Option<Waker>,
}

/// What became of a waker.
enum Park {
    /// It is left for who comes next; or there is none, and no message.
    Parked,
    /// Somebody is just writing a message, or taking the last waker out of its place.
    Busy,
}

/// Who holds the receiver's lock, and what it knows of the head. Two words, which are passed on in registers.
pub(crate) struct Receiver<'a, M> {
    queue: &'a Queue<M>,
    head: Index,
}

/// Publishes the head, and lets the next one in.
impl<M> Drop for Receiver<'_, M> {
    #[inline]
    fn drop(&mut self) {
        self.queue.head.release(self.head);
    }
}

impl<'a, M> Receiver<'a, M> {
    #[inline]
    pub(crate) fn new(queue: &'a Queue<M>) -> Self {
        Receiver { queue, head: queue.head.acquire() }
    }

    /// Returns how many messages wait in the blocks before an index.
    fn waiting(&self, end: Index) -> u64 {
        end.since(self.head)
    }

    /// Takes the oldest message, unless it is just being written.
    pub(crate) fn next(&mut self) -> Option<M> {
        self.next_in_front().or_else(|| self.next_in_block())
    }

    fn next_in_front(&mut self) -> Option<M> {
        let extras = self.queue.extras().filter(|extras| extras.in_front.load(Relaxed) != 0)?;
        // SAFETY: `self` holds the lock.
        unsafe { extras.with(|guarded| guarded.front.pop_front()) }
    }

    #[inline]
    fn next_in_block(&mut self) -> Option<M> {
        let block = self.ready()?;
        // SAFETY: it was returned just now.
        Some(unsafe { self.read(block) })
    }

    /// Says whether there is a message to take.
    #[inline]
    fn has_next(&self) -> bool {
        self.ready().is_some() || self.has_front()
    }

    #[inline]
    fn has_front(&self) -> bool {
        self.queue.extras().is_some_and(|extras| extras.in_front.load(Relaxed) != 0)
    }

    /// Returns the block of the oldest message in the blocks, if there is one and it is written.
    #[inline]
    fn ready(&self) -> Option<NonNull<Block<M>>> {
        // Acquire pairs with the Release of `install_first`.
        let block = NonNull::new(self.queue.head_block.load(Acquire))?;
        // SAFETY: blocks are freed by who holds the lock, and this one is not yet.
        let is_ready = unsafe { block.as_ref() }.is_ready(self.head.offset());
        is_ready.then_some(block)
    }

    /// Takes the oldest message out of its block.
    ///
    /// # Safety
    /// `ready` has returned the block, and nothing was taken since.
    #[inline]
    unsafe fn read(&mut self, block: NonNull<Block<M>>) -> M {
        // SAFETY: blocks are freed by who holds the lock, and this one is not yet. It is ready, and the head goes on, so it is taken
        // out once.
        let message = unsafe { block.as_ref().read(self.head.offset()) };
        if self.head.is_last() {
            self.leave(block);
        }
        self.head = self.head.next();
        message
    }

    /// Goes on to the next block, and keeps the one that is empty now for the senders if they have few.
    #[cold]
    fn leave(&self, block: NonNull<Block<M>>) {
        // SAFETY: the block is not yet freed.
        let Some(next) = (unsafe { block.as_ref() }).installed_next() else {
            unreachable!("the next block is installed before the last slot is written")
        };
        // Relaxed: who holds the lock next has acquired it with the lock.
        self.queue.head_block.store(next.as_ptr(), Relaxed);
        // Acquire pairs with the Release of `install_next`. It is not older than `next`: whoever wrote the last slot has
        // installed `next` before.
        let Some(mut last) = NonNull::new(self.queue.tail_block.load(Acquire)) else {
            unreachable!("the first block was installed")
        };
        // SAFETY: all slots of the block were written, its senders have left it, and no pointer leads to it any more.
        unsafe { Block::renew(block) };
        for _ in 0..SPARES {
            // SAFETY: it is `next` or comes after it, and only who holds the lock frees blocks.
            match unsafe { last.as_ref() }.leave_next(block) {
                Ok(()) => return,
                Err(next) => last = next,
            }
        }
        // SAFETY: as above, and nobody has taken it.
        unsafe { Block::free(block) };
    }

    /// Moves up to `max` messages to a batch, gives the receiver's side back, and wakes who waits for room.
    fn fetch(mut self, batch: &mut VecDeque<M>, max: usize) {
        let before = batch.len();
        self.move_front(batch, max);
        self.move_blocks(batch, max - (batch.len() - before));
        self.end(batch.len() - before);
    }

    /// Moves up to `max` messages of the blocks to a batch.
    #[inline]
    fn move_blocks(&mut self, batch: &mut VecDeque<M>, max: usize) {
        let waiting = self.waiting(self.queue.tail.look().index());
        let count = usize::try_from(waiting).map_or(max, |waiting| waiting.min(max));
        if count == 0 {
            return;
        }
        batch.reserve(count);
        for _ in 0..count {
            let Some(block) = self.ready() else { break };
            // SAFETY: it was returned just now.
            batch.push_back(unsafe { self.read(block) });
        }
    }

    /// Gives the receiver's side back, and then wakes who waits for the room that was made.
    #[inline]
    pub(crate) fn end(self, room: usize) {
        if let Some(extras) = self.queue.extras() {
            // SAFETY: `self` holds the lock.
            let senders = unsafe { extras.with(|guarded| guarded.senders.take(room)) };
            drop(self);
            wake_all(senders);
        }
    }

    fn move_front(&mut self, batch: &mut VecDeque<M>, max: usize) {
        let filled = self.queue.extras().filter(|extras| extras.in_front.load(Relaxed) != 0);
        if let Some(extras) = filled {
            // SAFETY: `self` holds the lock.
            unsafe {
                extras.with(|guarded| {
                    let count = guarded.front.len().min(max);
                    batch.reserve(count);
                    batch.extend(guarded.front.drain(..count));
                });
            }
        }
    }

    /// Takes all messages before an index, and waits for those that are just being written.
    fn take_until(&mut self, end: Index) -> VecDeque<M> {
        let mut messages = VecDeque::new();
        let mut wait = Wait::default();
        self.move_front(&mut messages, usize::MAX);
        while self.waiting(end) > 0 {
            match self.next_in_block() {
                Some(message) => {
                    messages.push_back(message);
                    wait = Wait::default();
                }
                None => wait.longer(),
            }
        }
        messages
    }

    /// Leaves the waker. `Some`: a message has come meanwhile.
    #[inline(never)]
    fn or_park(self, waker: Option<&Waker>) -> Option<Self> {
        let mut wait = Wait::default();
        // Outlives the lock: what is left here is dropped without it.
        let mut dropped = Dropped::default();
        let receiver = self;
        loop {
            match receiver.park(waker, &mut dropped) {
                Park::Parked => return None,
                Park::Busy if wait.shortly() => {}
                Park::Busy => break,
            }
            if receiver.has_next() {
                return Some(receiver);
            }
        }
        drop(receiver);
        if let Some(waker) = waker {
            // Whom it waits for may have been interrupted, and want this processor.
            give_way();
            waker.wake_by_ref();
        }
        None
    }

    /// Leaves a waker for the next message, if none waits.
    #[inline]
    fn park(&self, waker: Option<&Waker>, dropped: &mut Dropped) -> Park {
        let (tail, place) = (&self.queue.tail, &self.queue.place);
        loop {
            let word = tail.look();
            if self.waiting(word.index()) > 0 {
                return Park::Busy;
            }
            let Some(waker) = waker else { return Park::Parked };
            if word.is_parked() {
                // SAFETY: `self` holds the lock, and PARKED was seen. Should it be cleared meanwhile, that wake is as good.
                if unsafe { place.will_wake(waker) } {
                    return Park::Parked;
                }
                dropped.replaced = self.take_waker().or(dropped.replaced.take());
                continue;
            }
            if place.is_full() {
                return Park::Busy;
            }
            let own = dropped.own.take().unwrap_or_else(|| waker.clone());
            // SAFETY: `self` holds the lock, and the place is not full: only this lock's holder would fill it.
            unsafe { place.fill(own) };
            if tail.park(word) {
                return Park::Parked;
            }
            // SAFETY: it was filled just now, and is still the caller's.
            dropped.own = Some(unsafe { place.take() });
        }
    }

    /// Takes the waker of who waits, if it is still there.
    fn take_waker(&self) -> Option<Waker> {
        // SAFETY: PARKED was set and is cleared, so it is the caller's; and `self` holds the lock, so nobody fills the place.
        self.queue.tail.unpark().then(|| unsafe { self.queue.place.take() })
    }
}
