//! Waking: foreign code, whose panic concerns neither who is woken later nor who wakes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// Wakes somebody. A panic of the waker is dropped.
pub(crate) fn wake(waker: Waker) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
        // It may panic when it is dropped.
        std::mem::forget(panic);
    }
}

/// Wakes several.
pub(crate) fn wake_all(wakers: Vec<Waker>) {
    wakers.into_iter().for_each(wake);
}
