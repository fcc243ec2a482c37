//! Which worker each PU is for, as a plan says. Pure.

use bastion_executor::placement::{Placement, Plan};
use bastion_executor::topology::{CpuSet, Topology};

/// What a PU is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seat {
    /// For one worker alone.
    Worker(usize),
    /// For all workers of this domain, and for no one in particular.
    Shared(usize),
    /// For nobody: the PU is left out, or there are fewer workers than PUs.
    Nobody,
}

/// Returns what each PU is for, in the order of [`Topology::pus`].
pub(crate) fn seats(topology: &Topology, plan: &Plan) -> Vec<Seat> {
    let mut seats = vec![Seat::Nobody; topology.pus().len()];
    let mut give = |cpus: &CpuSet, seat| {
        for os in cpus.iter() {
            if let Ok(pu) = topology.pus().binary_search_by_key(&os, |pu| pu.os) {
                seats[pu] = seat;
            }
        }
    };
    if is_loose(plan) {
        // Workers of a domain have the same PUs.
        for (index, domain) in plan.domains.iter().enumerate() {
            give(&domain.cpus, Seat::Shared(index));
        }
    } else {
        for (worker, place) in plan.workers.iter().enumerate() {
            place.cpus.iter().for_each(|cpus| give(cpus, Seat::Worker(worker)));
        }
    }
    seats
}

/// Returns true if workers share PUs, instead of each having its own.
pub(crate) fn is_loose(plan: &Plan) -> bool {
    matches!(plan.policy, Placement::Unbound | Placement::PerNode)
}

/// Returns the numbers of the workers of a domain.
pub(crate) fn workers_of(plan: &Plan, domain: usize) -> CpuSet {
    let workers = plan.workers.iter().zip(0_u32..);
    workers.filter(|(place, _)| place.domain == domain).map(|(_, worker)| worker).collect()
}

#[cfg(test)]
mod tests {
    use bastion_executor::placement::Request;

    use super::*;

    fn check(text: &str, request: Request, expected: &[Seat]) {
        let topology: Topology = text.parse().expect(text);
        let plan = request.plan(&topology).expect(text);
        assert_eq!(seats(&topology, &plan), expected, "{text} {request:?}");
    }

    #[test]
    fn a_pu_is_for_one_worker_for_a_domain_or_for_nobody() {
        use Seat::{Nobody, Shared, Worker};
        let compact = Request::new().policy(Placement::Compact);
        check("core:2 pu:2", compact.workers(3), &[Worker(0), Worker(2), Worker(1), Nobody]);
        let listed = Request::new().policy(Placement::Explicit(vec![7, 3]));
        check("core:3 os:3,5,7", listed, &[Worker(1), Nobody, Worker(0)]);
        check("core:2", Request::new(), &[Shared(0); 2]);
        let reserved = Request::new().reserve_cores(1);
        check("node:2 core:2", reserved.clone(), &[Shared(0), Nobody, Shared(1), Nobody]);
        check("core:2", reserved, &[Shared(0), Nobody]);
        // Fewer workers than nodes: nobody is on the second.
        let one = Request::new().policy(Placement::PerNode).workers(1);
        check("node:2 core:1", one, &[Shared(0), Nobody]);
    }
}
