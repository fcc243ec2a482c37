//! The order in which each policy gives PUs to workers, as indices into [`Topology::pus`].

use super::Smt;
use super::eligible::Eligible;
use crate::topology::{Pu, PuKind, Topology};

/// Node by node; in a node the first PU of every core, or all PUs of a core together, fast cores before frugal ones, cache by cache.
pub(super) fn compact(topology: &Topology, eligible: &Eligible) -> Vec<usize> {
    let mut order = eligible.pus.clone();
    order.sort_by_key(|&i| {
        let pu = &topology.pus()[i];
        (node_key(pu), rank(pu, eligible.smt), pu.llc, pu.l2, pu.core, pu.os)
    });
    order
}

/// The same number from every node as far as they have it, node by node, compact inside.
pub(super) fn balanced(topology: &Topology, eligible: &Eligible, workers: usize) -> Vec<usize> {
    let groups = by_node(topology, eligible);
    let sizes: Vec<usize> = groups.iter().map(Vec::len).collect();
    let shares = share_out(&sizes, workers);
    let taken = groups.iter().zip(&shares).flat_map(|(group, share)| group.iter().take(*share));
    taken.copied().collect()
}

/// The node of each worker: the same number on every node that has PUs, node by node. If there are
/// more workers than PUs, nodes are filled beyond their size.
pub(super) fn per_node(
    topology: &Topology,
    eligible: &Eligible,
    workers: usize,
) -> Vec<Option<usize>> {
    let groups = by_node(topology, eligible);
    let sizes: Vec<usize> = groups.iter().map(Vec::len).collect();
    let fitting = share_out(&sizes, workers);
    let rest = workers - fitting.iter().sum::<usize>();
    let beyond = share_out(&vec![usize::MAX; groups.len()], rest);
    let mut nodes = Vec::with_capacity(workers);
    for (group, share) in groups.iter().zip(fitting.iter().zip(beyond).map(|(a, b)| a + b)) {
        let node = group.first().and_then(|&pu| topology.pus()[pu].node);
        nodes.extend(std::iter::repeat_n(node, share));
    }
    nodes
}

/// Every next PU from the emptiest node, between equals from the emptiest package; in the node an
/// unused core before a shared one, then the emptiest last level cache, then the emptiest level 2. Where the PUs of a core belong
/// together, the rest of a core that has begun comes before that.
pub(super) fn spread(topology: &Topology, eligible: &Eligible, workers: usize) -> Vec<usize> {
    let pus = topology.pus();
    let mut free = by_node(topology, eligible);
    let together = eligible.smt == Smt::Use;
    let mut used = Loads {
        core: vec![0; topology.cores().len()],
        node: vec![0; free.len()],
        package: vec![0; topology.packages().len()],
        llc: vec![0; topology.llcs().len()],
        l2: vec![0; topology.l2s().len()],
    };
    let mut order = Vec::with_capacity(workers);
    for _ in 0..workers {
        let open = (0..free.len()).filter_map(|node| Some((node, *free[node].first()?)));
        let emptiest = open
            .min_by_key(|&(node, first)| (used.node[node], used.package[pus[first].package], node));
        let Some((node, _)) = emptiest else { break };
        let farthest = (0..free[node].len()).min_by_key(|&i| {
            let pu = &pus[free[node][i]];
            let begun = together && used.core[pu.core] > 0;
            let rank = (!begun, rank(pu, eligible.smt));
            (rank, used.llc[pu.llc], used.l2[pu.l2], pu.core, pu.os)
        });
        let Some(position) = farthest else { break };
        let index = free[node].remove(position);
        used.add(node, &pus[index]);
        order.push(index);
    }
    order
}

/// How many PUs are taken of each group.
struct Loads {
    core: Vec<usize>,
    node: Vec<usize>,
    package: Vec<usize>,
    llc: Vec<usize>,
    l2: Vec<usize>,
}

impl Loads {
    fn add(&mut self, node: usize, pu: &Pu) {
        self.core[pu.core] += 1;
        self.node[node] += 1;
        self.package[pu.package] += 1;
        self.llc[pu.llc] += 1;
        self.l2[pu.l2] += 1;
    }
}

/// A second hardware thread comes after every core, unless the threads of a core belong together; a frugal core after the fast ones.
fn rank(pu: &Pu, smt: Smt) -> (usize, bool) {
    let thread = if smt == Smt::Use { 0 } else { pu.smt_rank };
    (thread, pu.kind == PuKind::Efficiency)
}

/// PUs without a node come last.
fn node_key(pu: &Pu) -> usize {
    pu.node.unwrap_or(usize::MAX)
}

/// The PUs of each node that has any, in compact order.
fn by_node(topology: &Topology, eligible: &Eligible) -> Vec<Vec<usize>> {
    let pus = topology.pus();
    let same = |a: &usize, b: &usize| node_key(&pus[*a]) == node_key(&pus[*b]);
    compact(topology, eligible).chunk_by(same).map(<[usize]>::to_vec).collect()
}

/// Gives out `total` one at a time, to the smallest share that has room, until nothing has room.
fn share_out(room: &[usize], total: usize) -> Vec<usize> {
    let mut shares = vec![0; room.len()];
    for _ in 0..total {
        let open = (0..room.len()).filter(|&i| shares[i] < room[i]);
        let Some(smallest) = open.min_by_key(|&i| shares[i]) else { break };
        shares[smallest] += 1;
    }
    shares
}
