//! `cargo xtask topology`: builds the drawing of machines and hands the arguments on to it.
//!
//! It knows no machine: that is the business of the program in the package `tools`, and so are the arguments, which are checked here
//! so that a mistake costs no build.

use std::process::ExitCode;

use crate::process;
use crate::topology_args;

/// Draw a machine and where each worker of an executor goes on it
///
/// Draws this machine, or any that is described, as a tree of packages, NUMA nodes, last level caches and PUs with the worker of each,
/// and explains the plan. Large machines are shown in less detail; the SVG always has every PU.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask topology
  cargo xtask topology --check
  cargo xtask topology --synthetic \"pack:2 node:2 l3:2 core:4 pu:2\" --policy numa-balanced
  cargo xtask topology --synthetic \"node:2 l3:1 core:8 memory:64G,64G distance:10,21/21,10\" --svg machine.svg
  cargo xtask topology --source sysfs:/tmp/copy/sys --smt avoid --reserve-cores 1 --json

The words of a description: pack, node, l3, l2, core and pu with a count each; then os, allowed, efficiency,
homeless, memory, node-os, distance and parallelism, as the documentation of the executor's `Topology` says.

Exit codes: 0 done, 1 workers are not where they should be (--check), 2 the arguments or the machine are unusable.")]
// Its name is that of the arguments that it takes in, and groups are told apart by name.
#[group(skip)]
pub(crate) struct TopologyArgs {
    #[command(flatten)]
    topology: topology_args::TopologyArgs,
}

/// Builds the program and becomes it.
pub(crate) fn run(_: &TopologyArgs) -> ExitCode {
    let mut command = process::cargo();
    command
        .args(["run", "--quiet", "--package", "tools", "--bin", "topology", "--manifest-path"])
        .arg(process::root().join("Cargo.toml"))
        .arg("--")
        // Without the program's own name and the command's.
        .args(std::env::args_os().skip(2));
    eprintln!("building the drawing (the first time takes a while) ...");
    process::hand_over(&mut command)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use clap::Parser;

    use super::*;
    use crate::topology_args::Source;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        topology: TopologyArgs,
    }

    fn parse(args: &[&str]) -> Result<topology_args::TopologyArgs, clap::Error> {
        let args = ["topology"].iter().chain(args);
        Cli::try_parse_from(args).map(|cli| cli.topology.topology)
    }

    #[test]
    fn sources_are_read() {
        for (text, expected) in [
            ("auto", Source::Auto),
            ("hwloc", Source::Hwloc),
            ("sysfs", Source::Sysfs(None)),
            ("sysfs:/a:b", Source::Sysfs(Some(PathBuf::from("/a:b")))),
            ("flat", Source::Flat(None)),
            ("flat:65536", Source::Flat(Some(65_536))),
        ] {
            assert_eq!(parse(&["--source", text]).expect(text).source, expected);
        }
        assert_eq!(parse(&[]).expect("valid").source, Source::Auto);
    }

    #[test]
    fn mistakes_cost_no_build() {
        for args in [
            &["--source", "moon"][..],
            &["--source", "sysfs:"],
            &["--source", "flat:0"],
            &["--source", "flat:65537"],
            &["--source", "auto:1"],
            &["--policy", "moon"],
            &["--policy", "0,x"],
            &["--policy", ""],
            &["--workers", "0"],
            &["--workers", "2049"],
            &["--smt", "on"],
            &["--cores", "p"],
            &["--reserve-cores", "-1"],
            &["--synthetic", "core:2", "--source", "auto"],
            &["--synthetic", "core:2", "--check"],
            &["--json", "--check"],
        ] {
            let error = parse(args).expect_err("refused");
            assert_eq!(error.exit_code(), 2, "{args:?}");
        }
        for policy in ["per-node", "numa-balanced", "0", "3, 1,2"] {
            assert_eq!(parse(&["--policy", policy]).expect(policy).policy.as_deref(), Some(policy));
        }
    }
}
