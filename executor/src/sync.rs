//! The primitives of whatever threads share: those of `std`, or shuttle's when random schedules are tried (`--cfg shuttle`).
//!
//! The protocols that loom checks too (`idle`, `parker`, `slot`) choose among three of them themselves, because their models build them
//! alone.

#[cfg(shuttle)]
pub(crate) use shuttle::{
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, fence},
    },
    thread, thread_local,
};

#[cfg(not(shuttle))]
pub(crate) use std::{
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, fence},
    },
    thread, thread_local,
};
