//! Keys by which a newer message takes the place of an older one: what the [`Hash`] of a value writes, byte by byte.
//!
//! So keys of any type are compared under the mailbox's lock without any foreign code, and exactly: this is the input of a hash, not a hash.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key(Arc<[u8]>);

impl Key {
    pub(super) fn of(value: &impl Hash) -> Key {
        let mut written = Written(Vec::new());
        value.hash(&mut written);
        Key(written.0.into())
    }
}

/// Keeps what is written.
struct Written(Vec<u8>);

impl Hasher for Written {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Nobody asks.
    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_equal_when_their_values_are() {
        assert_eq!(Key::of(&(1_u32, "a")), Key::of(&(1_u32, String::from("a"))));
        assert_ne!(Key::of(&("ab", "c")), Key::of(&("a", "bc")));
        assert_ne!(Key::of(&Some(0_u8)), Key::of(&None::<u8>));
        assert_ne!(Key::of(&256_u32), Key::of(&1_u32));
    }
}
