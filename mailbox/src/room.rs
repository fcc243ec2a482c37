//! Waiting for room: senders that would rather wait than have their message back.
//!
//! Who waits stands in a list under the receiver's lock, under which messages are taken out too. So either a sender sees the room that was made, or the
//! receiver sees the sender. As many are woken as messages were taken; one that was woken and does not send any more passes that on.

use crate::error::PushError;
use crate::queue::Queue;
use crate::wake::wake_all;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker};

impl<M> Queue<M> {
    /// Queues a message, and waits for room before if the queue is full. Those who wait are woken in the order in which they came; who comes
    /// when there is room need not wait behind them.
    ///
    /// A receiver that waits for room in its own queue waits for ever.
    ///
    /// # Errors
    /// [`PushError::Closed`], with the message, also when the queue is closed while this waits.
    ///
    /// # Cancel safety
    /// A future that is dropped before it is ready has not sent its message, and leaves its turn to the next one.
    ///
    /// # Examples
    /// ```
    /// use bastion_mailbox::Queue;
    /// use std::pin::pin;
    /// # use std::task::{Context, Waker};
    ///
    /// let queue = Queue::new();
    /// queue.set_capacity(1);
    /// queue.push(1).unwrap();
    /// # let mut cx = Context::from_waker(Waker::noop());
    /// let mut send = pin!(queue.send(2)); // In an async function: queue.send(2).await
    /// assert!(send.as_mut().poll(&mut cx).is_pending());
    /// assert_eq!(queue.pop_oldest(), Some(1));
    /// assert!(send.as_mut().poll(&mut cx).is_ready());
    /// assert_eq!(queue.pop_oldest(), Some(2));
    /// ```
    pub fn send(&self, message: M) -> Sending<'_, M> {
        Sending { queue: self, message: Some(message), ticket: None }
    }

    /// Leaves a waker for the moment when there is room. False: there is some now, or the queue is closed.
    fn wait_for_room(&self, ticket: &mut Option<u64>, waker: &Waker) -> bool {
        let waker = waker.clone();
        let extras = self.extras_or_new();
        let receiver = self.receiver();
        if self.is_closed() || self.len() < extras.capacity.load(Relaxed) {
            return false;
        }
        // SAFETY: `receiver` holds the lock.
        let replaced = unsafe { extras.with(|guarded| guarded.senders.wait(ticket, waker)) };
        drop(receiver);
        drop(replaced);
        true
    }

    /// Ends a wait. If the sender was woken, the next one is woken in its place.
    fn leave_room(&self, ticket: u64) {
        let Some(extras) = self.extras() else { return };
        let receiver = self.receiver();
        // SAFETY: `receiver` holds the lock.
        let (own, next) = unsafe {
            extras.with(|guarded| match guarded.senders.leave(ticket) {
                Some(own) => (Some(own), Vec::new()),
                None => (None, guarded.senders.take(1)),
            })
        };
        drop(receiver);
        drop(own);
        wake_all(next);
    }
}

/// The future of [`Queue::send`].
#[must_use = "futures do nothing unless polled"]
pub struct Sending<'a, M> {
    queue: &'a Queue<M>,
    /// None when it is sent, or came back.
    message: Option<M>,
    /// It has waited.
    ticket: Option<u64>,
}

// The message is moved out, never pinned.
impl<M> Unpin for Sending<'_, M> {}

impl<M> Future for Sending<'_, M> {
    type Output = Result<(), PushError<M>>;

    /// # Panics
    /// When it was ready before, and what a waker panics with.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let queue = self.queue;
        loop {
            let message = self.message.take().expect("polled after it was ready");
            let result = match queue.push(message) {
                Err(PushError::Full(message)) => {
                    self.message = Some(message);
                    if queue.wait_for_room(&mut self.ticket, cx.waker()) {
                        return Poll::Pending;
                    }
                    continue;
                }
                result => result,
            };
            if let Some(ticket) = self.ticket.take() {
                // Sent without having been woken, maybe: then it is taken off the list. If it was, its turn is used up.
                queue.forget_sender(ticket);
            }
            return Poll::Ready(result);
        }
    }
}

impl<M> Queue<M> {
    fn forget_sender(&self, ticket: u64) {
        let Some(extras) = self.extras() else { return };
        let receiver = self.receiver();
        // SAFETY: `receiver` holds the lock.
        let own = unsafe { extras.with(|guarded| guarded.senders.leave(ticket)) };
        drop(receiver);
        drop(own);
    }
}

impl<M> Drop for Sending<'_, M> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.queue.leave_room(ticket);
        }
    }
}

impl<M> fmt::Debug for Sending<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").field("sent", &self.message.is_none()).finish_non_exhaustive()
    }
}
