//! How a process ended: with its output, by a panic, or cancelled.
//!
//! Plain values. Knows nothing of the state word or of memory.

use crate::panic::Panic;

/// How a process ended.
#[derive(Debug)]
#[must_use]
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
