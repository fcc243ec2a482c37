//! The project's automation: one command per file, run as `cargo xtask <command>`.
//!
//! It drives `cargo` and a few system tools from the outside, and depends on no other crate of the
//! workspace, so it works while those do not compile.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

mod api;
mod bench;
#[path = "../../benches/src/args.rs"]
mod bench_args;
mod binaries;
#[path = "../../examples/chaos_service/args.rs"]
mod chaos_args;
mod conformance;
mod demo;
mod drop_in;
mod fuzz;
mod install;
mod loom;
mod numa;
mod process;
mod sanitize;
mod summary;
mod test;
mod tidy;
mod topology;
#[path = "../../tools/src/bin/topology/args.rs"]
mod topology_args;
mod workspace;

/// Bastion's automation: the demonstration, the tests, the tidy rules, the conformance table, the benchmarks, the long checks, drawings of machines
#[derive(Parser, Debug)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The commands, each in the file of its name.
#[derive(Subcommand, Debug)]
enum Command {
    Demo(demo::DemoArgs),
    Test(test::TestArgs),
    Tidy(tidy::TidyArgs),
    Api(api::ApiArgs),
    DropIn(drop_in::DropInArgs),
    Conformance(conformance::ConformanceArgs),
    Bench(Box<bench::BenchArgs>),
    Loom(loom::LoomArgs),
    Sanitize(sanitize::SanitizeArgs),
    Fuzz(fuzz::FuzzArgs),
    NumaTest(numa::NumaArgs),
    Topology(topology::TopologyArgs),
}

fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => return refuse(&error),
    };
    match command {
        Command::Demo(args) => demo::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Tidy(args) => tidy::run(&args),
        Command::Api(args) => api::run(&args),
        Command::DropIn(args) => drop_in::run(&args),
        Command::Conformance(args) => conformance::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Loom(args) => loom::run(&args),
        Command::Sanitize(args) => sanitize::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::NumaTest(args) => numa::run(&args),
        Command::Topology(args) => topology::run(&args),
    }
}

/// Ends the program: with the help that was asked for, or, after a mistake, with one clear line and exit code 2.
fn refuse(error: &clap::Error) -> ExitCode {
    let missing = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if !error.use_stderr() || error.kind() == missing {
        error.exit();
    }
    eprintln!("{}", in_one_line(&error.to_string()));
    ExitCode::from(2)
}

/// The line that says what is wrong, and what would be right where that is a list.
fn in_one_line(text: &str) -> String {
    let mut lines = text.lines().map(str::trim);
    let wrong = lines.next().unwrap_or("error: wrong arguments");
    let right = lines.find(|line| line.starts_with("[possible values")).unwrap_or("(see --help)");
    format!("{wrong} {right}")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn mistakes_end_with_code_2() {
        for args in [
            &["cargo xtask", "nonsense"][..],
            &["cargo xtask", "tidy", "--nonsense"],
            &["cargo xtask", "test", "nonsense"],
            &["cargo xtask", "conformance", "--group", "W"],
            &["cargo xtask", "demo", "--seconds", "0"],
            &["cargo xtask", "demo", "--crash-every", "soon"],
            &["cargo xtask", "demo", "--port", "65536"],
            &["cargo xtask", "bench", "--runs", "0"],
            &["cargo xtask", "bench", "--save", "a/b"],
            &["cargo xtask", "bench", "--fail-on-regression"],
            &["cargo xtask", "loom", "--preemptions", "0"],
            &["cargo xtask", "loom", "--package", "nonsense"],
            &["cargo xtask", "sanitize", "--only", "nonsense"],
            &["cargo xtask", "fuzz", "--seconds", "0"],
            &["cargo xtask", "numa-test", "--machine", "nonsense"],
            &["cargo xtask", "numa-test", "--timeout", "0"],
            &["cargo xtask", "topology", "--policy", "moon"],
            &["cargo xtask", "topology", "--synthetic", "core:2", "--source", "auto"],
        ] {
            let error = Cli::try_parse_from(args).expect_err("the arguments are wrong");
            assert_eq!(error.exit_code(), 2, "{args:?}: {error}");
            let line = in_one_line(&error.to_string());
            assert!(line.starts_with("error: ") && !line.contains('\n'), "{line}");
        }
    }
}
