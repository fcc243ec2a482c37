//! From a plan to the parts of an executor: who is whose neighbour. Pure but for the memory that it makes.

use crate::crew::Desk;
use crate::domain::Domain;
use crate::idle::{Idle, Seat};
use crate::placement::{Plan, WorkerPlace};
use crate::shared::Remote;
use crate::steal::Victims;
use crate::sync::AtomicU64;
use crate::topology::Topology;
use crossbeam_utils::CachePadded;

/// The idle state of the plan's workers, all of them awake.
pub(crate) fn idle(topology: &Topology, plan: &Plan) -> Idle {
    let seat = |place: &WorkerPlace| Seat {
        domain: place.domain,
        core: place.cpus.as_ref().and_then(|cpus| match cpus.as_slice() {
            [os] => topology.pus().iter().find(|pu| pu.os == *os).map(|pu| (pu.core, pu.llc)),
            _ => None,
        }),
    };
    let seats: Vec<Seat> = plan.workers.iter().map(seat).collect();
    let others: Vec<_> = plan.domains.iter().map(|domain| domain.others.clone()).collect();
    Idle::new(&seats, &others)
}

/// The plan's domains, nothing queued.
pub(crate) fn domains(plan: &Plan) -> Box<[CachePadded<Domain>]> {
    let workers = |number| {
        let all = plan.workers.iter().enumerate();
        all.filter(move |(_, place)| place.domain == number).map(|(worker, _)| worker)
    };
    let domains = plan.domains.iter().enumerate();
    domains.map(|(d, domain)| Domain::new(domain.node, workers(d).collect()).into()).collect()
}

/// The domain nearest to each PU, by the PU's id; empty if there is but one.
pub(crate) fn homes(topology: &Topology, plan: &Plan) -> Box<[usize]> {
    if plan.domains.len() == 1 {
        return Box::default();
    }
    let last = topology.pus().last().map_or(0, |pu| pu.os);
    // A PU that may not be used is as near to the first domain as to any other.
    (0..=last).map(|os| plan.nearest_domain(os).unwrap_or(0)).collect()
}

/// The workers as the others see them, each at its desk.
pub(crate) fn remotes(plan: &Plan, desks: Vec<Desk>) -> Box<[Remote]> {
    let remote = |(place, desk): (&WorkerPlace, Desk)| Remote {
        stealer: desk.stealer,
        domain: place.domain,
        victims: victims(plan, place),
        timers: desk.timers,
        polls_seen: AtomicU64::new(0),
        own: desk.own,
    };
    plan.workers.iter().zip(desks).map(remote).collect()
}

fn victims(plan: &Plan, place: &WorkerPlace) -> Victims {
    let of = |domain| {
        let all = place.victims.iter().copied();
        all.filter(move |victim| plan.workers[*victim].domain == domain).collect()
    };
    let others = plan.domains[place.domain].others.iter();
    Victims { near: of(place.domain), far: others.map(|other| (*other, of(*other))).collect() }
}
