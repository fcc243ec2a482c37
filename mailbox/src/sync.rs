//! The primitives of the protocol: those of `std`, or loom's when a model is checked (`--cfg loom`).
//!
//! Knows nothing of queues. `UnsafeCell` has loom's closure form on both sides, so the code is written once. In the crate's
//! own unit tests the atomics count their locked instructions, so that their number is a test.

use std::sync::PoisonError;

#[cfg(loom)]
pub(crate) use loom::{
    cell::UnsafeCell,
    sync::Mutex,
    sync::MutexGuard,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, fence},
};

#[cfg(not(loom))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicUsize, fence},
};

#[cfg(all(not(loom), not(test)))]
pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU64};

#[cfg(all(not(loom), test))]
pub(crate) use counted::{AtomicPtr, AtomicU8, AtomicU64};

/// Locks a mutex under which nothing panics.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets other threads run, if any wants this processor.
#[cold]
pub(crate) fn give_way() {
    #[cfg(not(loom))]
    std::thread::yield_now();
    #[cfg(loom)]
    loom::thread::yield_now();
}

/// Waits for another thread to do a few instructions: a moment first, then by giving way, since it may not be running.
#[derive(Default)]
pub(crate) struct Wait {
    rounds: u32,
}

impl Wait {
    /// Rounds that do not give way. A slot is written in less, by a sender that runs; for one that was interrupted, with more
    /// threads than processors, each round more is lost (measured: with 32, eight senders on two processors took 40 % longer).
    const SHORT: u32 = 4;

    /// Waits a moment, as often as is asked.
    #[cold]
    pub(crate) fn longer(&mut self) {
        if !self.shortly() {
            give_way();
        }
    }

    /// Waits a moment without giving way; false when that was tried often enough. A model knows no time: there it is at once.
    #[cold]
    pub(crate) fn shortly(&mut self) -> bool {
        if cfg!(loom) || self.rounds == Self::SHORT {
            return false;
        }
        self.rounds += 1;
        std::hint::spin_loop();
        true
    }
}

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

/// Atomics that count the locked instructions of their thread.
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

    /// An atomic that counts: `counted!(name, type, the type of its value)`.
    macro_rules! counted {
        ($name:ident $(<$of:ident>)?, $value:ty, $($arithmetic:ident)*) => {
            #[derive(Debug)]
            pub(crate) struct $name $(<$of>)? (atomic::$name $(<$of>)?);

            impl $(<$of>)? $name $(<$of>)? {
                pub(crate) const fn new(value: $value) -> Self {
                    $name(atomic::$name::new(value))
                }

                pub(crate) fn load(&self, order: Ordering) -> $value {
                    self.0.load(order)
                }

                #[allow(dead_code, reason = "not each of them is stored to")]
                pub(crate) fn store(&self, value: $value, order: Ordering) {
                    self.0.store(value, order);
                }

                pub(crate) fn compare_exchange(
                    &self,
                    current: $value,
                    new: $value,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$value, $value> {
                    LOCKED.set(LOCKED.get() + 1);
                    self.0.compare_exchange(current, new, success, failure)
                }

                $(pub(crate) fn $arithmetic(&self, value: $value, order: Ordering) -> $value {
                    LOCKED.set(LOCKED.get() + 1);
                    self.0.$arithmetic(value, order)
                })*
            }
        };
    }

    counted!(AtomicU8, u8, fetch_and fetch_or);
    counted!(AtomicU64, u64, fetch_add fetch_and fetch_or);
    counted!(AtomicPtr<T>, *mut T,);
}
