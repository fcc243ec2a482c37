//! The mailbox: many senders, one receiver at a time, messages in order.
//!
//! A lock around a queue, taken once for a batch by the receiver: it swaps the whole queue for its own empty one. Knows
//! nothing of processes; it outlives the incarnations of the one that it belongs to.

use crate::sync::lock;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Mutex;
use std::task::Waker;

/// How many messages may wait when nothing else is said.
pub(crate) const DEFAULT_CAPACITY: usize = 1 << 20;

pub(crate) struct Mailbox<M> {
    inner: Mutex<Inner<M>>,
}

struct Inner<M> {
    queue: VecDeque<M>,
    capacity: usize,
    closed: bool,
    /// Who waits for a message, or for the stop of the process.
    receiver: Option<Waker>,
}

/// Why a message was not accepted. The message comes back.
pub enum TellError<M> {
    /// The process has ended for good, or is not to be started again.
    Dead(M),
    /// The mailbox holds as many messages as it may.
    Full(M),
}

impl<M> TellError<M> {
    /// Returns the message.
    pub fn into_message(self) -> M {
        match self {
            TellError::Dead(message) | TellError::Full(message) => message,
        }
    }

    /// Says whether the process has ended.
    pub fn is_dead(&self) -> bool {
        matches!(self, TellError::Dead(_))
    }
}

impl<M> fmt::Debug for TellError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_dead() { "Dead(..)" } else { "Full(..)" })
    }
}

impl<M> fmt::Display for TellError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TellError::Dead(_) => "the process has ended",
            TellError::Full(_) => "the mailbox is full",
        })
    }
}

impl<M> std::error::Error for TellError<M> {}

/// What a receiver finds.
pub(crate) enum Fetch {
    /// The batch has messages now.
    Some,
    /// There is nothing; the waker is kept.
    Empty,
}

impl<M> Mailbox<M> {
    pub(crate) fn new() -> Self {
        Mailbox {
            inner: Mutex::new(Inner {
                queue: VecDeque::new(),
                capacity: DEFAULT_CAPACITY,
                closed: false,
                receiver: None,
            }),
        }
    }

    pub(crate) fn set_capacity(&self, capacity: usize) {
        lock(&self.inner).capacity = capacity;
    }

    /// Queues a message and wakes the receiver.
    pub(crate) fn push(&self, message: M) -> Result<(), TellError<M>> {
        let receiver = {
            let mut inner = lock(&self.inner);
            if inner.closed {
                return Err(TellError::Dead(message));
            }
            if inner.queue.len() >= inner.capacity {
                return Err(TellError::Full(message));
            }
            inner.queue.push_back(message);
            inner.receiver.take()
        };
        // Outside the lock: a wake may run foreign code.
        if let Some(receiver) = receiver {
            receiver.wake();
        }
        Ok(())
    }

    /// Swaps the waiting messages into the receiver's empty batch; if there are none, keeps `waker` for the next one.
    pub(crate) fn fetch(&self, batch: &mut VecDeque<M>, waker: Option<&Waker>) -> Fetch {
        debug_assert!(batch.is_empty());
        let mut inner = lock(&self.inner);
        if !inner.queue.is_empty() {
            std::mem::swap(&mut inner.queue, batch);
            return Fetch::Some;
        }
        let Some(waker) = waker else { return Fetch::Empty };
        let replaced = match &inner.receiver {
            Some(known) if known.will_wake(waker) => None,
            // Cloning counts a reference in every waker worth the name; it is not foreign code that could come back here.
            _ => inner.receiver.replace(waker.clone()),
        };
        drop(inner);
        drop(replaced);
        Fetch::Empty
    }

    /// Puts a batch back in front: what an incarnation has not handled is the next one's. False: the mailbox is closed.
    pub(crate) fn put_back(&self, batch: &mut VecDeque<M>) -> bool {
        if batch.is_empty() {
            return true;
        }
        let mut inner = lock(&self.inner);
        if inner.closed {
            return false;
        }
        batch.append(&mut inner.queue);
        std::mem::swap(&mut inner.queue, batch);
        // The next incarnation may wait already, when this one had been abandoned.
        let receiver = inner.receiver.take();
        drop(inner);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
        true
    }

    /// Wakes the receiver without a message: the process is to stop.
    pub(crate) fn wake(&self) {
        let receiver = lock(&self.inner).receiver.take();
        if let Some(receiver) = receiver {
            receiver.wake();
        }
    }

    /// Refuses messages from now on, and gives back those that wait.
    pub(crate) fn close(&self) -> VecDeque<M> {
        let mut inner = lock(&self.inner);
        inner.closed = true;
        let (queue, receiver) = (std::mem::take(&mut inner.queue), inner.receiver.take());
        drop(inner);
        drop(receiver);
        queue
    }

    /// Accepts messages again: the process is started again after all.
    pub(crate) fn open(&self) {
        lock(&self.inner).closed = false;
    }

    pub(crate) fn len(&self) -> usize {
        lock(&self.inner).queue.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_survives_a_batch_that_is_put_back() {
        let mailbox = Mailbox::new();
        (0..3).for_each(|n| mailbox.push(n).unwrap());
        let mut batch = VecDeque::new();
        assert!(matches!(mailbox.fetch(&mut batch, None), Fetch::Some));
        assert_eq!(batch.pop_front(), Some(0));
        mailbox.push(3).unwrap();
        assert!(mailbox.put_back(&mut batch));
        assert_eq!(mailbox.close(), [1, 2, 3]);
    }

    #[test]
    fn a_batch_that_is_put_back_wakes_who_waits_already() {
        use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
        struct Woken(AtomicBool);
        impl std::task::Wake for Woken {
            fn wake(self: std::sync::Arc<Self>) {
                self.0.store(true, SeqCst);
            }
        }
        let (mailbox, woken) = (Mailbox::new(), std::sync::Arc::new(Woken(AtomicBool::new(false))));
        mailbox.push(1).unwrap();
        let (mut abandoned, mut next) = (VecDeque::new(), VecDeque::new());
        assert!(matches!(mailbox.fetch(&mut abandoned, None), Fetch::Some));
        let waker = woken.clone().into();
        assert!(matches!(mailbox.fetch(&mut next, Some(&waker)), Fetch::Empty));
        assert!(mailbox.put_back(&mut abandoned));
        assert!(woken.0.load(SeqCst));
    }

    #[test]
    fn a_full_or_closed_mailbox_gives_the_message_back() {
        let mailbox = Mailbox::new();
        mailbox.set_capacity(1);
        mailbox.push("kept").unwrap();
        assert!(matches!(mailbox.push("refused"), Err(TellError::Full("refused"))));
        assert_eq!(mailbox.close(), ["kept"]);
        assert!(matches!(mailbox.push("late"), Err(TellError::Dead("late"))));
        mailbox.open();
        mailbox.push("again").unwrap();
    }
}
