//! [`Slot`]: the place for one process that its worker runs next, and that another may take away when the worker does not.
//!
//! The worker alone puts in, so it needs a locked instruction only when something is in; whoever takes out needs one. Knows
//! no worker and no queue.

#[cfg(loom)]
use loom::sync::atomic::AtomicPtr;
#[cfg(shuttle)]
use shuttle::sync::atomic::AtomicPtr;
#[cfg(not(any(loom, shuttle)))]
use std::sync::atomic::AtomicPtr;

use lightproc::LightProc;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// A place for one process.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Null, or of [`LightProc::into_raw`].
    process: AtomicPtr<()>,
}

impl Slot {
    pub(crate) fn new() -> Slot {
        Slot { process: AtomicPtr::new(null_mut()) }
    }

    /// Puts a process in, and returns the one that was there. Only the slot's worker may call this.
    #[inline]
    pub(crate) fn put(&self, process: LightProc) -> Option<LightProc> {
        let pointer = process.into_raw().as_ptr();
        if self.process.load(Relaxed).is_null() {
            // Nobody else puts in, so it is null still. Release pairs with the Acquire of the one who takes it.
            self.process.store(pointer, Release);
            return None;
        }
        // Somebody may take it out meanwhile. Release as above; what is displaced is this thread's own.
        owned(self.process.swap(pointer, Release))
    }

    /// Takes the process out. Anybody may call this.
    #[inline]
    pub(crate) fn take(&self) -> Option<LightProc> {
        if self.is_empty() {
            return None;
        }
        // Pairs with the Release of `put`.
        owned(self.process.swap(null_mut(), Acquire))
    }

    /// Says whether nothing is in.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.process.load(Relaxed).is_null()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        drop(self.take());
    }
}

#[inline]
fn owned(pointer: *mut ()) -> Option<LightProc> {
    let pointer = NonNull::new(pointer)?;
    // SAFETY: `put` has turned the process into this pointer. A pointer leaves the slot by a swap, so once. On another thread than the
    // one that put it in, that swap has acquired what was released when it went in.
    Some(unsafe { LightProc::from_raw(pointer) })
}
