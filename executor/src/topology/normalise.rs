//! The one place where what a source read becomes a [`Topology`].
//!
//! Sources name groups by any number that is equal for equal groups; this keeps the PUs that may be
//! used and numbers everything densely, in the order of the smallest PU. It accepts every input: ids
//! with gaps, cores without siblings, nodes without PUs, PUs without a node, groups that overlap.

use std::collections::{BTreeMap, BTreeSet};

use super::{CpuSet, Node, Pu, PuKind, Source, Topology, TopologyError};

/// What a source read about one PU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RawPu {
    pub(super) os: u32,
    /// Equal for the PUs of one core of one package.
    pub(super) core: u64,
    /// Equal for the PUs that share a level 2 cache.
    pub(super) l2: Option<u64>,
    /// Equal for the PUs that share a last level cache.
    pub(super) llc: Option<u64>,
    pub(super) package: u64,
    /// The operating system's number of the home node.
    pub(super) node: Option<u32>,
    pub(super) kind: PuKind,
}

impl RawPu {
    /// A PU that is a core of its own and shares no known cache.
    pub(super) fn alone(os: u32, package: u64) -> Self {
        let core = u64::from(os);
        Self { os, core, l2: None, llc: None, package, node: None, kind: PuKind::Uniform }
    }
}

/// What a source read about one NUMA node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RawNode {
    pub(super) os: u32,
    pub(super) mem_bytes: Option<u64>,
}

/// What a source read about a machine.
#[derive(Clone, Debug)]
pub(super) struct Raw {
    pub(super) pus: Vec<RawPu>,
    pub(super) nodes: Vec<RawNode>,
    /// By index in `nodes`.
    pub(super) distance: Option<Vec<Vec<u32>>>,
    pub(super) parallelism: Option<usize>,
    pub(super) source: Source,
    pub(super) this_machine: bool,
}

impl Raw {
    pub(super) fn new(source: Source) -> Self {
        let (pus, nodes) = (Vec::new(), Vec::new());
        Self { pus, nodes, distance: None, parallelism: None, source, this_machine: false }
    }
}

impl From<&Topology> for Raw {
    /// Reads a topology as if it were a source: brought into normal form again, it is the same.
    fn from(topology: &Topology) -> Self {
        let number = |index: usize| index as u64;
        let pu = |pu: &Pu| RawPu {
            os: pu.os,
            core: number(pu.core),
            l2: Some(number(pu.l2)),
            llc: Some(number(pu.llc)),
            package: number(pu.package),
            node: pu.node.map(|node| topology.nodes[node].os),
            kind: pu.kind,
        };
        let node = |node: &Node| RawNode { os: node.os, mem_bytes: node.mem_bytes };
        Self {
            pus: topology.pus.iter().map(pu).collect(),
            nodes: topology.nodes.iter().map(node).collect(),
            distance: topology.distance.clone(),
            parallelism: topology.parallelism,
            source: topology.source,
            this_machine: topology.this_machine,
        }
    }
}

/// Brings what a source read into normal form; `allowed` is the set to keep, all if not given.
///
/// # Errors
///
/// [`TopologyError::NoPu`] if nothing is left.
pub(super) fn normalise(raw: Raw, allowed: Option<&CpuSet>) -> Result<Topology, TopologyError> {
    let mut kept = raw.pus;
    kept.retain(|pu| allowed.is_none_or(|allowed| allowed.contains(pu.os)));
    kept.sort_by_key(|pu| pu.os);
    kept.dedup_by_key(|pu| pu.os);
    if kept.is_empty() {
        return Err(TopologyError::NoPu);
    }
    let (mut nodes, distance) = number_nodes(raw.nodes, raw.distance);
    if nodes.is_empty() {
        // A kernel without NUMA support: one memory, at the same distance from all.
        nodes.push(Node { os: 0, cpus: CpuSet::default(), mem_bytes: None });
        kept.iter_mut().for_each(|pu| pu.node = Some(0));
    }
    let uniform = kept.iter().all(|pu| pu.kind == kept[0].kind);

    let mut cores = Groups::default();
    let mut l2s = Groups::default();
    let mut llcs = Groups::default();
    let mut packages = Groups::default();
    let mut homes: Vec<Vec<u32>> = vec![Vec::new(); nodes.len()];
    let mut pus = Vec::with_capacity(kept.len());
    for pu in &kept {
        let node =
            pu.node.and_then(|os| nodes.binary_search_by_key(&os, |candidate| candidate.os).ok());
        if let Some(node) = node {
            homes[node].push(pu.os);
        }
        let package = packages.put(pu.package, pu.os);
        let core = cores.put((package, pu.core), pu.os);
        let l2 = l2s.put(pu.l2.map_or(Shared::Core(core), Shared::Cache), pu.os);
        let llc = llcs.put(pu.llc.map_or(Shared::Place(package, node), Shared::Cache), pu.os);
        let smt_rank = cores.members[core].len() - 1;
        let kind = if uniform { PuKind::Uniform } else { pu.kind };
        pus.push(Pu { os: pu.os, core, smt_rank, l2, llc, package, node, kind });
    }
    for (node, cpus) in nodes.iter_mut().zip(homes) {
        node.cpus = CpuSet::from_iter(cpus);
    }
    Ok(Topology {
        pus,
        cores: cores.sets(),
        l2s: l2s.sets(),
        llcs: llcs.sets(),
        packages: packages.sets(),
        nodes,
        distance,
        parallelism: raw.parallelism,
        source: raw.source,
        this_machine: raw.this_machine,
    })
}

/// What makes two PUs share a cache: the cache, or the best guess where it is not known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Shared {
    Cache(u64),
    Core(usize),
    Place(usize, Option<usize>),
}

/// Groups of PUs, numbered in the order in which they are first met.
struct Groups<K> {
    index: BTreeMap<K, usize>,
    members: Vec<Vec<u32>>,
}

impl<K> Default for Groups<K> {
    fn default() -> Self {
        Self { index: BTreeMap::new(), members: Vec::new() }
    }
}

impl<K: Ord> Groups<K> {
    fn put(&mut self, key: K, os: u32) -> usize {
        let next = self.members.len();
        let index = *self.index.entry(key).or_insert(next);
        if index == next {
            self.members.push(Vec::new());
        }
        self.members[index].push(os);
        index
    }

    fn sets(self) -> Vec<CpuSet> {
        self.members.into_iter().map(CpuSet::from_iter).collect()
    }
}

/// Sorts the nodes by number and the distances with them; distances that are not a square of the
/// right size are dropped.
fn number_nodes(
    raw: Vec<RawNode>,
    distance: Option<Vec<Vec<u32>>>,
) -> (Vec<Node>, Option<Vec<Vec<u32>>>) {
    let square = distance
        .filter(|rows| rows.len() == raw.len() && rows.iter().all(|row| row.len() == raw.len()));
    let mut order: Vec<usize> = (0..raw.len()).collect();
    let mut seen = BTreeSet::new();
    order.retain(|&i| seen.insert(raw[i].os));
    order.sort_by_key(|&i| raw[i].os);
    let node =
        |&i: &usize| Node { os: raw[i].os, cpus: CpuSet::default(), mem_bytes: raw[i].mem_bytes };
    let nodes = order.iter().map(node).collect();
    let distance = square
        .filter(|rows| !rows.is_empty())
        .map(|rows| order.iter().map(|&a| order.iter().map(|&b| rows[a][b]).collect()).collect());
    (nodes, distance)
}
