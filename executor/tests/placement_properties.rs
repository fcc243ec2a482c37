//! What holds for every placement policy on every machine: described ones and random ones.

use std::collections::BTreeSet;

use bastion_executor::placement::{Placement, Plan, Request};
use bastion_executor::topology::{CpuSet, Topology};
use proptest::prelude::*;

const MACHINES: &[&str] = &[
    // One core; a small virtual machine; a laptop; a package of threads without known cores.
    "core:1",
    "l3:1 core:2",
    "pack:1 l3:1 l2:4 core:1 pu:2",
    "pu:4",
    // Two packages of Xeon 6230, as a tree and with the siblings numbered as Linux does.
    "pack:2 node:1 l3:1 l2:20 core:1 pu:2",
    "pack:2 node:1 l3:1 core:2 pu:2 os:0,4,1,5,2,6,3,7",
    // EPYC 7451: one and two packages of four nodes with two caches each.
    "pack:1 node:4 l3:2 core:3 pu:2",
    "pack:2 node:4 l3:2 core:3 pu:2",
    // Sub-NUMA clustering under one cache.
    "pack:2 l3:1 node:2 core:10 pu:2",
    // Hybrid: six fast cores with two threads, the rest frugal.
    "l3:1 l2:10 core:1 pu:2 efficiency:12-19",
    // Unequal distances.
    "node:4 core:2 distance:10,16,21,31/16,10,31,21/21,31,10,16/31,21,16,10",
    // Restricted containers: part of a node, one node of many, one thread of each core.
    "pack:2 node:1 l3:1 core:4 pu:2 allowed:0-5,12",
    "pack:4 node:2 core:4 allowed:12-15",
    "node:2 l3:1 core:4 pu:2 allowed:0,2,4,6,8,10,12,14",
    "node:8 core:4 pu:8",
    // PUs numbered alternately between packages; nodes around packages; no level 3 cache.
    "pack:2 core:4 os:0,2,4,6,1,3,5,7",
    "node:2 pack:2 l3:1 core:2 pu:2",
    "pack:2 l2:4 core:2",
];

fn policies(topology: &Topology) -> Vec<Placement> {
    let reversed = topology.pus().iter().rev().map(|pu| pu.os).collect();
    vec![
        Placement::Unbound,
        Placement::Compact,
        Placement::Spread,
        Placement::NumaBalanced,
        Placement::PerNode,
        Placement::Explicit(reversed),
    ]
}

/// Checks every promise for one machine and one number of workers, the number being legal or not.
fn check(topology: &Topology, workers: usize) {
    let pus = topology.pus().len();
    for policy in policies(topology) {
        let request = Request::new().policy(policy.clone()).workers(workers);
        let result = request.plan(topology);
        assert_eq!(result, request.plan(topology), "{policy} is deterministic");
        let loose = matches!(policy, Placement::Unbound | Placement::PerNode);
        assert_eq!(result.is_ok(), workers > 0 && (loose || workers <= pus), "{policy} {workers}");
        let Ok(plan) = result else { continue };
        assert_eq!(plan.workers.len(), workers);
        check_domains(topology, &plan);
        check_victims(&plan);
        check_cpus(topology, &policy, &plan);
        match policy {
            Placement::Spread | Placement::NumaBalanced => check_balance(topology, &plan),
            Placement::PerNode if workers <= pus => check_balance(topology, &plan),
            Placement::Compact => check_compact(topology, &plan),
            _ => {}
        }
    }
    let auto = Request::new().workers(workers).plan(topology);
    assert_eq!(auto.is_ok(), workers > 0, "the default policy always works");
}

fn check_domains(topology: &Topology, plan: &Plan) {
    let used: BTreeSet<usize> = plan.workers.iter().map(|place| place.domain).collect();
    assert_eq!(used, (0..plan.domains.len()).collect(), "every domain has a worker");
    for (own, domain) in plan.domains.iter().enumerate() {
        let all: BTreeSet<usize> = domain.others.iter().copied().chain([own]).collect();
        assert_eq!(all, used, "the others are all the others");
        assert_eq!(domain.others.len() + 1, used.len(), "each once");
    }
    for pu in topology.pus() {
        let nearest = plan.nearest_domain(pu.os).expect("every PU is near something");
        let own = pu.node.map(|node| topology.nodes()[node].os);
        let is_in_use = own.is_some() && plan.domains.iter().any(|domain| domain.node == own);
        assert!(!is_in_use || plan.domains[nearest].node == own, "PU {}", pu.os);
    }
}

fn check_victims(plan: &Plan) {
    for (worker, place) in plan.workers.iter().enumerate() {
        let victims: BTreeSet<usize> = place.victims.iter().copied().collect();
        assert_eq!(victims.len(), place.victims.len(), "no victim twice");
        let others = (0..plan.workers.len()).filter(|other| *other != worker);
        assert_eq!(victims, others.collect(), "all the others");
    }
}

fn check_cpus(topology: &Topology, policy: &Placement, plan: &Plan) {
    let allowed = topology.allowed();
    let mut taken = BTreeSet::new();
    for place in &plan.workers {
        let Some(cpus) = &place.cpus else {
            assert_eq!(*policy, Placement::Unbound);
            continue;
        };
        assert!(!cpus.is_empty() && cpus.iter().all(|os| allowed.contains(os)), "{policy}");
        if *policy != Placement::PerNode {
            assert_eq!(cpus.len(), 1);
            assert!(taken.insert(cpus.clone()), "{policy} uses PU {cpus} twice");
        }
    }
}

/// Workers and PUs of every node that has PUs.
fn shares(topology: &Topology, plan: &Plan) -> Vec<(usize, usize)> {
    let sets = topology.nodes().iter().map(|node| &node.cpus).filter(|cpus| !cpus.is_empty());
    let inside = |set: &CpuSet, cpus: &CpuSet| cpus.iter().all(|os| set.contains(os));
    let workers = |set| {
        let bound = plan.workers.iter().filter_map(|place| place.cpus.as_ref());
        bound.filter(|cpus| inside(set, cpus)).count()
    };
    sets.map(|set| (workers(set), set.len())).collect()
}

/// No node has two workers more than another one that has a PU left.
fn check_balance(topology: &Topology, plan: &Plan) {
    let shares = shares(topology, plan);
    let most = shares.iter().map(|(workers, _)| *workers).max().unwrap_or(0);
    for (workers, pus) in &shares {
        assert!(most <= workers + 1 || workers == pus, "{shares:?}");
    }
}

/// No node has a worker before the ones with lower numbers are full, and no core a second one before
/// all cores of the node have one.
fn check_compact(topology: &Topology, plan: &Plan) {
    let shares = shares(topology, plan);
    let first_open = shares.iter().position(|(workers, pus)| workers < pus);
    if let Some(open) = first_open {
        assert!(shares[open + 1..].iter().all(|(workers, _)| *workers == 0), "{shares:?}");
    }
    let mut last = (0, 0);
    for place in &plan.workers {
        let os = place.cpus.as_ref().expect("compact binds").as_slice()[0];
        let pu = topology.pus().iter().find(|pu| pu.os == os).expect("an allowed PU");
        let now = (pu.node.unwrap_or(usize::MAX), pu.smt_rank);
        assert!(last <= now, "PU {os}");
        last = now;
    }
}

#[test]
fn described_machines() {
    for text in MACHINES {
        let topology: Topology = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        let pus = topology.pus().len();
        for workers in (0..=pus.min(24)).chain([pus - 1, pus, pus + 1, pus * 2]) {
            check(&topology, workers);
        }
    }
}

/// A machine's text form: levels of random width, renumbered and restricted at random.
fn random_machine() -> impl Strategy<Value = String> {
    let widths = (1..4_usize, 1..4_usize, 0..3_usize, 0..3_usize, 1..4_usize, 1..4_usize);
    let choices = (any::<bool>(), any::<bool>(), any::<bool>());
    (widths, choices, any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 200))
        .prop_map(|((pack, node, l3, l2, core, pu), (outside, shuffled, restricted), one, dice)| {
            let level =
                |name: &str, n: usize| if n > 0 { format!("{name}:{n} ") } else { String::new() };
            let (pack_level, node_level) = (level("pack", pack), level("node", node));
            let outer = if outside { node_level + &pack_level } else { pack_level + &node_level };
            let inner = [level("l3", l3), level("l2", l2), level("core", core), level("pu", pu)];
            let mut text = outer + &inner.concat();
            let pus = pack * node * l3.max(1) * l2.max(1) * core * pu;
            let mut ids: Vec<usize> = (0..pus).collect();
            if shuffled {
                ids.sort_by_key(|id| (dice[id % dice.len()], *id));
                text += &format!("os:{} ", join(&ids));
            }
            if restricted {
                // At least one stays.
                let kept = one.index(pus);
                let stays = |id: &usize| *id == kept || dice[(id * 7 + 3) % dice.len()] > 100;
                ids.retain(stays);
                text += &format!("allowed:{} ", join(&ids));
            }
            text
        })
}

fn join(ids: &[usize]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_machines(text in random_machine(), part in 0.0..1.2_f64) {
        let topology: Topology = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        let workers = (topology.pus().len() as f64 * part) as usize;
        check(&topology, workers);
    }

    #[test]
    fn any_text_is_a_machine_or_an_error(text in "[a-z0-9:, /-]{0,40}") {
        let _ = text.parse::<Topology>();
    }

    #[test]
    fn nearly_right_text_is_a_machine_or_an_error(
        words in prop::collection::vec(
            ("(pack|node|l3|l2|core|pu|os|allowed|efficiency|distance|parallelism)", "[0-9,/-]{0,4}"),
            0..7,
        ),
    ) {
        let text: Vec<String> = words.iter().map(|(name, value)| format!("{name}:{value}")).collect();
        if let Ok(topology) = text.join(" ").parse::<Topology>() {
            prop_assert!(!topology.pus().is_empty());
            if topology.pus().len() <= 64 {
                check(&topology, 3);
            }
        }
    }
}
