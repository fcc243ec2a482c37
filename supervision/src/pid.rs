//! The identity of a process.
//!
//! Plain data: knows neither the table whose slots it names nor what a process is.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::str::FromStr;

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

/// Reads what `Display` writes: `<slot.generation>`.
///
/// # Examples
/// ```
/// use bastion_supervision::Pid;
/// assert_eq!("<7.1>".parse(), Ok(Pid::new(7, 1)));
/// assert!("7.1".parse::<Pid>().is_err());
/// ```
impl FromStr for Pid {
    type Err = PidError;

    fn from_str(text: &str) -> Result<Pid, PidError> {
        let numbers = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
        let (slot, generation) = numbers.and_then(|text| text.split_once('.')).ok_or(PidError)?;
        let number = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
            true => text.parse().map_err(|_| PidError),
            false => Err(PidError),
        };
        Ok(Pid::new(number(slot)?, number(generation)?))
    }
}

/// A text is not a pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PidError;

impl fmt::Display for PidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pid is written as <slot.generation>")
    }
}

impl Error for PidError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_is_read_as_it_is_written_and_not_otherwise() {
        for pid in [Pid::new(0, 0), Pid::new(u32::MAX, 7)] {
            assert_eq!(pid.to_string().parse(), Ok(pid));
        }
        for text in ["", "<>", "<1>", "<1.>", "<.1>", "<1.+2>", "<-1.2>", "1.2", "<1.4294967296>"] {
            assert_eq!(text.parse::<Pid>(), Err(PidError), "{text}");
        }
    }
}
