//! What the subjects are told before they start: how many workers they have and, for ours alone, what the environment says.

use bastion_executor::{BadVariable, Builder};
use std::sync::OnceLock;

/// How many workers a subject has when nobody says.
pub(crate) const DEFAULT_WORKERS: usize = 2;

static WORKERS: OnceLock<usize> = OnceLock::new();

/// Sets the number of workers of every subject. The first word counts, and it must come before any subject starts.
pub(crate) fn set_workers(workers: usize) {
    let _ = WORKERS.set(workers);
}

/// Returns how many worker threads every subject has.
pub(crate) fn workers() -> usize {
    WORKERS.get().copied().unwrap_or(DEFAULT_WORKERS)
}

/// Returns whether somebody has said how many workers there are. If not, ours takes what the environment says.
pub(crate) fn workers_are_set() -> bool {
    WORKERS.get().is_some()
}

/// Describes our executor: by the environment, but with the number of workers that was set for all subjects.
///
/// # Panics
/// When a variable has a value that means nothing; see [`check`].
pub(crate) fn builder() -> Builder {
    let builder = match Builder::from_env() {
        Ok(builder) => builder,
        Err(error) => panic!("{error}"),
    };
    match WORKERS.get() {
        Some(workers) => builder.workers(*workers),
        None => builder,
    }
}

/// Looks at the environment before anything is measured: figures of other settings than those that were asked for are worse
/// than none.
///
/// # Errors
/// The variable whose value means nothing.
pub(crate) fn check() -> Result<(), BadVariable> {
    Builder::from_env().map(drop)
}
