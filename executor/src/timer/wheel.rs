//! [`Wheel`]: timers in order of their deadlines, roughly; insert and remove take the same time whatever is in it.
//!
//! A hierarchical timing wheel (Varghese and Lauck, SOSP 1987), in the form of tokio's: level 0 has a slot for each of the
//! next 64 ticks, level 1 one for each of the next 64 times 64, and so on. An entry waits in the level where its deadline first
//! differs from now, and moves to a lower one when its slot is reached. Pure: knows ticks, no clock; `T` is who is to be told.

/// Each level has so many bits of a tick, and a slot for each of their values.
const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
/// Eight levels reach 2^48 ticks. What lies beyond waits in the last slot, and is put in anew when that is reached.
const LEVELS: usize = 8;

/// No entry.
const NONE: u32 = u32::MAX;

/// When so many entries have become free and nothing is in any more, their memory is given back.
const SPARE: usize = 1024;

/// A timer in the wheel, for its removal. Once the timer has left the wheel it fits none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    index: u32,
    /// How many timers had been put in before it.
    number: u64,
}

#[derive(Debug)]
struct Entry<T> {
    /// `None`: the entry is free, and `next` is the next free one.
    timer: Option<T>,
    deadline: u64,
    next: u32,
    /// The one before it; of the first one in its slot: the last.
    previous: u32,
    number: u64,
    level: u8,
    slot: u8,
}

#[derive(Debug)]
struct Level {
    /// A bit for each slot that has entries.
    occupied: u64,
    /// The first entry of each slot.
    first: [u32; SLOTS],
}

#[derive(Debug)]
pub(crate) struct Wheel<T> {
    /// All before this tick, and this tick, is over.
    now: u64,
    levels: [Level; LEVELS],
    entries: Vec<Entry<T>>,
    free: u32,
    len: usize,
    /// How many timers were ever put in.
    inserted: u64,
}

impl<T> Wheel<T> {
    pub(crate) const fn new() -> Wheel<T> {
        const LEVEL: Level = Level { occupied: 0, first: [NONE; SLOTS] };
        let levels = [LEVEL; LEVELS];
        Wheel { now: 0, levels, entries: Vec::new(), free: NONE, len: 0, inserted: 0 }
    }

    /// Lets the time begin anew. It is empty.
    pub(crate) fn restart(&mut self) {
        debug_assert_eq!(self.len, 0, "timers that wait would wait for ever");
        self.now = 0;
    }

    /// Returns how many timers are in it.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Puts a timer in. One whose tick is over already is due at the next [`advance`](Wheel::advance).
    pub(crate) fn insert(&mut self, deadline: u64, timer: T) -> Key {
        let number = self.inserted;
        let index = self.allocate(Entry {
            timer: Some(timer),
            deadline,
            next: NONE,
            previous: NONE,
            number,
            level: 0,
            slot: 0,
        });
        self.link(index);
        self.inserted += 1;
        self.len += 1;
        Key { index, number }
    }

    /// Takes a timer out, if it is in still.
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        self.get_mut(key)?;
        self.unlink(key.index);
        self.release(key.index)
    }

    /// Returns a timer, if it is in still.
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let entry = self.entries.get_mut(key.index as usize)?;
        if entry.number == key.number { entry.timer.as_mut() } else { None }
    }

    /// Returns a tick that no timer is due before, the tick when [`advance`](Wheel::advance) is to be called. It is the first
    /// deadline, or one before it when that is far.
    pub(crate) fn next(&self) -> Option<u64> {
        self.next_slot().map(|(_, _, tick)| tick)
    }

    /// Lets the time go on to `now`, and hands out each timer whose tick is over, in the order of their ticks.
    pub(crate) fn advance(&mut self, now: u64, mut due: impl FnMut(T)) {
        while let Some((level, slot, tick)) = self.next_slot()
            && tick <= now
        {
            self.now = self.now.max(tick);
            let mut index = std::mem::replace(&mut self.levels[level].first[slot], NONE);
            self.levels[level].occupied &= !(1 << slot);
            while index != NONE {
                let next = self.entries[index as usize].next;
                if level == 0 {
                    self.release(index).map(&mut due);
                } else {
                    self.link(index);
                }
                index = next;
            }
        }
        self.now = self.now.max(now);
        self.give_back();
    }

    /// Hands out all timers, due or not.
    pub(crate) fn clear(&mut self, mut out: impl FnMut(T)) {
        for index in 0..self.entries.len() as u32 {
            if self.entries[index as usize].timer.is_some() {
                self.unlink(index);
                self.release(index).map(&mut out);
            }
        }
        self.give_back();
    }

    fn allocate(&mut self, entry: Entry<T>) -> u32 {
        if self.free != NONE {
            let index = self.free;
            self.free = std::mem::replace(&mut self.entries[index as usize], entry).next;
            return index;
        }
        let index = u32::try_from(self.entries.len()).ok().filter(|index| *index != NONE);
        self.entries.push(entry);
        index.expect("fewer than 2^32 - 1 timers at once")
    }

    fn release(&mut self, index: u32) -> Option<T> {
        let entry = &mut self.entries[index as usize];
        entry.next = std::mem::replace(&mut self.free, index);
        self.len -= 1;
        entry.timer.take()
    }

    fn give_back(&mut self) {
        if self.len == 0 && self.entries.len() > SPARE {
            self.entries = Vec::new();
            self.free = NONE;
        }
    }

    /// Puts an entry at the end of its slot.
    fn link(&mut self, index: u32) {
        let (level, slot) = place(self.now, self.entries[index as usize].deadline);
        let first = self.levels[level].first[slot];
        let last = if first == NONE {
            self.levels[level].first[slot] = index;
            self.levels[level].occupied |= 1 << slot;
            index
        } else {
            let last = std::mem::replace(&mut self.entries[first as usize].previous, index);
            self.entries[last as usize].next = index;
            last
        };
        let entry = &mut self.entries[index as usize];
        (entry.next, entry.previous) = (NONE, last);
        (entry.level, entry.slot) = (level as u8, slot as u8);
    }

    fn unlink(&mut self, index: u32) {
        let entry = &self.entries[index as usize];
        let (next, previous) = (entry.next, entry.previous);
        let level = &mut self.levels[usize::from(entry.level)];
        let slot = usize::from(entry.slot);
        let first = level.first[slot];
        // Who was last is known to the first one.
        let behind = if next == NONE { first } else { next };
        self.entries[behind as usize].previous = previous;
        if index != first {
            self.entries[previous as usize].next = next;
        } else {
            level.first[slot] = next;
            if next == NONE {
                level.occupied &= !(1 << slot);
            }
        }
    }

    /// Finds the slot that is reached next, and when that is. A lower level is always reached first.
    fn next_slot(&self) -> Option<(usize, usize, u64)> {
        let (number, level) =
            self.levels.iter().enumerate().find(|(_, level)| level.occupied != 0)?;
        let shift = BITS * number as u32;
        let at = (self.now >> shift) as u32 % SLOTS as u32;
        let ahead = level.occupied.rotate_right(at).trailing_zeros();
        let slot = (at + ahead) as usize % SLOTS;
        let tick = ((self.now >> shift) + u64::from(ahead)) << shift;
        Some((number, slot, tick))
    }
}

/// Says where a timer waits.
fn place(now: u64, deadline: u64) -> (usize, usize) {
    const TOP: u32 = BITS * (LEVELS as u32 - 1);
    // One that is late belongs to the tick that it is now, one that is far to the last slot.
    let furthest = ((now >> TOP).saturating_add(SLOTS as u64 - 1)) << TOP;
    let deadline = deadline.clamp(now, furthest.max(now));
    let differs = (now ^ deadline) | (SLOTS as u64 - 1);
    let level = (differs.ilog2() / BITS).min(LEVELS as u32 - 1);
    let slot = (deadline >> (BITS * level)) as usize % SLOTS;
    (level as usize, slot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64),
        Remove(usize),
        Advance(u64),
        Clear,
    }

    /// Spans of every size: as many of some ticks as of some years.
    fn span() -> impl Strategy<Value = u64> {
        (0_u32..50, any::<u64>()).prop_map(|(bits, random)| random & ((1 << bits) - 1))
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => span().prop_map(Step::Insert),
            4 => any::<usize>().prop_map(Step::Remove),
            4 => span().prop_map(Step::Advance),
            1 => Just(Step::Clear),
        ]
    }

    /// Takes the steps with a wheel and with a map in order of deadlines, which must agree.
    fn check(steps: Vec<Step>) {
        let (mut wheel, mut model) = (Wheel::new(), BTreeMap::new());
        let (mut now, mut keys) = (0_u64, Vec::new());
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Insert(ahead) => {
                    let deadline = now + ahead;
                    keys.push((wheel.insert(deadline, number), deadline, number));
                    model.insert((deadline, number), number);
                }
                Step::Remove(which) if !keys.is_empty() => {
                    let (key, deadline, number) = keys[which % keys.len()];
                    let removed = model.remove(&(deadline, number));
                    assert_eq!(wheel.get_mut(key).copied(), removed);
                    assert_eq!(wheel.remove(key), removed);
                }
                Step::Remove(_) => {}
                Step::Advance(by) => {
                    now += by;
                    let mut due = Vec::new();
                    wheel.advance(now, |number| due.push(number));
                    let later = model.split_off(&(now + 1, 0));
                    let expected = std::mem::replace(&mut model, later);
                    let ticks = due.iter().map(|number| tick(&keys, *number));
                    assert!(ticks.is_sorted(), "in the order of their ticks");
                    due.sort_unstable();
                    let mut expected: Vec<usize> = expected.into_values().collect();
                    expected.sort_unstable();
                    assert_eq!(due, expected);
                }
                Step::Clear => {
                    let mut out = 0;
                    wheel.clear(|_| out += 1);
                    assert_eq!(out, std::mem::take(&mut model).len());
                }
            }
            assert_eq!(wheel.len(), model.len());
            let (next, first) = (wheel.next(), model.first_key_value().map(|(key, _)| key.0));
            assert_eq!(next.is_some(), first.is_some());
            assert!(
                next.is_none_or(|next| next >= now && first.is_some_and(|first| next <= first))
            );
        }
    }

    fn tick(keys: &[(Key, u64, usize)], number: usize) -> u64 {
        keys.iter().find(|(.., of)| *of == number).expect("it was put in").1
    }

    proptest! {
        #[test]
        fn it_does_what_a_sorted_map_does(steps in prop::collection::vec(step(), 0..200)) {
            check(steps);
        }
    }

    #[test]
    fn a_timer_at_the_edge_of_each_level_is_due_in_its_tick() {
        for bits in 0..60 {
            for deadline in [(1_u64 << bits) - 1, 1 << bits, (1 << bits) + 1] {
                for start in [0, 1, 63, 64, 4_095, 1 << 48, (1 << 50) - 1] {
                    let mut wheel = Wheel::new();
                    wheel.advance(start, |()| ());
                    wheel.insert(start + deadline, ());
                    let mut due = 0;
                    if deadline > 0 {
                        wheel.advance(start + deadline - 1, |()| due += 1);
                        assert_eq!(due, 0, "{start} {deadline}");
                    }
                    wheel.advance(start + deadline, |()| due += 1);
                    assert_eq!(due, 1, "{start} {deadline}");
                }
            }
        }
    }

    #[test]
    fn timers_of_one_tick_come_in_the_order_of_their_making() {
        let mut wheel = Wheel::new();
        for number in 0..100 {
            wheel.insert(50, number);
        }
        let mut due = Vec::new();
        wheel.advance(50, |number| due.push(number));
        assert_eq!(due, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn the_memory_of_many_is_given_back() {
        let mut wheel = Wheel::new();
        let keys: Vec<Key> = (0..100_000).map(|number| wheel.insert(number, number)).collect();
        wheel.advance(100_000, |_| ());
        assert_eq!(wheel.entries.capacity(), 0);
        // An old key does not fit what is in its place now.
        wheel.insert(200_000, 7);
        assert_eq!(wheel.remove(keys[0]), None);
        assert_eq!(wheel.len(), 1);
    }
}
