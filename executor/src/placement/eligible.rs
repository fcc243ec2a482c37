//! Which PUs of a machine workers may get, and why not the others.

use super::{Cores, PlacementError, Request, Smt};
use crate::topology::{CpuSet, Pu, PuKind, Topology};
use std::collections::{BTreeMap, BTreeSet};

/// The PUs that workers may get.
pub(super) struct Eligible {
    /// As indices into [`Topology::pus`], smallest first.
    pub(super) pus: Vec<usize>,
    pub(super) smt: Smt,
}

/// What no worker gets, and why. A PU stands under the first reason that there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LeftOut {
    /// The PUs of reserved cores.
    pub reserved: CpuSet,
    /// The PUs of cores of the other kind than the wanted one.
    pub other_cores: CpuSet,
    /// The PUs of cores that give another PU already, where [`Smt::Avoid`] is wanted.
    pub second_threads: CpuSet,
    /// The nodes, by the operating system's numbers, that have memory and no PU.
    pub memory_only: Vec<u32>,
}

impl Eligible {
    /// Takes all PUs but those that the preferences exclude.
    ///
    /// # Errors
    ///
    /// [`PlacementError::NothingLeft`].
    pub(super) fn preferred(
        topology: &Topology,
        request: &Request,
    ) -> Result<(Self, LeftOut), PlacementError> {
        let &Request { smt, cores, reserve_cores, .. } = request;
        let reserved = reserved(topology, reserve_cores);
        let (mut pus, mut begun) = (Vec::new(), BTreeSet::new());
        let mut out: [Vec<u32>; 3] = Default::default();
        for (index, pu) in topology.pus().iter().enumerate() {
            if reserved.contains(&seat_of_core(pu)) {
                out[0].push(pu.os);
            } else if !wanted(cores, pu.kind) {
                out[1].push(pu.os);
            } else if !begun.insert(pu.core) && smt == Smt::Avoid {
                out[2].push(pu.os);
            } else {
                pus.push(index);
            }
        }
        if pus.is_empty() {
            return Err(PlacementError::NothingLeft { cores, reserve_cores });
        }
        let [reserved, other_cores, second_threads] = out.map(CpuSet::from_iter);
        let memory_only = memory_only(topology);
        Ok((Self { pus, smt }, LeftOut { reserved, other_cores, second_threads, memory_only }))
    }

    /// Takes the PUs of a list, whatever is preferred.
    ///
    /// # Errors
    ///
    /// [`PlacementError::NotAllowed`] and [`PlacementError::Repeated`].
    pub(super) fn listed(
        topology: &Topology,
        list: &[u32],
    ) -> Result<(Self, LeftOut), PlacementError> {
        let mut pus = BTreeSet::new();
        for &os in list {
            let found = topology.pus().binary_search_by_key(&os, |pu| pu.os);
            if !pus.insert(found.map_err(|_| PlacementError::NotAllowed { pu: os })?) {
                return Err(PlacementError::Repeated { pu: os });
            }
        }
        let out = LeftOut { memory_only: memory_only(topology), ..LeftOut::default() };
        Ok((Self { pus: pus.into_iter().collect(), smt: Smt::default() }, out))
    }

    /// Returns the PUs as a set.
    pub(super) fn set(&self, topology: &Topology) -> CpuSet {
        self.pus.iter().map(|&index| topology.pus()[index].os).collect()
    }

    /// Returns the PUs whose home is this node, or that have none.
    pub(super) fn of_node(&self, topology: &Topology, node: Option<usize>) -> CpuSet {
        let pus = self.pus.iter().map(|&index| &topology.pus()[index]);
        pus.filter(|pu| pu.node == node).map(|pu| pu.os).collect()
    }
}

/// A core and the node that it counts for. PUs without a node count as one more node.
fn seat_of_core(pu: &Pu) -> (Option<usize>, usize) {
    (pu.node, pu.core)
}

/// The last cores of every node. Cores are numbered in the order of their first PU.
fn reserved(topology: &Topology, count: usize) -> BTreeSet<(Option<usize>, usize)> {
    let mut nodes: BTreeMap<Option<usize>, BTreeSet<usize>> = BTreeMap::new();
    for (node, core) in topology.pus().iter().map(seat_of_core) {
        nodes.entry(node).or_default().insert(core);
    }
    let last = |(node, cores): (Option<usize>, BTreeSet<usize>)| {
        cores.into_iter().rev().take(count).map(move |core| (node, core))
    };
    nodes.into_iter().flat_map(last).collect()
}

fn wanted(cores: Cores, kind: PuKind) -> bool {
    match cores {
        Cores::Any => true,
        Cores::Performance => kind != PuKind::Efficiency,
        Cores::Efficiency => kind != PuKind::Performance,
    }
}

fn memory_only(topology: &Topology) -> Vec<u32> {
    topology.nodes().iter().filter(|node| node.cpus.is_empty()).map(|node| node.os).collect()
}
