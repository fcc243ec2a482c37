//! What each placement policy does on machines where the right answer is known.

use bastion_executor::placement::{
    Cores, Domain, MAX_WORKERS, Placement, PlacementError, Plan, Request, Smt,
};
use bastion_executor::topology::Topology;

fn machine(text: &str) -> Topology {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn planned(text: &str, placement: Placement, workers: Option<usize>) -> Plan {
    asked(text, &Request::new().policy(placement).workers(workers))
}

fn asked(text: &str, request: &Request) -> Plan {
    request.plan(&machine(text)).unwrap_or_else(|error| panic!("{text}, {request:?}: {error}"))
}

/// The PUs of every worker, as `0 2 1`; `-` for an unbound one.
fn cpus(plan: &Plan) -> String {
    let of = |cpus: &Option<_>| cpus.as_ref().map_or("-".to_owned(), ToString::to_string);
    plan.workers.iter().map(|place| of(&place.cpus)).collect::<Vec<_>>().join(" ")
}

fn domains(plan: &Plan) -> Vec<usize> {
    plan.workers.iter().map(|place| place.domain).collect()
}

#[test]
fn each_policy_on_two_nodes() {
    let text = "pack:2 node:1 l3:2 core:2 pu:2";
    for (placement, workers, expected) in [
        (Placement::Unbound, 3, "- - -"),
        (Placement::Compact, 9, "0 2 4 6 1 3 5 7 8"),
        (Placement::Spread, 9, "0 8 4 12 2 10 6 14 1"),
        (Placement::NumaBalanced, 4, "0 2 8 10"),
        (Placement::NumaBalanced, 5, "0 2 4 8 10"),
        (Placement::PerNode, 3, "0-7 0-7 8-15"),
        (Placement::Explicit(vec![15, 3, 4]), 3, "15 3 4"),
        (Placement::Explicit(vec![15, 3, 4]), 2, "15 3"),
    ] {
        let plan = planned(text, placement.clone(), Some(workers));
        assert_eq!(cpus(&plan), expected, "{placement} {workers}");
    }
}

#[test]
fn domains_are_the_nodes_in_use_numbered_densely() {
    let text = "node:3 core:2";
    let explicit = |list: &[u32]| planned(text, Placement::Explicit(list.to_vec()), None);
    for (plan, expected, count) in [
        (planned(text, Placement::PerNode, None), vec![0, 0, 1, 1, 2, 2], 3),
        (planned(text, Placement::Compact, Some(2)), vec![0, 0], 1),
        (planned(text, Placement::Unbound, Some(4)), vec![0; 4], 1),
        (explicit(&[4, 0]), vec![1, 0], 2),
        (explicit(&[4, 5]), vec![0, 0], 1),
    ] {
        assert_eq!((domains(&plan), plan.domains.len()), (expected, count));
    }
}

/// The nodes of the domains with those nearest to each, as `0>2>1`.
fn near(plan: &Plan) -> Vec<String> {
    let name = |domain: usize| plan.domains[domain].node.map_or("-".into(), |os| os.to_string());
    let line = |(own, domain): (usize, &Domain)| {
        let all = std::iter::once(own).chain(domain.others.iter().copied());
        all.map(name).collect::<Vec<_>>().join(">")
    };
    plan.domains.iter().enumerate().map(line).collect()
}

#[test]
fn the_other_domains_are_listed_by_distance_then_package_then_number() {
    let ring = "node:4 core:2 distance:10,16,21,31/16,10,31,21/21,31,10,16/31,21,16,10";
    let of = |text, placement| near(&planned(text, placement, None));
    assert_eq!(of(ring, Placement::PerNode), ["0>1>2>3", "1>0>3>2", "2>3>0>1", "3>2>1>0"]);
    assert_eq!(of(ring, Placement::Explicit(vec![6, 1])), ["0>3", "3>0"]);
    let packages = of("pack:2 node:2 core:1", Placement::Compact);
    assert_eq!(packages, ["0>1>2>3", "1>0>2>3", "2>3>0>1", "3>2>0>1"]);
    assert_eq!(of("node:2 core:2", Placement::Unbound), ["-"]);
    assert_eq!(of("core:2", Placement::Unbound), ["0"]);
}

#[test]
fn every_pu_has_a_nearest_domain() {
    let text = "node:3 core:2 distance:10,30,20/30,10,20/20,20,10";
    let plan = planned(text, Placement::Explicit(vec![0, 2]), None);
    let nearest = |pu| plan.nearest_domain(pu);
    assert_eq!([0, 1, 2, 3].map(nearest), [Some(0), Some(0), Some(1), Some(1)]);
    assert_eq!(nearest(4), Some(0), "as near to both: the first");
    assert_eq!(nearest(6), None);
}

#[test]
fn fast_cores_come_before_frugal_ones_and_those_before_second_threads() {
    let text = "core:4 pu:2 efficiency:4-7 allowed:0-4,6";
    assert_eq!(cpus(&planned(text, Placement::Compact, None)), "0 2 4 6 1 3");
}

#[test]
fn shares_are_equal_as_far_as_nodes_have_pus() {
    let text = "node:3 core:4 allowed:0-3,4,8-11";
    let shares = |placement, workers| {
        let plan = planned(text, placement, Some(workers));
        let count = |node| domains(&plan).iter().filter(|other| **other == node).count();
        [count(0), count(1), count(2)]
    };
    for (workers, expected) in [(1, [1, 0, 0]), (5, [2, 1, 2]), (8, [4, 1, 3]), (9, [4, 1, 4])] {
        for placement in [Placement::NumaBalanced, Placement::PerNode, Placement::Spread] {
            assert_eq!(shares(placement.clone(), workers), expected, "{placement} {workers}");
        }
    }
    assert_eq!(shares(Placement::PerNode, 12), [5, 2, 5], "more workers than PUs");
}

#[test]
fn victims_go_from_the_sibling_to_the_far_node() {
    let text = "pack:2 node:2 l3:2 core:2 pu:2 \
                distance:10,16,32,22/16,10,22,32/32,22,10,16/22,32,16,10";
    let plan = planned(text, Placement::Explicit((0..64).collect::<Vec<_>>()[..32].to_vec()), None);
    let victims = &plan.workers[1].victims;
    assert_eq!(victims[0], 0, "the sibling");
    assert_eq!(victims[1..3], [2, 3], "the same last level cache");
    assert_eq!(victims[3..7], [4, 5, 6, 7], "the same node");
    // In other nodes it begins with its counterpart.
    assert_eq!(victims[7..15], [9, 10, 11, 12, 13, 14, 15, 8], "16 away");
    assert_eq!(victims[15..23], [25, 26, 27, 28, 29, 30, 31, 24], "22 away");
    assert_eq!(victims[23..], [17, 18, 19, 20, 21, 22, 23, 16], "32 away");
}

#[test]
fn victims_without_distances_stay_in_the_package_and_differ_by_thief() {
    let per_node = planned("pack:2 node:2 core:2", Placement::PerNode, None);
    assert_eq!(per_node.workers[5].victims, [4, 7, 6, 1, 0, 3, 2]);
    assert_eq!(per_node.workers[4].victims, [5, 6, 7, 0, 1, 2, 3]);
    assert_eq!(per_node.workers[2].victims, [3, 0, 1, 4, 5, 6, 7]);
    let unbound = planned("core:4", Placement::Unbound, None);
    assert_eq!(unbound.workers[2].victims, [3, 0, 1]);
    let one = planned("core:1", Placement::Compact, None);
    assert!(one.workers[0].victims.is_empty());
}

#[test]
fn a_cluster_that_shares_level_2_is_nearer_than_the_rest_of_level_3() {
    let plan = planned("l3:1 l2:2 core:2", Placement::Compact, None);
    assert_eq!(plan.workers[3].victims, [2, 0, 1]);
}

#[test]
fn the_machine_chooses_the_default() {
    for (text, workers, expected) in [
        ("core:4", None, Placement::Unbound),
        ("node:2 core:4", None, Placement::PerNode),
        ("node:2 core:4", Some(8), Placement::PerNode),
        ("node:2 core:4", Some(9), Placement::Unbound),
        ("node:2 core:4 allowed:0-3", None, Placement::Unbound),
        ("pack:2 core:4", None, Placement::Unbound),
        ("node:2 core:4 parallelism:3", None, Placement::Unbound),
        ("node:2 core:4 parallelism:8", None, Placement::PerNode),
    ] {
        let plan = asked(text, &Request::new().workers(workers));
        assert_eq!(plan.policy, expected, "{text} {workers:?}");
    }
}

#[test]
fn the_default_count_is_one_worker_per_pu_that_may_be_used() {
    let count = |topology: &Topology| {
        let plan = Request::new().plan(topology).expect("the default fits");
        plan.workers.len()
    };
    assert_eq!(count(&machine("core:4 pu:2 allowed:0-4")), 5);
    assert_eq!(count(&machine("core:4 parallelism:3")), 3);
    assert_eq!(count(&machine("core:4 parallelism:9")), 4);
    assert_eq!(count(&Topology::flat(0)), 1);
    assert_eq!(count(&Topology::flat(3_000)), MAX_WORKERS);
    let here = Topology::discover();
    let most = std::thread::available_parallelism().map_or(1, usize::from);
    assert_eq!(count(&here), here.pus().len().min(most));
}

#[test]
fn preferences_decide_who_is_used_and_in_which_order() {
    use Placement::{Compact, NumaBalanced, PerNode, Spread, Unbound};
    let hybrid = "l2:4 core:1 pu:2 efficiency:4-7 allowed:0-4,6";
    let any = Request::new();
    for (text, policy, request, expected) in [
        ("core:3 pu:2", Compact, any.clone().smt(Smt::Last), "0 2 4 1 3 5"),
        ("core:3 pu:2", Compact, any.clone().smt(Smt::Use), "0 1 2 3 4 5"),
        ("core:3 pu:2", Compact, any.clone().smt(Smt::Avoid), "0 2 4"),
        ("core:2 pu:2 os:0,2,1,3", Compact, any.clone().smt(Smt::Use), "0 2 1 3"),
        ("node:2 core:2 pu:2", Compact, any.clone().smt(Smt::Last), "0 2 1 3 4 6 5 7"),
        ("node:2 core:2 pu:2", NumaBalanced, any.clone().smt(Smt::Use).workers(4), "0 1 4 5"),
        ("node:2 core:2 pu:2", Spread, any.clone().smt(Smt::Use), "0 4 1 5 2 6 3 7"),
        ("l3:2 core:2 pu:2", Spread, any.clone().smt(Smt::Use), "0 1 4 5 2 3 6 7"),
        ("node:2 core:2 pu:2", PerNode, any.clone().smt(Smt::Avoid), "0,2 0,2 4,6 4,6"),
        ("core:2 pu:2", Unbound, any.clone().smt(Smt::Avoid), "0,2 0,2"),
        ("core:2", Unbound, any.clone().smt(Smt::Avoid), "- -"),
        (hybrid, Compact, any.clone(), "0 2 4 6 1 3"),
        (hybrid, Compact, any.clone().smt(Smt::Use), "0 1 2 3 4 6"),
        (hybrid, Compact, any.clone().cores(Cores::Performance), "0 2 1 3"),
        (hybrid, Compact, any.clone().cores(Cores::Efficiency), "4 6"),
        (hybrid, Unbound, any.clone().cores(Cores::Efficiency), "4,6 4,6"),
        (hybrid, Compact, any.clone().cores(Cores::Performance).smt(Smt::Avoid), "0 2"),
        ("core:2", Compact, any.clone().cores(Cores::Performance), "0 1"),
        ("core:2", Compact, any.clone().cores(Cores::Efficiency), "0 1"),
        ("node:2 core:3", Compact, any.clone().reserve_cores(1), "0 1 3 4"),
        ("node:2 core:3", Compact, any.clone().reserve_cores(2), "0 3"),
        ("node:2 core:2 pu:2", Compact, any.clone().reserve_cores(1), "0 1 4 5"),
        ("node:2 core:3 allowed:0-3", Compact, any.clone().reserve_cores(1), "0 1"),
        ("node:2 core:3", Unbound, any.clone().reserve_cores(1), "0-1,3-4 0-1,3-4 0-1,3-4 0-1,3-4"),
        ("node:2 core:3", PerNode, any.clone().reserve_cores(1), "0-1 0-1 3-4 3-4"),
        (hybrid, Compact, any.clone().reserve_cores(1).cores(Cores::Efficiency), "4"),
        // A list is taken as it is.
        ("core:2 pu:2", Placement::Explicit(vec![3, 2]), any.clone().reserve_cores(9), "3 2"),
        (hybrid, Placement::Explicit(vec![1, 4]), any.clone().cores(Cores::Efficiency), "1 4"),
    ] {
        let plan = asked(text, &request.clone().policy(policy.clone()));
        assert_eq!(cpus(&plan), expected, "{text} {policy} {request:?}");
    }
}

#[test]
fn the_default_policy_looks_at_the_pus_that_are_left() {
    let policy = |text, request: Request| asked(text, &request).policy;
    let reserving = Request::new().reserve_cores(2);
    assert_eq!(policy("node:2 core:3", reserving.clone()), Placement::PerNode);
    assert_eq!(policy("node:2 core:3 allowed:0-4", reserving.clone()), Placement::Unbound);
    assert_eq!(policy("node:2 core:3", reserving.workers(3)), Placement::Unbound);
    let quota = "node:2 core:2 pu:2 parallelism:4";
    assert_eq!(policy(quota, Request::new()), Placement::Unbound);
    assert_eq!(policy(quota, Request::new().smt(Smt::Avoid)), Placement::PerNode);
}

#[test]
fn errors_name_the_pu() {
    use PlacementError::*;
    let topology = machine("core:4 os:2-5 allowed:3-5");
    let explicit = |list: &[u32]| Placement::Explicit(list.to_vec());
    for (placement, workers, expected) in [
        (Placement::Unbound, Some(0), NoWorkers),
        (explicit(&[]), None, NoWorkers),
        (explicit(&[]), Some(1), NoPus),
        (Placement::Unbound, Some(3000), TooManyWorkers { workers: 3000 }),
        (Placement::Compact, Some(4), MoreWorkersThanPus { workers: 4, pus: 3, pu: 3 }),
        (Placement::Spread, Some(5), MoreWorkersThanPus { workers: 5, pus: 3, pu: 3 }),
        (Placement::NumaBalanced, Some(4), MoreWorkersThanPus { workers: 4, pus: 3, pu: 3 }),
        (explicit(&[4, 5]), Some(3), MoreWorkersThanPus { workers: 3, pus: 2, pu: 4 }),
        (explicit(&[3, 2]), None, NotAllowed { pu: 2 }),
        (explicit(&[3, 99]), None, NotAllowed { pu: 99 }),
        (explicit(&[5, 4, 5]), None, Repeated { pu: 5 }),
    ] {
        let request = Request::new().policy(placement.clone()).workers(workers);
        let error = request.plan(&topology).expect_err("a bad request");
        assert_eq!(error, expected, "{placement} {workers:?}: {error}");
    }
    let error = Request::new().policy(Placement::Compact).workers(4).plan(&topology).unwrap_err();
    assert_eq!(error.to_string(), "4 workers for 3 PUs: PU 3 would be used twice");
}

#[test]
fn errors_name_what_leaves_nothing() {
    for (text, request, expected) in [
        ("node:2 core:2", Request::new().reserve_cores(2), "no core is left where 2 are"),
        (
            "core:4 efficiency:2-3",
            Request::new().cores(Cores::Efficiency).reserve_cores(2),
            "no efficiency core is left where 2 are",
        ),
        (
            "core:4 efficiency:0-1",
            Request::new().cores(Cores::Performance).reserve_cores(3),
            "no performance core is left where 3 are",
        ),
    ] {
        let error = request.plan(&machine(text)).unwrap_err().to_string();
        assert_eq!(error, format!("{expected} reserved on each node"));
    }
    let crowded = Request::new().policy(Placement::Compact).smt(Smt::Avoid).workers(3);
    let error = crowded.plan(&machine("core:2 pu:2 os:4-7")).unwrap_err().to_string();
    assert_eq!(error, "3 workers for 2 PUs: PU 4 would be used twice");
}

#[test]
fn loose_policies_take_more_workers_than_pus() {
    for placement in [Placement::Unbound, Placement::PerNode] {
        assert_eq!(planned("node:2 core:1", placement, Some(7)).workers.len(), 7);
    }
}
