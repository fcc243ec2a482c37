//! Machines that libhwloc simulates, set through the environment of a child process. Without libhwloc
//! there is nothing to simulate, and no test.

#[cfg(hwloc_found)]
mod simulated {
    use std::env;
    use std::process::Command;

    use bastion_executor::topology::Topology;

    const CHILD: &str = "BASTION_TEST_CHILD";
    const MARK: &str = "machine: ";

    /// Not a test of its own: the part that runs in the child process of the others.
    #[test]
    fn child() {
        if env::var_os(CHILD).is_none() {
            return;
        }
        let topology = Topology::discover();
        let homes: Vec<String> =
            topology.nodes().iter().map(|node| format!("#{}{{{}}}", node.os, node.cpus)).collect();
        println!("\n{MARK}{topology} | {}", homes.join(" "));
    }

    /// Runs discovery in a child with a variable set and returns what it found.
    fn discover_with(variable: &str, value: &str) -> String {
        let output = Command::new(env::current_exe().expect("the test binary has a path"))
            .args(["simulated::child", "--exact", "--nocapture"])
            .env(CHILD, "1")
            .env(variable, value)
            .output()
            .expect("the test binary runs again");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{variable}={value}: {text}");
        let line = text.lines().find_map(|line| line.strip_prefix(MARK));
        line.unwrap_or_else(|| panic!("{variable}={value} printed {text}")).to_owned()
    }

    #[test]
    fn described_machines_are_read_and_are_not_this_one() {
        for (description, expected) in [
            (
                "pack:2 [numa] l3:1 core:4 pu:2",
                "16 PUs, 8 cores, 2 LLCs, 2 nodes, 2 packages (hwloc, not this machine) \
                 | #0{0-7} #1{8-15}",
            ),
            (
                "pack:2 [numa(memory=96GB)] l3:1(size=28MB) l2:20(size=1MB) core:1 pu:2",
                "80 PUs, 40 cores, 2 LLCs, 2 nodes, 2 packages (hwloc, not this machine) \
                 | #0{0-39} #1{40-79}",
            ),
            // EPYC 7451: four nodes and eight caches in one package.
            (
                "pack:1 die:4 [numa(memory=32GB)] l3:2(size=8MB) l2:3 core:1 pu:2",
                "48 PUs, 24 cores, 8 LLCs, 4 nodes (hwloc, not this machine) \
                 | #0{0-11} #1{12-23} #2{24-35} #3{36-47}",
            ),
            // A node for the whole machine beside one per package: the nearer one is the home.
            (
                "[numa(memory=512GB)] pack:2 [numa(memory=64GB)] core:4 pu:1",
                "8 PUs, 8 cores, 2 LLCs, 3 nodes (1 without PUs), 2 packages \
                 (hwloc, not this machine) | #0{0-3} #1{4-7} #2{}",
            ),
            ("core:1 pu:1", "1 PU, 1 core, 1 LLC, 1 node (hwloc, not this machine) | #0{0}"),
        ] {
            assert_eq!(discover_with("HWLOC_SYNTHETIC", description), expected, "{description}");
        }
    }

    /// libhwloc's own trap: a description that it does not understand is ignored without a word.
    #[test]
    fn a_bad_description_means_the_real_machine() {
        let here = Topology::discover().to_string();
        for (variable, value) in
            [("HWLOC_SYNTHETIC", "pack:x"), ("HWLOC_XMLFILE", "/no/such/file.xml")]
        {
            let found = discover_with(variable, value);
            assert!(!found.contains("not this machine"), "{variable}={value}: {found}");
            assert!(found.starts_with(&here), "{variable}={value}: {found}");
        }
    }

    /// Without any component libhwloc cannot say what there is; some other source then does.
    #[test]
    fn a_failing_library_is_no_reason_to_fail() {
        let here = Topology::discover();
        let found = discover_with("HWLOC_COMPONENTS", "stop");
        let pus = |text: &str| text.split_once(',').map(|(pus, _)| pus.to_owned());
        assert_eq!(pus(&found), pus(&here.to_string()), "{found}");
    }
}
