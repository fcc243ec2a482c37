//! The identity of a process.
//!
//! Plain data: knows neither the table whose slots it names nor what a process is.

use std::fmt;

/// The identity of a process, stable over its restarts.
///
/// A pid is a slot of the process table and the generation of that slot. When a process ends for
/// good its slot may be used again under the next generation, so a stale pid is always detectable:
/// it names a generation that is gone. Which incarnation of a process runs is a separate number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
