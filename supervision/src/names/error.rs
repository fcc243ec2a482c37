//! What can be wrong about a name.

use crate::mailbox::TellError;
use crate::pid::Pid;
use std::error::Error;
use std::fmt;

/// Why a name was not given, or does not lead to a process. Nothing has changed.
///
/// A child that starts without a name that it was to have, because another process has it, fails with this as its error: see
/// [`Child::registered`](crate::Child::registered).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// Nobody has the name.
    Unknown,
    /// A process has the name already.
    Taken {
        /// Who has it.
        holder: Pid,
    },
    /// The process that has the name takes other messages.
    OtherType {
        /// The type of the messages that it takes.
        registered: &'static str,
        /// The type that was asked for.
        asked: &'static str,
    },
    /// The process has ended for good.
    Ended,
    /// The process has not been given to a supervisor of this system.
    NotHere,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameError::Unknown => f.write_str("nobody has that name"),
            NameError::Taken { holder } => write!(f, "{holder} has that name"),
            NameError::OtherType { registered, asked } => {
                write!(f, "the process of that name takes {registered}, not {asked}")
            }
            NameError::Ended => f.write_str("the process has ended"),
            NameError::NotHere => f.write_str("the process is of no supervisor of this system"),
        }
    }
}

impl Error for NameError {}

/// Why a message that was sent by name was not accepted. It comes back.
#[non_exhaustive]
pub enum TellNameError<M> {
    /// No process of that name takes such messages.
    NotFound {
        /// Why.
        error: NameError,
        /// The message.
        message: M,
    },
    /// The process has not accepted it.
    Refused(TellError<M>),
}

impl<M> TellNameError<M> {
    /// Returns the message.
    pub fn into_message(self) -> M {
        match self {
            TellNameError::NotFound { message, .. } => message,
            TellNameError::Refused(error) => error.into_message(),
        }
    }
}

impl<M> fmt::Debug for TellNameError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TellNameError::NotFound { error, .. } => write!(f, "NotFound({error:?}, ..)"),
            TellNameError::Refused(error) => write!(f, "Refused({error:?})"),
        }
    }
}

impl<M> fmt::Display for TellNameError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TellNameError::NotFound { error, .. } => error.fmt(f),
            TellNameError::Refused(error) => error.fmt(f),
        }
    }
}

impl<M> Error for TellNameError<M> {}
