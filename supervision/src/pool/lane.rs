//! A queue of a pool, and those who wait for its messages.
//!
//! The queue is a mailbox's. It knows one receiver that waits; here many may, so the wakers are kept beside it. A sender queues its message first, and
//! then looks whether anybody waits; who waits leaves its waker first, and then looks at the queue once more. Between the two steps of each is a
//! sequentially consistent fence, so at least one of them sees the other's first step, and no message lies there while all wait.

use crate::process::guard;
use crate::sync::lock;
use bastion_mailbox::{PushError, Queue};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{
    AtomicUsize,
    Ordering::{Relaxed, SeqCst},
    fence,
};
use std::task::Waker;

/// Names one who waits: see [`Lane::wait`].
pub(super) type Seat = u64;

/// A queue with any number of receivers.
pub(super) struct Lane<T> {
    queue: Queue<T>,
    /// How many wakers are kept; it is read without the lock.
    waiting: AtomicUsize,
    wakers: Mutex<Vec<(Seat, Waker)>>,
}

impl<T> Lane<T> {
    pub(super) fn new(capacity: usize) -> Lane<T> {
        let queue = Queue::new();
        queue.set_capacity(capacity);
        Lane { queue, waiting: AtomicUsize::new(0), wakers: Mutex::default() }
    }

    /// Queues an item, and wakes one who waits.
    pub(super) fn push(&self, item: T) -> Result<(), PushError<T>> {
        self.queue.push(item)?;
        self.announce();
        Ok(())
    }

    /// Waits for room before.
    pub(super) async fn send(&self, item: T) -> Result<(), PushError<T>> {
        self.queue.send(item).await?;
        self.announce();
        Ok(())
    }

    /// Puts items in front of those that wait; they may be more than the capacity. False: it is closed, and they are as they were.
    pub(super) fn put_back(&self, items: &mut VecDeque<T>) -> bool {
        let is_open = self.queue.put_back(items);
        if is_open {
            self.announce();
        }
        is_open
    }

    /// Takes the oldest item. If more wait, so does nobody: each who takes one wakes the next.
    pub(super) fn pop(&self) -> Option<T> {
        let item = self.queue.pop_oldest()?;
        self.pass_on();
        Some(item)
    }

    /// Leaves a waker. Who does so looks at the queue again afterwards.
    pub(super) fn wait(&self, seat: Seat, waker: &Waker) {
        let waker = waker.clone();
        let mut wakers = lock(&self.wakers);
        wakers.push((seat, waker));
        self.waiting.store(wakers.len(), SeqCst);
        drop(wakers);
        // Pairs with the one in `announce`.
        fence(SeqCst);
    }

    /// Takes the waker back. If it was used meanwhile, another one is woken for what waits.
    pub(super) fn leave(&self, seat: Seat) {
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
            guard::wake(waker);
        }
    }

    /// Refuses items from now on, and returns those that are there.
    pub(super) fn close(&self) -> VecDeque<T> {
        self.queue.close()
    }

    /// Wakes all who wait, so that they look what else there is.
    pub(super) fn wake_all(&self) {
        let mut wakers = lock(&self.wakers);
        let all = std::mem::take(&mut *wakers);
        self.waiting.store(0, SeqCst);
        drop(wakers);
        all.into_iter().for_each(|(_, waker)| guard::wake(waker));
    }

    pub(super) fn open(&self) {
        self.queue.open();
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Says whether anybody waits.
    pub(super) fn has_waiting(&self) -> bool {
        self.waiting.load(Relaxed) > 0
    }
}
