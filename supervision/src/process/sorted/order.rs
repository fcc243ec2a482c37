//! Messages in the order in which they are received: by priority, then by arrival; with an index by key, and a sum of weights.
//!
//! Knows no process, lock or waker, and calls nothing foreign: what there is to know of a message is in its [`Tag`].

use super::key::Key;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::{iter, mem};

/// What the mailbox knows of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tag {
    /// Higher ones are received first.
    pub(super) priority: u8,
    pub(super) weight: usize,
    /// A newer message with the same key takes its place.
    pub(super) key: Option<Key>,
}

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) messages: usize,
    pub(super) weight: usize,
}

/// Where a message stands: those of the highest priority first, in the order of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place(Reverse<u8>, i64);

struct Entry<M> {
    message: M,
    weight: usize,
    /// Under which it is found. Not every message that has a key is: see [`Order::put_back`].
    key: Option<Key>,
}

pub(super) struct Order<M> {
    entries: BTreeMap<Place, Entry<M>>,
    by_key: HashMap<Key, Place>,
    /// The sum of all weights, each of which is a `usize`.
    weight: u128,
    /// The number of the next message at the end.
    next: i64,
    /// The number of the last one that was put in front.
    front: i64,
}

impl<M> Order<M> {
    pub(super) fn new() -> Order<M> {
        let (entries, by_key) = (BTreeMap::new(), HashMap::new());
        Order { entries, by_key, weight: 0, next: 0, front: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Says whether there may be room for another message.
    pub(super) fn has_room(&self, limits: Limits) -> bool {
        self.entries.len() < limits.messages && self.weight <= limits.weight as u128
    }

    /// Queues a message, if there is room. One whose key waits takes the place of the older one, which is returned, so that what is updated often has
    /// its turn; if its own priority is the higher one, it is queued there instead.
    pub(super) fn accept(
        &mut self,
        tag: Tag,
        message: M,
        limits: Limits,
    ) -> Result<Option<M>, (Tag, M)> {
        let older = self.older(&tag);
        let (count, weight) = self.without(older);
        if !is_in(limits, count, weight, tag.weight) {
            // One that makes nothing fuller is never refused: there may be more than the limits say, since some were put back.
            let same = older.is_some_and(|place| self.entries[&place].weight >= tag.weight);
            if !same {
                return Err((tag, message));
            }
        }
        let superseded = older.and_then(|place| self.remove(place));
        let place = match older {
            Some(place) if place.0.0 >= tag.priority => place,
            _ => {
                self.next += 1;
                Place(Reverse(tag.priority), self.next)
            }
        };
        self.insert(place, tag, message);
        Ok(superseded)
    }

    /// Takes out what has to go so that there is room for a message: the oldest ones of the lowest priority. `None`: it is the message itself that
    /// has to go, because all that could make room are of a higher priority.
    pub(super) fn make_room(&mut self, tag: &Tag, limits: Limits) -> Option<Vec<M>> {
        let older = self.older(tag);
        let (mut count, mut weight) = self.without(older);
        let priority = older.map_or(tag.priority, |older| older.0.0.max(tag.priority));
        let mut displaced = Vec::new();
        for (place, entry) in self.least_first() {
            if is_in(limits, count, weight, tag.weight) || place.0.0 > priority {
                break;
            }
            if Some(*place) != older {
                (count, weight) = (count - 1, weight - entry.weight as u128);
                displaced.push(*place);
            }
        }
        if !is_in(limits, count, weight, tag.weight) {
            return None;
        }
        Some(displaced.into_iter().filter_map(|place| self.remove(place)).collect())
    }

    /// Takes the message that is to be received next.
    pub(super) fn pop(&mut self) -> Option<M> {
        let place = *self.entries.first_key_value()?.0;
        self.remove(place)
    }

    /// Puts messages back, each before all others of its priority, in their order, room or not. One whose key waits is not found by it any more: both are
    /// received, the newer one later.
    pub(super) fn put_back(&mut self, messages: Vec<(Tag, M)>) {
        for (tag, message) in messages.into_iter().rev() {
            let place = Place(Reverse(tag.priority), self.front);
            self.front -= 1;
            let key = tag.key.filter(|key| !self.by_key.contains_key(key));
            self.insert(place, Tag { key, ..tag }, message);
        }
    }

    /// Takes all messages, in their order.
    pub(super) fn take(&mut self) -> Vec<M> {
        self.by_key.clear();
        self.weight = 0;
        mem::take(&mut self.entries).into_values().map(|entry| entry.message).collect()
    }

    /// Where the message stands that another one would replace.
    fn older(&self, tag: &Tag) -> Option<Place> {
        self.by_key.get(tag.key.as_ref()?).copied()
    }

    /// How many messages there are, and their weight, but for one.
    fn without(&self, place: Option<Place>) -> (usize, u128) {
        let entry = place.map(|place| &self.entries[&place]);
        let weight = entry.map_or(0, |entry| entry.weight);
        (self.entries.len() - usize::from(entry.is_some()), self.weight - weight as u128)
    }

    fn insert(&mut self, place: Place, tag: Tag, message: M) {
        let Tag { weight, key, .. } = tag;
        if let Some(key) = &key {
            self.by_key.insert(key.clone(), place);
        }
        self.weight += weight as u128;
        self.entries.insert(place, Entry { message, weight, key });
    }

    fn remove(&mut self, place: Place) -> Option<M> {
        let entry = self.entries.remove(&place)?;
        if let Some(key) = &entry.key {
            self.by_key.remove(key);
        }
        self.weight -= entry.weight as u128;
        Some(entry.message)
    }

    /// All messages, those of the lowest priority first, and of each the oldest first.
    fn least_first(&self) -> impl Iterator<Item = (&Place, &Entry<M>)> {
        let first = |priority| Place(Reverse(priority), i64::MIN);
        let last = |priority| Place(Reverse(priority), i64::MAX);
        let least = self.entries.last_key_value().map(|(place, _)| place.0.0);
        let next = move |priority: &u8| {
            self.entries.range(..first(*priority)).next_back().map(|(place, _)| place.0.0)
        };
        let priorities = iter::successors(least, next);
        priorities.flat_map(move |priority| self.entries.range(first(priority)..=last(priority)))
    }
}

/// Says whether a message has room beside as many others, which weigh so much.
fn is_in(limits: Limits, count: usize, weight: u128, own: usize) -> bool {
    count < limits.messages && weight + own as u128 <= limits.weight as u128
}

#[cfg(test)]
mod tests;
