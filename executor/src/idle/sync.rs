//! The primitives of the idle protocol: those of `std`, or loom's when a model is checked (`--cfg loom`).

#[cfg(loom)]
pub(super) use loom::{
    sync::atomic::{AtomicBool, AtomicUsize, fence},
    sync::{Mutex, MutexGuard},
};

#[cfg(not(loom))]
pub(super) use std::{
    sync::atomic::{AtomicBool, AtomicUsize, fence},
    sync::{Mutex, MutexGuard},
};
