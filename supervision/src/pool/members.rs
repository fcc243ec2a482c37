//! Which slots have a worker that takes messages: a list that senders read without a lock.

use crate::sync::lock;
use std::sync::Mutex;
use std::sync::atomic::{
    AtomicUsize,
    Ordering::{Relaxed, SeqCst},
};

/// The slots in use, dense, in no order. A reader may see it while it changes: then it finds a slot twice, or one that has just left, whose queue is closed.
pub(super) struct Members {
    slots: Box<[AtomicUsize]>,
    count: AtomicUsize,
    /// Held while the list is changed; nothing foreign runs then.
    changing: Mutex<()>,
}

impl Members {
    /// An empty list, with room for so many.
    pub(super) fn new(room: usize) -> Members {
        let slots = (0..room).map(|_| AtomicUsize::new(0)).collect();
        Members { slots, count: AtomicUsize::new(0), changing: Mutex::new(()) }
    }

    pub(super) fn count(&self) -> usize {
        self.count.load(SeqCst)
    }

    /// Returns the slot at a place below the count.
    pub(super) fn at(&self, place: usize) -> usize {
        self.slots[place].load(Relaxed)
    }

    /// Returns all of them, each once.
    pub(super) fn all(&self) -> Vec<usize> {
        let _changing = lock(&self.changing);
        (0..self.count()).map(|place| self.at(place)).collect()
    }

    pub(super) fn add(&self, slot: usize) {
        let _changing = lock(&self.changing);
        let count = self.count();
        self.slots[count].store(slot, Relaxed);
        self.count.store(count + 1, SeqCst);
    }

    pub(super) fn remove(&self, slot: usize) {
        let _changing = lock(&self.changing);
        let last = self.count() - 1;
        let Some(place) = (0..=last).find(|place| self.at(*place) == slot) else { return };
        self.slots[place].store(self.at(last), Relaxed);
        self.count.store(last, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_is_there_and_who_goes_is_not() {
        let members = Members::new(4);
        let now = || {
            let mut now = members.all();
            now.sort_unstable();
            now
        };
        for slot in [2, 0, 3] {
            members.add(slot);
        }
        assert_eq!(now(), [0, 2, 3]);
        members.remove(2);
        assert_eq!(now(), [0, 3]);
        members.remove(3);
        members.add(1);
        assert_eq!(now(), [0, 1]);
        members.remove(0);
        members.remove(1);
        assert_eq!(now(), []);
    }

    #[test]
    fn while_others_come_and_go_each_is_there_once() {
        let members = Members::new(3);
        (0..3).for_each(|slot| members.add(slot));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..20_000 {
                    // The last one takes its place.
                    members.remove(0);
                    members.add(0);
                    members.remove(1);
                    members.add(1);
                }
            });
            for _ in 0..20_000 {
                let mut all = members.all();
                let count = all.len();
                all.sort_unstable();
                all.dedup();
                assert!(all.len() == count && all.contains(&2), "{all:?}");
            }
        });
    }
}
