//! Data of one process, and the hooks that run with it.
//!
//! Any `Hooks` type can travel inside the process's allocation. `()` is the empty one: it costs no byte and, since the
//! provided methods are empty and inlined, no instruction.

use crate::panic::Panic;
use crate::stack::ProcStack;

/// Data that a process carries, with hooks into its life. Each hook runs at most once.
///
/// A process that is cancelled, or dropped because nothing can wake it, calls none at its end: what must happen in any case
/// belongs into the data's `Drop`.
///
/// Hooks get `&self`, because handles may read the data at the same time.
///
/// # Panics
/// A panic in [`before_start`](Hooks::before_start) ends the process as a panic of its own would; a panic in the others
/// is caught and dropped, since the process has ended by then.
pub trait Hooks: Send + Sync + 'static {
    /// Runs before the first poll.
    #[inline]
    fn before_start(&self) {}

    /// Runs after the future has returned and was dropped, before its handle learns of it; not if that drop panicked.
    #[inline]
    fn after_complete(&self) {}

    /// Runs after a panic of the start hook, of a poll, or of the future's drop after it has returned, before its handle
    /// learns of it.
    #[inline]
    fn after_panic(&self) {}

    /// Runs with the process's panic when nobody can learn of it any more, just before it is dropped: because the process has no handle,
    /// or when the handle is dropped, on whatever thread, without having been asked after the end.
    #[inline]
    fn unheard(&self, panic: &Panic) {
        let _ = panic;
    }

    /// Returns the [`ProcStack`] that the data are or hold: it is found as they are, by
    /// [`LightProc::data`](crate::LightProc::data) and `stack`.
    #[inline]
    fn stack(&self) -> Option<&ProcStack> {
        None
    }
}

impl Hooks for () {}
