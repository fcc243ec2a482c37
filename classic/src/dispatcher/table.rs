//! [`Table`]: a small map that many may read and change through a shared reference.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A map with an order, in which whoever is removed leaves its place to the last one; shared by those who have a reference to it.
///
/// What it returns are copies, so nobody holds it up. What it is for are the members of a dispatcher or distributor.
///
/// # Examples
/// ```
/// use bastion_classic::dispatcher::Table;
/// let table = Table::new();
/// table.insert("a", 1);
/// assert_eq!(table.get(&"a"), Some(1));
/// ```
pub struct Table<K, V> {
    inner: RwLock<Inner<K, V>>,
}

struct Inner<K, V> {
    entries: Vec<(K, V)>,
    /// Where each key is.
    places: HashMap<K, usize>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Table { inner: RwLock::new(Inner { entries: Vec::new(), places: HashMap::new() }) }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Table<K, V> {
    /// Makes an empty one.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::dispatcher::Table;
    /// assert!(Table::<u8, u8>::new().is_empty());
    /// ```
    pub fn new() -> Self {
        Table::default()
    }

    /// Inserts an entry, and returns the value that the key had before.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::dispatcher::Table;
    /// let table = Table::new();
    /// assert_eq!((table.insert("a", 1), table.insert("a", 2)), (None, Some(1)));
    /// ```
    pub fn insert(&self, key: K, value: V) -> Option<V> {
        let mut inner = self.write();
        if let Some(&place) = inner.places.get(&key) {
            return Some(std::mem::replace(&mut inner.entries[place].1, value));
        }
        let place = inner.entries.len();
        inner.places.insert(key.clone(), place);
        inner.entries.push((key, value));
        None
    }

    /// Removes an entry, and returns its value. The last one takes its place.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::dispatcher::Table;
    /// let table = Table::new();
    /// table.insert("a", 1);
    /// assert_eq!((table.remove(&"a"), table.remove(&"a")), (Some(1), None));
    /// ```
    pub fn remove(&self, key: &K) -> Option<V> {
        let mut inner = self.write();
        let place = inner.places.remove(key)?;
        let (_, value) = inner.entries.swap_remove(place);
        if let Some(moved) = inner.entries.get(place).map(|entry| entry.0.clone()) {
            inner.places.insert(moved, place);
        }
        Some(value)
    }

    /// Returns the value of a key.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::dispatcher::Table;
    /// let table = Table::new();
    /// table.insert("a", 1);
    /// assert_eq!((table.get(&"a"), table.get(&"b")), (Some(1), None));
    /// ```
    pub fn get(&self, key: &K) -> Option<V> {
        let inner = self.read();
        inner.places.get(key).map(|&place| inner.entries[place].1.clone())
    }

    /// Says whether there is an entry for this key.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::dispatcher::Table;
    /// let table = Table::new();
    /// table.insert("a", 1);
    /// assert!(table.contains_key(&"a") && !table.contains_key(&"b"));
    /// ```
    pub fn contains_key(&self, key: &K) -> bool {
        self.read().places.contains_key(key)
    }

    /// Returns how many entries there are.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::dispatcher::Table;
    /// let table = Table::new();
    /// table.insert("a", 1);
    /// assert_eq!(table.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.read().entries.len()
    }

    /// Says whether there is no entry.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::dispatcher::Table;
    /// let table = Table::new();
    /// table.insert("a", 1);
    /// assert!(!table.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns all entries, as they are now.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::dispatcher::Table;
    /// let table = Table::new();
    /// table.insert("a", 1);
    /// assert_eq!(table.iter().next(), Some(("a", 1)));
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (K, V)> + use<K, V> {
        self.read().entries.clone().into_iter()
    }

    /// Returns all keys, as they are now.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::dispatcher::Table;
    /// let table = Table::new();
    /// table.insert("a", 1);
    /// assert_eq!(table.keys().next(), Some("a"));
    /// ```
    pub fn keys(&self) -> impl Iterator<Item = K> + use<K, V> {
        self.iter().map(|entry| entry.0)
    }

    /// Returns all values, as they are now.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::dispatcher::Table;
    /// let table = Table::new();
    /// table.insert("a", 1);
    /// assert_eq!(table.values().next(), Some(1));
    /// ```
    pub fn values(&self) -> impl Iterator<Item = V> + use<K, V> {
        self.iter().map(|entry| entry.1)
    }

    /// Returns the key that is at this place, counted around and around.
    pub(crate) fn around(&self, place: usize) -> Option<K> {
        let inner = self.read();
        let place = place.checked_rem(inner.entries.len())?;
        inner.entries.get(place).map(|entry| entry.0.clone())
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner<K, V>> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner<K, V>> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + Hash + fmt::Debug, V: Clone + fmt::Debug> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_9_a_table_is_a_map() {
        let table = Table::new();
        assert_eq!(
            (table.insert("a", 1), table.insert("b", 2), table.insert("c", 3)),
            (None, None, None)
        );
        assert_eq!(table.insert("b", 4), Some(2));
        assert_eq!((table.get(&"b"), table.len(), table.contains_key(&"x")), (Some(4), 3, false));
        assert_eq!(table.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!((table.remove(&"a"), table.remove(&"a")), (Some(1), None));
        assert_eq!(table.iter().collect::<Vec<_>>(), [("c", 3), ("b", 4)]);
        assert_eq!((table.get(&"c"), table.values().sum::<i32>()), (Some(3), 7));
        let turns: Vec<_> = (0..4).filter_map(|turn| table.around(turn)).collect();
        assert_eq!(turns, ["c", "b", "c", "b"]);
        assert_eq!(Table::<u8, ()>::new().around(7), None);
    }
}
