//! The affinity mask of the calling thread: which PUs it may run on. System calls, no decisions.
//!
//! Linux only; elsewhere the mask is unknown and binding is [`BindError::Unsupported`]. These calls
//! take a mask of any size: `cpu_set_t` alone ends at 1024 PUs.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use crate::topology::{CpuSet, MAX_OS_ID};

/// The error of binding a thread; the thread runs on where it ran before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindError {
    /// This operating system cannot bind threads, or the crate does not know how.
    Unsupported,
    /// No PU was given.
    Empty,
    /// No machine has a PU of this number.
    NoSuchPu {
        /// The PU.
        pu: u32,
    },
    /// The operating system refused.
    Refused {
        /// The PUs asked for.
        cpus: CpuSet,
        /// The operating system's error number.
        os_error: i32,
    },
    /// The operating system agreed and did something else, for some PUs are not allowed.
    Mismatch {
        /// The PUs asked for.
        asked: CpuSet,
        /// The PUs that it took.
        taken: CpuSet,
    },
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported => f.write_str("threads cannot be bound to PUs here"),
            Self::Empty => f.write_str("a thread cannot be bound to no PU"),
            Self::NoSuchPu { pu } => write!(f, "there is no PU {pu}"),
            Self::Refused { cpus, os_error } => {
                write!(f, "binding to PU {cpus}: {}", io::Error::from_raw_os_error(*os_error))
            }
            Self::Mismatch { asked, taken } => {
                write!(f, "binding to PU {asked} led to PU {taken}")
            }
        }
    }
}

impl Error for BindError {}

/// How the system's calls name the calling thread.
const SELF: ThreadId = ThreadId(0);

/// Returns the PUs that the calling thread may run on, smallest first; none if that is not known.
pub fn allowed() -> Option<Vec<u32>> {
    sys::mask(SELF).ok()
}

/// A thread of this program, to ask about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ThreadId(i32);

/// Returns the calling thread; none where it cannot be asked about.
pub(crate) fn current_thread() -> Option<ThreadId> {
    sys::current_thread()
}

/// Returns the PUs that a thread may run on, smallest first; none if that is not known, or the thread has ended.
pub(crate) fn allowed_of(thread: ThreadId) -> Option<Vec<u32>> {
    sys::mask(thread).ok()
}

/// Some thread has been bound.
static BOUND: AtomicBool = AtomicBool::new(false);

/// Says whether some thread of this program may have been bound here. Those that it starts have its PUs, and no others.
pub(crate) fn is_any_bound() -> bool {
    BOUND.load(SeqCst)
}

/// Returns the PU that the calling thread runs on; it may have left it when this returns. None where the system does not tell.
#[inline]
pub fn current_pu() -> Option<u32> {
    sys::current_pu()
}

/// Binds the calling thread to these PUs, in whatever order they are given.
///
/// The mask is read back and compared, since the kernel silently leaves out PUs that the cgroup does
/// not allow.
///
/// # Errors
///
/// See [`BindError`]; the mask is then what it was before.
pub fn bind_current(cpus: &[u32]) -> Result<(), BindError> {
    let asked = CpuSet::from(cpus);
    match asked.as_slice().last() {
        None => return Err(BindError::Empty),
        Some(&pu) if pu > MAX_OS_ID => return Err(BindError::NoSuchPu { pu }),
        Some(_) => {}
    }
    BOUND.store(true, SeqCst);
    let before = sys::mask(SELF);
    sys::set_mask(&asked)?;
    match sys::mask(SELF) {
        Ok(taken) if taken == asked.as_slice() => Ok(()),
        taken => {
            if let Ok(before) = before {
                // Nothing more can be done if this fails; the caller learns of the mismatch.
                let _ = sys::set_mask(&CpuSet::from(before.as_slice()));
            }
            let taken = CpuSet::from_iter(taken.unwrap_or_default());
            Err(BindError::Mismatch { asked, taken })
        }
    }
}

#[cfg(target_os = "linux")]
mod sys {
    use std::ffi::c_ulong;
    use std::io;
    use std::mem;

    use super::{BindError, ThreadId};
    use crate::topology::{CpuSet, MAX_OS_ID};

    /// `cpu_set_t` is an array of these, so a slice of them has its alignment.
    type Word = c_ulong;
    const BITS: usize = Word::BITS as usize;
    const MOST_WORDS: usize = (MAX_OS_ID as usize + 1) / BITS;

    pub(super) fn current_thread() -> Option<ThreadId> {
        // SAFETY: the call has no arguments and touches no memory of this program's.
        Some(ThreadId(unsafe { libc::gettid() }))
    }

    /// Reads the mask of a thread.
    pub(super) fn mask(ThreadId(thread): ThreadId) -> Result<Vec<u32>, BindError> {
        // Room for 1024 PUs; the kernel answers EINVAL to less than it may have itself.
        let mut words: Vec<Word> = vec![0; 1024 / BITS];
        loop {
            let size = mem::size_of_val(words.as_slice());
            // SAFETY: `words` is `size` bytes of initialised, writable memory, aligned for `cpu_set_t`
            // (an array of `c_ulong`), and the call writes at most `size` bytes, any value of which
            // is a valid `c_ulong`. A number of no thread is an error.
            let result =
                unsafe { libc::sched_getaffinity(thread, size, words.as_mut_ptr().cast()) };
            if result == 0 {
                return Ok(members(&words));
            }
            let os_error = last_error();
            if os_error != libc::EINVAL || words.len() >= MOST_WORDS {
                return Err(BindError::Refused { cpus: CpuSet::default(), os_error });
            }
            words = vec![0; words.len() * 2];
        }
    }

    /// Sets the mask of the calling thread.
    pub(super) fn set_mask(cpus: &CpuSet) -> Result<(), BindError> {
        let last = cpus.as_slice().last().map_or(0, |pu| *pu as usize);
        let mut words: Vec<Word> = vec![0; (last / BITS + 1).max(1024 / BITS)];
        for pu in cpus.iter() {
            words[pu as usize / BITS] |= 1 << (pu as usize % BITS);
        }
        let size = mem::size_of_val(words.as_slice());
        // SAFETY: `words` is `size` bytes of initialised memory, aligned for `cpu_set_t` (an array of
        // `c_ulong`), which the call only reads, and at most `size` bytes of it. Thread 0 means the
        // calling one.
        let result = unsafe { libc::sched_setaffinity(0, size, words.as_ptr().cast()) };
        if result == 0 {
            Ok(())
        } else {
            Err(BindError::Refused { cpus: cpus.clone(), os_error: last_error() })
        }
    }

    #[inline]
    pub(super) fn current_pu() -> Option<u32> {
        // SAFETY: the call has no arguments and touches no memory of this program's.
        let pu = unsafe { libc::sched_getcpu() };
        u32::try_from(pu).ok()
    }

    fn members(words: &[Word]) -> Vec<u32> {
        let set = |&bit: &usize| words[bit / BITS] >> (bit % BITS) & 1 == 1;
        (0..words.len() * BITS).filter(set).map(|bit| bit as u32).collect()
    }

    fn last_error() -> i32 {
        io::Error::last_os_error().raw_os_error().unwrap_or(0)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn members_of_words_beyond_the_first() {
            let mut words: Vec<Word> = vec![0; 2048 / BITS];
            words[0] = 0b101;
            words[1500 / BITS] |= 1 << (1500 % BITS);
            assert_eq!(members(&words), [0, 2, 1500]);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod sys {
    use super::{BindError, ThreadId};
    use crate::topology::CpuSet;

    pub(super) fn current_thread() -> Option<ThreadId> {
        None
    }

    pub(super) fn mask(_thread: ThreadId) -> Result<Vec<u32>, BindError> {
        Err(BindError::Unsupported)
    }

    pub(super) fn current_pu() -> Option<u32> {
        None
    }

    pub(super) fn set_mask(_cpus: &CpuSet) -> Result<(), BindError> {
        Err(BindError::Unsupported)
    }
}
