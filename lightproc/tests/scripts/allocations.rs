//! An allocator that counts, for each thread, the allocations that live.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

/// Returns how many more allocations than deallocations this thread has made.
pub(crate) fn live() -> isize {
    LIVE.get()
}

fn count(change: isize) {
    // A thread that is ending has no place for the number any more.
    let _ = LIVE.try_with(|live| live.set(live.get() + change));
}

// SAFETY: every call is handed to the system's allocator unchanged; counting changes one number of this thread, without
// a destructor and so without an allocation.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1);
        // SAFETY: the caller's promise about the layout is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        count(-1);
        // SAFETY: the caller's promise is passed on; `start` came from the system's allocator, by `alloc`.
        unsafe { System.dealloc(start, layout) }
    }
}
