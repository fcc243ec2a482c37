//! What a request leaves open: the policy and the number of workers. Each decision comes with its reason.

use super::eligible::{Eligible, LeftOut};
use super::{MAX_WORKERS, Placement, Request};
use crate::topology::Topology;
use std::collections::BTreeSet;

/// Why a plan has its policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum PolicyReason {
    /// It was asked for.
    Asked,
    /// Several nodes have PUs, so each has its workers.
    SeveralNodes {
        /// How many.
        nodes: usize,
    },
    /// No more than one node has PUs, so nothing is gained by binding.
    OneNode,
    /// The kernel has to share the PUs out between more workers, and a bound thread is in its way.
    MoreWorkersThanPus {
        /// The workers asked for.
        workers: usize,
        /// The PUs for them.
        pus: usize,
    },
    /// The kernel has to share out a CPU quota that is smaller than the PUs.
    Quota {
        /// How many threads may run at once.
        threads: usize,
        /// The PUs for them.
        pus: usize,
    },
}

/// Why a plan has as many workers as it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum CountReason {
    /// So many were asked for.
    Asked,
    /// One for each PU of the list.
    Listed,
    /// One for each PU.
    PerPu,
    /// One for each core, because second threads of cores are left out.
    PerCore,
    /// As many as may run at once, which is less than the PUs: a CPU quota.
    Quota,
    /// As many as there may be at most.
    Most,
}

/// Chooses the policy that suits the machine, unless one was asked for.
pub(super) fn policy(
    topology: &Topology,
    request: &Request,
    eligible: &Eligible,
) -> (Placement, PolicyReason) {
    if let Some(policy) = &request.policy {
        return (policy.clone(), PolicyReason::Asked);
    }
    let pus = eligible.pus.len();
    let homes = eligible.pus.iter().filter_map(|&index| topology.pus()[index].node);
    let nodes = homes.collect::<BTreeSet<_>>().len();
    let reason = match (request.workers, topology.parallelism()) {
        _ if nodes <= 1 => PolicyReason::OneNode,
        (Some(workers), _) if workers > pus => PolicyReason::MoreWorkersThanPus { workers, pus },
        (_, Some(threads)) if threads < pus => PolicyReason::Quota { threads, pus },
        _ => return (Placement::PerNode, PolicyReason::SeveralNodes { nodes }),
    };
    (Placement::Unbound, reason)
}

/// Counts the workers, unless a number was asked for.
pub(super) fn workers(
    topology: &Topology,
    request: &Request,
    (eligible, left_out): (&Eligible, &LeftOut),
) -> (usize, CountReason) {
    let pus = eligible.pus.len();
    let quota = topology.parallelism().filter(|threads| *threads < pus);
    match (request.workers, &request.policy, quota) {
        (Some(workers), ..) => (workers, CountReason::Asked),
        (None, Some(Placement::Explicit(list)), _) => (list.len(), CountReason::Listed),
        (None, _, Some(threads)) if threads < MAX_WORKERS => (threads.max(1), CountReason::Quota),
        _ if pus > MAX_WORKERS => (MAX_WORKERS, CountReason::Most),
        _ if left_out.second_threads.is_empty() => (pus, CountReason::PerPu),
        _ => (pus, CountReason::PerCore),
    }
}
