//! The primitives of the idle protocol: those of `std`, or loom's when a model is checked (`--cfg loom`), or shuttle's (`--cfg shuttle`).

#[cfg(loom)]
pub(super) use loom::{
    sync::atomic::{AtomicBool, AtomicUsize, fence},
    sync::{Mutex, MutexGuard},
};

#[cfg(shuttle)]
pub(super) use shuttle::{
    sync::atomic::{AtomicBool, AtomicUsize, fence},
    sync::{Mutex, MutexGuard},
};

#[cfg(not(any(loom, shuttle)))]
pub(super) use std::{
    sync::atomic::{AtomicBool, AtomicUsize, fence},
    sync::{Mutex, MutexGuard},
};
