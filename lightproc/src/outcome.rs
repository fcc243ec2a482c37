//! How a process ended: with its output, by a panic, or cancelled.
//!
//! Plain values. Knows nothing of the state word or of memory.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How a process ended.
#[derive(Debug)]
pub enum Outcome<T> {
    /// The future returned.
    Completed(T),
    /// The future or its start hook panicked, or the future's destructor after it had returned.
    Panicked(Panic),
    /// The process was cancelled, or was dropped without being run. A panic in the future's destructor is dropped then.
    Cancelled,
}

impl<T> Outcome<T> {
    /// Returns the output; `None` when the process panicked or was cancelled.
    pub fn completed(self) -> Option<T> {
        match self {
            Outcome::Completed(output) => Some(output),
            Outcome::Panicked(_) | Outcome::Cancelled => None,
        }
    }
}

/// A panic that ended a process, kept as a value.
pub struct Panic {
    payload: Box<dyn Any + Send>,
}

impl Panic {
    pub(crate) fn new(payload: Box<dyn Any + Send>) -> Panic {
        Panic { payload }
    }

    /// Returns the message that `panic!` was given; `None` when the payload is not text.
    pub fn message(&self) -> Option<&str> {
        let payload = &self.payload;
        payload
            .downcast_ref::<&'static str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
    }

    /// Returns the payload, as [`std::panic::catch_unwind`] gives it.
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        self.payload
    }

    /// Goes on with the panic in the calling thread. Does not run the panic hook again.
    pub fn resume(self) -> ! {
        std::panic::resume_unwind(self.payload)
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Panic")
            .field(&self.message().unwrap_or("a payload that is not text"))
            .finish()
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message().unwrap_or("panicked with a payload that is not text"))
    }
}

impl std::error::Error for Panic {}

/// Calls what a user wrote at a point where a panic has nowhere to go.
pub(crate) fn contain(f: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
        // The payload's destructor may panic too; a second one is leaked rather than let loose.
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(again);
        }
    }
}
