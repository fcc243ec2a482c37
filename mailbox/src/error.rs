//! Why a message was not accepted.

use std::fmt;

/// Why a message was not accepted. The message comes back.
///
/// # Examples
/// ```
/// use bastion_mailbox::{PushError, Queue};
///
/// let queue = Queue::new();
/// queue.close();
/// let refused = queue.push("late").unwrap_err();
/// assert!(refused.is_closed());
/// assert_eq!(refused.into_message(), "late");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PushError<M> {
    /// The queue holds as many messages as it may.
    Full(M),
    /// The queue is closed.
    Closed(M),
}

impl<M> PushError<M> {
    /// Returns the message.
    pub fn into_message(self) -> M {
        match self {
            PushError::Full(message) | PushError::Closed(message) => message,
        }
    }

    /// Says whether the queue was closed; otherwise it was full.
    pub fn is_closed(&self) -> bool {
        matches!(self, PushError::Closed(_))
    }
}

impl<M> fmt::Debug for PushError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_closed() { "Closed(..)" } else { "Full(..)" })
    }
}

impl<M> fmt::Display for PushError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_closed() { "the queue is closed" } else { "the queue is full" })
    }
}

impl<M> std::error::Error for PushError<M> {}
