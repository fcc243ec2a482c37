//! Which worker runs where: pure functions from a [`Topology`](crate::topology::Topology) and a [`Request`] to a [`Plan`].
//!
//! Nothing here binds a thread or asks the machine anything, so a described machine is planned exactly
//! as the real one is; whoever carries the plan out binds only if
//! [`Topology::is_this_machine`](crate::topology::Topology::is_this_machine). Equal input gives an equal plan.
//! (The functions about `CoreId`s are not of it: they are what bastion-executor 0.4 had in this module.)

mod decide;
mod domains;
mod eligible;
mod error;
mod explain;
mod order;
mod policy;
mod preference;
mod request;
mod seats;
mod victims;

pub use crate::compat::cores::{CoreId, get_core_ids, get_num_cores, set_for_current};
use crate::topology::CpuSet;
pub use decide::{CountReason, PolicyReason};
pub use domains::Domain;
pub use eligible::LeftOut;
pub use error::{PlacementError, UnknownName};
pub use explain::Explanation;
pub use policy::Placement;
pub use preference::{Cores, Smt};
pub use request::Request;

/// The most workers that a plan may have: every worker holds a list of all the others.
pub const MAX_WORKERS: usize = 2048;

/// Where every worker goes, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Plan {
    /// The workers; a worker's number is its index.
    pub workers: Vec<WorkerPlace>,
    /// The nodes that have a worker, in the order of their numbers; the workers whose node is not known, such as unbound ones on a machine
    /// of several, share one more. A domain's number is its index; there is at least one.
    pub domains: Vec<Domain>,
    /// The policy that was followed.
    pub policy: Placement,
    /// Why this policy.
    pub policy_reason: PolicyReason,
    /// Why so many workers.
    pub count_reason: CountReason,
    /// What no worker gets.
    pub left_out: LeftOut,
    /// The nearest domain of every PU of the machine, in the order of the PUs' ids.
    #[cfg_attr(feature = "serde", serde(skip))]
    homes: Vec<(u32, usize)>,
    /// The machine in one line.
    machine: String,
    is_this_machine: bool,
}

impl Plan {
    /// Returns the domain that is nearest to a PU, which need not have a worker; none if there is no such PU, or it may not be used.
    pub fn nearest_domain(&self, pu: u32) -> Option<usize> {
        let found = self.homes.binary_search_by_key(&pu, |(os, _)| *os);
        found.ok().map(|index| self.homes[index].1)
    }

    /// Returns a few lines for people: the machine, the policy and the number of workers with their reasons, what is left out, and
    /// which workers run on which node.
    ///
    /// # Examples
    ///
    /// ```
    /// use bastion_executor::placement::Request;
    /// use bastion_executor::topology::Topology;
    ///
    /// let machine: Topology = "node:2 core:4 distance:10,21/21,10".parse()?;
    /// let plan = Request::new().reserve_cores(1).plan(&machine)?;
    /// assert_eq!(plan.explain().to_string(), "\
    /// machine: 8 PUs, 8 cores, 2 LLCs, 2 nodes (text)
    /// policy: per-node, because 2 nodes have PUs
    /// workers: 6, one for each PU
    /// binding: each worker to the PUs of its node, but not here: another machine is described
    /// left out: PUs 3,7 (reserved)
    /// node 0: PUs 0-2; workers 0-2; nearest: node 1 (21)
    /// node 1: PUs 4-6; workers 3-5; nearest: node 0 (21)
    /// ");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn explain(&self) -> Explanation<'_> {
        Explanation::of(self)
    }
}

/// Where one worker goes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct WorkerPlace {
    /// The PUs to bind to; none if the worker is to run anywhere.
    pub cpus: Option<CpuSet>,
    /// The domain, in [`Plan::domains`].
    pub domain: usize,
    /// All other workers, nearest first: on the same core, sharing the level 2 cache, sharing the last
    /// level cache, on the same node, then by distance. Equally near ones start with the next higher
    /// number, so that not all thieves go to the same victim.
    pub victims: Vec<usize>,
}
