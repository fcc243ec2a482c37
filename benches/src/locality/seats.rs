//! Who sits where: a described machine and a plan, as the simulation needs them.

use super::costs::Costs;
use super::rules::{Rules, Victims};
use bastion_executor::Topology;
use bastion_executor::placement::Plan;

/// What the distance to oneself is, by the firmware's convention.
const LOCAL: u64 = 10;
/// What Linux takes the distance to any other node to be, where the firmware says nothing.
const ELSEWHERE: u64 = 20;
/// The core, cache or node of nobody.
const NONE: usize = usize::MAX;

/// Where a worker sits. All are indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) core: usize,
    pub(super) l2: usize,
    pub(super) llc: usize,
    pub(super) node: usize,
    pub(super) domain: usize,
    /// It is bound to one PU, so that its core and caches are known to others.
    pub(super) bound: bool,
}

/// The machine with its workers.
#[derive(Clone, Debug)]
pub(super) struct Seats {
    pub(super) workers: Vec<Seat>,
    /// The workers of each domain.
    pub(super) members: Vec<Vec<usize>>,
    /// The other domains of each, nearest first.
    pub(super) others: Vec<Vec<usize>>,
    /// Each worker's victims, nearest first, by domain.
    victims: Vec<Vec<Vec<usize>>>,
    /// The workers on each core.
    pub(super) on_core: Vec<Vec<usize>>,
    pub(super) llcs: usize,
    distance: Vec<Vec<u64>>,
    /// The domain of what comes from outside on each node.
    entrance: Vec<usize>,
}

impl Seats {
    /// Seats the plan's workers. Whoever may use several PUs is on one of them, and stays there: first on one of each core.
    ///
    /// A PU without a home node counts as one of the first node.
    pub(super) fn new(topology: &Topology, plan: &Plan, rules: &Rules) -> Seats {
        let pus = topology.pus();
        let domain_of = |domain: usize| if rules.by_domain { domain } else { 0 };
        let mut taken = vec![false; pus.len()];
        let mut workers = Vec::with_capacity(plan.workers.len());
        for place in &plan.workers {
            let may = |pu: &usize| place.cpus.as_ref().is_none_or(|set| set.contains(pus[*pu].os));
            let free = (0..pus.len()).filter(may);
            let pu = free.min_by_key(|pu| (taken[*pu], pus[*pu].smt_rank, *pu)).unwrap_or(0);
            taken[pu] = true;
            let pu = &pus[pu];
            let (node, domain) = (pu.node.unwrap_or(0), domain_of(place.domain));
            let bound = place.cpus.as_ref().is_some_and(|set| set.len() == 1);
            workers.push(Seat { core: pu.core, l2: pu.l2, llc: pu.llc, node, domain, bound });
        }
        let domains = if rules.by_domain { plan.domains.len() } else { 1 };
        let of_domain = |domain: usize| {
            let members = (0..workers.len()).filter(|worker| workers[*worker].domain == domain);
            members.collect::<Vec<usize>>()
        };
        let on_core = |core: usize| {
            (0..workers.len()).filter(|worker| workers[*worker].core == core).collect()
        };
        let entrance = topology.nodes().iter().map(|node| {
            let first = node.cpus.iter().next();
            domain_of(first.and_then(|pu| plan.nearest_domain(pu)).unwrap_or(0))
        });
        let others = (0..domains).map(|domain| match rules.by_domain {
            true => plan.domains[domain].others.clone(),
            false => Vec::new(),
        });
        let mut seats = Seats {
            members: (0..domains).map(of_domain).collect(),
            others: others.collect(),
            victims: Vec::new(),
            on_core: (0..topology.cores().len()).map(on_core).collect(),
            llcs: topology.llcs().len(),
            distance: distances(topology),
            entrance: entrance.collect(),
            workers,
        };
        let victims = |worker| seats.victims_of(worker, plan, rules);
        seats.victims = (0..plan.workers.len()).map(victims).collect();
        seats
    }

    fn victims_of(&self, worker: usize, plan: &Plan, rules: &Rules) -> Vec<Vec<usize>> {
        let count = self.workers.len();
        let all: Vec<usize> = match rules.victims {
            Victims::Near => plan.workers[worker].victims.clone(),
            Victims::Ring | Victims::Random => {
                (1..count).map(|step| (worker + step) % count).collect()
            }
        };
        let in_domain = |domain: usize| {
            let victims = all.iter().filter(|victim| self.workers[**victim].domain == domain);
            victims.copied().collect()
        };
        (0..self.members.len()).map(in_domain).collect()
    }

    /// Returns whom a worker steals from in a domain, in this order.
    pub(super) fn victims(&self, worker: usize, domain: usize) -> &[usize] {
        &self.victims[worker][domain]
    }

    /// Returns the place of a thread that is no worker, on this node.
    pub(super) fn outside(&self, node: usize) -> Seat {
        let node = node % self.distance.len();
        Seat { core: NONE, l2: NONE, llc: NONE, node, domain: self.entrance[node], bound: false }
    }

    pub(super) fn nodes(&self) -> usize {
        self.distance.len()
    }

    /// Returns what a cache line costs that was last touched there, or lies in the memory of that node.
    pub(super) fn line_ns(&self, here: &Seat, there: &Seat, costs: &Costs) -> u64 {
        if here.core != NONE && here.core == there.core {
            0
        } else if here.l2 != NONE && here.l2 == there.l2 {
            costs.line_l2_ns
        } else if here.llc != NONE && here.llc == there.llc {
            costs.line_llc_ns
        } else {
            self.memory_ns(here.node, there.node, costs)
        }
    }

    /// Returns what a line costs from the memory of a node.
    pub(super) fn memory_ns(&self, here: usize, there: usize, costs: &Costs) -> u64 {
        costs.line_node_ns * self.distance[here][there] / LOCAL
    }
}

/// Returns the distances between the nodes: the firmware's, or what Linux takes instead.
fn distances(topology: &Topology) -> Vec<Vec<u64>> {
    let nodes = topology.nodes().len();
    let default = |from, to| if from == to { LOCAL } else { ELSEWHERE };
    let distance = |from: usize, to: usize| match topology.distance() {
        Some(rows) => u64::from(rows[from][to]).max(LOCAL),
        None => default(from, to),
    };
    (0..nodes).map(|from| (0..nodes).map(|to| distance(from, to)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::rules::{BASTION, RING};
    use super::*;
    use bastion_executor::Placement;
    use bastion_executor::placement::Request;

    fn seats(machine: &str, placement: Placement, rules: &Rules) -> Seats {
        let topology: Topology = machine.parse().unwrap();
        Seats::new(&topology, &Request::new().policy(placement).plan(&topology).unwrap(), rules)
    }

    #[test]
    fn a_line_costs_by_the_distance() {
        let machine = "node:2 l3:1 l2:2 core:2 pu:2 distance:10,21/21,10";
        let seats = seats(machine, Placement::NumaBalanced, &BASTION);
        let costs = Costs::default();
        let to = |core: usize| {
            let there = seats.workers.iter().find(|seat| seat.core == core).unwrap();
            seats.line_ns(&seats.workers[0], there, &costs)
        };
        assert_eq!([to(0), to(1), to(2), to(4)], [0, 15, 40, 210]);
        assert_eq!(seats.line_ns(&seats.outside(0), &seats.workers[0], &costs), 100);
    }

    #[test]
    fn workers_that_may_run_anywhere_on_a_node_have_a_core_each_first() {
        let seats = seats("node:2 core:2 pu:2", Placement::PerNode, &BASTION);
        let cores: Vec<usize> = seats.workers.iter().map(|seat| seat.core).collect();
        assert_eq!(cores, [0, 1, 0, 1, 2, 3, 2, 3]);
        assert_eq!(seats.members, [vec![0, 1, 2, 3], vec![4, 5, 6, 7]]);
        assert_eq!((seats.outside(1).domain, seats.outside(2).domain), (1, 0));
    }

    #[test]
    fn the_blind_order_has_one_domain_and_a_ring() {
        let seats = seats("node:2 core:2", Placement::Compact, &RING);
        assert_eq!(seats.members, [[0, 1, 2, 3]]);
        assert_eq!(seats.victims(2, 0), [3, 0, 1]);
        assert_eq!(seats.outside(1).domain, 0);
        assert!(seats.others[0].is_empty());
    }
}
