//! Machines that libhwloc simulates, set through the environment of a child process: synthetic ones, XML, trees like `/sys`; and that it
//! sees in them what our own sources see. Without libhwloc there is nothing to simulate, and no test.
#![cfg(hwloc_found)]

mod machines;
mod tree;

use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use bastion_executor::topology::{CpuSet, Topology};
use tree::{Sets, Tree};

const CHILD: &str = "BASTION_TEST_CHILD";
const SUMMARY: &str = "machine: ";
const SHAPE: &str = "shape: ";

/// The groups of PUs, which is what libhwloc can tell: not sizes, distances and kinds of cores.
fn shape(topology: &Topology) -> String {
    let list = |sets: &[CpuSet]| sets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let node = |node: &bastion_executor::topology::Node| format!("#{}{{{}}}", node.os, node.cpus);
    let nodes: Vec<String> = topology.nodes().iter().map(node).collect();
    let (cores, packages) = (list(topology.cores()), list(topology.packages()));
    let (l2s, llcs) = (list(topology.l2s()), list(topology.llcs()));
    format!("{cores} | {l2s} | {llcs} | {packages} | {}", nodes.join(" "))
}

/// Takes the nodes without PUs out of a shape: libhwloc's bindings show a node only as one that is near some PU.
fn without_bare_nodes(shape: &str) -> String {
    shape.split(' ').filter(|word| !word.ends_with("{}")).collect::<Vec<_>>().join(" ")
}

/// Not a test of its own: the part that runs in the child process of the others.
#[test]
fn child() {
    if env::var_os(CHILD).is_some() {
        let topology = Topology::discover();
        println!("\n{SUMMARY}{topology}\n{SHAPE}{}", shape(&topology));
    }
}

/// Runs discovery in a child with these variables set, and returns the machine in one line and its shape.
fn discover_with(variables: &[(&str, &OsStr)]) -> (String, String) {
    let output = Command::new(env::current_exe().expect("the test binary has a path"))
        .args(["child", "--exact", "--nocapture"])
        .env(CHILD, "1")
        .envs(variables.iter().copied())
        .output()
        .expect("the test binary runs again");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{variables:?}: {text}");
    let marked = |mark| text.lines().find_map(|line| line.strip_prefix(mark).map(str::to_owned));
    marked(SUMMARY).zip(marked(SHAPE)).unwrap_or_else(|| panic!("{variables:?} printed {text}"))
}

/// Checks that libhwloc, so set, describes the machine that the text describes, and not this one.
fn check(variables: &[(&str, &OsStr)], text: &str) {
    let described: Topology = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    let (summary, seen) = discover_with(variables);
    assert!(summary.ends_with("(hwloc, not this machine)"), "{variables:?}: {summary}");
    let (seen, expected) = (without_bare_nodes(&seen), without_bare_nodes(&shape(&described)));
    assert_eq!(seen, expected, "{text} and {variables:?}");
}

#[test]
fn synthetic_machines_are_those_of_the_text() {
    for (synthetic, text) in [
        ("core:1 pu:1", "core:1"),
        ("pack:2 [numa] l3:1 core:4 pu:2", "pack:2 node:1 l3:1 core:4 pu:2"),
        (
            "pack:2 [numa(memory=96GB)] l3:1(size=28MB) l2:20(size=1MB) core:1 pu:2",
            "pack:2 node:1 l3:1 l2:20 core:1 pu:2 memory:96G,96G",
        ),
        (
            "pack:1 die:4 [numa(memory=32GB)] l3:2(size=8MB) l2:3 core:1 pu:2",
            "pack:1 node:4 l3:2 l2:3 core:1 pu:2",
        ),
        ("pack:1 [numa] l3:12 core:8 pu:1", "pack:1 node:1 l3:12 core:8"),
        ("pack:2 group:2 [numa] l3:1 core:10 pu:2", "pack:2 node:2 l3:1 core:10 pu:2"),
        ("pack:2 l3:1 group:4 [numa] core:3 pu:2", "pack:2 l3:1 node:4 core:3 pu:2"),
        ("pack:2 [numa] l2:3 core:1 pu:8", "pack:2 node:1 l2:3 core:1 pu:8"),
        (
            "pack:2 [numa] core:4 pu:1(indexes=0,2,4,6,1,3,5,7)",
            "pack:2 node:1 core:4 os:0,2,4,6,1,3,5,7",
        ),
        ("pack:8 [numa] l3:4 core:8 pu:2", "pack:8 node:1 l3:4 core:8 pu:2"),
        ("[numa(memory=512GB)] pack:2 [numa] core:4 pu:1", "pack:2 node:1 core:4 memory:1,1,1"),
        (
            "group:4 [numa] [numa] l2:2 core:2 pu:4",
            "node:4 l2:2 core:2 pu:4 memory:1,1,1,1,1,1,1,1 node-os:0,2,4,6,1,3,5,7",
        ),
    ] {
        check(&[("HWLOC_SYNTHETIC", synthetic.as_ref())], text);
    }
}

/// Files that `lstopo` has made out of synthetic machines, two of them with `--restrict`.
#[test]
fn machines_in_xml_are_those_of_the_text() {
    for (file, text) in [
        ("asymmetric", "pack:2 node:1 l3:1 core:4 pu:2 allowed:0-5,10-11"),
        ("memory-only-node", "pack:2 node:1 l3:1 core:2 memory:64G,64G,512G"),
        (
            "two-of-four-packages",
            "pack:4 node:1 l3:1 core:2 pu:2 os:0,8,1,9,2,10,3,11,4,12,5,13,6,14,7,15 \
             allowed:2-3,6-7,10-11,14-15",
        ),
    ] {
        let path = format!("{}/tests/fixtures/{file}.xml", env!("CARGO_MANIFEST_DIR"));
        assert!(Path::new(&path).exists(), "{path}");
        check(&[("HWLOC_XMLFILE", path.as_ref())], text);
    }
}

/// The trees that our own reader sees the described machine in; see `topology_sysfs.rs`.
#[test]
fn libhwloc_and_our_reader_see_the_same_in_a_tree() {
    // Where no node has a PU, libhwloc gives them all to the first one: it has no PUs without a node.
    const ADOPTED: &str = "core:4 homeless:0-3";
    for (text, described) in machines::all() {
        let tree = Tree::of(&described, Sets::Masks);
        let variables = [
            ("HWLOC_FSROOT", tree.root().as_os_str()),
            ("HWLOC_COMPONENTS", "linux,stop".as_ref()),
        ];
        check(&variables, if text == ADOPTED { "core:4" } else { text });
    }
}

/// A node for the whole machine beside one per package: the nearer one is the home, the other one has no PUs.
#[test]
fn memory_that_hangs_off_the_machine_is_no_home() {
    let synthetic = "[numa(memory=512GB)] pack:2 [numa(memory=64GB)] core:4 pu:1";
    let (summary, shape) = discover_with(&[("HWLOC_SYNTHETIC", synthetic.as_ref())]);
    let expected = "8 PUs, 8 cores, 2 LLCs, 3 nodes (1 without PUs), 2 packages";
    assert_eq!(summary, format!("{expected} (hwloc, not this machine)"));
    assert!(shape.ends_with(" | #0{0-3} #1{4-7} #2{}"), "{shape}");
}

/// libhwloc's own trap: a description that it does not understand is ignored without a word.
#[test]
fn a_bad_description_means_the_real_machine() {
    let here = Topology::discover().to_string();
    for (variable, value) in [("HWLOC_SYNTHETIC", "pack:x"), ("HWLOC_XMLFILE", "/no/such/file.xml")]
    {
        let (found, _) = discover_with(&[(variable, value.as_ref())]);
        assert_eq!(found, here, "{variable}={value}");
    }
}

/// Without any component libhwloc cannot say what there is; some other source then does.
#[test]
fn a_failing_library_is_no_reason_to_fail() {
    let here = Topology::discover();
    let (found, _) = discover_with(&[("HWLOC_COMPONENTS", "stop".as_ref())]);
    let pus = |text: &str| text.split_once(',').map(|(pus, _)| pus.to_owned());
    assert_eq!(pus(&found), pus(&here.to_string()), "{found}");
}
