//! [`Request`]: what is wanted of a plan, and the making of one.

use super::domains::Domains;
use super::eligible::Eligible;
use super::seats::{self, Seat};
use super::victims::{self, Spot};
use super::{Cores, MAX_WORKERS, Placement, PlacementError, Plan, Smt, WorkerPlace, decide};
use crate::topology::Topology;

/// What is wanted of a [`Plan`]. What is not said is decided by the machine.
///
/// # Examples
///
/// ```
/// use bastion_executor::placement::{Placement, Request};
/// use bastion_executor::topology::Topology;
///
/// let machine: Topology = "node:2 core:2 pu:2".parse()?;
/// let plan = Request::new().policy(Placement::Compact).workers(3).plan(&machine)?;
/// let cpus: Vec<String> =
///     plan.workers.iter().map(|place| place.cpus.as_ref().unwrap().to_string()).collect();
/// assert_eq!(cpus, ["0", "2", "1"]);
/// assert_eq!(plan.domains.len(), 1);
///
/// let all = Request::new().reserve_cores(1).plan(&machine)?;
/// assert_eq!(all.policy, Placement::PerNode);
/// assert_eq!(all.workers[2].cpus.as_ref().unwrap().to_string(), "4-5");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Request {
    pub(super) policy: Option<Placement>,
    pub(super) workers: Option<usize>,
    pub(super) smt: Smt,
    pub(super) cores: Cores,
    pub(super) reserve_cores: usize,
}

impl Request {
    /// Asks for nothing in particular.
    pub fn new() -> Request {
        Request::default()
    }

    /// Sets the policy; an [`Explicit`](Placement::Explicit) list overrides all preferences for PUs. Default:
    /// [`PerNode`](Placement::PerNode) if more than one node has PUs for workers, else [`Unbound`](Placement::Unbound).
    ///
    /// Also unbound if there are more workers than PUs, or if a CPU quota is smaller than the PUs:
    /// the kernel then has to share them out, and a bound thread is in its way.
    pub fn policy(mut self, policy: impl Into<Option<Placement>>) -> Request {
        self.policy = policy.into();
        self
    }

    /// Sets the number of workers, at most [`MAX_WORKERS`]. Default: one for each PU of an explicit list, else one for each PU that the
    /// preferences leave, no more than the process may run at once ([`Topology::parallelism`]).
    pub fn workers(mut self, workers: impl Into<Option<usize>>) -> Request {
        self.workers = workers.into();
        self
    }

    /// Sets what is made of cores with several hardware threads. Default: [`Smt::Last`].
    pub fn smt(mut self, smt: Smt) -> Request {
        self.smt = smt;
        self
    }

    /// Sets which cores are wanted on a hybrid machine. Default: [`Cores::Any`].
    pub fn cores(mut self, cores: Cores) -> Request {
        self.cores = cores;
        self
    }

    /// Sets how many cores of each node, those with the highest numbers, are left to others: to interrupts, the blocking pool, other
    /// programs. PUs that have no node count as one more node. Default: 0.
    pub fn reserve_cores(mut self, count: usize) -> Request {
        self.reserve_cores = count;
        self
    }

    /// Decides where every worker goes. A request that says nothing fits every machine.
    ///
    /// # Errors
    ///
    /// No worker or too many; no core that is not reserved; with a policy of one PU per worker, more workers than PUs; in an explicit
    /// list, a PU that is given twice or that may not be used. The error names the PU.
    pub fn plan(&self, topology: &Topology) -> Result<Plan, PlacementError> {
        let (eligible, left_out) = match &self.policy {
            Some(Placement::Explicit(list)) => Eligible::listed(topology, list)?,
            _ => Eligible::preferred(topology, self)?,
        };
        let (policy, policy_reason) = decide::policy(topology, self, &eligible);
        let (workers, count_reason) = decide::workers(topology, self, (&eligible, &left_out));
        match workers {
            0 => return Err(PlacementError::NoWorkers),
            1..=MAX_WORKERS => {}
            _ => return Err(PlacementError::TooManyWorkers { workers }),
        }
        let seats = seats::seats(topology, &eligible, &policy, workers)?;
        let spots: Vec<Spot<'_>> = seats.iter().map(|seat| Spot::new(topology, *seat)).collect();
        let domains = Domains::of(topology, &spots);
        let place = |(worker, seat): (usize, &Seat)| WorkerPlace {
            cpus: seat.cpus(topology, &eligible),
            domain: domains.index(spots[worker].node),
            victims: victims::victims(topology, &spots, worker),
        };
        Ok(Plan {
            workers: seats.iter().enumerate().map(place).collect(),
            domains: domains.list(&eligible, &policy),
            policy,
            policy_reason,
            count_reason,
            left_out,
            homes: domains.homes(),
            machine: topology.to_string(),
            is_this_machine: topology.is_this_machine(),
        })
    }
}
