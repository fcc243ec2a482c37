//! Drawings to the letter, and what holds for all of them.

use bastion_executor::placement::{Cores, Placement, Request, Smt};
use bastion_executor::topology::Topology;

use super::*;
use crate::machines;

fn with(topology: &Topology, request: &Request) -> String {
    let plan = request.plan(topology).unwrap_or_else(|error| panic!("{topology}: {error}"));
    draw(&Picture::new(topology, &plan))
}

fn check(text: &str, request: &Request, expected: &[&str]) {
    let drawn = with(&text.parse().expect(text), request);
    assert_eq!(drawn.lines().collect::<Vec<_>>(), expected, "{text}:\n{drawn}");
}

#[test]
fn packages_nodes_and_caches_are_a_tree_over_the_pus() {
    check(
        "pack:2 node:1 l3:2 core:2 pu:2 os:0,8,1,9,2,10,3,11,4,12,5,13,6,14,7,15 memory:96G,95G \
         distance:10,21/21,10",
        &Request::new().policy(Placement::NumaBalanced).workers(12),
        &[
            "machine: PUs 0-15",
            "├─ package 0, node 0: PUs 0-3,8-11, 96 GiB, distances 10 21",
            "│  ├─ LLC 0  PU       0  8 │  1  9",
            "│  │         worker   0  4 │  1  5",
            "│  └─ LLC 1  PU       2 10 │  3 11",
            "│            worker   2  - │  3  -",
            "└─ package 1, node 1: PUs 4-7,12-15, 95 GiB, distances 21 10",
            "   ├─ LLC 2  PU       4 12 │  5 13",
            "   │         worker   6 10 │  7 11",
            "   └─ LLC 3  PU       6 14 │  7 15",
            "             worker   8  - │  9  -",
            "",
            "│ between cores   - no worker",
        ],
    );
}

#[test]
fn workers_that_share_pus_stand_at_their_node() {
    check(
        "pack:2 l3:1 node:2 core:2 pu:2 distance:10,11,21,21/11,10,21,21/21,21,10,11/21,21,11,10",
        &Request::new().smt(Smt::Avoid),
        &[
            "machine: PUs 0-15",
            "├─ package 0, LLC 0: PUs 0-7",
            "│  ├─ node 0: shared by workers 0-1, distances 10 11 21 21",
            "│  │  PU       0  1 │  2  3",
            "│  │  worker   *  - │  *  -",
            "│  └─ node 1: shared by workers 2-3, distances 11 10 21 21",
            "│     PU       4  5 │  6  7",
            "│     worker   *  - │  *  -",
            "└─ package 1, LLC 1: PUs 8-15",
            "   ├─ node 2: shared by workers 4-5, distances 21 21 10 11",
            "   │  PU       8  9 │ 10 11",
            "   │  worker   *  - │  *  -",
            "   └─ node 3: shared by workers 6-7, distances 21 21 11 10",
            "      PU      12 13 │ 14 15",
            "      worker   *  - │  *  -",
            "",
            "│ between cores   * shared   - no worker",
        ],
    );
}

#[test]
fn kinds_of_cores_and_their_caches_are_seen() {
    check(
        "l3:1 l2:4 core:2 pu:2 allowed:0-1,4-5,8,10,12,14 efficiency:8-15",
        &Request::new().policy(Placement::Compact).cores(Cores::Efficiency),
        &[
            "machine: PUs 0-1,4-5,8,10,12,14",
            "└─ package 0, node 0: PUs 0-1,4-5,8,10,12,14",
            "   └─ LLC 0  PU       0  1 ║  4  5 ║  8 │ 10 ║ 12 │ 14",
            "             kind     P  P ║  P  P ║  E │  E ║  E │  E",
            "             worker   -  - ║  -  - ║  0 │  1 ║  2 │  3",
            "",
            "│ between cores   ║ between level 2 caches   P performance, E efficiency   - no worker",
        ],
    );
}

#[test]
fn memory_without_pus_and_pus_without_memory_have_their_place() {
    check(
        "node:2 l3:1 core:2 homeless:2-3 memory:64G,64G,512G node-os:1,2,0 \
         distance:10,21,24/21,10,34/24,34,10",
        &Request::new().policy(Placement::PerNode),
        &[
            "machine: PUs 0-3",
            "├─ package 0: PUs 0-3",
            "│  ├─ node 1: PUs 0-1, 64 GiB, shared by workers 0-1, distances 24 10 21",
            "│  │  └─ LLC 0  PU  0 │ 1",
            "│  └─ no node: PUs 2-3, shared by workers 2-3",
            "│     └─ LLC 1  PU  2 │ 3",
            "├─ node 0: 512 GiB, no PUs, distances 10 24 34",
            "└─ node 2: 64 GiB, no PUs, distances 34 21 10",
            "",
            "│ between cores",
        ],
    );
}

#[test]
fn the_distance_of_the_only_node_is_not_told() {
    check(
        "core:1 distance:10",
        &Request::new(),
        &["machine: PU 0, shared by worker 0", "└─ package 0, node 0: PU 0", "   └─ LLC 0  PU  0"],
    );
}

#[test]
fn what_is_in_pieces_says_so() {
    check(
        "l3:2 core:2 homeless:0,2",
        &Request::new().policy(Placement::Explicit(vec![3, 0])),
        &[
            "machine: PUs 0-3",
            "└─ package 0: PUs 0-3",
            "   ├─ node 0: PUs 1,3",
            "   │  ├─ LLC 0 (part)  PU      1",
            "   │  │                worker  -",
            "   │  └─ LLC 1 (part)  PU      3",
            "   │                   worker  0",
            "   └─ no node: PUs 0,2",
            "      ├─ LLC 0 (part)  PU      0",
            "      │                worker  1",
            "      └─ LLC 1 (part)  PU      2",
            "                       worker  -",
            "",
            "│ between cores   - no worker",
        ],
    );
}

#[test]
fn rows_go_on_below_where_they_are_too_long() {
    check(
        "core:20 pu:2 os:0,20,1,21,2,22,3,23,4,24,5,25,6,26,7,27,8,28,9,29,10,30,11,31,12,32,13,33,\
         14,34,15,35,16,36,17,37,18,38,19,39",
        &Request::new().policy(Placement::Compact).workers(1),
        &[
            "machine: PUs 0-39",
            "└─ package 0, node 0: PUs 0-39",
            "   └─ LLC 0  PU       0 20 │  1 21 │  2 22 │  3 23 │  4 24 │  5 25 │  6 26 │  7 27 │  8 28 │  9 29",
            "             worker   0  - │  -  - │  -  - │  -  - │  -  - │  -  - │  -  - │  -  - │  -  - │  -  -",
            "             PU      10 30 │ 11 31 │ 12 32 │ 13 33 │ 14 34 │ 15 35 │ 16 36 │ 17 37 │ 18 38 │ 19 39",
            "             worker   -  - │  -  - │  -  - │  -  - │  -  - │  -  - │  -  - │  -  - │  -  - │  -  -",
            "",
            "│ between cores   - no worker",
        ],
    );
}

#[test]
fn large_machines_are_shown_in_less_detail() {
    let caches = with(
        &"pack:8 node:1 l3:4 core:8 pu:2".parse().expect("valid"),
        &Request::new().policy(Placement::NumaBalanced),
    );
    let lines: Vec<&str> = caches.lines().collect();
    assert_eq!(lines.len(), 1 + 8 * (1 + 4), "{caches}");
    assert_eq!(lines[1], "├─ package 0, node 0: PUs 0-63");
    assert_eq!(lines[2], "│  ├─ LLC 0: 16 PUs, 8 cores, PUs 0-15, workers 0-7,32-39");

    let packages = "pack:24 node:2 l3:1 core:4 pu:2".parse().expect("valid");
    let packages = with(&packages, &Request::new().policy(Placement::Compact));
    let lines: Vec<&str> = packages.lines().collect();
    assert_eq!(lines.len(), 25, "{packages}");
    let last = "└─ package 23: 16 PUs, 8 cores, 2 LLCs, 2 nodes, PUs 368-383, workers 368-383";
    assert_eq!(lines[24], last);
}

#[test]
fn what_is_alike_is_one_line_where_there_is_too_much() {
    check(
        &format!("pack:60 node:1 l3:1 core:4 allowed:0-99,102-239 memory:{}", ["1G"; 60].join(",")),
        &Request::new(),
        &[
            "machine: PUs 0-99,102-239",
            "├─ package 0, node 0, LLC 0 to package 24, node 24, LLC 24: each 4 PUs, 4 cores, 1 GiB, PUs 0-99,",
            "│    workers 0-99",
            "├─ package 25, node 25, LLC 25: 2 PUs, 2 cores, PUs 102-103, 1 GiB, shared by workers 100-101",
            "└─ package 26, node 26, LLC 26 to package 59, node 59, LLC 59: each 4 PUs, 4 cores, 1 GiB,",
            "     PUs 104-239, workers 102-237",
        ],
    );
}

#[test]
fn every_machine_fits() {
    let policies = ["unbound", "compact", "spread", "numa-balanced", "per-node"];
    for (text, topology) in machines::all() {
        for policy in policies {
            let policy: Placement = policy.parse().expect("a policy");
            let drawn = with(&topology, &Request::new().policy(policy));
            assert!(drawn.lines().count() <= MOST_LINES + 2, "{text}:\n{drawn}");
            assert!(!drawn.ends_with("\n\n"), "{text}:\n{drawn}");
            for line in drawn.lines() {
                assert!(line.chars().count() <= WIDTH, "{text}: {line}");
                assert_eq!(line, line.trim_end(), "{text}");
            }
        }
    }
}

#[test]
fn every_worker_with_a_pu_of_its_own_is_seen_once() {
    let mut seen = 0;
    for (text, topology) in machines::all() {
        let drawn = with(&topology, &Request::new().policy(Placement::Spread));
        // The sum of what was put together, where not every PU is shown.
        let Some((tree, _legend)) = drawn.split_once("\n\n") else { continue };
        let rows = tree.lines().filter_map(|line| line.split_once("worker "));
        let cells = rows.flat_map(|(_, cells)| cells.split_whitespace());
        let mut workers: Vec<usize> = cells.filter_map(|cell| cell.parse().ok()).collect();
        workers.sort();
        let all = topology.parallelism().unwrap_or(usize::MAX).min(topology.pus().len());
        assert_eq!(workers, (0..all).collect::<Vec<_>>(), "{text}:\n{drawn}");
        seen += 1;
    }
    assert!(seen > 50, "{seen} machines");
}

#[test]
fn long_lines_of_explanations_are_folded() {
    let long = format!("node 0: PUs 0-63; nearest: {}", ["node 100 (32)"; 9].join(", "));
    let expected = format!(
        "short\nnode 0: PUs 0-63; nearest: {},\n    {}\n",
        ["node 100 (32)"; 4].join(", "),
        ["node 100 (32)"; 5].join(", "),
    );
    assert_eq!(fold(&format!("short\n{long}\n")), expected);
}
