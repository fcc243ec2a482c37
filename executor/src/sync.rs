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

/// Says whether a thread has ended, as far as shuttle can tell.
#[cfg(shuttle)]
pub(crate) fn has_ended<T>(_: &thread::JoinHandle<T>) -> bool {
    false
}

/// Says whether a thread has ended.
#[cfg(not(shuttle))]
pub(crate) fn has_ended<T>(thread: &thread::JoinHandle<T>) -> bool {
    thread.is_finished()
}

/// The time for who looks how long polls take: each look is a moment later, so schedules come out the same again, and polls are short.
#[cfg(shuttle)]
pub(crate) fn now() -> std::time::Instant {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use std::time::{Duration, Instant};
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    static LOOKS: AtomicU64 = AtomicU64::new(0);
    *START + Duration::from_micros(LOOKS.fetch_add(1, Relaxed))
}

/// The time for who looks how long polls take.
#[cfg(not(shuttle))]
#[inline]
pub(crate) fn now() -> std::time::Instant {
    std::time::Instant::now()
}

#[cfg(not(shuttle))]
pub(crate) use std::{
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, fence},
    },
    thread, thread_local,
};
