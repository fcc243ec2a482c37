//! Why a message was not accepted. The mailbox itself, a queue that knows nothing of processes, is a crate of its own.

use bastion_mailbox::PushError;
use std::fmt;

pub(crate) use bastion_mailbox::Queue as Mailbox;

/// How many messages a receiver takes at once.
pub(crate) const BATCH: usize = 64;

/// Why a message was not accepted. The message comes back.
pub enum TellError<M> {
    /// The process has ended for good, or is not to be started again.
    Dead(M),
    /// The mailbox holds as many messages as it may.
    Full(M),
    /// The message alone weighs more than may wait: see [`Child::mailbox_bytes`](crate::Child::mailbox_bytes). There will never be room for it.
    TooLarge(M),
}

impl<M> TellError<M> {
    /// Returns the message.
    pub fn into_message(self) -> M {
        match self {
            TellError::Dead(message) | TellError::Full(message) | TellError::TooLarge(message) => {
                message
            }
        }
    }

    /// Says whether the process has ended.
    pub fn is_dead(&self) -> bool {
        matches!(self, TellError::Dead(_))
    }
}

impl<M> From<PushError<M>> for TellError<M> {
    fn from(error: PushError<M>) -> Self {
        match error {
            PushError::Closed(message) => TellError::Dead(message),
            PushError::Full(message) => TellError::Full(message),
        }
    }
}

impl<M> fmt::Debug for TellError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TellError::Dead(_) => "Dead(..)",
            TellError::Full(_) => "Full(..)",
            TellError::TooLarge(_) => "TooLarge(..)",
        })
    }
}

impl<M> fmt::Display for TellError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TellError::Dead(_) => "the process has ended",
            TellError::Full(_) => "the mailbox is full",
            TellError::TooLarge(_) => "the message is too large for the mailbox",
        })
    }
}

impl<M> std::error::Error for TellError<M> {}
