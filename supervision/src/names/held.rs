//! What a process has in the table of names. It stands with the process, under the lock of its existence, so that it costs nothing to find, and
//! nothing at all if there is none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The names of a process, and its groups.
#[derive(Default)]
pub(crate) struct Held {
    pub(super) names: BTreeSet<Arc<str>>,
    /// With the number by which each group knows it.
    pub(super) groups: BTreeMap<Arc<str>, u64>,
}

impl Held {
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.groups.is_empty()
    }

    pub(super) fn names(&self) -> Vec<Arc<str>> {
        self.names.iter().cloned().collect()
    }

    pub(super) fn has_name(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}
