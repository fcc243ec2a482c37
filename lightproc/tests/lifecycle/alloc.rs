//! An allocator that counts, thread by thread, what is allocated and freed, and spoils what was freed.
//!
//! A thread sees only its own counts, so tests that run beside each other do not disturb each other.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// What the calling thread has allocated and freed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Heap {
    /// Allocations ever made.
    pub(crate) made: isize,
    /// Allocations that live.
    pub(crate) blocks: isize,
    /// The bytes of those that live.
    pub(crate) bytes: isize,
}

impl Heap {
    /// Returns the counts of now.
    pub(crate) fn now() -> Heap {
        HEAP.get()
    }

    /// Returns what has been added since then.
    pub(crate) fn since(then: Heap) -> Heap {
        let now = Heap::now();
        Heap {
            made: now.made - then.made,
            blocks: now.blocks - then.blocks,
            bytes: now.bytes - then.bytes,
        }
    }
}

thread_local! {
    static HEAP: Cell<Heap> = const { Cell::new(Heap { made: 0, blocks: 0, bytes: 0 }) };
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: the memory is the system allocator's; what is added touches no memory that somebody may use.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let heap = HEAP.get();
        HEAP.set(Heap {
            made: heap.made + 1,
            blocks: heap.blocks + 1,
            bytes: heap.bytes + layout.size().cast_signed(),
        });
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        let heap = HEAP.get();
        HEAP.set(Heap {
            blocks: heap.blocks - 1,
            bytes: heap.bytes - layout.size().cast_signed(),
            ..heap
        });
        // SAFETY: the caller gives the allocation up, which has this size: nobody else reads it any more. Whoever does
        // so all the same finds a vtable that leads nowhere.
        unsafe { memory.write_bytes(0xA5, layout.size()) };
        let memory = std::hint::black_box(memory);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}
