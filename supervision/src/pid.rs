//! The identity of a process.
//!
//! Plain data: knows neither the table whose slots it names nor what a process is.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// The identity of a process, stable over its restarts.
///
/// A pid is a slot of the process table and the generation of that slot. When a process ends for
/// good its slot may be used again under the next generation, so a stale pid is always detectable:
/// it names a generation that is gone. Which incarnation of a process runs is a separate number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pid {
    slot: u32,
    generation: u32,
}

impl Pid {
    /// Returns the pid of `generation` in `slot`.
    pub const fn new(slot: u32, generation: u32) -> Self {
        Self { slot, generation }
    }

    /// Returns the slot of the process table.
    pub const fn slot(self) -> u32 {
        self.slot
    }

    /// Returns the generation of the slot.
    pub const fn generation(self) -> u32 {
        self.generation
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}.{}>", self.slot, self.generation)
    }
}

impl fmt::Debug for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Hash for Pid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.generation) << 32 | u64::from(self.slot));
    }
}

/// A map by pid. Its hash is made for numbers that the runtime has given out itself.
pub(crate) type PidMap<V> = HashMap<Pid, V, BuildHasherDefault<PidHasher>>;

/// A map by the slots of pids that are there at the same time.
pub(crate) type SlotMap<V> = HashMap<u32, V, BuildHasherDefault<PidHasher>>;

/// A multiplication, and its upper half into the lower one: all bits depend on all of the pid.
#[derive(Default)]
pub(crate) struct PidHasher(u64);

impl Hasher for PidHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        let product = u128::from(number ^ 0x243f_6a88_85a3_08d3) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}
