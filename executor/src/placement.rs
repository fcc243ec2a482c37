//! Which worker runs where: pure functions from a [`Topology`] to a [`Plan`].
//!
//! Nothing here binds a thread or asks the machine anything, so a described machine is planned exactly
//! as the real one is; whoever carries the plan out binds only if
//! [`Topology::is_this_machine`]. Equal input gives an equal plan.

mod domains;
mod order;
mod victims;

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::str::FromStr;

use crate::topology::{CpuSet, Topology};
pub use domains::Domain;
use domains::Domains;
use victims::Spot;

/// The most workers that a plan may have: every worker holds a list of all the others.
pub const MAX_WORKERS: usize = 2048;

/// How workers are spread over a machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Placement {
    /// No worker is bound; the operating system moves them as it likes.
    Unbound,
    /// One PU per worker: node by node, and in a node one PU of every core before the second.
    Compact,
    /// One PU per worker, as far apart as possible: each next worker goes to the emptiest node, there
    /// to an unused core of the emptiest cache.
    Spread,
    /// One PU per worker: the same number on every node, compact inside.
    NumaBalanced,
    /// The same number of workers on every node, each bound to all PUs of its node.
    PerNode,
    /// One PU per worker: these, by their operating system ids, in this order.
    Explicit(Vec<u32>),
}

impl Placement {
    /// Returns the policy that suits the machine: [`PerNode`](Self::PerNode) if there is more than
    /// one node with PUs, else [`Unbound`](Self::Unbound).
    ///
    /// Also unbound if there are more workers than PUs, or if a CPU quota is smaller than the PUs:
    /// the kernel then has to share them out, and a bound thread is in its way.
    pub fn auto(topology: &Topology, workers: Option<usize>) -> Placement {
        let pus = topology.pus().len();
        let nodes = topology.nodes().iter().filter(|node| !node.cpus.is_empty()).count();
        let quota = topology.parallelism().is_some_and(|threads| threads < pus);
        let crowded = workers.is_some_and(|workers| workers > pus);
        if nodes > 1 && !quota && !crowded { Self::PerNode } else { Self::Unbound }
    }
}

/// Reads a policy by its name, or [`Explicit`](Placement::Explicit) as a list of PUs such as `0,2,3`.
impl FromStr for Placement {
    type Err = UnknownPlacement;

    fn from_str(text: &str) -> Result<Placement, UnknownPlacement> {
        use Placement::{Compact, Explicit, NumaBalanced, PerNode, Spread, Unbound};
        let named = [Unbound, Compact, Spread, NumaBalanced, PerNode];
        let named = named.into_iter().find(|placement| placement.to_string() == text);
        named.map_or_else(
            || {
                let list: Result<Vec<u32>, _> =
                    text.split(',').map(|pu| pu.trim().parse()).collect();
                list.map(Explicit).map_err(|_| UnknownPlacement(text.to_owned()))
            },
            Ok,
        )
    }
}

/// A text that names no [`Placement`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPlacement(String);

impl fmt::Display for UnknownPlacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no placement {:?}", self.0)
    }
}

impl Error for UnknownPlacement {}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unbound => "unbound",
            Self::Compact => "compact",
            Self::Spread => "spread",
            Self::NumaBalanced => "numa-balanced",
            Self::PerNode => "per-node",
            Self::Explicit(_) => "explicit",
        })
    }
}

/// Where every worker goes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The workers; a worker's number is its index.
    pub workers: Vec<WorkerPlace>,
    /// The nodes that have a worker, in the order of their numbers; the workers whose node is not known, such as unbound ones on a machine
    /// of several, share one more. A domain's number is its index; there is at least one.
    pub domains: Vec<Domain>,
    /// The nearest domain of every PU of the machine, in the order of the PUs' ids.
    homes: Vec<(u32, usize)>,
}

impl Plan {
    /// Returns the domain that is nearest to a PU, which need not have a worker; none if there is no such PU, or it may not be used.
    pub fn nearest_domain(&self, pu: u32) -> Option<usize> {
        let found = self.homes.binary_search_by_key(&pu, |(os, _)| *os);
        found.ok().map(|index| self.homes[index].1)
    }
}

/// Where one worker goes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerPlace {
    /// The PUs to bind to; none if the worker is to run anywhere.
    pub cpus: Option<CpuSet>,
    /// The domain, in [`Plan::domains`].
    pub domain: usize,
    /// All other workers, nearest first: on the same core, sharing the level 2 cache, sharing the last
    /// level cache, on the same node, then by distance. Equally near ones start with the next higher
    /// number, so that not all thieves go to the same victim.
    pub victims: Vec<usize>,
}

/// The error of a request for workers that the machine cannot fulfil.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlacementError {
    /// Not even one worker was asked for.
    NoWorkers,
    /// More workers than [`MAX_WORKERS`].
    TooManyWorkers {
        /// The workers asked for.
        workers: usize,
    },
    /// Each worker is to have a PU of its own, and there are not enough.
    MoreWorkersThanPus {
        /// The workers asked for.
        workers: usize,
        /// The PUs there are.
        pus: usize,
        /// The first PU that would be used twice.
        pu: u32,
    },
    /// Workers were asked for, but the explicit list of PUs is empty.
    NoPus,
    /// A PU was asked for that does not exist or may not be used.
    NotAllowed {
        /// The PU.
        pu: u32,
    },
    /// A PU was asked for twice.
    Repeated {
        /// The PU.
        pu: u32,
    },
}

impl fmt::Display for PlacementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWorkers => f.write_str("at least one worker is needed"),
            Self::TooManyWorkers { workers } => {
                write!(f, "{workers} workers are more than {MAX_WORKERS}")
            }
            Self::MoreWorkersThanPus { workers, pus, pu } => {
                write!(f, "{workers} workers for {pus} PUs: PU {pu} would be used twice")
            }
            Self::NoPus => f.write_str("the list of PUs is empty"),
            Self::NotAllowed { pu } => write!(f, "PU {pu} does not exist or may not be used"),
            Self::Repeated { pu } => write!(f, "PU {pu} is given twice"),
        }
    }
}

impl Error for PlacementError {}

/// Returns how many workers there are if nobody says: one per PU, no more than the process may run
/// at once, at least 1.
pub fn default_workers(topology: &Topology) -> usize {
    let pus = topology.pus().len();
    topology.parallelism().unwrap_or(pus).min(pus).clamp(1, MAX_WORKERS)
}

/// Decides where every worker goes. `workers` defaults to the length of an explicit list, else to
/// [`default_workers`].
///
/// # Errors
///
/// No worker or too many; with a policy of one PU per worker, more workers than PUs; in an explicit
/// list, a PU that is given twice or that may not be used. The error names the PU.
///
/// # Examples
///
/// ```
/// use bastion_executor::placement::{Placement, plan};
/// use bastion_executor::topology::Topology;
///
/// let machine: Topology = "node:2 core:2 pu:2".parse().unwrap();
/// let plan = plan(&machine, &Placement::Compact, Some(3)).unwrap();
/// let cpus: Vec<String> =
///     plan.workers.iter().map(|place| place.cpus.as_ref().unwrap().to_string()).collect();
/// assert_eq!(cpus, ["0", "2", "1"]);
/// assert_eq!(plan.domains.len(), 1);
/// ```
pub fn plan(
    topology: &Topology,
    placement: &Placement,
    workers: Option<usize>,
) -> Result<Plan, PlacementError> {
    let workers = workers.unwrap_or_else(|| match placement {
        Placement::Explicit(list) => list.len(),
        _ => default_workers(topology),
    });
    match workers {
        0 => return Err(PlacementError::NoWorkers),
        1..=MAX_WORKERS => {}
        _ => return Err(PlacementError::TooManyWorkers { workers }),
    }
    let single = |pus: Vec<usize>| pus.into_iter().map(Seat::Pu).collect();
    let seats: Vec<Seat> = match placement {
        Placement::Unbound => vec![Seat::Anywhere; workers],
        Placement::PerNode => {
            order::per_node(topology, workers).into_iter().map(Seat::Node).collect()
        }
        Placement::Explicit(list) => {
            let chosen = chosen(topology, list)?;
            suffice(workers, list)?;
            single(chosen.into_iter().take(workers).collect())
        }
        Placement::Compact | Placement::Spread | Placement::NumaBalanced => {
            suffice(workers, topology.allowed().as_slice())?;
            single(match placement {
                Placement::Spread => order::spread(topology, workers),
                Placement::NumaBalanced => order::balanced(topology, workers),
                _ => order::compact(topology).into_iter().take(workers).collect(),
            })
        }
    };
    Ok(furnish(topology, &seats))
}

/// Checks that there is a PU for every worker.
fn suffice(workers: usize, pus: &[u32]) -> Result<(), PlacementError> {
    match pus.first() {
        _ if workers <= pus.len() => Ok(()),
        Some(&pu) => Err(PlacementError::MoreWorkersThanPus { workers, pus: pus.len(), pu }),
        None => Err(PlacementError::NoPus),
    }
}

/// What a worker is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seat {
    Anywhere,
    /// A PU, by index.
    Pu(usize),
    /// A node, by index; none for the PUs that have no home node.
    Node(Option<usize>),
}

/// Finds the PUs of an explicit list.
fn chosen(topology: &Topology, list: &[u32]) -> Result<Vec<usize>, PlacementError> {
    let mut seen = BTreeSet::new();
    list.iter()
        .map(|&os| {
            let found = topology.pus().binary_search_by_key(&os, |pu| pu.os);
            let pu = found.map_err(|_| PlacementError::NotAllowed { pu: os })?;
            if seen.insert(pu) { Ok(pu) } else { Err(PlacementError::Repeated { pu: os }) }
        })
        .collect()
}

/// Turns seats into places.
fn furnish(topology: &Topology, seats: &[Seat]) -> Plan {
    let spots: Vec<Spot<'_>> = seats.iter().map(|seat| Spot::new(topology, *seat)).collect();
    let domains = Domains::of(topology, &spots);
    let place = |(worker, seat): (usize, &Seat)| WorkerPlace {
        cpus: cpus(topology, *seat),
        domain: domains.index(spots[worker].node),
        victims: victims::victims(topology, &spots, worker),
    };
    let workers = seats.iter().enumerate().map(place).collect();
    Plan { workers, domains: domains.list(), homes: domains.homes() }
}

fn cpus(topology: &Topology, seat: Seat) -> Option<CpuSet> {
    match seat {
        Seat::Anywhere => None,
        Seat::Pu(pu) => Some(CpuSet::from_iter([topology.pus()[pu].os])),
        Seat::Node(Some(node)) => Some(topology.nodes()[node].cpus.clone()),
        Seat::Node(None) => {
            let homeless = topology.pus().iter().filter(|pu| pu.node.is_none());
            Some(homeless.map(|pu| pu.os).collect())
        }
    }
}
