//! The machine as libhwloc describes it.
//!
//! The bindings (hwloc2 2.2) are sound only in part: printing an object overruns a buffer, names are
//! freed twice, looking up NUMA nodes panics, and a borrowed bitmap outlives its topology. So this
//! module, the only one that names them, keeps to these calls: `with_flags`, `depth_for_type` (never
//! for nodes or devices), `objects_at_depth`, `os_index`, `cpuset` and `nodeset` followed at once by
//! `weight` and `clone`, and `support().cpu()`. It copies out plain data and lets go. Nothing here
//! needs `unsafe`.

use std::collections::BTreeMap;

use hwloc2::{Bitmap, ObjectType, Topology as Hwloc};

use super::normalise::{Raw, RawNode, RawPu};
use super::{MAX_OS_ID, Source, TopologyError};

/// Loads a topology and copies it out.
///
/// Moves the calling thread over the PUs while it measures: call it on a thread of its own.
pub(super) fn read() -> Result<Raw, TopologyError> {
    // Without flags, hwloc drops the PUs and nodes that the cgroup does not allow.
    let hwloc = Hwloc::with_flags(Vec::new()).ok_or(TopologyError::Hwloc("loading failed"))?;
    let mut raw = Raw::new(Source::Hwloc);
    // A synthetic or imported topology cannot be bound to.
    raw.this_machine = hwloc.support().cpu().set_current_thread();

    let cores = membership(&hwloc, ObjectType::Core);
    let packages = membership(&hwloc, ObjectType::Package);
    let l2s = membership(&hwloc, ObjectType::L2Cache);
    let caches: Vec<_> =
        [ObjectType::L5Cache, ObjectType::L4Cache, ObjectType::L3Cache, ObjectType::L2Cache]
            .into_iter()
            .zip([5_u64, 4, 3, 2])
            .map(|(kind, level)| (level, membership(&hwloc, kind)))
            .collect();

    let depth = hwloc
        .depth_for_type(&ObjectType::PU)
        .map_err(|_| TopologyError::Hwloc("it knows no level of PUs"))?;
    let mut nodes = NodeSets::default();
    for object in hwloc.objects_at_depth(depth) {
        let os = object.os_index();
        if os > MAX_OS_ID {
            return Err(TopologyError::Hwloc("a PU has no usable number"));
        }
        let mut pu = RawPu::alone(os, packages.get(&os).copied().unwrap_or(0));
        if let Some(core) = cores.get(&os) {
            pu.core = *core;
        } else {
            // Apart from the numbers of real cores.
            pu.core |= 1 << 32;
        }
        pu.l2 = l2s.get(&os).copied();
        pu.llc = caches
            .iter()
            .find_map(|(level, cache)| cache.get(&os).map(|number| (level << 32) | number));
        nodes.add(os, ids(object.nodeset()));
        raw.pus.push(pu);
    }
    for pu in &mut raw.pus {
        pu.node = nodes.home(pu.os);
    }
    raw.nodes = nodes.cpus.keys().map(|os| RawNode { os: *os, mem_bytes: None }).collect();
    Ok(raw)
}

/// Returns, for every PU, the number of the object of this type that contains it.
fn membership(hwloc: &Hwloc, kind: ObjectType) -> BTreeMap<u32, u64> {
    let mut owner = BTreeMap::new();
    let Ok(depth) = hwloc.depth_for_type(&kind) else { return owner };
    // Numbered here: hwloc's own numbers repeat across packages, or are missing.
    for (number, object) in (0_u64..).zip(hwloc.objects_at_depth(depth)) {
        owner.extend(ids(object.cpuset()).into_iter().map(|os| (os, number)));
    }
    owner
}

/// Copies a bitmap that still belongs to the topology.
fn ids(borrowed: Option<Bitmap>) -> Vec<u32> {
    // An infinite set has weight -1 and would be iterated for ever.
    match borrowed.filter(|bitmap| !bitmap.as_ptr().is_null() && bitmap.weight() > 0) {
        Some(bitmap) => bitmap.clone().into_iter().collect(),
        None => Vec::new(),
    }
}

/// The nodes near each PU, turned round: hwloc2 cannot show the nodes themselves.
#[derive(Default)]
struct NodeSets {
    cpus: BTreeMap<u32, Vec<u32>>,
    near: BTreeMap<u32, Vec<u32>>,
}

impl NodeSets {
    fn add(&mut self, pu: u32, nodes: Vec<u32>) {
        for node in &nodes {
            self.cpus.entry(*node).or_default().push(pu);
        }
        self.near.insert(pu, nodes);
    }

    /// Of several nodes, the one with the fewest PUs is the nearest: the others (memory that hangs
    /// off a package or the whole machine) are shared by more.
    fn home(&self, pu: u32) -> Option<u32> {
        let near = self.near.get(&pu)?.iter().copied();
        near.min_by_key(|node| (self.cpus.get(node).map_or(usize::MAX, Vec::len), *node))
    }
}
