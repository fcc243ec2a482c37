//! `cargo xtask bench`: builds the benchmarks in release mode and hands the arguments on to them.
//!
//! It knows no group and no workload: those belong to the package `benches`, and so do the arguments, which are checked here so
//! that a mistake costs no build.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::bench_args;
use crate::process;

/// The one argument that is for this program.
const MAGAZINES: &str = "--magazines";

/// Measure this project against its peers, interleaved in one run
///
/// Builds the package `benches` in release mode and runs it with these arguments. Figures move from
/// machine to machine; what counts is the ratio between the subjects of one run.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask bench --list
  cargo xtask bench executor
  cargo xtask bench supervision --runs 5 --json
  cargo xtask bench actors --peers tokio-mpsc,actix
  cargo xtask bench spawn ask --peers tokio --workers 1
  cargo xtask bench tell --runs 9 --json
  cargo xtask bench executor --save before
  cargo xtask bench executor --against before --fail-on-regression
  cargo xtask bench lightproc --filter instructions --magazines
  cargo xtask bench tune -- ./target/release/my-server-bench
  cargo xtask bench locality --machine 'node:2 core:8 pu:2'

The exit code is the one of the benchmarks.")]
// Its name is that of the arguments that it takes in, and groups are told apart by name.
#[group(skip)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    bench: bench_args::BenchArgs,

    /// Build lightproc with its feature `magazines`
    #[arg(long)]
    magazines: bool,
}

/// Builds the benchmarks and becomes them.
pub(crate) fn run(args: &BenchArgs) -> ExitCode {
    let mut command = process::cargo();
    command
        .args(["run", "--release", "--package", "benches", "--manifest-path"])
        .arg(process::root().join("Cargo.toml"))
        .args(args.magazines.then_some("--features=magazines"))
        .arg("--")
        .args(forwarded(std::env::args_os()));
    eprintln!("building the benchmarks (release) ...");
    process::hand_over(&mut command)
}

/// Returns what follows the name of the command, without what is for this program. What is behind `--` is nobody's here.
fn forwarded(all: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut is_ours = true;
    // The program's own name, and `bench`.
    all.skip(2)
        .filter(|argument| {
            is_ours &= argument != "--";
            !(is_ours && argument == MAGAZINES)
        })
        .collect()
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

    fn handed_on(line: &[&str]) -> Vec<OsString> {
        forwarded(["xtask"].iter().chain(line).map(OsString::from))
    }

    #[test]
    fn everything_is_handed_on_as_it_was() {
        let line = ["bench", "spawn", "--runs", "3", "--magazines", "ask", "--filter=-x y"];
        assert!(Cli::try_parse_from(line).expect("valid").bench.magazines);
        let expected = ["spawn", "--runs", "3", "ask", "--filter=-x y"].map(OsString::from);
        assert_eq!(handed_on(&line), expected);
        assert!(handed_on(&["bench"]).is_empty());
    }

    #[test]
    fn the_arguments_of_a_program_are_its_own() {
        let line = ["bench", "--magazines", "--", "program", "--magazines"];
        assert_eq!(handed_on(&line), ["--", "program", "--magazines"].map(OsString::from));
    }

    #[test]
    fn names_of_runs_are_names_of_files() {
        let is_fine = |args: &[&str]| Cli::try_parse_from(["bench"].iter().chain(args)).is_ok();
        assert!(is_fine(&["--save", "v0.5_a-1", "--against", "main", "--fail-on-regression"]));
        for wrong in ["", ".hidden", "a/b", "a b"] {
            assert!(!is_fine(&["--save", wrong]), "{wrong:?}");
        }
        assert!(!is_fine(&["--fail-on-regression"]));
        assert!(!is_fine(&["--no-report", "--report", "x.html"]));
        assert!(!is_fine(&["--workers", "0"]));
        assert!(is_fine(&["--peers", "tokio,async-executor", "--without", "floor"]));
    }
}
