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

/// How far apart the slots are that a thread takes one after another.
pub(crate) const STRIDE: usize = 8;

/// How many of those are neighbours in a map; a power of two.
const RUN: u64 = 8;

/// Hashes the run, and adds the place in it: whoever goes through children in the order of their start finds the next one in memory that is at
/// hand. The runs lie anywhere.
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
        let place = number / STRIDE as u64 % RUN;
        let run = number - place * STRIDE as u64;
        // A multiplication, and its upper half into the lower one: all bits depend on all of the run.
        let product = u128::from(run ^ 0x243f_6a88_85a3_08d3) * 0x9e37_79b9_7f4a_7c15;
        let hash = (product >> 64) as u64 ^ product as u64;
        // A map looks first where the lowest bits say, and there for the seven highest ones.
        self.0 = ((hash & !(RUN - 1)) | place) ^ (place << 57);
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
    use std::collections::HashSet;

    #[test]
    fn slots_of_one_thread_are_neighbours_in_a_map_in_runs_of_eight() {
        let hash = |slot: u32| {
            let mut hasher = PidHasher::default();
            Pid::new(slot, 3).hash(&mut hasher);
            hasher.finish()
        };
        let runs = (0..1 << 16).step_by(RUN as usize);
        let mut places = HashSet::new();
        for first in runs.map(|run| run * STRIDE as u32 + 5) {
            let run = (0..RUN as u32).map(|place| hash(first + place * STRIDE as u32));
            let run: Vec<u64> = run.collect();
            assert!(run.windows(2).all(|pair| pair[1] & 0xffff == (pair[0] & 0xffff) + 1));
            let tags: HashSet<u64> = run.iter().map(|hash| hash >> 57).collect();
            assert_eq!(tags.len(), run.len(), "told apart without a look at the pids");
            places.insert(run[0] & 0xffff);
        }
        // By chance 63 of 100 places are taken when there are as many runs as places.
        assert!(places.len() > 4800, "{} of 8192", places.len());
    }

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
