//! The primitives of a readiness: those of `std`, or loom's when a model is checked (`--cfg loom`).

#[cfg(loom)]
pub(super) use loom::sync::{Mutex, MutexGuard, atomic::AtomicUsize};

#[cfg(not(loom))]
pub(super) use std::sync::{Mutex, MutexGuard, atomic::AtomicUsize};
