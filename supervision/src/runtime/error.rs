//! [`RuntimeError`]: there is nothing to run on.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// There is no runtime, or none could be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RuntimeError {
    /// The caller runs on no runtime that can run processes.
    Missing,
    /// The threads of a subtree's own runtime could not be started.
    Threads {
        /// How many were asked for.
        threads: usize,
        /// Why they were not started.
        cause: Arc<dyn Error + Send + Sync>,
    },
    /// The subtree's own runtime has ended, as its supervisor has.
    Ended,
}

impl fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RuntimeError::Missing => f.write_str("there is no runtime here to run processes on"),
            RuntimeError::Threads { threads, cause } => {
                write!(f, "a runtime with {threads} threads cannot be made: {cause}")
            }
            RuntimeError::Ended => f.write_str("the runtime of the subtree has ended"),
        }
    }
}

impl Error for RuntimeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            RuntimeError::Threads { cause, .. } => Some(&**cause),
            _ => None,
        }
    }
}
