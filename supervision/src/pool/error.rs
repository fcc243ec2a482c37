//! Why a pool did not take a message, and why it has thrown one away.

use crate::process::AskError;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Why a pool does not take a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// No worker is there: all have ended for good; or, to a question, the pool was not started yet.
    NoWorker,
    /// The queues are full: see [`Pool::capacity`](crate::Pool::capacity).
    Full,
    /// Too many messages have come in too short a time: see `Pool::rate_limit`.
    RateLimited {
        /// In so much time one more would be taken.
        retry_after: Duration,
    },
    /// Too many questions have failed of late: see [`Pool::circuit_breaker`](crate::Pool::circuit_breaker).
    BreakerOpen {
        /// In so much time it may be tried again.
        retry_after: Duration,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoWorker => f.write_str("the pool has no worker"),
            Refusal::Full => f.write_str("the pool's queues are full"),
            Refusal::RateLimited { retry_after } => {
                write!(f, "too many messages; one more in {retry_after:?}")
            }
            Refusal::BreakerOpen { retry_after } => {
                write!(f, "the circuit breaker is open; try again in {retry_after:?}")
            }
        }
    }
}

impl Error for Refusal {}

/// A pool has not taken a message, which comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PoolTellError<M> {
    /// Why.
    pub refusal: Refusal,
    /// The message.
    pub message: M,
}

impl<M> fmt::Debug for PoolTellError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolTellError").field("refusal", &self.refusal).finish_non_exhaustive()
    }
}

impl<M> fmt::Display for PoolTellError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.refusal.fmt(f)
    }
}

impl<M> Error for PoolTellError<M> {}

/// Why a question to a pool has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PoolAskError {
    /// The pool has not taken it.
    Refused(Refusal),
    /// A worker was to answer, and has not.
    Failed(AskError),
}

impl fmt::Display for PoolAskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PoolAskError::Refused(refusal) => refusal.fmt(f),
            PoolAskError::Failed(error) => error.fmt(f),
        }
    }
}

impl Error for PoolAskError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(match self {
            PoolAskError::Refused(refusal) => refusal,
            PoolAskError::Failed(error) => error,
        })
    }
}

/// Why a pool has thrown away a message that it had taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Discarded {
    /// It has waited longer than its time to live.
    Expired,
    /// The last worker has ended for good, and no other is there to handle it.
    Ended,
}

impl fmt::Display for Discarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Discarded::Expired => "it has waited too long",
            Discarded::Ended => "no worker is left",
        })
    }
}
