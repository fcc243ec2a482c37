//! The program as it is run: what it prints, writes and refuses.

use std::fs;
use std::path::Path;
use std::process::Command;

use bastion_executor::Topology;
use serde_json::Value;

/// Runs the program and returns its exit code, its output and its errors.
fn run(args: &[&str]) -> (Option<i32>, String, String) {
    let program = Command::new(env!("CARGO_BIN_EXE_topology")).args(args).output();
    let output = program.expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Runs it with arguments that can be followed, and returns its output.
fn shown(args: &[&str]) -> String {
    let (code, output, errors) = run(args);
    assert_eq!((code, &*errors), (Some(0), ""), "{args:?}: {output}");
    output
}

#[test]
fn a_described_machine_is_drawn_and_explained() {
    let args = ["--synthetic", "pack:2 node:1 l3:1 core:1 pu:2", "--policy", "numa-balanced"];
    assert_eq!(
        shown(&args),
        "\
machine: PUs 0-3
├─ package 0, node 0: PUs 0-1
│  └─ LLC 0  PU      0 1
│            worker  0 1
└─ package 1, node 1: PUs 2-3
   └─ LLC 1  PU      2 3
             worker  2 3

│ between cores

machine: 4 PUs, 2 cores, 2 LLCs, 2 nodes, 2 packages (text)
policy: numa-balanced, as asked for
workers: 4, one for each PU
binding: each worker to one PU, but not here: another machine is described
node 0: PUs 0-1; workers 0-1 on PUs 0-1; nearest: node 1
node 1: PUs 2-3; workers 2-3 on PUs 2-3; nearest: node 0
this is not the machine that this program runs on: an executor here would bind no worker
"
    );
}

#[test]
fn what_is_wanted_of_the_plan_reaches_it() {
    let hybrid = "core:4 pu:2 efficiency:4-7";
    for (args, expected) in [
        (&["--workers", "3"][..], "workers: 3, as asked for"),
        (&["--smt", "avoid"], "left out: PUs 1,3,5,7 (second threads of cores)"),
        (&["--cores", "efficiency"], "left out: PUs 0-3 (the other kind of core)"),
        (&["--reserve-cores", "2"], "left out: PUs 4-7 (reserved)"),
        (&["--policy", "5,0"], "node 0: PUs 0,5; workers 0-1 on PUs 0,5"),
    ] {
        let output = shown(&[&["--synthetic", hybrid][..], args].concat());
        assert!(output.lines().any(|line| line == expected), "{args:?}:\n{output}");
    }
}

#[test]
fn mistakes_are_one_line_and_code_2() {
    for (args, expected) in [
        (&["--nonsense"][..], "error: unexpected argument '--nonsense' found"),
        (&["--synthetic", "pack:x"], "error: --synthetic: `pack:x`: the count must be"),
        (&["--synthetic", ""], "error: --synthetic: a machine needs at least one level"),
        (&["--synthetic", "core:2", "--policy", "2"], "error: PU 2 does not exist or may not be"),
        (&["--synthetic", "core:2", "--policy", "1,1"], "error: PU 1 is given twice"),
        (
            &["--synthetic", "core:2", "--policy", "compact", "--workers", "3"],
            "error: 3 workers for 2 PUs: PU 0 would be used twice",
        ),
        (&["--synthetic", "core:2", "--reserve-cores", "2"], "error: no core is left where 2 are"),
        (&["--source", "sysfs:/no/such/folder"], "error: cannot read /no/such/folder/"),
        (&["--source", "flat", "--check"], "error: --check: "),
        (&["--synthetic", "core:2", "--svg", "/no/such/folder/x.svg"], "error: cannot write /no/"),
    ] {
        let (code, output, errors) = run(args);
        assert_eq!((code, &*output), (Some(2), ""), "{args:?}: {errors}");
        assert!(errors.starts_with(expected) && errors.lines().count() == 1, "{args:?}: {errors}");
    }
}

#[test]
fn json_holds_the_topology_and_the_plan() {
    let text = "node:2 core:2";
    let output = shown(&["--synthetic", text, "--json", "--workers", "2"]);
    let json: Value = serde_json::from_str(&output).expect("one JSON object");
    let topology: Topology = serde_json::from_value(json["topology"].clone()).expect("a topology");
    assert_eq!(topology, text.parse().expect("valid"));
    assert_eq!(json["plan"]["policy"], "per-node");
    assert_eq!(json["plan"]["workers"][1]["cpus"], "2-3");
}

#[test]
fn the_svg_is_written_beside_the_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("machine.svg");
    let output = shown(&["--source", "flat:3", "--svg", path.to_str().expect("a plain name")]);
    assert!(output.starts_with("machine: PUs 0-2"), "{output}");
    assert!(!output.contains("discovered in"), "{output}");
    let svg = fs::read_to_string(&path).expect("it was written");
    let svg = roxmltree::Document::parse(&svg).expect("well-formed");
    assert_eq!(svg.descendants().filter(|element| element.has_tag_name("title")).count(), 3);
}

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    let folder = path.parent().expect("a file is in a folder");
    fs::create_dir_all(folder).and_then(|()| fs::write(&path, text)).expect("a file");
}

#[test]
fn another_tree_is_read_and_is_not_this_machine() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    write(root, "devices/system/cpu/online", "0,4\n");
    write(root, "devices/system/node/node7/cpulist", "0,4\n");
    let source = format!("sysfs:{}", root.display());
    let output = shown(&["--source", &source, "--policy", "compact"]);
    assert!(output.contains("node 7: PUs 0,4"), "{output}");
    assert!(output.contains("another machine is described"), "{output}");
    assert!(
        output.lines().last().is_some_and(|line| line.starts_with("discovered in ")),
        "{output}"
    );
    let (code, _, errors) = run(&["--source", &source, "--check"]);
    assert_eq!(code, Some(2), "{errors}");
}

#[test]
fn this_machine_is_drawn_and_checked() {
    let here = Topology::discover();
    let output = shown(&["--check", "--workers", "2"]);
    assert!(output.contains(&format!("\nmachine: {here}\n")), "{output}");
    assert!(output.contains("\ndiscovered in "), "{output}");
    assert!(output.contains("\nworker  planned PUs"), "{output}");
    assert!(output.ends_with("\nevery worker is where the plan says\n"), "{output}");
    if here.source() != bastion_executor::topology::Source::Hwloc {
        let (code, _, errors) = run(&["--source", "hwloc"]);
        assert_eq!(code, Some(2));
        assert!(errors.starts_with("error: libhwloc 2 was not there"), "{errors}");
    }
}
