//! [`Lane`]: a queue and all who wait for its messages.
//!
//! The queue knows one receiver that waits; here many may, so the wakers are kept beside it. A sender queues its message first, and
//! then looks whether anybody waits; who waits leaves its waker first, and then looks at the queue once more. Between the two steps of each is a
//! sequentially consistent fence, so at least one of them sees the other's first step, and no message lies there while all wait.

use crate::error::PushError;
use crate::queue::Queue;
use crate::sync::{AtomicUsize, Mutex, fence, lock};
use crate::wake::wake;
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::task::Waker;

/// Names one who waits at a [`Lane`]: whatever number nobody else has there.
pub type Seat = u64;

/// A queue that any number of receivers take messages from. Each message wakes one of them.
///
/// # Examples
/// ```
/// use bastion_mailbox::Lane;
/// use std::task::Waker;
///
/// let jobs = Lane::new(1000);
/// assert_eq!(jobs.pop(), None);
/// jobs.wait(7, Waker::noop());
/// jobs.push("first").unwrap(); // Wakes seat 7.
/// jobs.leave(7);
/// assert_eq!(jobs.pop(), Some("first"));
/// ```
pub struct Lane<T> {
    queue: Queue<T>,
    /// How many wakers are kept; it is read without the lock.
    waiting: AtomicUsize,
    wakers: Mutex<Vec<(Seat, Waker)>>,
}

impl<T> Lane<T> {
    /// Makes one with room for so many messages.
    ///
    /// # Panics
    /// When `capacity` is 0.
    pub fn new(capacity: usize) -> Lane<T> {
        let queue = Queue::new();
        queue.set_capacity(capacity);
        Lane { queue, waiting: AtomicUsize::new(0), wakers: Mutex::new(Vec::new()) }
    }

    /// Queues an item, and wakes one who waits.
    ///
    /// # Errors
    /// As [`Queue::push`].
    pub fn push(&self, item: T) -> Result<(), PushError<T>> {
        self.queue.push(item)?;
        self.announce();
        Ok(())
    }

    /// Queues an item, waits for room before if it is full, and wakes one who waits.
    ///
    /// # Errors
    /// As [`Queue::send`].
    ///
    /// # Cancel safety
    /// A future that is dropped before it is ready has not sent its item.
    pub async fn send(&self, item: T) -> Result<(), PushError<T>> {
        self.queue.send(item).await?;
        self.announce();
        Ok(())
    }

    /// Puts items in front of those that wait; they may be more than the capacity. False: it is closed, and they are as they were.
    pub fn put_back(&self, items: &mut VecDeque<T>) -> bool {
        let is_open = self.queue.put_back(items);
        if is_open {
            self.announce();
        }
        is_open
    }

    /// Takes the oldest item. If more wait, so does nobody: each who takes one wakes the next.
    pub fn pop(&self) -> Option<T> {
        let item = self.queue.pop_oldest()?;
        self.pass_on();
        Some(item)
    }

    /// Leaves a waker. Who does so [takes](Lane::pop) again afterwards, and [leaves](Lane::leave) when it waits no more.
    pub fn wait(&self, seat: Seat, waker: &Waker) {
        let waker = waker.clone();
        let mut wakers = lock(&self.wakers);
        wakers.push((seat, waker));
        self.waiting.store(wakers.len(), SeqCst);
        drop(wakers);
        // Pairs with the one in `announce`.
        fence(SeqCst);
    }

    /// Takes the waker back. If it was used meanwhile, another one is woken for what waits.
    pub fn leave(&self, seat: Seat) {
        let mut wakers = lock(&self.wakers);
        let place = wakers.iter().position(|(known, _)| *known == seat);
        let own = place.map(|place| wakers.swap_remove(place));
        self.waiting.store(wakers.len(), SeqCst);
        drop(wakers);
        if own.is_none() {
            self.pass_on();
        }
    }

    fn announce(&self) {
        // Pairs with the one in `wait`.
        fence(SeqCst);
        self.wake_one();
    }

    fn pass_on(&self) {
        if self.waiting.load(Relaxed) > 0 && !self.queue.is_empty() {
            self.wake_one();
        }
    }

    /// Wakes the one who has come last: its memory is still warm, and those who are not needed stay asleep.
    fn wake_one(&self) {
        if self.waiting.load(Relaxed) == 0 {
            return;
        }
        let mut wakers = lock(&self.wakers);
        let last = wakers.pop();
        self.waiting.store(wakers.len(), SeqCst);
        drop(wakers);
        if let Some((_, waker)) = last {
            wake(waker);
        }
    }

    /// Refuses items from now on, and returns those that are there.
    pub fn close(&self) -> VecDeque<T> {
        self.queue.close()
    }

    /// Wakes all who wait, so that they look what else there is.
    pub fn wake_all(&self) {
        let mut wakers = lock(&self.wakers);
        let all = std::mem::take(&mut *wakers);
        self.waiting.store(0, SeqCst);
        drop(wakers);
        all.into_iter().for_each(|(_, waker)| wake(waker));
    }

    /// Accepts items again.
    pub fn open(&self) {
        self.queue.open();
    }

    /// Returns how many items wait.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Says whether none waits.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Says whether anybody waits for an item.
    pub fn has_waiting(&self) -> bool {
        self.waiting.load(Relaxed) > 0
    }
}

impl<T> fmt::Debug for Lane<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("queue", &self.queue).finish_non_exhaustive()
    }
}
