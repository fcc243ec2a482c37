//! From whom a worker steals, nearest first.

use super::seats::Seat;
use crate::topology::{Pu, Topology};

/// Where a worker sits, as far as it is known.
pub(super) struct Spot<'a> {
    pu: Option<&'a Pu>,
    pub(super) node: Option<usize>,
    pub(super) package: Option<usize>,
}

impl<'a> Spot<'a> {
    pub(super) fn new(topology: &'a Topology, seat: Seat) -> Self {
        let pus = topology.pus();
        match seat {
            // Also a worker that may run anywhere is on the only node that there is.
            Seat::Anywhere => Self { pu: None, node: only_node(topology), package: None },
            Seat::Pu(index) => {
                let pu = &pus[index];
                Self { pu: Some(pu), node: pu.node, package: Some(pu.package) }
            }
            // The package of a node is the one of its first PU.
            Seat::Node(node) => {
                let package = pus.iter().find(|pu| pu.node == node).map(|pu| pu.package);
                Self { pu: None, node, package }
            }
        }
    }
}

fn only_node(topology: &Topology) -> Option<usize> {
    let first = topology.pus().first()?.node;
    first.filter(|_| topology.pus().iter().all(|pu| pu.node == first))
}

/// Returns all workers but `thief`, nearest first.
///
/// Of equally near nodes those behind the thief's come first; in each node the worker behind the thief's own position, or at it, comes first. So
/// thieves of one node begin with different victims, wherever they go.
pub(super) fn victims(topology: &Topology, spots: &[Spot<'_>], thief: usize) -> Vec<usize> {
    let nodes = topology.nodes().len() + 1;
    let node = |worker: usize| spots[worker].node.unwrap_or(nodes - 1);
    // The workers of each node, and each worker's position among those of its own.
    let mut size = vec![0_usize; nodes];
    let mut position = Vec::with_capacity(spots.len());
    for worker in 0..spots.len() {
        position.push(size[node(worker)]);
        size[node(worker)] += 1;
    }
    let behind = |from: usize, to: usize, of: usize| (to + of - from % of) % of;
    let mut others: Vec<usize> = (0..spots.len()).filter(|other| *other != thief).collect();
    others.sort_by_cached_key(|&victim| {
        let distance = distance(topology, &spots[thief], &spots[victim]);
        let round = behind(node(thief), node(victim), nodes);
        let rank = behind(position[thief], position[victim], size[node(victim)]);
        (distance, round, rank)
    });
    others
}

/// The ring around the thief that a victim is in, then how far out in the last ring.
type Distance = (Ring, u32, bool);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Ring {
    Core,
    L2,
    Llc,
    Node,
    Machine,
}

fn distance(topology: &Topology, a: &Spot<'_>, b: &Spot<'_>) -> Distance {
    if let (Some(a), Some(b)) = (a.pu, b.pu) {
        let shared =
            [(Ring::Core, a.core, b.core), (Ring::L2, a.l2, b.l2), (Ring::Llc, a.llc, b.llc)];
        if let Some((ring, ..)) = shared.into_iter().find(|(_, a, b)| a == b) {
            return (ring, 0, false);
        }
    }
    let foreign = a.package != b.package;
    match (a.node, b.node) {
        (Some(a), Some(b)) if a == b => (Ring::Node, 0, false),
        // Without the firmware's numbers, nodes of the same package are the nearer ones.
        (Some(a), Some(b)) => {
            let slit = topology.distance().map_or(0, |distance| distance[a][b]);
            (Ring::Machine, slit, foreign)
        }
        (None, None) if !foreign => (Ring::Node, 0, false),
        _ => (Ring::Machine, u32::MAX, foreign),
    }
}
