//! The domains of a plan: which workers share a node, which domains are near, and which is nearest to a PU.

use super::Placement;
use super::eligible::Eligible;
use super::victims::Spot;
use crate::topology::{CpuSet, Topology};
use std::cmp::Reverse;

/// Workers that share a NUMA node, and with it a queue for what comes from outside. They help each other first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Domain {
    /// The operating system's number of the node; none for workers whose node is not known, such as
    /// unbound ones on a machine of several.
    pub node: Option<u32>,
    /// The PUs of the node that workers may get; all that they may get, where workers run anywhere.
    pub cpus: CpuSet,
    /// The other domains, nearest first.
    pub others: Vec<usize>,
    /// The distance of each of [`others`](Self::others) as the firmware gives it (10 is local), where it is known.
    pub distances: Vec<Option<u32>>,
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

    pub(super) fn list(&self, eligible: &Eligible, policy: &Placement) -> Vec<Domain> {
        let domain = |(index, (node, package)): (usize, &(Option<usize>, Option<usize>))| {
            let mut others = self.nearest(*node, *package);
            others.retain(|other| *other != index);
            Domain {
                node: node.map(|node| self.topology.nodes()[node].os),
                cpus: match policy {
                    Placement::Unbound => eligible.set(self.topology),
                    _ => eligible.of_node(self.topology, *node),
                },
                distances: others.iter().map(|other| self.slit(*node, *other)).collect(),
                others,
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

    /// Returns all domains, those nearest to a place first: its own node, then by the firmware's distances, then its own package. Equally
    /// near ones begin behind its own, so that not all turn to the same one.
    fn nearest(&self, node: Option<usize>, package: Option<usize>) -> Vec<usize> {
        let own = self.seats.iter().position(|(seat, _)| *seat == node).unwrap_or(0);
        let count = self.seats.len();
        let distance = |domain: &usize| {
            let (other, of) = self.seats[*domain];
            let unknown = if node.is_some() && other.is_some() { 0 } else { u32::MAX };
            let slit = self.slit(node, *domain).unwrap_or(unknown);
            let foreign = package.is_none() || of != package;
            (Reverse(other == node), slit, foreign, (domain + count - own) % count)
        };
        let mut domains: Vec<usize> = (0..self.seats.len()).collect();
        domains.sort_by_key(distance);
        domains
    }

    /// Returns the firmware's distance from a node to a domain, where both are known.
    fn slit(&self, node: Option<usize>, domain: usize) -> Option<u32> {
        Some(self.topology.distance()?[node?][self.seats[domain].0?])
    }
}
