//! Where the memory of processes comes from: the global allocator; or, with the feature `magazines`, freed blocks first.
//!
//! Each thread keeps two magazines of freed blocks for each size class. A full pair gives one magazine to a depot that
//! all threads share, an empty pair takes one from it, so that blocks which one thread allocates and another frees come
//! back in bulk (after Bonwick's magazines, USENIX 2001). Every block was allocated on its own, with the size of its
//! class: whoever has it may keep it, pass it on, or give it back to the global allocator. Knows nothing of processes.

#[cfg(not(all(feature = "magazines", not(loom))))]
pub(crate) use std::alloc::{alloc, dealloc};

#[cfg(all(feature = "magazines", not(loom)))]
pub(crate) use magazines::{alloc, dealloc};

#[cfg(all(feature = "magazines", not(loom)))]
mod magazines {
    use std::alloc::Layout;
    use std::cell::Cell;
    use std::ptr::null_mut;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// Sizes are rounded up to a multiple of this, which is also the largest alignment.
    const GRAIN: usize = 16;
    /// Larger blocks are left to the global allocator.
    const LARGEST: usize = 512;
    const CLASSES: usize = LARGEST / GRAIN + 1;
    /// A magazine has so many bytes at most, in 8 blocks or more. A thread has two for each size class, 250 KiB in all.
    const MAGAZINE: usize = 4096;
    /// So many magazines lie in the depot for each size class, 8 MiB in all; one more for each thread that came at once.
    const DEPOT: usize = 64;

    /// A freed block.
    struct Block {
        /// The next block of its magazine.
        next: *mut Block,
        /// The next magazine of the depot, if this block is the first of one.
        next_magazine: *mut Block,
    }

    /// How many blocks make a full magazine.
    const fn full(class: usize) -> u32 {
        (MAGAZINE / (class * GRAIN)) as u32
    }

    fn layout(class: usize) -> Layout {
        match Layout::from_size_align(class * GRAIN, GRAIN) {
            Ok(layout) => layout,
            Err(_) => unreachable!("a multiple of the grain, and small"),
        }
    }

    /// Returns the size class of a layout, if it has one.
    #[inline(always)]
    const fn class(layout: Layout) -> Option<usize> {
        let small = layout.size() <= LARGEST && layout.align() <= GRAIN;
        if small { Some(layout.size().div_ceil(GRAIN)) } else { None }
    }

    /// A list of freed blocks of one size.
    #[derive(Clone, Copy)]
    struct Magazine {
        first: *mut Block,
        count: u32,
    }

    const EMPTY: Magazine = Magazine { first: null_mut(), count: 0 };

    impl Magazine {
        /// Gives every block back to the global allocator.
        ///
        /// # Safety
        /// The blocks are of that class, and the caller's.
        unsafe fn give_back(self, class: usize) {
            let mut next = self.first;
            while !next.is_null() {
                let block = next;
                // SAFETY: a block of ours, which was written when it was freed.
                next = unsafe { (*block).next };
                // SAFETY: allocated with this layout, and not used again.
                unsafe { std::alloc::dealloc(block.cast(), layout(class)) };
            }
        }
    }

    /// What a thread keeps of one size class.
    struct Pair {
        loaded: Cell<Magazine>,
        /// Full or empty.
        spare: Cell<Magazine>,
    }

    struct Pairs([Pair; CLASSES]);

    thread_local! {
        static PAIRS: Pairs = const {
            Pairs([const { Pair { loaded: Cell::new(EMPTY), spare: Cell::new(EMPTY) } }; CLASSES])
        };
    }

    impl Drop for Pairs {
        fn drop(&mut self) {
            for (class, pair) in self.0.iter().enumerate().skip(1) {
                for magazine in [pair.loaded.replace(EMPTY), pair.spare.replace(EMPTY)] {
                    // SAFETY: the blocks are of that class, and this thread's.
                    unsafe { magazine.give_back(class) };
                }
            }
        }
    }

    /// The full magazines of one size class that no thread has.
    struct Shelf {
        /// Changed under the lock.
        count: AtomicUsize,
        first: Mutex<First>,
    }

    struct First(*mut Block);

    // SAFETY: the blocks belong to the depot, and move with it from thread to thread under its lock.
    unsafe impl Send for First {}

    static SHELVES: [Shelf; CLASSES] =
        [const { Shelf { count: AtomicUsize::new(0), first: Mutex::new(First(null_mut())) } };
            CLASSES];

    impl Shelf {
        fn lock(&self) -> MutexGuard<'_, First> {
            self.first.lock().unwrap_or_else(PoisonError::into_inner)
        }

        /// Puts a full magazine on the shelf; false when that is full.
        fn put(&self, magazine: Magazine) -> bool {
            // A guess without the lock: the count is changed under it only, and nothing breaks by a few too many.
            if self.count.load(Relaxed) >= DEPOT {
                return false;
            }
            let mut first = self.lock();
            // SAFETY: the first block of a full magazine, which the caller gives away.
            unsafe { (*magazine.first).next_magazine = first.0 };
            first.0 = magazine.first;
            self.count.store(self.count.load(Relaxed) + 1, Relaxed);
            true
        }

        /// Takes a full magazine off the shelf, if there is one.
        fn take(&self, class: usize) -> Option<Magazine> {
            if self.count.load(Relaxed) == 0 {
                return None;
            }
            let mut shelf = self.lock();
            let first = shelf.0;
            if first.is_null() {
                return None;
            }
            // SAFETY: the first block of a full magazine, whose link `put` has written.
            shelf.0 = unsafe { (*first).next_magazine };
            self.count.store(self.count.load(Relaxed) - 1, Relaxed);
            Some(Magazine { first, count: full(class) })
        }
    }

    /// Allocates as the global allocator does; a block that has a size class is as large as that.
    ///
    /// # Safety
    /// As for [`std::alloc::alloc`].
    #[inline]
    pub(crate) unsafe fn alloc(layout: Layout) -> *mut u8 {
        let Some(class) = class(layout) else {
            // SAFETY: the caller's promise.
            return unsafe { std::alloc::alloc(layout) };
        };
        let kept = PAIRS.try_with(|pairs| {
            let pair = &pairs.0[class];
            let mut loaded = pair.loaded.get();
            if loaded.first.is_null() {
                loaded = refill(pair, class);
            }
            let block = loaded.first;
            if !block.is_null() {
                // SAFETY: a block of ours, which was written when it was freed.
                let next = unsafe { (*block).next };
                pair.loaded.set(Magazine { first: next, count: loaded.count - 1 });
            }
            block
        });
        match kept {
            Ok(block) if !block.is_null() => block.cast(),
            // SAFETY: the layout of a class is not zero-sized, since the caller's is not.
            _ => unsafe { std::alloc::alloc(self::layout(class)) },
        }
    }

    /// Returns a magazine in place of an empty one: the spare one, or one of the depot, or an empty one.
    #[cold]
    fn refill(pair: &Pair, class: usize) -> Magazine {
        let spare = pair.spare.replace(EMPTY);
        if spare.first.is_null() { SHELVES[class].take(class).unwrap_or(EMPTY) } else { spare }
    }

    /// Frees what [`alloc`] has allocated, on whatever thread.
    ///
    /// # Safety
    /// As for [`std::alloc::dealloc`], for a block that `alloc` has returned.
    #[inline]
    pub(crate) unsafe fn dealloc(place: *mut u8, layout: Layout) {
        let Some(class) = class(layout) else {
            // SAFETY: the caller's promise.
            return unsafe { std::alloc::dealloc(place, layout) };
        };
        let kept = PAIRS.try_with(|pairs| {
            let pair = &pairs.0[class];
            let mut loaded = pair.loaded.get();
            if loaded.count == full(class) {
                store(pair, class, loaded);
                loaded = EMPTY;
            }
            let block = place.cast::<Block>();
            // SAFETY: the block is the caller's to free, as large as its class and aligned to the grain.
            unsafe { block.write(Block { next: loaded.first, next_magazine: null_mut() }) };
            pair.loaded.set(Magazine { first: block, count: loaded.count + 1 });
        });
        if kept.is_err() {
            // The thread is ending and has no magazines any more.
            // SAFETY: allocated with the layout of its class.
            unsafe { std::alloc::dealloc(place, self::layout(class)) };
        }
    }

    /// Makes a full magazine the spare one; the old spare one goes to the depot or, when that is full, back.
    #[cold]
    fn store(pair: &Pair, class: usize, loaded: Magazine) {
        let spare = pair.spare.replace(loaded);
        if !spare.first.is_null() && !SHELVES[class].put(spare) {
            // SAFETY: the blocks are of that class, and this thread's.
            unsafe { spare.give_back(class) };
        }
    }
}
