//! [`Place`]: where a process is to run, as its description says it. Pure; what becomes of it, `runtime` knows.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Where a process runs: see [`Child::on`](crate::Child::on) and [`Supervisor::on`](crate::Supervisor::on).
///
/// On the executor all places exist. On tokio there are no nodes and no bound threads, and a process that is to run there fails to start. A
/// simulation has one thread and no machine: every place is that thread.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// Wherever the runtime likes.
    #[default]
    Anywhere,
    /// On the workers of one NUMA node, by the operating system's number: no other runs it.
    Node(u32),
    /// On a thread of its own, which it may block.
    Thread,
    /// On a thread of its own that is bound to these processing units, by the operating system's numbers.
    Pinned(Arc<[u32]>),
}

impl Place {
    /// A thread that is bound to these processing units; see [`Place::Pinned`].
    pub fn pinned(pus: impl Into<Arc<[u32]>>) -> Place {
        Place::Pinned(pus.into())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Anywhere => f.write_str("anywhere"),
            Place::Node(node) => write!(f, "node {node}"),
            Place::Thread => f.write_str("a thread of its own"),
            Place::Pinned(pus) => write!(f, "a thread of its own on PUs {pus:?}"),
        }
    }
}

/// A process could not be started where it was to run. The reason of a failed start has this as its error.
#[derive(Debug)]
pub struct PlaceError {
    place: Place,
    cause: Box<dyn Error + Send + Sync>,
}

impl PlaceError {
    #[cfg(any(feature = "executor", feature = "tokio"))]
    pub(crate) fn new(place: Place, cause: impl Into<Box<dyn Error + Send + Sync>>) -> PlaceError {
        PlaceError { place, cause: cause.into() }
    }

    /// Returns where the process was to run.
    pub fn place(&self) -> &Place {
        &self.place
    }
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a process cannot run on {}: {}", self.place, self.cause)
    }
}

impl Error for PlaceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}
