//! The queue: what it consists of, how it begins and ends.

use crate::block::Block;
use crate::extras::Extras;
use crate::head::Head;
use crate::receive::Receiver;
use crate::sync::AtomicPtr;
use crate::tail::Tail;
use crate::waiting::Place;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// How many messages may wait when nothing else is said.
pub const DEFAULT_CAPACITY: usize = 1 << 20;

/// A queue of messages: many senders, one receiver at a time.
///
/// Shared by reference. Allocates nothing before the first message. A second receiver at the same time is safe, and waits for
/// the first; each message goes to one of them. Only the last one that left a waker is woken.
///
/// # Examples
/// ```
/// use bastion_mailbox::Queue;
/// use std::collections::VecDeque;
///
/// let queue = Queue::new();
/// std::thread::scope(|scope| {
///     for sender in 0..2 {
///         let queue = &queue;
///         scope.spawn(move || (0..100).try_for_each(|number| queue.push((sender, number))));
///     }
/// });
/// let mut batch = VecDeque::new();
/// while queue.fetch(&mut batch, 64, None) {}
/// for sender in 0..2 {
///     let of_one = batch.iter().filter(|message| message.0 == sender).map(|message| message.1);
///     assert!(of_one.eq(0..100));
/// }
/// ```
pub struct Queue<M> {
    pub(crate) tail: Tail,
    /// The block of the tail; null before the first message. Written by who installs a block.
    pub(crate) tail_block: AtomicPtr<Block<M>>,
    /// Where the oldest message is, and whether somebody is the receiver: who takes messages out, puts them back, or leaves a waker.
    pub(crate) head: Head,
    /// The block of the head. Written once by who installs the first block, and then by the receiver.
    pub(crate) head_block: AtomicPtr<Block<M>>,
    /// Null until needed, then the same until the end.
    extras: AtomicPtr<Extras<M>>,
    pub(crate) place: Place,
    /// It owns messages.
    messages: PhantomData<M>,
}

// SAFETY: the pointers lead to what this queue owns: messages, which may be sent, and wakers, which may anyway.
unsafe impl<M: Send> Send for Queue<M> {}

// SAFETY: messages go in from and out to any thread, so they must be `Send`; nobody gets a reference to one, so they need not be
// `Sync`. The slots, the waker's place and the messages in front are guarded as their fields say.
unsafe impl<M: Send> Sync for Queue<M> {}

// No foreign code runs while anything is half done.
impl<M> UnwindSafe for Queue<M> {}
impl<M> RefUnwindSafe for Queue<M> {}

impl<M> Queue<M> {
    /// Makes an empty, open queue for up to [`DEFAULT_CAPACITY`] messages. Allocates nothing.
    pub fn new() -> Self {
        Queue {
            tail: Tail::new(),
            tail_block: AtomicPtr::new(ptr::null_mut()),
            head: Head::new(),
            head_block: AtomicPtr::new(ptr::null_mut()),
            extras: AtomicPtr::new(ptr::null_mut()),
            place: Place::new(),
            messages: PhantomData,
        }
    }

    /// Sets how many messages may wait. May be called at any time: messages that wait already stay, and so do those that are put
    /// back. With a capacity of 0 every push finds the queue full. Who waits for room looks again.
    pub fn set_capacity(&self, capacity: usize) {
        let before = self.extras_or_new().capacity.swap(capacity, Relaxed);
        if capacity <= before {
            return;
        }
        // Whoever waits for room has looked before this lock, and is woken, or looks after it, and sees the new capacity.
        self.receiver().end(usize::MAX);
    }

    /// Returns how many messages may wait.
    pub fn capacity(&self) -> usize {
        self.extras().map_or(DEFAULT_CAPACITY, |extras| extras.capacity.load(Relaxed))
    }

    /// Wakes who waits, without a message; nothing happens if nobody does.
    ///
    /// Whoever leaves a waker after a wake that came too early sees what the waker's caller did before it. So a receiver that leaves
    /// its waker first and then looks for the reason of such a wake misses none.
    ///
    /// # Examples
    /// ```
    /// use bastion_mailbox::Queue;
    /// use std::collections::VecDeque;
    /// use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    /// # use std::task::Waker;
    ///
    /// /// What a receiver does when it is polled: true, it goes on; false, it waits.
    /// fn poll(queue: &Queue<u8>, stop: &AtomicBool, batch: &mut VecDeque<u8>, waker: &Waker) -> bool {
    ///     queue.fetch(batch, 64, Some(waker)) || stop.load(Relaxed)
    /// }
    ///
    /// let (queue, stop) = (Queue::new(), AtomicBool::new(false));
    /// let mut batch = VecDeque::new();
    /// assert!(!poll(&queue, &stop, &mut batch, Waker::noop()));
    /// stop.store(true, Relaxed);
    /// queue.wake();
    /// assert!(poll(&queue, &stop, &mut batch, Waker::noop()));
    /// ```
    pub fn wake(&self) {
        if self.tail.begin_wake() {
            self.wake_taken();
        }
    }

    /// Accepts messages again after a [`close`](Queue::close). Who is accepted sees what the caller did before.
    pub fn open(&self) {
        self.tail.open();
    }

    /// Says whether messages are refused.
    pub fn is_closed(&self) -> bool {
        self.tail.look().is_closed()
    }

    /// Returns how many messages wait, with those that are just being written. While others send and receive it is a number that was
    /// true a moment ago, or nearly so.
    pub fn len(&self) -> usize {
        // The tail may be the older of the two: then nothing waits.
        let head = self.head.look();
        let waiting = self.tail.look().index().since(head) as usize;
        waiting + self.extras().map_or(0, |extras| extras.in_front.load(Relaxed))
    }

    /// Says whether no message waits, as [`len`](Queue::len) does.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns what few queues have.
    #[inline]
    pub(crate) fn extras(&self) -> Option<&Extras<M>> {
        // Acquire pairs with the Release of `extras_or_new`.
        let extras = self.extras.load(Acquire);
        // SAFETY: it is null, or was made by `extras_or_new` and lives as long as the queue.
        unsafe { extras.as_ref() }
    }

    #[cold]
    pub(crate) fn extras_or_new(&self) -> &Extras<M> {
        if let Some(extras) = self.extras() {
            return extras;
        }
        let new = Box::into_raw(Box::new(Extras::new(DEFAULT_CAPACITY)));
        // Release and Acquire pair with each other, and with the Acquire of `extras`.
        match self.extras.compare_exchange(ptr::null_mut(), new, Release, Acquire) {
            // SAFETY: it is the queue's now, and lives as long.
            Ok(_) => unsafe { &*new },
            Err(others) => {
                // SAFETY: it was made above, and nobody has heard of it.
                drop(unsafe { Box::from_raw(new) });
                // SAFETY: as in `extras`, and it is not null.
                unsafe { &*others }
            }
        }
    }

    /// Takes the receiver's side for oneself.
    pub(crate) fn receiver(&self) -> Receiver<'_, M> {
        Receiver::new(self)
    }
}

impl<M> Default for Queue<M> {
    fn default() -> Self {
        Queue::new()
    }
}

impl<M> fmt::Debug for Queue<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Queue");
        shown.field("len", &self.len()).field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}

/// Drops the messages one by one. If one panics, the others and the memory go all the same.
impl<M> Drop for Queue<M> {
    fn drop(&mut self) {
        struct Rest<'a, M>(&'a mut Queue<M>);
        impl<M> Drop for Rest<'_, M> {
            fn drop(&mut self) {
                self.0.drop_messages();
                self.0.free();
            }
        }
        Rest(self).0.drop_messages();
    }
}

impl<M> Queue<M> {
    fn drop_messages(&mut self) {
        // Not in a `while let`, which would be the receiver while a message is dropped.
        loop {
            let message = self.receiver().next();
            if message.is_none() {
                break;
            }
        }
    }

    /// Frees what the queue has allocated, once the messages are gone.
    fn free(&mut self) {
        if self.tail.unpark() {
            // SAFETY: PARKED was set, so a waker is there, and it is whose who has cleared it.
            drop(unsafe { self.place.take() });
        }
        let mut next = NonNull::new(self.head_block.load(Relaxed));
        while let Some(block) = next {
            // SAFETY: nobody else has the queue any more; its messages were taken out, and each block is reached once.
            unsafe {
                next = block.as_ref().installed_next();
                Block::free(block);
            }
        }
        let extras = self.extras.load(Relaxed);
        if !extras.is_null() {
            // SAFETY: `extras_or_new` has made it of a box, and nobody else has the queue any more.
            drop(unsafe { Box::from_raw(extras) });
        }
    }
}
