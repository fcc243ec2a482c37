//! `cargo xtask bench`: builds the benchmarks in release mode and hands the arguments on to them.
//!
//! It knows no group and no workload: those belong to the package `benches`.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::process;

/// Measure this project against its peers, interleaved in one run
///
/// Builds the package `benches` in release mode and runs it with these arguments. Figures move from
/// machine to machine; what counts is the ratio between the subjects of one run.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask bench --list
  cargo xtask bench spawn ask
  cargo xtask bench tell --runs 9 --json
  cargo xtask bench lightproc --filter instructions
  cargo xtask bench lightproc --magazines

The exit code is the one of the benchmarks.")]
pub(crate) struct BenchArgs {
    /// Groups of workloads to measure [default: all; see --list]
    #[arg(value_name = "GROUP")]
    groups: Vec<String>,

    /// Print one JSON object per line: group, workload, subject, unit, median, min, max, runs
    #[arg(long)]
    json: bool,

    /// Measure only the workloads and subjects whose name contains this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,

    /// Rounds per workload; the median over the rounds is reported [default: the benchmarks' own]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    runs: Option<u32>,

    /// Build lightproc with its feature `magazines`
    #[arg(long)]
    magazines: bool,

    /// List the groups and their workloads, and measure nothing
    #[arg(long)]
    list: bool,
}

/// Builds the benchmarks and becomes them.
pub(crate) fn run(args: &BenchArgs) -> ExitCode {
    let mut command = process::cargo();
    command
        .args(["run", "--release", "--package", "benches", "--manifest-path"])
        .arg(process::root().join("Cargo.toml"))
        .args(args.magazines.then_some("--features=magazines"))
        .arg("--")
        .args(forwarded(args));
    eprintln!("building the benchmarks (release) ...");
    process::hand_over(&mut command)
}

/// Writes the arguments as the benchmarks read them.
fn forwarded(args: &BenchArgs) -> Vec<OsString> {
    let mut out: Vec<OsString> = Vec::new();
    if args.json {
        out.push("--json".into());
    }
    if args.list {
        out.push("--list".into());
    }
    if let Some(filter) = &args.filter {
        // One argument, so that a text that starts with a dash stays a text.
        out.push(format!("--filter={filter}").into());
    }
    if let Some(runs) = args.runs {
        out.extend(["--runs".into(), runs.to_string().into()]);
    }
    out.extend(args.groups.iter().map(OsString::from));
    out
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        bench: BenchArgs,
    }

    #[test]
    fn everything_is_handed_on() {
        let line = ["bench", "spawn", "--runs", "3", "ask", "--filter", "x y", "--json", "--list"];
        let out = forwarded(&Cli::try_parse_from(line).expect("valid").bench);
        assert_eq!(
            out,
            ["--json", "--list", "--filter=x y", "--runs", "3", "spawn", "ask"].map(OsString::from)
        );
        assert!(forwarded(&Cli::try_parse_from(["bench"]).expect("valid").bench).is_empty());
    }
}
