//! What a plan says of itself, to the letter.

use bastion_executor::Executor;
use bastion_executor::placement::{
    Cores, CountReason, MAX_WORKERS, Placement, PolicyReason, Request, Smt,
};
use bastion_executor::topology::Topology;

fn machine(text: &str) -> Topology {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn check(text: &str, request: &Request, expected: &[&str]) {
    let plan = request.plan(&machine(text)).unwrap_or_else(|error| panic!("{text}: {error}"));
    let explained = plan.explain().to_string();
    assert_eq!(explained.lines().collect::<Vec<_>>(), expected, "{text} {request:?}");
    assert!(explained.ends_with('\n'));
}

#[test]
fn a_laptop_is_left_to_the_kernel() {
    check(
        "l2:4 core:1 pu:2",
        &Request::new(),
        &[
            "machine: 8 PUs, 4 cores, 4 LLCs, 1 node (text)",
            "policy: unbound, because no second node has PUs for workers",
            "workers: 8, one for each PU",
            "binding: none",
            "node 0: PUs 0-7; workers 0-7",
        ],
    );
}

#[test]
fn nodes_are_listed_with_their_workers_and_distances() {
    check(
        "pack:2 node:2 core:2 distance:10,16,21,31/16,10,31,21/21,31,10,16/31,21,16,10",
        &Request::new(),
        &[
            "machine: 8 PUs, 8 cores, 4 LLCs, 4 nodes, 2 packages (text)",
            "policy: per-node, because 4 nodes have PUs",
            "workers: 8, one for each PU",
            "binding: each worker to the PUs of its node, but not here: another machine is described",
            "node 0: PUs 0-1; workers 0-1; nearest: node 1 (16), node 2 (21), node 3 (31)",
            "node 1: PUs 2-3; workers 2-3; nearest: node 0 (16), node 3 (21), node 2 (31)",
            "node 2: PUs 4-5; workers 4-5; nearest: node 3 (16), node 0 (21), node 1 (31)",
            "node 3: PUs 6-7; workers 6-7; nearest: node 2 (16), node 1 (21), node 0 (31)",
        ],
    );
}

#[test]
fn what_is_left_out_is_named_with_its_reason() {
    check(
        "node:3 core:3 pu:2 efficiency:4-5,10-11 allowed:0-11",
        &Request::new().policy(Placement::Compact).smt(Smt::Avoid).reserve_cores(1),
        &[
            "machine: 12 PUs, 6 cores, 2 LLCs, 3 nodes (1 without PUs) (text)",
            "policy: compact, as asked for",
            "workers: 4, one for each core",
            "binding: each worker to one PU, but not here: another machine is described",
            "left out: PUs 4-5,10-11 (reserved), PUs 1,3,7,9 (second threads of cores), node 2 (no PUs)",
            "node 0: PUs 0,2; workers 0-1 on PUs 0,2; nearest: node 1",
            "node 1: PUs 6,8; workers 2-3 on PUs 6,8; nearest: node 0",
        ],
    );
}

#[test]
fn a_hybrid_machine_without_its_fast_cores() {
    check(
        "core:4 efficiency:2-3",
        &Request::new().cores(Cores::Efficiency).workers(1),
        &[
            "machine: 4 PUs, 4 cores, 1 LLC, 1 node (text)",
            "policy: unbound, because no second node has PUs for workers",
            "workers: 1, as asked for",
            "binding: every worker to PUs 2-3, but not here: another machine is described",
            "left out: PUs 0-1 (the other kind of core)",
            "node 0: PUs 2-3; worker 0",
        ],
    );
}

#[test]
fn a_quota_and_a_crowd_are_left_to_the_kernel() {
    check(
        "node:2 core:4 parallelism:3",
        &Request::new(),
        &[
            "machine: 8 PUs, 8 cores, 2 LLCs, 2 nodes, 3 at a time (text)",
            "policy: unbound, because 3 of 8 PUs may be used at a time (CPU quota)",
            "workers: 3, as many as may run at a time (CPU quota)",
            "binding: none",
            "anywhere: PUs 0-7; workers 0-2",
        ],
    );
    check(
        "node:2 core:1",
        &Request::new().workers(5),
        &[
            "machine: 2 PUs, 2 cores, 2 LLCs, 2 nodes (text)",
            "policy: unbound, because 5 workers share 2 PUs",
            "workers: 5, as asked for",
            "binding: none",
            "anywhere: PUs 0-1; workers 0-4",
        ],
    );
}

#[test]
fn a_list_is_repeated_and_not_written_out() {
    check(
        "node:2 core:2",
        &Request::new().policy(Placement::Explicit(vec![3, 0])).reserve_cores(7),
        &[
            "machine: 4 PUs, 4 cores, 2 LLCs, 2 nodes (text)",
            "policy: explicit, as asked for",
            "workers: 2, one for each PU of the list",
            "binding: each worker to one PU, but not here: another machine is described",
            "node 0: PU 0; worker 1 on PU 0; nearest: node 1",
            "node 1: PU 3; worker 0 on PU 3; nearest: node 0",
        ],
    );
}

#[test]
fn the_reasons_are_data() {
    let plan = Request::new().plan(&Topology::flat(MAX_WORKERS + 1)).unwrap();
    assert_eq!((plan.policy_reason, plan.count_reason), (PolicyReason::OneNode, CountReason::Most));
    assert!(plan.explain().to_string().contains("\nworkers: 2048, the most that there may be\n"));
    let plan = Request::new().workers(3).plan(&machine("node:3 core:1")).unwrap();
    assert_eq!(plan.policy_reason, PolicyReason::SeveralNodes { nodes: 3 });
    assert_eq!(plan.count_reason, CountReason::Asked);
}

#[test]
fn an_executor_shows_its_plan() {
    let topology = machine("node:2 core:2");
    let executor = Executor::builder().topology(topology.clone()).reserve_cores(1).build().unwrap();
    assert_eq!(executor.plan(), &Request::new().reserve_cores(1).plan(&topology).unwrap());
    assert_eq!(executor.workers(), 2);
    let here = Executor::builder().workers(1).placement(Placement::Compact).build().unwrap();
    if here.topology().is_this_machine() {
        let text = here.plan().explain().to_string();
        assert!(text.contains("\nbinding: each worker to one PU\n"), "{text}");
    }
}
