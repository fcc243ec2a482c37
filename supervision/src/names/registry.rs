//! The table of a system's names and groups.
//!
//! It is in shards, each behind a lock under which nothing foreign runs and no other lock is taken. What is entered in a shard stands with
//! the process too ([`Held`]), and both change together: under the lock of the process's existence, and under that of the shard, in
//! this order. So what a process holds is known where it ends. A look takes the shard's lock only, and what is entered keeps no process.

use super::error::NameError;
use super::held::Held;
use crate::pid::Pid;
use crate::process::{Process, Shared};
use crate::sync::lock;
use std::any::{Any, type_name};
use std::collections::BTreeMap;
use std::collections::hash_map::{self, HashMap, RandomState};
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

/// How many shards there are: threads that look for different names rarely meet.
const SHARDS: usize = 16;

/// A value beside a name.
pub(super) type Value = Arc<dyn Any + Send + Sync>;

/// The processes in a group, in the order in which they joined.
pub(super) type Members = BTreeMap<u64, Weak<dyn Process>>;

#[derive(Default)]
pub(super) struct Registry {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
}

#[derive(Default)]
struct Shard {
    names: HashMap<Arc<str>, Entry>,
    /// Shared with those who are sending to all: a change meanwhile is made in a copy.
    groups: HashMap<Arc<str>, Arc<Members>>,
    /// The number of the last one who joined a group.
    last: u64,
}

/// Who has a name.
pub(super) struct Entry {
    process: Weak<dyn Process>,
    pid: Pid,
    /// The type of its messages.
    messages: &'static str,
    value: Option<Value>,
}

impl Entry {
    pub(super) fn new<M: Send + 'static>(
        process: &Arc<Shared<M>>,
        pid: Pid,
        value: Option<Value>,
    ) -> Entry {
        Entry { process: weak(process), pid, messages: type_name::<M>(), value }
    }
}

/// The process, not kept by this.
pub(super) fn weak<M: Send + 'static>(process: &Arc<Shared<M>>) -> Weak<dyn Process> {
    let process: Weak<Shared<M>> = Arc::downgrade(process);
    process
}

impl Registry {
    fn shard(&self, name: &str) -> MutexGuard<'_, Shard> {
        lock(&self.shards[(self.hasher.hash_one(name) % SHARDS as u64) as usize])
    }

    /// Enters a name, and takes the entry for it, unless another one is there.
    pub(super) fn enter(
        &self,
        held: &mut Held,
        name: &Arc<str>,
        entry: &mut Option<Entry>,
    ) -> Result<(), NameError> {
        match self.shard(name).names.entry(name.clone()) {
            hash_map::Entry::Occupied(known) => Err(NameError::Taken { holder: known.get().pid }),
            hash_map::Entry::Vacant(place) => {
                if let Some(entry) = entry.take() {
                    place.insert(entry);
                    held.names.insert(name.clone());
                }
                Ok(())
            }
        }
    }

    /// Takes a name out, if it is held. Returns what is to be dropped outside of the locks.
    pub(super) fn leave(&self, held: &mut Held, name: &str) -> Option<Option<Entry>> {
        held.names.take(name).map(|name| self.shard(&name).names.remove(&name))
    }

    pub(super) fn find(&self, name: &str) -> Option<(Arc<dyn Process>, &'static str)> {
        let (process, messages) = {
            let shard = self.shard(name);
            let entry = shard.names.get(name)?;
            (entry.process.clone(), entry.messages)
        };
        Some((process.upgrade()?, messages))
    }

    pub(super) fn pid(&self, name: &str) -> Option<Pid> {
        self.shard(name).names.get(name).map(|entry| entry.pid)
    }

    pub(super) fn value(&self, name: &str) -> Option<Value> {
        self.shard(name).names.get(name)?.value.clone()
    }

    /// Exchanges the value beside a name that is there.
    pub(super) fn swap_value(&self, name: &str, value: &mut Option<Value>) {
        if let Some(entry) = self.shard(name).names.get_mut(name) {
            std::mem::swap(&mut entry.value, value);
        }
    }

    /// Adds a process to a group. False: it is in it.
    pub(super) fn join(
        &self,
        held: &mut Held,
        group: &Arc<str>,
        process: Weak<dyn Process>,
    ) -> bool {
        if held.groups.contains_key(group) {
            return false;
        }
        let mut shard = self.shard(group);
        shard.last += 1;
        let number = shard.last;
        let members = shard.groups.entry(group.clone()).or_default();
        Arc::make_mut(members).insert(number, process);
        held.groups.insert(group.clone(), number);
        true
    }

    /// Takes a process out of a group. False: it is not in it.
    pub(super) fn part(&self, held: &mut Held, group: &str) -> bool {
        let known = held.groups.remove_entry(group);
        known.is_some_and(|(group, number)| {
            self.shard(&group).part(&group, number);
            true
        })
    }

    pub(super) fn members(&self, group: &str) -> Option<Arc<Members>> {
        self.shard(group).groups.get(group).cloned()
    }

    /// The groups in which anybody is.
    pub(super) fn groups(&self) -> Vec<Arc<str>> {
        let mut groups = Vec::new();
        for shard in &self.shards {
            groups.extend(lock(shard).groups.keys().cloned());
        }
        groups.sort_unstable();
        groups
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let mut shards = self.shards.iter().map(lock);
        shards.all(|shard| shard.names.is_empty() && shard.groups.is_empty())
    }

    /// Takes out all that a process has held. Returns the values beside its names.
    pub(super) fn free(&self, held: &Held) -> Vec<Value> {
        for (group, number) in &held.groups {
            self.shard(group).part(group, *number);
        }
        let names = held.names.iter();
        names.filter_map(|name| self.shard(name).names.remove(name)?.value).collect()
    }
}

impl Shard {
    fn part(&mut self, group: &str, number: u64) {
        if let Some(members) = self.groups.get_mut(group) {
            Arc::make_mut(members).remove(&number);
            if members.is_empty() {
                self.groups.remove(group);
            }
        }
    }
}
