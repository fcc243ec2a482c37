//! A topology that somebody else has written down, and the check that makes it one of ours.

use super::normalise::normalise;
use super::{CpuSet, Node, Pu, Source, Topology, TopologyError};
use serde::Deserialize;

/// The fields of a [`Topology`], with anything in them.
#[derive(Deserialize)]
pub(super) struct Unchecked {
    pus: Vec<Pu>,
    cores: Vec<CpuSet>,
    l2s: Vec<CpuSet>,
    llcs: Vec<CpuSet>,
    packages: Vec<CpuSet>,
    nodes: Vec<Node>,
    distance: Option<Vec<Vec<u32>>>,
    parallelism: Option<usize>,
    source: Source,
}

/// Accepts what is its own normal form: then every index is in range, and everything fits together.
impl TryFrom<Unchecked> for Topology {
    type Error = TopologyError;

    fn try_from(read: Unchecked) -> Result<Topology, TopologyError> {
        let Unchecked { pus, cores, l2s, llcs, packages, nodes, .. } = read;
        let Unchecked { distance, parallelism, source, .. } = read;
        let this_machine = false;
        let given = Topology {
            pus,
            cores,
            l2s,
            llcs,
            packages,
            nodes,
            distance,
            parallelism,
            source,
            this_machine,
        };
        let differs = |part| Err(TopologyError::Inconsistent(part));
        // The one index that making the normal form follows.
        if given.pus.iter().filter_map(|pu| pu.node).any(|node| node >= given.nodes.len()) {
            return differs("nodes");
        }
        let normal = normalise((&given).into(), None)?;
        let parts = [
            (given.pus == normal.pus, "PUs"),
            (given.cores == normal.cores, "cores"),
            (given.l2s == normal.l2s, "level 2 caches"),
            (given.llcs == normal.llcs, "last level caches"),
            (given.packages == normal.packages, "packages"),
            (given.nodes == normal.nodes, "nodes"),
            (given.distance == normal.distance, "distances"),
            (given.parallelism != Some(0), "number of threads"),
        ];
        match parts.into_iter().find(|(is_normal, _)| !is_normal) {
            Some((_, part)) => differs(part),
            None => Ok(normal),
        }
    }
}
