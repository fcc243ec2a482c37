//! The last resort: a count of PUs, nothing else.

use super::cpuset::MAX_OS_ID;
use super::normalise::{Raw, RawPu, normalise};
use super::{CpuSet, Source, Topology};

/// Describes `pus` equal PUs, numbered from 0.
pub(super) fn flat(pus: usize) -> Topology {
    let last = pus.clamp(1, MAX_OS_ID as usize + 1) as u32 - 1;
    describe((0..=last).collect())
}

/// Describes the machine that this runs on by what the standard library and the affinity mask say.
pub(super) fn this_machine(allowed: Option<CpuSet>, parallelism: Option<usize>) -> Topology {
    let known = allowed.filter(|allowed| !allowed.is_empty());
    // Numbers are the real ones only when a mask gave them.
    let this_machine = known.is_some();
    let mut topology = known.map_or_else(|| flat(parallelism.unwrap_or(1)), describe);
    topology.this_machine = this_machine;
    topology.parallelism = parallelism;
    topology
}

fn describe(ids: CpuSet) -> Topology {
    let pus = ids.iter().map(|os| RawPu::alone(os, 0)).collect();
    let raw = Raw { pus, ..Raw::new(Source::Flat) };
    normalise(raw, None).expect("a non-empty set of PUs without a mask leaves PUs")
}
