//! Which source describes this machine: tried in order, the first that works is taken.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::normalise::{Raw, normalise};
use super::{CpuSet, Topology, TopologyError, flat, sysfs};
use crate::affinity;

const SYS: &str = "/sys";

/// The stack of the thread that calls libhwloc: half of what a worker has unless it is told otherwise.
#[cfg(hwloc_found)]
const STACK_BYTES: usize = 1 << 20;

pub(super) fn discover() -> Topology {
    let limits = Limits::of_this_thread();
    let mut failed = Vec::new();
    let found = from_hwloc(&limits, &mut failed).or_else(|| {
        let read = cfg!(target_os = "linux").then(|| sysfs_here(&limits))?;
        read.map_err(|error| failed.push(error)).ok()
    });
    let topology = found.unwrap_or_else(|| flat::this_machine(limits.allowed, limits.parallelism));
    if !failed.is_empty() {
        let failed: Vec<_> = failed.iter().map(ToString::to_string).collect();
        tracing::warn!("topology taken from {}: {}", topology.source(), failed.join("; "));
    }
    topology
}

/// Returns what [`discover`] found the last time, if this thread may use the same PUs as that one might: machines change seldom, and reading
/// one takes longer than starting the threads of an executor.
pub(super) fn known() -> Arc<Topology> {
    type Known = (Option<CpuSet>, Arc<Topology>);
    static KNOWN: Mutex<Option<Known>> = Mutex::new(None);
    let allowed = affinity::allowed().map(CpuSet::from_iter);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((of, topology)) = &*known
        && *of == allowed
    {
        return topology.clone();
    }
    let topology = Arc::new(discover());
    *known = Some((allowed, topology.clone()));
    topology
}

pub(super) fn from_sysfs(root: &Path) -> Result<Topology, TopologyError> {
    let is_sys =
        cfg!(target_os = "linux") && root.canonicalize().is_ok_and(|root| root == Path::new(SYS));
    if is_sys { sysfs_here(&Limits::of_this_thread()) } else { normalise(sysfs::read(root)?, None) }
}

/// What the operating system grants to the calling thread.
struct Limits {
    allowed: Option<CpuSet>,
    parallelism: Option<usize>,
}

impl Limits {
    fn of_this_thread() -> Self {
        let allowed = affinity::allowed().map(CpuSet::from_iter);
        let parallelism = thread::available_parallelism().ok().map(usize::from);
        Self { allowed, parallelism }
    }

    /// Applies them, as far as they concern the machine that was read.
    fn apply(&self, mut raw: Raw) -> Result<Topology, TopologyError> {
        // A machine that is only described has no limits of ours.
        if !raw.this_machine {
            return normalise(raw, None);
        }
        raw.parallelism = self.parallelism;
        normalise(raw, self.allowed.as_ref())
    }
}

fn sysfs_here(limits: &Limits) -> Result<Topology, TopologyError> {
    let mut raw = sysfs::read(Path::new(SYS))?;
    raw.this_machine = true;
    limits.apply(raw)
}

#[cfg(hwloc_found)]
fn from_hwloc(limits: &Limits, failed: &mut Vec<TopologyError>) -> Option<Topology> {
    use super::hwloc;

    // Its measurements bind the thread that calls it to one PU after the other. Its stack is too small for a worker: glibc keeps the
    // stacks of ended threads, and would hand this one, whose pages lie on some node already, to the next thread that it fits.
    let thread = thread::Builder::new().name("bastion-topology".to_owned()).stack_size(STACK_BYTES);
    let read = match thread.spawn(hwloc::read).map(thread::JoinHandle::join) {
        Ok(Ok(read)) => read,
        Ok(Err(_)) => Err(TopologyError::Hwloc("it panicked")),
        Err(_) => Err(TopologyError::Hwloc("no thread could be started for it")),
    };
    let topology = read.and_then(|mut raw| {
        if raw.this_machine {
            overlay(&mut raw);
        }
        limits.apply(raw)
    });
    topology.map_err(|error| failed.push(error)).ok()
}

/// Takes from sysfs what the bindings cannot show: nodes, distances, sizes and kinds of cores.
#[cfg(hwloc_found)]
fn overlay(raw: &mut Raw) {
    let root = Path::new(SYS);
    // If sysfs is broken or silent, what hwloc said about nodes stands.
    if let Ok(Some(memory)) = sysfs::read_memory(root) {
        memory.apply(raw);
    }
    if sysfs::read_kinds(root, &mut raw.pus).is_err() {
        raw.pus.iter_mut().for_each(|pu| pu.kind = super::PuKind::Uniform);
    }
}

#[cfg(not(hwloc_found))]
fn from_hwloc(_limits: &Limits, _failed: &mut Vec<TopologyError>) -> Option<Topology> {
    None
}
