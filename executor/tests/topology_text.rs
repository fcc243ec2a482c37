//! Machines described in text, and the flat machine.

use bastion_executor::topology::{CpuSet, PuKind, Source, TextProblem, Topology, TopologyError};

fn machine(text: &str) -> Topology {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn lists(sets: &[CpuSet]) -> String {
    sets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn node_lists(topology: &Topology) -> String {
    topology.nodes().iter().map(|node| node.cpus.to_string()).collect::<Vec<_>>().join(" ")
}

#[test]
fn levels_nest_in_the_order_written() {
    let topology = machine("pack:2 node:2 l3:1 core:2 pu:2");
    assert_eq!(topology.source(), Source::Text);
    assert!(!topology.is_this_machine());
    assert_eq!(lists(topology.packages()), "0-7 8-15");
    assert_eq!(node_lists(&topology), "0-3 4-7 8-11 12-15");
    assert_eq!(lists(topology.llcs()), "0-3 4-7 8-11 12-15");
    assert_eq!(lists(topology.cores()), "0-1 2-3 4-5 6-7 8-9 10-11 12-13 14-15");
    assert_eq!(topology.pus().iter().map(|pu| pu.smt_rank).collect::<Vec<_>>(), [0, 1].repeat(8));
}

#[test]
fn a_node_may_stand_anywhere_above_the_core() {
    let shared_cache = machine("pack:1 l3:1 node:2 core:2");
    assert_eq!(lists(shared_cache.llcs()), "0-3");
    assert_eq!(node_lists(&shared_cache), "0-1 2-3");
    let outside = machine("node:2 pack:2 core:1");
    assert_eq!(lists(outside.packages()), "0 1 2 3");
    assert_eq!(node_lists(&outside), "0-1 2-3");
}

#[test]
fn levels_left_out_have_plain_defaults() {
    let cores = machine("core:4");
    assert_eq!(cores.to_string(), "4 PUs, 4 cores, 1 LLC, 1 node (text)");
    assert_eq!(lists(cores.l2s()), "0 1 2 3");
    let threads = machine("pu:4");
    assert_eq!(threads.to_string(), "4 PUs, 1 core, 1 LLC, 1 node (text)");
    let no_l3 = machine("l2:2 core:2");
    assert_eq!(lists(no_l3.llcs()), "0-1 2-3");
    let nodes = machine("node:2 core:2");
    assert_eq!(lists(nodes.llcs()), "0-1 2-3");
    assert_eq!(nodes.packages().len(), 1);
}

#[test]
fn adjustments_renumber_restrict_and_mark() {
    let text =
        "node:2 core:2 pu:2 os:0,4,1,5,2,6,3,7 allowed:0-3,5 efficiency:1,5 distance:10,31/31,10";
    let topology = machine(text);
    assert_eq!(topology.allowed().to_string(), "0-3,5");
    assert_eq!(node_lists(&topology), "0-1,5 2-3");
    assert_eq!(lists(topology.cores()), "0 1,5 2 3");
    let kinds: Vec<_> = topology.pus().iter().map(|pu| pu.kind).collect();
    let (fast, frugal) = (PuKind::Performance, PuKind::Efficiency);
    assert_eq!(kinds, [fast, frugal, fast, fast, frugal]);
    assert_eq!(topology.distance(), Some([vec![10, 31], vec![31, 10]].as_slice()));
    let quota = machine("core:4 parallelism:2");
    assert_eq!(quota.parallelism(), Some(2));
    assert_eq!(quota.to_string(), "4 PUs, 4 cores, 1 LLC, 1 node, 2 at a time (text)");
}

#[test]
fn nodes_have_sizes_numbers_and_pus_of_their_own_or_none() {
    let gib = 1 << 30;
    let text = "node:2 core:2 memory:96G,0,512M,7 node-os:8,0,33,2 homeless:1,3 \
                distance:10,20,30,40/20,10,31,41/30,31,10,42/40,41,42,10";
    let topology = machine(text);
    let nodes = topology.nodes().iter();
    let nodes: Vec<_> =
        nodes.map(|node| (node.os, node.cpus.to_string(), node.mem_bytes.unwrap())).collect();
    let of = |os, cpus: &str, bytes: u64| (os, cpus.to_owned(), bytes);
    // Sorted by number, and the distances with them.
    assert_eq!(nodes, [of(0, "2", 0), of(2, "", 7), of(8, "0", 96 * gib), of(33, "", gib / 2)]);
    let rows = [[10, 41, 20, 31], [41, 10, 40, 42], [20, 40, 10, 30], [31, 42, 30, 10]];
    assert_eq!(topology.distance(), Some(rows.map(Vec::from).as_slice()));
    let homes: Vec<_> = topology.pus().iter().map(|pu| pu.node).collect();
    assert_eq!(homes, [Some(2), None, Some(0), None]);
    assert_eq!(machine("core:2").nodes()[0].mem_bytes, None);
    let units = machine("node:4 core:1 memory:1K,1M,1T,16777215T");
    let sizes: Vec<_> = units.nodes().iter().map(|node| node.mem_bytes.unwrap() >> 10).collect();
    assert_eq!(sizes, [1, 1 << 10, 1 << 30, 16_777_215 << 30]);
    let one = machine("core:2 memory:1G,1G").to_string();
    assert_eq!(one, "2 PUs, 2 cores, 1 LLC, 2 nodes (1 without PUs) (text)");
    let all = machine("node:2 core:1 homeless:0-1");
    assert_eq!(node_lists(&all), " ");
}

#[test]
fn a_node_may_lose_all_its_pus() {
    let topology = machine("node:3 core:2 allowed:0,4");
    assert_eq!(topology.to_string(), "2 PUs, 2 cores, 2 LLCs, 3 nodes (1 without PUs) (text)");
    assert_eq!(node_lists(&topology), "0  4");
}

#[test]
fn a_part_of_a_machine_is_counted_anew_and_keeps_its_nodes() {
    let whole = machine("pack:2 node:1 l3:2 core:2 pu:2 distance:10,21/21,10 parallelism:5");
    let part = whole.restricted_to(&"1,4-6,99".parse().unwrap()).unwrap();
    assert_eq!(part.allowed().to_string(), "1,4-6");
    assert_eq!(part.pus().iter().map(|pu| pu.smt_rank).collect::<Vec<_>>(), [0, 0, 1, 0]);
    assert_eq!((lists(part.cores()), lists(part.llcs())), ("1 4-5 6".into(), "1 4-6".into()));
    assert_eq!((node_lists(&part), part.packages().len()), ("1,4-6 ".into(), 1));
    assert_eq!((part.distance(), part.parallelism()), (whole.distance(), Some(5)));
    assert_eq!(part.source(), Source::Text);
    assert_eq!(whole.restricted_to(&whole.allowed()), Ok(whole.clone()));
    for none in ["", "16-20"] {
        let none = none.parse().unwrap();
        assert_eq!(whole.restricted_to(&none), Err(TopologyError::NoPu));
    }
}

#[test]
fn errors_name_the_bad_word() {
    use TextProblem::*;
    for (text, word, problem) in [
        ("", "", Empty),
        ("  ", "", Empty),
        ("allowed:0", "", Empty),
        ("core", "core", NotAPair),
        ("core:4 l9:2", "l9:2", UnknownName),
        ("core:0", "core:0", BadCount),
        ("core:-1", "core:-1", BadCount),
        ("core:four", "core:four", BadCount),
        ("core:", "core:", BadCount),
        ("core:2 core:2", "core:2", Repeated),
        ("core:2 allowed:0 allowed:1", "allowed:1", Repeated),
        ("core:2 parallelism:0", "parallelism:0", BadCount),
        ("core:2 pack:2", "pack:2", WrongOrder),
        ("l2:2 l3:2", "l3:2", WrongOrder),
        ("core:2 node:2", "node:2", WrongOrder),
        ("allowed:0 core:2", "core:2", WrongOrder),
        ("core:65537", "core:65537", TooLarge),
        ("pack:4294967296 core:4294967296", "pack:4294967296", TooLarge),
        ("pack:300 core:300", "core:300", TooLarge),
        ("core:2 os:0", "os:0", BadList),
        ("core:2 os:0,0", "os:0,0", BadList),
        ("core:2 os:0,x", "os:0,x", BadList),
        ("core:2 os:0-4294967295", "os:0-4294967295", BadList),
        ("core:2 allowed:2", "allowed:2", BadList),
        ("core:2 allowed:", "allowed:", NoPu),
        ("core:2 efficiency:7", "efficiency:7", BadList),
        ("core:2 homeless:2", "homeless:2", BadList),
        ("core:2 homeless:0 homeless:1", "homeless:1", Repeated),
        ("homeless:0 core:2", "core:2", WrongOrder),
        ("node:2 core:1 memory:1G", "memory:1G", BadList),
        ("core:1 memory:", "memory:", BadList),
        ("core:1 memory:-1", "memory:-1", BadList),
        ("core:1 memory:1G2", "memory:1G2", BadList),
        ("core:1 memory:1GB", "memory:1GB", BadList),
        ("core:1 memory:G", "memory:G", BadList),
        ("core:1 memory:16777216T", "memory:16777216T", BadList),
        ("core:1 memory:1 memory:1", "memory:1", Repeated),
        ("memory:1G core:1", "core:1", WrongOrder),
        ("node:2 core:1 node-os:3", "node-os:3", BadList),
        ("node:2 core:1 node-os:3,3", "node-os:3,3", BadList),
        ("node:2 core:1 node-os:3,x", "node-os:3,x", BadList),
        ("node:2 core:1 memory:1,1,1 node-os:3,4", "node-os:3,4", BadList),
        ("core:1 node-os:1 node-os:1", "node-os:1", Repeated),
        ("core:1 memory:1,1 distance:10", "distance:10", BadList),
        ("node:2 core:1 distance:10", "distance:10", BadList),
        ("node:2 core:1 distance:10,20/20", "distance:10,20/20", BadList),
        ("node:2 core:1 distance:10,x/20,10", "distance:10,x/20,10", BadList),
    ] {
        let error = text.parse::<Topology>().expect_err(text);
        assert_eq!((error.word(), error.problem()), (word, problem), "{text:?}: {error}");
    }
}

#[test]
fn an_error_reads_as_a_sentence_with_the_word() {
    let error = "core:4 smt:2".parse::<Topology>().unwrap_err().to_string();
    assert!(error.starts_with("`smt:2`: no such name"), "{error}");
}

#[test]
fn flat_is_one_node_of_equal_cores() {
    for (asked, got) in [(0, 1), (1, 1), (6, 6), (usize::MAX, 65_536)] {
        let topology = Topology::flat(asked);
        assert_eq!(topology.pus().len(), got, "{asked}");
        assert_eq!(topology.cores().len(), got, "{asked}");
        assert_eq!(topology.source(), Source::Flat);
        assert!(!topology.is_this_machine());
    }
    assert_eq!(Topology::flat(2).to_string(), "2 PUs, 2 cores, 1 LLC, 1 node (flat)");
}

#[test]
fn a_topology_is_plain_data() {
    fn check<T: Clone + Send + Sync + Eq + std::fmt::Debug + 'static>() {}
    check::<Topology>();
}
