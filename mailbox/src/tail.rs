//! The tail word: where the next message goes, whether any is accepted, and whom the waker belongs to.
//!
//! The only file that changes it. Every change is a named transition, and every one is a read-modify-write: what was released
//! to the word stays released through all that come after. The protocol is described in the README.
//!
//! ```text
//!  63                 2     1        0
//! | index of the slot  | PARKED | CLOSED |
//! ```

use crate::block::{LAP, NEAR_THE_END, SLOTS};
use crate::sync::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// No message is accepted.
const CLOSED: u64 = 1 << 0;
/// A waker is in its place, and belongs to whoever clears this.
const PARKED: u64 = 1 << 1;
/// One slot.
const ONE: u64 = 1 << 2;

/// The place of a slot: which block, and where in it. One place of each lap is no slot: see [`Index::is_gap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Index(pub(crate) u64);

impl Index {
    /// Returns the place in the block.
    #[inline]
    pub(crate) fn offset(self) -> usize {
        // At most `SLOTS`: it fits.
        (self.0 % LAP) as usize
    }

    /// Says whether it is the place that has no slot: the next block is being installed.
    #[inline]
    pub(crate) fn is_gap(self) -> bool {
        self.offset() == SLOTS
    }

    /// Says whether it is the last slot of its block: its owner installs the next.
    #[inline]
    pub(crate) fn is_last(self) -> bool {
        self.offset() == SLOTS - 1
    }

    /// Says whether it is the slot whose owner sees to it that there is a next block, some time before it is needed.
    #[inline]
    pub(crate) fn is_near_the_end(self) -> bool {
        self.offset() == NEAR_THE_END
    }

    /// Returns the next slot.
    #[inline]
    pub(crate) fn next(self) -> Index {
        Index(self.0 + if self.is_last() { 2 } else { 1 })
    }

    /// Returns how many slots come before this one.
    #[inline]
    pub(crate) fn number(self) -> u64 {
        self.0 - self.0 / LAP
    }

    /// Returns how many slots there are from `head` to this one, or zero if `head` is the later one.
    #[inline]
    pub(crate) fn since(self, head: Index) -> u64 {
        self.number().saturating_sub(head.number())
    }
}

/// What the tail word said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(u64);

impl Word {
    #[inline]
    pub(crate) fn index(self) -> Index {
        Index(self.0 / ONE)
    }

    #[inline]
    pub(crate) fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    #[inline]
    pub(crate) fn is_parked(self) -> bool {
        self.0 & PARKED != 0
    }
}

/// The tail word of one queue.
#[derive(Debug)]
pub(crate) struct Tail(AtomicU64);

impl Tail {
    pub(crate) fn new() -> Tail {
        Tail(AtomicU64::new(0))
    }

    /// Looks. Acquire pairs with the Release of `installed`: who sees a lap begun sees its block; and with those of `close` and
    /// `open`.
    #[inline]
    pub(crate) fn look(&self) -> Word {
        Word(self.0.load(Acquire))
    }

    /// Reserves the slot of a word that was seen. False: the word is another by now. If PARKED was set, the waker is
    /// the caller's.
    ///
    /// Relaxed: the slot's flag releases the message, and `look` has acquired the block. Since an index never comes back, the
    /// block that was looked up in between is the right one if this succeeds.
    #[must_use]
    #[inline]
    pub(crate) fn reserve(&self, word: Word) -> bool {
        let next = (word.0 + ONE) & !PARKED;
        self.0.compare_exchange(word.0, next, Relaxed, Relaxed).is_ok()
    }

    /// Steps over the gap: the next block is there. An addition, so that a bit set meanwhile is not lost.
    pub(crate) fn installed(&self) {
        // Release pairs with the Acquire of `look`.
        let _ = self.0.fetch_add(ONE, Release);
    }

    /// Gives the waker, which is in its place, to whoever comes next. False: the word is another by now, and the waker is
    /// still the caller's, who holds the receiver's lock.
    #[must_use]
    #[inline]
    pub(crate) fn park(&self, word: Word) -> bool {
        // Release pairs with the Acquire of `own_waker`: the waker is read as it was written. Acquire pairs with the Release of
        // `begin_wake`: a wake that came too early to find the waker has its reason seen after this.
        self.0.compare_exchange(word.0, word.0 | PARKED, AcqRel, Relaxed).is_ok()
    }

    /// Takes PARKED back for who holds the receiver's lock. True: the waker is the caller's.
    #[must_use]
    pub(crate) fn unpark(&self) -> bool {
        // Relaxed: the waker was written under the same lock, and is written again under it only.
        self.0.fetch_and(!PARKED, Relaxed) & PARKED != 0
    }

    /// Begins a wake without a message. True: the waker is the caller's.
    ///
    /// Changes the word even when nobody waits: either this finds PARKED, or the receiver's `park` comes later and acquires
    /// this.
    #[must_use]
    pub(crate) fn begin_wake(&self) -> bool {
        let mut word = self.0.load(Relaxed);
        loop {
            // Release pairs with the Acquire of `park`.
            match self.0.compare_exchange(word, word & !PARKED, Release, Relaxed) {
                Ok(_) => return word & PARKED != 0,
                Err(now) => word = now,
            }
        }
    }

    /// Makes who has cleared PARKED without the lock see the waker.
    #[inline]
    pub(crate) fn own_waker(&self) {
        // Acquire pairs with the Release of `park`. Only who waits pays for it.
        let _ = self.0.load(Acquire);
    }

    /// Refuses messages from now on. Returns the end: every slot before it was reserved, and none is after it.
    ///
    /// Release pairs with the Acquire of `look`, also in `open`: who is refused sees what came before the close. The messages are
    /// released by the slots' flags.
    pub(crate) fn close(&self) -> Index {
        Word(self.0.fetch_or(CLOSED, Release)).index()
    }

    /// Accepts messages again.
    pub(crate) fn open(&self) {
        // Release pairs with the Acquire of `look`: who is accepted again sees what came before.
        let _ = self.0.fetch_and(!CLOSED, Release);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn slots_are_numbered_without_the_gaps() {
        let mut index = Index(0);
        for number in 0..1000 {
            assert_eq!(index.number(), number);
            assert!(!index.is_gap());
            if index.is_last() {
                let gap = Index(index.0 + 1);
                assert!(gap.is_gap());
                assert_eq!(gap.number(), number + 1);
            }
            index = index.next();
        }
        assert_eq!(Index(0).since(index), 0);
    }

    #[test]
    fn a_reservation_clears_parked_and_keeps_closed_clear() {
        let tail = Tail::new();
        assert!(tail.park(tail.look()));
        assert!(tail.reserve(tail.look()));
        let word = tail.look();
        assert!(!word.is_parked() && !word.is_closed());
        assert_eq!(word.index(), Index(1));
        assert_eq!(tail.close(), Index(1));
        assert!(tail.look().is_closed());
        tail.open();
        assert_eq!(tail.look(), Word(ONE));
    }
}
