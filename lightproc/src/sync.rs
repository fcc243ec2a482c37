//! The primitives of the protocol: those of `std`, or loom's when a model is checked (`--cfg loom`).
//!
//! Knows nothing of processes. `UnsafeCell` has loom's closure form on both sides, so the code is written once. In the
//! crate's own unit tests the atomic counts its locked instructions, so that their number is a test.

#[cfg(loom)]
pub(crate) use loom::{cell::UnsafeCell, sync::atomic::AtomicU64};

#[cfg(all(not(loom), not(test)))]
pub(crate) use std::sync::atomic::AtomicU64;

#[cfg(all(not(loom), test))]
pub(crate) use counted::AtomicU64;

/// `std`'s cell in loom's closure form.
#[cfg(not(loom))]
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        UnsafeCell(std::cell::UnsafeCell::new(value))
    }

    #[inline(always)]
    pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    #[inline(always)]
    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

/// An atomic that counts the locked instructions of its thread.
#[cfg(all(not(loom), test))]
pub(crate) mod counted {
    use std::cell::Cell;
    use std::sync::atomic::{self, Ordering};

    thread_local! {
        static LOCKED: Cell<usize> = const { Cell::new(0) };
    }

    /// Counts the locked instructions of a call.
    pub(crate) fn locked<R>(f: impl FnOnce() -> R) -> (usize, R) {
        let before = LOCKED.get();
        let result = f();
        (LOCKED.get() - before, result)
    }

    fn count() {
        LOCKED.set(LOCKED.get() + 1);
    }

    #[derive(Debug)]
    pub(crate) struct AtomicU64(atomic::AtomicU64);

    impl AtomicU64 {
        pub(crate) fn new(value: u64) -> Self {
            AtomicU64(atomic::AtomicU64::new(value))
        }

        pub(crate) fn load(&self, order: Ordering) -> u64 {
            self.0.load(order)
        }

        pub(crate) fn store(&self, value: u64, order: Ordering) {
            self.0.store(value, order);
        }

        pub(crate) fn fetch_add(&self, value: u64, order: Ordering) -> u64 {
            count();
            self.0.fetch_add(value, order)
        }

        pub(crate) fn fetch_sub(&self, value: u64, order: Ordering) -> u64 {
            count();
            self.0.fetch_sub(value, order)
        }

        pub(crate) fn compare_exchange_weak(
            &self,
            current: u64,
            new: u64,
            success: Ordering,
            failure: Ordering,
        ) -> Result<u64, u64> {
            count();
            self.0.compare_exchange_weak(current, new, success, failure)
        }
    }
}
