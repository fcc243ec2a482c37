//! Sources by key. A key names one source, once: the place is used again, under another generation.

/// How many bits of a key say the place; the others say the generation.
const PLACE_BITS: u32 = if usize::BITS >= 64 { 32 } else { 20 };
const PLACES: usize = 1 << PLACE_BITS;

/// Values by key.
#[derive(Debug)]
pub(super) struct Slab<T> {
    entries: Vec<Entry<T>>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Entry<T> {
    generation: usize,
    value: Option<T>,
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Slab<T> {
        Slab { entries: Vec::new(), free: Vec::new() }
    }

    /// Returns a key for the value, or the value when there is no place left.
    pub(super) fn insert(&mut self, value: T) -> Result<usize, T> {
        let place = match self.free.pop() {
            Some(place) => place,
            // The last place is never used: with the last generation, its key would be the poller's own.
            None if self.entries.len() == PLACES - 1 => return Err(value),
            None => {
                self.entries.push(Entry { generation: 0, value: None });
                self.entries.len() - 1
            }
        };
        let entry = &mut self.entries[place];
        entry.value = Some(value);
        Ok(entry.generation << PLACE_BITS | place)
    }

    /// Returns how many values there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Returns the value that got this key, if it is still here.
    pub(super) fn find(&self, key: usize) -> Option<&T> {
        let entry = self.entries.get(key % PLACES)?;
        entry.value.as_ref().filter(|_| entry.generation == key >> PLACE_BITS)
    }

    /// Takes the value that got this key out; the key names nothing from then on.
    pub(super) fn remove(&mut self, key: usize) -> Option<T> {
        self.find(key)?;
        let entry = &mut self.entries[key % PLACES];
        entry.generation = (entry.generation + 1) & (usize::MAX >> PLACE_BITS);
        self.free.push(key % PLACES);
        entry.value.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_used_again_under_another_key() {
        let mut slab = Slab::new();
        let (a, b) = (slab.insert('a').unwrap(), slab.insert('b').unwrap());
        assert_eq!(slab.remove(a), Some('a'));
        let c = slab.insert('c').unwrap();
        assert_eq!(c % PLACES, a % PLACES);
        assert_ne!(c, a);
        assert_eq!(slab.find(a), None);
        assert_eq!(slab.remove(a), None);
        assert_eq!((slab.find(b), slab.find(c)), (Some(&'b'), Some(&'c')));
    }

    #[test]
    fn generations_begin_anew_and_never_make_the_pollers_key() {
        let mut slab = Slab { entries: vec![Entry { generation: 0, value: None }], free: vec![0] };
        slab.entries[0].generation = usize::MAX >> PLACE_BITS;
        let last = slab.insert('a').unwrap();
        assert_ne!(last, usize::MAX);
        assert_eq!(slab.remove(last), Some('a'));
        assert_eq!(slab.insert('b'), Ok(0));
    }
}
