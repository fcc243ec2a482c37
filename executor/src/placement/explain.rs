//! [`Explanation`]: a plan in words that do not presume this crate.

use super::{CountReason, Domain, Placement, Plan, PolicyReason};
use crate::topology::CpuSet;
use std::fmt;

/// Writes a [`Plan`] as a few lines, the last ones a domain each; see [`Plan::explain`].
#[derive(Clone, Copy, Debug)]
pub struct Explanation<'a> {
    plan: &'a Plan,
}

impl<'a> Explanation<'a> {
    pub(super) fn of(plan: &'a Plan) -> Self {
        Self { plan }
    }

    fn policy(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "policy: {}, ", self.plan.policy.name())?;
        match self.plan.policy_reason {
            PolicyReason::Asked => write!(f, "as asked for"),
            PolicyReason::SeveralNodes { nodes } => write!(f, "because {nodes} nodes have PUs"),
            PolicyReason::OneNode => write!(f, "because no second node has PUs for workers"),
            PolicyReason::MoreWorkersThanPus { workers, pus } => {
                write!(f, "because {workers} workers share {pus} PUs")
            }
            PolicyReason::Quota { threads, pus } => {
                write!(f, "because {threads} of {pus} PUs may be used at a time (CPU quota)")
            }
        }?;
        writeln!(f)
    }

    fn count(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.plan.count_reason {
            CountReason::Asked => "as asked for",
            CountReason::Listed => "one for each PU of the list",
            CountReason::PerPu => "one for each PU",
            CountReason::PerCore => "one for each core",
            CountReason::Quota => "as many as may run at a time (CPU quota)",
            CountReason::Most => "the most that there may be",
        };
        writeln!(f, "workers: {}, {why}", self.plan.workers.len())
    }

    fn binding(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(cpus) = self.plan.workers.first().and_then(|place| place.cpus.as_ref()) else {
            return writeln!(f, "binding: none");
        };
        match self.plan.policy {
            Placement::Unbound => write!(f, "binding: every worker to {}", Pus(cpus)),
            Placement::PerNode => write!(f, "binding: each worker to the PUs of its node"),
            _ => write!(f, "binding: each worker to one PU"),
        }?;
        let elsewhere = ", but not here: another machine is described";
        writeln!(f, "{}", if self.plan.is_this_machine { "" } else { elsewhere })
    }

    fn left_out(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let out = &self.plan.left_out;
        let sets = [
            (&out.reserved, "reserved"),
            (&out.other_cores, "the other kind of core"),
            (&out.second_threads, "second threads of cores"),
        ];
        let sets = sets.into_iter().filter(|(set, _)| !set.is_empty());
        let pus = sets.map(|(set, why)| format!("{} ({why})", Pus(set)));
        let nodes = out.memory_only.iter().map(|node| format!("node {node} (no PUs)"));
        let parts: Vec<String> = pus.chain(nodes).collect();
        if parts.is_empty() { Ok(()) } else { writeln!(f, "left out: {}", parts.join(", ")) }
    }

    fn domain(self, f: &mut fmt::Formatter<'_>, index: usize, domain: &Domain) -> fmt::Result {
        let workers = || {
            let numbered = self.plan.workers.iter().zip(0_u32..);
            numbered.filter(move |(place, _)| place.domain == index)
        };
        let numbers: CpuSet = workers().map(|(_, number)| number).collect();
        let plural = if numbers.len() == 1 { "" } else { "s" };
        write!(f, "{}: {}; ", self.name(domain), Pus(&domain.cpus))?;
        write!(f, "worker{plural} {numbers}")?;
        if !matches!(self.plan.policy, Placement::Unbound | Placement::PerNode) {
            let bound = workers().filter_map(|(place, _)| place.cpus.as_ref());
            write!(f, " on {}", Pus(&bound.flat_map(CpuSet::iter).collect()))?;
        }
        for (rank, (other, distance)) in domain.others.iter().zip(&domain.distances).enumerate() {
            let name = self.name(&self.plan.domains[*other]);
            write!(f, "{}{name}", if rank == 0 { "; nearest: " } else { ", " })?;
            if let Some(distance) = distance {
                write!(f, " ({distance})")?;
            }
        }
        writeln!(f)
    }

    fn name(self, domain: &Domain) -> String {
        match (domain.node, &self.plan.policy) {
            (Some(node), _) => format!("node {node}"),
            (None, Placement::Unbound) => "anywhere".to_owned(),
            (None, _) => "no node".to_owned(),
        }
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "machine: {}", self.plan.machine)?;
        self.policy(f)?;
        self.count(f)?;
        self.binding(f)?;
        self.left_out(f)?;
        let mut domains = self.plan.domains.iter().enumerate();
        domains.try_for_each(|(index, domain)| self.domain(f, index, domain))
    }
}

/// Writes `PU 3` or `PUs 0-2,5`.
struct Pus<'a>(&'a CpuSet);

impl fmt::Display for Pus<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PU{} {}", if self.0.len() == 1 { "" } else { "s" }, self.0)
    }
}
