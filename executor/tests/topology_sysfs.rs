//! Trees laid out as Linux lays out `/sys`, whole and broken.

mod machines;
mod tree;

use std::fs;
use std::path::Path;

use bastion_executor::topology::{CpuSet, PuKind, Source, Topology, TopologyError};
use tree::{CPU, NODE, Sets, Tree};

impl Tree {
    fn remove(&self, path: &str) -> &Self {
        fs::remove_file(self.sys().join(path)).unwrap();
        self
    }

    fn cpu(&self, os: u32, siblings: &str, package: &str) -> &Self {
        let topology = format!("{CPU}/cpu{os}/topology");
        self.file(&format!("{topology}/core_cpus_list"), format!("{siblings}\n"))
            .file(&format!("{topology}/package_cpus_list"), format!("{package}\n"))
    }

    fn cache(&self, os: u32, index: u32, level: &str, kind: &str, shared: &str) -> &Self {
        let cache = format!("{CPU}/cpu{os}/cache/index{index}");
        self.file(&format!("{cache}/level"), format!("{level}\n"))
            .file(&format!("{cache}/type"), format!("{kind}\n"))
            .file(&format!("{cache}/shared_cpu_list"), format!("{shared}\n"))
    }

    fn node(&self, os: u32, cpus: &str, distance: &str) -> &Self {
        let node = format!("{NODE}/node{os}");
        self.file(&format!("{node}/cpulist"), format!("{cpus}\n"))
            .file(&format!("{node}/distance"), format!("{distance}\n"))
            .file(
                &format!("{node}/meminfo"),
                format!("Node {os} MemTotal:  1024 kB\nNode {os} x\n"),
            )
    }

    fn read(&self) -> Result<Topology, TopologyError> {
        Topology::from_sysfs(&self.sys())
    }

    fn topology(&self) -> Topology {
        self.read().unwrap_or_else(|error| panic!("{error}"))
    }
}

/// Two packages, each one node of two cores with two threads; siblings are numbered 4 apart.
fn two_nodes() -> Tree {
    let tree = Tree::new();
    tree.file(&format!("{CPU}/online"), "0-7\n");
    for os in 0..8 {
        let (first, package) = (os % 4, if os % 4 < 2 { "0-1,4-5" } else { "2-3,6-7" });
        let core = format!("{first},{}", first + 4);
        tree.cpu(os, &core, package)
            .cache(os, 0, "1", "Data", &core)
            .cache(os, 1, "1", "Instruction", &core)
            .cache(os, 2, "2", "Unified", &core)
            .cache(os, 3, "3", "Unified", package);
    }
    tree.file(&format!("{NODE}/online"), "0-1\n");
    tree.node(0, "0-1,4-5", "10 21").node(1, "2-3,6-7", "21 10");
    tree
}

fn lists(sets: &[CpuSet]) -> String {
    sets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[test]
fn two_nodes_with_distances_and_threads() {
    let topology = two_nodes().topology();
    assert_eq!(topology.source(), Source::Sysfs);
    assert!(!topology.is_this_machine());
    assert_eq!(
        topology.to_string(),
        "8 PUs, 4 cores, 2 LLCs, 2 nodes, 2 packages (sysfs, not this machine)"
    );
    assert_eq!(lists(topology.cores()), "0,4 1,5 2,6 3,7");
    assert_eq!(lists(topology.l2s()), "0,4 1,5 2,6 3,7");
    assert_eq!(lists(topology.llcs()), "0-1,4-5 2-3,6-7");
    assert_eq!(topology.distance(), Some([vec![10, 21], vec![21, 10]].as_slice()));
    assert_eq!(topology.nodes()[1].mem_bytes, Some(1024 * 1024));
    let pu = topology.pus()[6];
    assert_eq!((pu.os, pu.core, pu.smt_rank, pu.llc, pu.package), (6, 2, 1, 1, 1));
    assert_eq!((pu.node, pu.kind), (Some(1), PuKind::Uniform));
}

#[test]
fn offline_pus_are_left_out() {
    let listed = two_nodes();
    listed.file(&format!("{CPU}/online"), "0-2,4-7\n");
    let topology = listed.topology();
    assert_eq!(topology.allowed().to_string(), "0-2,4-7");
    assert_eq!(topology.pus()[6].smt_rank, 0, "the sibling of PU 7 is offline");

    let unlisted = two_nodes();
    unlisted.remove(&format!("{CPU}/online"));
    unlisted.file(&format!("{CPU}/cpu3/online"), "0\n").file(&format!("{CPU}/cpu4/online"), "1\n");
    assert_eq!(unlisted.topology().allowed().to_string(), "0-2,4-7");
}

#[test]
fn a_pu_may_have_no_node() {
    let tree = two_nodes();
    tree.node(1, "2,6", "21 10");
    let topology = tree.topology();
    assert_eq!(topology.pus()[3].node, None);
    assert_eq!(topology.pus()[2].node, Some(1));
}

#[test]
fn a_node_may_have_no_pu_and_numbers_may_have_gaps() {
    let tree = two_nodes();
    fs::rename(tree.sys().join("devices/system/node/node1"), tree.sys().join("n")).unwrap();
    tree.file(&format!("{NODE}/online"), "0,33,72\n");
    tree.node(0, "0-1,4-5", "10 21 40").node(33, "2-3,6-7", "21 10 40").node(72, "", "40 40 10");
    let topology = tree.topology();
    let numbers: Vec<u32> = topology.nodes().iter().map(|node| node.os).collect();
    assert_eq!(numbers, [0, 33, 72]);
    assert!(topology.nodes()[2].cpus.is_empty());
    assert_eq!(topology.pus()[2].node, Some(1));
    assert_eq!(topology.distance().map(|rows| rows[2].clone()), Some(vec![40, 40, 10]));
}

#[test]
fn offline_nodes_are_left_out_and_a_matrix_that_does_not_fit_is_dropped() {
    let tree = two_nodes();
    tree.file(&format!("{NODE}/online"), "0\n");
    let topology = tree.topology();
    assert_eq!(topology.nodes().len(), 1);
    assert_eq!(topology.distance(), None);
    assert_eq!(topology.pus()[2].node, None);
}

#[test]
fn lists_may_end_in_nul() {
    let tree = two_nodes();
    tree.file(&format!("{CPU}/online"), b"0-7\n\0");
    tree.file(&format!("{NODE}/node0/cpulist"), b"0-1,4-5\0");
    assert_eq!(tree.topology(), two_nodes().topology());
}

#[test]
fn old_kernels_use_other_names() {
    let tree = two_nodes();
    for os in 0..8 {
        let topology = tree.sys().join(format!("{CPU}/cpu{os}/topology"));
        fs::rename(topology.join("core_cpus_list"), topology.join("thread_siblings_list")).unwrap();
        fs::rename(topology.join("package_cpus_list"), topology.join("core_siblings_list"))
            .unwrap();
    }
    assert_eq!(tree.topology(), two_nodes().topology());
}

#[test]
fn a_kernel_may_say_nothing_but_the_pus() {
    let tree = Tree::new();
    tree.file(&format!("{CPU}/online"), "0,2");
    assert_eq!(
        tree.topology().to_string(),
        "2 PUs, 2 cores, 1 LLC, 1 node (sysfs, not this machine)"
    );
    assert_eq!(tree.topology().pus()[1].node, Some(0));
}

#[test]
fn caches_of_different_levels_are_told_apart() {
    let tree = Tree::new();
    tree.file(&format!("{CPU}/online"), "0-3");
    // PU 0 and 1 have a level 3 cache; 2 and 3 share only a level 2 cache.
    for os in 0..2 {
        tree.cache(os, 2, "2", "Unified", &os.to_string()).cache(os, 3, "3", "Unified", "0-1");
    }
    for os in 2..4 {
        tree.cache(os, 2, "2", "Unified", "2-3");
    }
    let topology = tree.topology();
    assert_eq!(lists(topology.llcs()), "0-1 2-3");
    assert_eq!(lists(topology.l2s()), "0 1 2-3");
}

#[test]
fn hybrid_machines_tell_their_kinds() {
    let (fast, frugal) = (PuKind::Performance, PuKind::Efficiency);
    let kinds = |tree: &Tree| tree.topology().pus().iter().map(|pu| pu.kind).collect::<Vec<_>>();
    let named = Tree::new();
    named.file(&format!("{CPU}/online"), "0-2").file("devices/cpu_atom/cpus", "1-2\n");
    assert_eq!(kinds(&named), [fast, frugal, frugal]);

    for (capacities, expected) in [
        ([1024, 1024, 400], [fast, fast, frugal]),
        // A favoured core is not another kind of core.
        ([1024, 1009, 1000], [PuKind::Uniform; 3]),
    ] {
        let measured = Tree::new();
        measured.file(&format!("{CPU}/online"), "0-2");
        for (os, capacity) in capacities.iter().enumerate() {
            measured.file(&format!("{CPU}/cpu{os}/cpu_capacity"), capacity.to_string());
        }
        assert_eq!(kinds(&measured), expected, "{capacities:?}");
    }
}

/// Every file that holds nonsense is an error that names it.
#[test]
fn broken_files_are_errors() {
    let files = [
        format!("{CPU}/online"),
        format!("{CPU}/cpu5/topology/core_cpus_list"),
        format!("{CPU}/cpu5/topology/package_cpus_list"),
        format!("{CPU}/cpu5/cache/index2/level"),
        format!("{CPU}/cpu5/cache/index3/shared_cpu_list"),
        format!("{CPU}/cpu5/cpu_capacity"),
        format!("{NODE}/online"),
        format!("{NODE}/node1/cpulist"),
        format!("{NODE}/node1/distance"),
        "devices/cpu_atom/cpus".to_owned(),
    ];
    for file in &files {
        let tree = two_nodes();
        if file.ends_with("cpu_capacity") {
            (0..8).for_each(|os| {
                tree.file(&format!("{CPU}/cpu{os}/cpu_capacity"), "1024");
            });
        }
        for nonsense in ["x", "0-", "5-2", "-1", "99999999999999999999", "\u{fffd}", "1 x"] {
            tree.file(file, nonsense);
            match tree.read() {
                Err(TopologyError::Content { path, text }) => {
                    assert_eq!((path, &*text), (tree.sys().join(file), nonsense));
                }
                other => panic!("{file} holding {nonsense:?} gave {other:?}"),
            }
        }
    }
    let size = two_nodes();
    size.file(&format!("{NODE}/node0/meminfo"), "Node 0 MemTotal: many kB");
    assert!(matches!(size.read(), Err(TopologyError::Content { .. })));
    // Not text at all, and not a file at all.
    let bytes = two_nodes();
    bytes.file(&format!("{CPU}/online"), [0xff, 0xfe]);
    assert!(matches!(bytes.read(), Err(TopologyError::Content { .. })));
    let directory = Tree::new();
    directory.file(&format!("{CPU}/online/inside"), "");
    assert!(matches!(directory.read(), Err(TopologyError::Read { .. })));
}

#[test]
fn empty_files_are_not_a_reason_to_fail() {
    for file in ["core_cpus_list", "package_cpus_list"] {
        let tree = two_nodes();
        tree.file(&format!("{CPU}/cpu0/topology/{file}"), "");
        assert_eq!(tree.topology().pus().len(), 8, "{file}");
    }
}

#[test]
fn a_tree_without_pus_is_an_error() {
    let empty = Tree::new();
    assert!(matches!(empty.read(), Err(TopologyError::Read { .. })));
    empty.file(&format!("{CPU}/online"), "\n");
    assert_eq!(empty.read(), Err(TopologyError::NoPu));
    let error = Topology::from_sysfs(Path::new("/no/such/tree")).unwrap_err();
    assert_eq!(error.to_string(), "cannot read /no/such/tree/devices/system/cpu: entity not found");
}

/// The reader sees in a tree what the text said, but for what such a tree does not hold: the quota.
#[test]
fn every_described_machine_is_read_from_its_tree() {
    for (text, described) in machines::all() {
        let read = Tree::of(&described, Sets::Lists).topology();
        assert_eq!(read.pus(), described.pus(), "{text}");
        assert_eq!(read.cores(), described.cores(), "{text}");
        assert_eq!(read.l2s(), described.l2s(), "{text}");
        assert_eq!(read.llcs(), described.llcs(), "{text}");
        assert_eq!(read.packages(), described.packages(), "{text}");
        assert_eq!(read.nodes(), described.nodes(), "{text}");
        assert_eq!(read.distance(), described.distance(), "{text}");
        assert_eq!((read.source(), read.is_this_machine()), (Source::Sysfs, false), "{text}");
        assert_eq!(read.parallelism(), None, "{text}");
    }
}
