//! Random content in the files of a `/sys` tree: a machine in normal form or an error, never a panic.

use std::fs;

use bastion_executor::placement::{Placement, Request};
use bastion_executor::topology::Topology;
use proptest::prelude::*;
use tempfile::TempDir;

/// A file that a tree may have, for PUs and nodes 0 to 3, and what it holds: mostly something of the
/// right form, however senseless, and now and then anything at all.
fn file() -> impl Strategy<Value = (String, Vec<u8>)> {
    let list = "([0-5]|[01]-[2-5])(,[0-5]){0,2}\n?\u{0}?";
    let fitting = prop_oneof![
        1 => ("devices/system/(cpu|node)/online", list),
        1 => ("devices/cpu_atom/cpus", list),
        1 => ("devices/system/cpu/cpu[0-3]/online", "[01]\n"),
        2 => ("devices/system/cpu/cpu[0-3]/cpu_capacity", "[0-9]{1,4}\n"),
        4 => ("devices/system/cpu/cpu[0-3]/topology/(core_cpus|thread_siblings)_list", list),
        4 => ("devices/system/cpu/cpu[0-3]/topology/(package_cpus|core_siblings)_list", list),
        4 => ("devices/system/cpu/cpu[0-3]/cache/index[0-3]/level", "[0-5]"),
        4 => ("devices/system/cpu/cpu[0-3]/cache/index[0-3]/shared_cpu_list", list),
        4 => ("devices/system/node/node[0-3]/cpulist", list),
        4 => ("devices/system/node/node[0-3]/distance", "[0-9]{1,3}( [0-9]{1,3}){0,3}\n"),
        1 => ("devices/system/node/node[0-3]/meminfo", "Node 0 MemTotal: [0-9]{1,12} kB"),
    ];
    let anything = prop::collection::vec(any::<u8>(), 0..12);
    (fitting, anything, 0..40).prop_map(|((file, fitting), anything, luck)| {
        (file, if luck == 0 { anything } else { fitting.into_bytes() })
    })
}

/// Every index points at the group that holds the PU, and every PU of a group points back.
fn check(topology: &Topology) {
    let pus = topology.pus();
    assert!(!pus.is_empty() && pus.is_sorted_by(|a, b| a.os < b.os));
    for pu in pus {
        assert!(topology.cores()[pu.core].contains(pu.os));
        assert!(topology.l2s()[pu.l2].contains(pu.os));
        assert!(topology.llcs()[pu.llc].contains(pu.os));
        assert!(topology.packages()[pu.package].contains(pu.os));
        assert!(pu.node.is_none_or(|node| topology.nodes()[node].cpus.contains(pu.os)));
    }
    for groups in [topology.cores(), topology.l2s(), topology.llcs(), topology.packages()] {
        assert_eq!(groups.iter().map(|group| group.len()).sum::<usize>(), pus.len());
        assert!(groups.iter().all(|group| !group.is_empty()));
    }
    assert!(!topology.nodes().is_empty());
    assert!(topology.nodes().is_sorted_by(|a, b| a.os < b.os));
    let nodes = topology.nodes().len();
    assert!(
        topology.distance().is_none_or(|rows| {
            rows.len() == nodes && rows.iter().all(|row| row.len() == nodes)
        })
    );
    for placement in [Placement::Compact, Placement::Spread, Placement::PerNode] {
        let plan = Request::new().policy(placement).plan(topology).expect("the default count fits");
        assert_eq!(plan.workers.len(), pus.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_files(files in prop::collection::vec(file(), 1..40)) {
        let root = TempDir::new().expect("a directory for the fixture");
        for (file, content) in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().expect("files lie in a directory")).unwrap();
            fs::write(path, content).unwrap();
        }
        if let Ok(topology) = Topology::from_sysfs(root.path()) {
            check(&topology);
        }
    }
}
