//! The domains of a plan: which workers share a node, which domains are near, and which is nearest to a PU.

use super::victims::Spot;
use crate::topology::Topology;
use std::cmp::Reverse;

/// Workers that share a NUMA node, and with it a queue for what comes from outside. They help each other first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Domain {
    /// The operating system's number of the node; none for workers whose node is not known, such as
    /// unbound ones on a machine of several.
    pub node: Option<u32>,
    /// The other domains, nearest first.
    pub others: Vec<usize>,
}

/// The nodes that have a worker, in the order of their numbers; last the workers without a known one.
pub(super) struct Domains<'a> {
    topology: &'a Topology,
    /// A node, by index, and the package of its first worker.
    seats: Vec<(Option<usize>, Option<usize>)>,
}

impl<'a> Domains<'a> {
    pub(super) fn of(topology: &'a Topology, spots: &[Spot<'_>]) -> Self {
        let mut seats: Vec<_> = spots.iter().map(|spot| (spot.node, spot.package)).collect();
        seats.sort_by_key(|(node, package)| (node.is_none(), *node, *package));
        seats.dedup_by_key(|(node, _)| *node);
        Self { topology, seats }
    }

    /// Returns the number of the domain that the workers of this node form.
    pub(super) fn index(&self, node: Option<usize>) -> usize {
        // Every worker's node is in the list, because the list was made from them.
        self.seats.iter().position(|(seat, _)| *seat == node).unwrap_or(0)
    }

    pub(super) fn list(&self) -> Vec<Domain> {
        let domain = |(index, (node, package)): (usize, &(Option<usize>, Option<usize>))| {
            let others = self.nearest(*node, *package).into_iter();
            Domain {
                node: node.map(|node| self.topology.nodes()[node].os),
                others: others.filter(|other| *other != index).collect(),
            }
        };
        self.seats.iter().enumerate().map(domain).collect()
    }

    /// Returns, for every PU of the machine by its operating system id, the domain that is nearest to it.
    pub(super) fn homes(&self) -> Vec<(u32, usize)> {
        let nearest = |pu: &crate::topology::Pu| {
            let domains = self.nearest(pu.node, Some(pu.package));
            (pu.os, domains.first().copied().unwrap_or(0))
        };
        self.topology.pus().iter().map(nearest).collect()
    }

    /// Returns all domains, those nearest to a place first: its own node, then by the firmware's distances, then its own package.
    fn nearest(&self, node: Option<usize>, package: Option<usize>) -> Vec<usize> {
        let distance = |domain: &usize| {
            let (other, of) = self.seats[*domain];
            let slit = match (node, other, self.topology.distance()) {
                (Some(a), Some(b), Some(distance)) => distance[a][b],
                (Some(_), Some(_), None) => 0,
                _ => u32::MAX,
            };
            (Reverse(other == node), slit, Reverse(package.is_some() && of == package), *domain)
        };
        let mut domains: Vec<usize> = (0..self.seats.len()).collect();
        domains.sort_by_key(distance);
        domains
    }
}
