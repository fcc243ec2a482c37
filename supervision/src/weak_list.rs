//! [`WeakList`]: things that are remembered, and not kept.

use std::sync::{Arc, Weak};

/// What was pushed and still exists. The memory of what does not is given back when the list would grow.
pub(crate) struct WeakList<T>(Vec<Weak<T>>);

impl<T> WeakList<T> {
    pub(crate) const fn new() -> Self {
        WeakList(Vec::new())
    }

    /// Adds a thing, which somebody else keeps.
    pub(crate) fn push(&mut self, thing: &Arc<T>) {
        if self.0.len() == self.0.capacity() {
            self.0.retain(|thing| thing.strong_count() > 0);
            // As much room again, so that the next look through the list is as far away as this one was long.
            self.0.reserve(self.0.len() + 1);
        }
        self.0.push(Arc::downgrade(thing));
    }

    /// Returns the thing that was added last, of those that still exist and for which `f` holds; those after it are forgotten.
    pub(crate) fn last(&mut self, f: impl Fn(&T) -> bool) -> Option<Arc<T>> {
        while let Some(thing) = self.0.last() {
            if let Some(thing) = thing.upgrade().filter(|thing| f(thing)) {
                return Some(thing);
            }
            self.0.pop();
        }
        None
    }

    /// Returns all that still exist, in the order in which they were added.
    pub(crate) fn all(&self) -> Vec<Arc<T>> {
        self.0.iter().filter_map(Weak::upgrade).collect()
    }

    /// Takes all that still exist, in the order in which they were added.
    pub(crate) fn take(&mut self) -> Vec<Arc<T>> {
        let all = self.all();
        self.0 = Vec::new();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_is_not_found_and_takes_no_room() {
        let mut list = WeakList::new();
        let kept: Vec<Arc<u32>> = (0..3).map(Arc::new).collect();
        for thing in &kept {
            list.push(thing);
            (0..100).for_each(|_| list.push(&Arc::new(7)));
        }
        assert!(list.0.capacity() < 32, "{} places for 3", list.0.capacity());
        assert_eq!(list.last(|_| true).as_deref(), Some(&2));
        assert_eq!(list.last(|number| *number < 2).as_deref(), Some(&1));
        assert_eq!(list.all(), kept[..2]);
        assert_eq!(list.take(), kept[..2]);
        assert_eq!(list.last(|_| true), None);
    }
}
