//! NUMA nodes: which PUs call which memory their home, how much there is, and how far it is.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::TopologyError;
use super::super::normalise::{Raw, RawNode};
use super::{list, numbered, text};

/// What sysfs says about memory.
#[derive(Default)]
pub(in super::super) struct Memory {
    nodes: Vec<RawNode>,
    distance: Option<Vec<Vec<u32>>>,
    /// From PU to home node, both as the operating system numbers them.
    homes: BTreeMap<u32, u32>,
}

impl Memory {
    /// Puts this into what was read about PUs, in the place of whatever stood there.
    pub(in super::super) fn apply(self, raw: &mut Raw) {
        for pu in &mut raw.pus {
            pu.node = self.homes.get(&pu.os).copied();
        }
        raw.nodes = self.nodes;
        raw.distance = self.distance;
    }
}

/// Reads the nodes of the tree at `root`; none where the kernel has no NUMA support.
///
/// A PU is at home in the node that lists it: the kernel makes `cpuN/nodeM` from the same mask.
pub(in super::super) fn read_memory(root: &Path) -> Result<Option<Memory>, TopologyError> {
    let directory = root.join("devices/system/node");
    let online = list(&directory.join("online"))?;
    let mut memory = Memory::default();
    let mut rows = Vec::new();
    for (os, node) in numbered(&directory, "node")? {
        if online.as_ref().is_some_and(|online| !online.contains(os)) {
            continue;
        }
        for pu in list(&node.join("cpulist"))?.unwrap_or_default().iter() {
            memory.homes.entry(pu).or_insert(os);
        }
        memory.nodes.push(RawNode { os, mem_bytes: read_size(&node.join("meminfo"))? });
        rows.extend(read_row(&node.join("distance"))?);
    }
    // One row per node, or none at all: `normalise` drops anything that is not a square.
    memory.distance = (!rows.is_empty()).then_some(rows);
    Ok((!memory.nodes.is_empty()).then_some(memory))
}

fn read_row(path: &Path) -> Result<Option<Vec<u32>>, TopologyError> {
    let Some(text) = text(path)? else { return Ok(None) };
    let row: Result<_, _> = text.split_whitespace().map(str::parse).collect();
    row.map(Some).map_err(|_| TopologyError::content(path, &text))
}

/// Finds the line `Node 0 MemTotal:  4026028 kB`.
fn read_size(path: &Path) -> Result<Option<u64>, TopologyError> {
    let Some(text) = text(path)? else { return Ok(None) };
    let Some(line) = text.lines().find(|line| line.contains("MemTotal:")) else { return Ok(None) };
    let kilobytes = line.split_whitespace().rev().nth(1).and_then(|word| word.parse::<u64>().ok());
    let bytes = kilobytes.and_then(|kilobytes| kilobytes.checked_mul(1024));
    bytes.map(Some).ok_or_else(|| TopologyError::content(path, line))
}
