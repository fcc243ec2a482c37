//! [`Place`]: where one process is to run, other than on whichever worker is free.

use crate::local;
use crate::on_panic::OnGlobalPanic;
use crate::registry::Listing;
use crate::runtime::{self, Executor, global_shared, is_global};
use crate::shared::Shared;
use crate::topology::CpuSet;
use lightproc::{LightProc, RecoverableHandle};
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

/// Where a process runs; see [`Executor::spawn_on`]. A number is the node of that number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// On any worker, as [`spawn`](crate::spawn) has it.
    #[default]
    Anywhere,
    /// On the workers of one NUMA node, by the operating system's number ([`Node::os`](crate::topology::Node::os)).
    ///
    /// Each poll is by one of them, by whomever the process is woken, and no other takes it over, also if they are all busy. So memory that it
    /// touches first lies there, and stays near. A wake costs more than that of a process that may run
    /// anywhere, because it does not go through the waker's own queue. The process waits also while all workers of the node wait in
    /// [`run`](crate::run()); if they do so for this process, for ever. On a machine of one node that node is known also when workers are
    /// unbound; on one of several, none is.
    Node(u32),
    /// On a thread of its own, which does nothing else and may block. It costs a thread, and the waking of it for each wake.
    Thread,
    /// On a thread of its own that runs on these PUs only, by their operating system ids.
    Pinned(CpuSet),
}

impl From<u32> for Place {
    fn from(node: u32) -> Place {
        Place::Node(node)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Anywhere => f.write_str("anywhere"),
            Place::Node(node) => write!(f, "node {node}"),
            Place::Thread => f.write_str("a thread of its own"),
            Place::Pinned(cpus) => write!(f, "a thread of its own on PUs {cpus}"),
        }
    }
}

/// Why a process cannot be where it was to be.
#[derive(Debug)]
#[non_exhaustive]
pub enum PlaceError {
    /// No worker belongs to that node.
    NoSuchNode {
        /// The node that was asked for.
        node: u32,
        /// The nodes that have workers; empty if the workers run anywhere on a machine of several.
        known: Vec<u32>,
    },
    /// A thread cannot be bound to this PU: it does not exist, or the program may not use it.
    NotAllowed {
        /// The PU.
        pu: u32,
    },
    /// A thread cannot be bound to no PU at all.
    NoPus,
    /// The system refuses the thread.
    Thread(io::Error),
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlaceError::NoSuchNode { node, known } if known.is_empty() => {
                write!(f, "no worker belongs to node {node}: the workers run anywhere")
            }
            PlaceError::NoSuchNode { node, known } => {
                let known: Vec<String> = known.iter().map(u32::to_string).collect();
                write!(f, "no worker belongs to node {node}, only to {}", known.join(", "))
            }
            PlaceError::NotAllowed { pu } => write!(f, "PU {pu} does not exist or may not be used"),
            PlaceError::NoPus => f.write_str("a thread cannot be bound to no PU"),
            PlaceError::Thread(error) => write!(f, "a thread cannot be started: {error}"),
        }
    }
}

impl Error for PlaceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            PlaceError::Thread(error) => Some(error),
            _ => None,
        }
    }
}

/// A process that was not spawned: why, and its future.
pub struct Unplaced<F> {
    /// Why it was not.
    pub error: PlaceError,
    /// What was to run.
    pub future: F,
}

impl<F> fmt::Debug for Unplaced<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unplaced").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<F> fmt::Display for Unplaced<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<F> Error for Unplaced<F> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

/// Runs a future as a process at a place of the executor where [`spawn`](crate::spawn) would run it; see [`Executor::spawn_on`].
///
/// # Errors
/// As there.
///
/// # Panics
/// As [`spawn`](crate::spawn) does.
pub fn spawn_on<F>(
    place: impl Into<Place>,
    future: F,
) -> Result<RecoverableHandle<F::Output>, Unplaced<F>>
where
    F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
{
    let shared = local::with_current(|current| current.cloned()).unwrap_or_else(global_shared);
    shared.spawn_on(place.into(), future)
}

impl Executor {
    /// Runs a future as a process at a [`Place`]: on one NUMA node, or on a thread of its own.
    ///
    /// A thread of its own belongs to the executor: what its process spawns goes to the workers, and the executor's drop drops the process
    /// too, after the poll that it is in, and waits for that. That it could not be bound is reported as a warning, and the
    /// process runs all the same.
    ///
    /// # Errors
    /// When there is no such place, or the system refuses a thread. The future comes back.
    ///
    /// # Examples
    /// ```
    /// use bastion_executor::{Executor, Place};
    /// let executor = Executor::builder().topology("node:2 core:2".parse()?).build()?;
    /// let handle = executor.spawn_on(1, async { "on node 1" })?;
    /// assert_eq!(executor.run(handle), Some("on node 1"));
    /// let refused = executor.spawn_on(7, async {}).unwrap_err();
    /// assert_eq!(refused.to_string(), "no worker belongs to node 7, only to 0, 1");
    ///
    /// let (tell, told) = std::sync::mpsc::channel();
    /// // It blocks, and no worker waits behind it.
    /// let blocks = executor.spawn_on(Place::Thread, async move { told.recv() })?;
    /// executor.run(executor.spawn(async move { tell.send(6 * 7) })).unwrap()?;
    /// assert_eq!(executor.run(blocks), Some(Ok(42)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn spawn_on<F>(
        &self,
        place: impl Into<Place>,
        future: F,
    ) -> Result<RecoverableHandle<F::Output>, Unplaced<F>>
    where
        F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
    {
        self.shared.spawn_on(place.into(), future)
    }
}

impl Shared {
    pub(crate) fn spawn_on<F>(
        self: &Arc<Self>,
        place: Place,
        future: F,
    ) -> Result<RecoverableHandle<F::Output>, Unplaced<F>>
    where
        F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
    {
        match self.find(place) {
            Ok(Spot::Anywhere) => Ok(runtime::spawn_in(self, future)),
            Ok(Spot::Domain(domain)) => Ok(self.spawn_kept(domain, future)),
            Ok(Spot::Thread(cpus)) => self
                .spawn_dedicated(cpus, future)
                .map_err(|(error, future)| Unplaced { error: PlaceError::Thread(error), future }),
            Err(error) => Err(Unplaced { error, future }),
        }
    }

    fn find(&self, place: Place) -> Result<Spot, PlaceError> {
        Ok(match place {
            Place::Anywhere => Spot::Anywhere,
            Place::Node(node) => {
                let known = || self.domains.iter().filter_map(|domain| domain.node).collect();
                let found = self.domains.iter().position(|domain| domain.node == Some(node));
                let found = found.ok_or_else(|| PlaceError::NoSuchNode { node, known: known() });
                Spot::Domain(found?)
            }
            Place::Thread => Spot::Thread(None),
            Place::Pinned(cpus) if cpus.is_empty() => return Err(PlaceError::NoPus),
            Place::Pinned(cpus) => {
                let refused = |pu: &u32| !self.may_use(*pu);
                if let Some(pu) = cpus.iter().find(refused) {
                    return Err(PlaceError::NotAllowed { pu });
                }
                Spot::Thread(Some(cpus))
            }
        })
    }

    /// Says whether the program may use a PU. If the system does not tell, the binding will.
    fn may_use(&self, pu: u32) -> bool {
        // Not the mask of the calling thread, which may be bound.
        self.blocking.cpus().is_none_or(|allowed| allowed.contains(pu))
    }

    fn spawn_kept<F>(self: &Arc<Self>, domain: usize, future: F) -> RecoverableHandle<F::Output>
    where
        F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
    {
        let owner = self.clone();
        let schedule = move |process| owner.keep(domain, process, false);
        let (process, handle) = self.make(future, schedule);
        self.keep(domain, process, true);
        handle
    }

    /// Makes a process of this executor that is queued in a way of its own.
    pub(crate) fn make<F>(
        self: &Arc<Self>,
        future: F,
        schedule: impl Fn(LightProc) + Send + Sync + 'static,
    ) -> (LightProc, RecoverableHandle<F::Output>)
    where
        F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
    {
        if is_global(self) {
            LightProc::recoverable(future, schedule, OnGlobalPanic)
        } else {
            LightProc::recoverable(Listing(future), schedule, self.on_panic.clone())
        }
    }
}

/// A place that has been found.
enum Spot {
    Anywhere,
    Domain(usize),
    /// The PUs, if not all.
    Thread(Option<CpuSet>),
}
