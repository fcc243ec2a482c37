//! A block: some slots for messages, a flag for each, and the next block.
//!
//! Knows neither who may touch a slot nor when: see the README. The messages in it are not dropped with it.

use crate::sync::{AtomicBool, AtomicPtr, UnsafeCell};
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// Places in a lap: the slots of a block, and the gap. Few in a model, so that it comes to the end of a block.
pub(crate) const LAP: u64 = if cfg!(loom) { 4 } else { 32 };

/// Slots in a block.
pub(crate) const SLOTS: usize = LAP as usize - 1;

/// The slot whose owner allocates the next block: so early that everybody need not wait for it at the end, and so late that a
/// receiver that is close behind has left a used one.
pub(crate) const NEAR_THE_END: usize = if cfg!(loom) { 1 } else { SLOTS - 8 };

pub(crate) struct Block<M> {
    /// Null, or the block after this one.
    next: AtomicPtr<Block<M>>,
    /// Which slots hold a message, from the sender's store on until the block is used again.
    ready: [AtomicBool; SLOTS],
    /// Each is written by the sender who has reserved it, while its flag is clear; after that it is read by whoever holds the
    /// receiver's lock, once.
    slots: [UnsafeCell<MaybeUninit<M>>; SLOTS],
}

impl<M> Block<M> {
    /// Allocates a block, straight in its place: with large messages it is too large for a stack.
    pub(crate) fn allocate() -> NonNull<Block<M>> {
        let mut block = Box::<Block<M>>::new_uninit();
        let start = block.as_mut_ptr();
        // SAFETY: `start` points to the room of a whole block that nobody else knows. No reference is made to what is not
        // yet written.
        unsafe {
            (&raw mut (*start).next).write(AtomicPtr::new(ptr::null_mut()));
            (&raw mut (*start).ready).write(Self::none_ready());
            let slots = (&raw mut (*start).slots).cast::<UnsafeCell<MaybeUninit<M>>>();
            for offset in 0..SLOTS {
                slots.add(offset).write(UnsafeCell::new(MaybeUninit::uninit()));
            }
        }
        // SAFETY: all its fields were written just now.
        let block = unsafe { block.assume_init() };
        NonNull::from(Box::leak(block))
    }

    fn none_ready() -> [AtomicBool; SLOTS] {
        std::array::from_fn(|_| AtomicBool::new(false))
    }

    /// Frees a block.
    ///
    /// # Safety
    /// It comes from `allocate`, nobody else will touch it any more, and its messages were taken out.
    pub(crate) unsafe fn free(block: NonNull<Block<M>>) {
        // SAFETY: `allocate` has leaked a box, and the caller promises that it is nobody's else.
        drop(unsafe { Box::from_raw(block.as_ptr()) });
    }

    /// Makes a used block as good as new.
    ///
    /// # Safety
    /// Nobody else can reach it, and its messages were taken out.
    pub(crate) unsafe fn renew(block: NonNull<Block<M>>) {
        // SAFETY: the caller promises that this reference is the only one.
        let block = unsafe { &mut *block.as_ptr() };
        block.next = AtomicPtr::new(ptr::null_mut());
        block.ready = Self::none_ready();
    }

    /// Puts a message into a slot.
    ///
    /// # Safety
    /// The caller has reserved this slot, and calls this once. It must not touch the block any more: the receiver may free it.
    #[inline]
    pub(crate) unsafe fn write(block: NonNull<Block<M>>, offset: usize, message: M) {
        // SAFETY: a block lives as long as one of its slots was not read, and the caller's is not even written. No reference
        // to the block is an argument here, since it may be gone when this returns.
        let (slot, ready) = unsafe { (&(*block.as_ptr()).slots[offset], &(*block.as_ptr()).ready) };
        // SAFETY: a reserved slot is the caller's alone until its flag is set. Who reserved it has acquired that the block was
        // made or renewed, and so that an earlier message was read.
        slot.with_mut(|slot| unsafe { (*slot).write(message) });
        // Release pairs with the Acquire of `is_ready`.
        ready[offset].store(true, Release);
    }

    /// Says whether a slot holds a message.
    #[inline]
    pub(crate) fn is_ready(&self, offset: usize) -> bool {
        // Acquire pairs with the Release of `write`: the message, and for the last slot the next block.
        self.ready[offset].load(Acquire)
    }

    /// Takes a message out of a slot.
    ///
    /// # Safety
    /// `is_ready` said so to who holds the receiver's lock, and no message is taken out twice.
    #[inline]
    pub(crate) unsafe fn read(&self, offset: usize) -> M {
        // SAFETY: the flag says that a message is there, and the caller that it still is.
        self.slots[offset].with(|slot| unsafe { (*slot).assume_init_read() })
    }

    /// Returns the next block to who has seen the last slot ready, or to who is alone: it was installed before.
    #[inline]
    pub(crate) fn installed_next(&self) -> Option<NonNull<Block<M>>> {
        // Relaxed: `is_ready` has acquired it.
        NonNull::new(self.next.load(Relaxed))
    }

    /// Returns the next block to who has reserved a slot: the one that the receiver has left here, or a new one.
    pub(crate) fn next_or_new(&self) -> NonNull<Block<M>> {
        // Acquire, here and below, pairs with the Release below, of another sender, and with that of `leave_next`: the block is
        // made, or renewed and its slots were read.
        if let Some(next) = NonNull::new(self.next.load(Acquire)) {
            return next;
        }
        let new = Self::allocate();
        match self.next.compare_exchange(ptr::null_mut(), new.as_ptr(), Release, Acquire) {
            Ok(_) => new,
            Err(left) => {
                // SAFETY: it is new, empty, and nobody has heard of it.
                unsafe { Self::free(new) };
                // SAFETY: what is not null here is a block.
                unsafe { NonNull::new_unchecked(left) }
            }
        }
    }

    /// Leaves a renewed block for who will need a next one. `Err`: there is one already, and the block is still the caller's.
    pub(crate) fn leave_next(&self, block: NonNull<Block<M>>) -> Result<(), NonNull<Block<M>>> {
        // Acquire, here and below, as in `next_or_new`; Release pairs with that.
        if let Some(next) = NonNull::new(self.next.load(Acquire)) {
            return Err(next);
        }
        let left = self.next.compare_exchange(ptr::null_mut(), block.as_ptr(), Release, Acquire);
        // SAFETY: what is not null here is a block.
        left.map(drop).map_err(|next| unsafe { NonNull::new_unchecked(next) })
    }
}
