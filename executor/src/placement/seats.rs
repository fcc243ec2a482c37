//! Who gets what: the policies, each as a list of seats.

use super::eligible::Eligible;
use super::{Placement, PlacementError, order};
use crate::topology::{CpuSet, Topology};

/// What a worker is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seat {
    Anywhere,
    /// A PU, by index.
    Pu(usize),
    /// A node, by index; none for the PUs that have no home node.
    Node(Option<usize>),
}

impl Seat {
    /// Returns the PUs to bind to.
    pub(super) fn cpus(self, topology: &Topology, eligible: &Eligible) -> Option<CpuSet> {
        match self {
            // Where nothing is left out, there is nothing to keep a worker from.
            Self::Anywhere if eligible.pus.len() == topology.pus().len() => None,
            Self::Anywhere => Some(eligible.set(topology)),
            Self::Pu(pu) => Some(CpuSet::from_iter([topology.pus()[pu].os])),
            Self::Node(node) => Some(eligible.of_node(topology, node)),
        }
    }
}

/// Gives every worker a seat.
pub(super) fn seats(
    topology: &Topology,
    eligible: &Eligible,
    policy: &Placement,
    workers: usize,
) -> Result<Vec<Seat>, PlacementError> {
    let pus = match policy {
        Placement::Unbound => return Ok(vec![Seat::Anywhere; workers]),
        Placement::PerNode => {
            let nodes = order::per_node(topology, eligible, workers);
            return Ok(nodes.into_iter().map(Seat::Node).collect());
        }
        Placement::Explicit(list) => {
            suffice(workers, list)?;
            let index = |os: &u32| topology.pus().binary_search_by_key(os, |pu| pu.os).ok();
            list.iter().filter_map(index).collect()
        }
        Placement::Compact | Placement::Spread | Placement::NumaBalanced => {
            suffice(workers, eligible.set(topology).as_slice())?;
            match policy {
                Placement::Spread => order::spread(topology, eligible, workers),
                Placement::NumaBalanced => order::balanced(topology, eligible, workers),
                _ => order::compact(topology, eligible),
            }
        }
    };
    Ok(pus.into_iter().take(workers).map(Seat::Pu).collect())
}

/// Checks that there is a PU for every worker.
fn suffice(workers: usize, pus: &[u32]) -> Result<(), PlacementError> {
    match pus.first() {
        _ if workers <= pus.len() => Ok(()),
        Some(&pu) => Err(PlacementError::MoreWorkersThanPus { workers, pus: pus.len(), pu }),
        None => Err(PlacementError::NoPus),
    }
}
