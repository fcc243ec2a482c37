//! `cargo xtask test`: runs the steps that together say whether the project is sound.
//!
//! The steps are data in `steps`; this file runs them and reports. It knows nothing of what a step
//! does.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::builder::PossibleValuesParser;

use crate::process;
use crate::summary::{Outcome, Report, Row};
use crate::workspace::Workspace;

mod examples;
mod features;
mod layers;
mod loom;
mod shuttle;
mod steps;

use steps::{STEPS, Step};

/// Run everything that says whether the project is sound
///
/// Runs the steps one after the other with their output on the terminal, goes on after a failure,
/// and ends with a table of what passed, what failed, and what was skipped and why. A step whose
/// tool is not installed is skipped; under CI (the variable CI is set) it fails.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask test                 everything, in the order of --list
  cargo xtask test fmt clippy      two steps
  cargo xtask test --list          what each step does

Exit codes: 0 nothing failed, 1 a step failed, 2 there is no step of that name.")]
pub(crate) struct TestArgs {
    /// Steps to run, in this order [default: all]
    #[arg(value_name = "STEP", hide_possible_values = true)]
    #[arg(value_parser = PossibleValuesParser::new(STEPS.iter().map(|step| step.name)))]
    steps: Vec<String>,

    /// List the steps with what each does, and run nothing
    #[arg(long)]
    list: bool,
}

/// Runs the chosen steps and prints the summary.
pub(crate) fn run(args: &TestArgs) -> ExitCode {
    if args.list {
        let lines = STEPS.iter().map(|step| format!("{:<9} {}\n", step.name, step.about));
        process::print(&lines.collect::<String>());
        return ExitCode::SUCCESS;
    }
    let workspace = match Workspace::read() {
        Ok(workspace) => workspace,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ci = in_ci();
    let rows: Vec<Row> = chosen(&args.steps)
        .map(|step| {
            println!("=== {}: {}", step.name, step.about);
            let begin = Instant::now();
            let outcome = run_step(step, &workspace, ci);
            let time = begin.elapsed();
            println!("=== {}: {} ({:.1} s)\n", step.name, outcome, time.as_secs_f64());
            Row { name: step.name.to_owned(), outcome, time }
        })
        .collect();
    let report = Report(&rows);
    print!("{report}");
    if report.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Says whether CI runs this, which has every tool.
fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false")
}

/// Returns the named steps in the order of the names, or all of them.
fn chosen(names: &[String]) -> Box<dyn Iterator<Item = &'static Step> + '_> {
    if names.is_empty() {
        return Box::new(STEPS.iter());
    }
    Box::new(names.iter().filter_map(|name| STEPS.iter().find(|step| step.name == *name)))
}

fn run_step(step: &Step, workspace: &Workspace, ci: bool) -> Outcome {
    match step.tool {
        Some(tool) if !has_cargo_tool(tool) => missing_tool(tool, ci),
        _ => (step.run)(workspace),
    }
}

/// Decides what becomes of a step whose tool is not installed.
fn missing_tool(tool: &str, ci: bool) -> Outcome {
    let reason = format!("`cargo {tool}` is not installed");
    if ci { Outcome::Failed(reason) } else { Outcome::Skipped(reason) }
}

fn has_cargo_tool(tool: &str) -> bool {
    let mut command = process::cargo();
    command.args([tool, "--version"]);
    process::capture(command, Duration::from_secs(30), process::Elevation::Own)
        .is_ok_and(|run| run.status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_fails_only_in_ci() {
        assert!(matches!(missing_tool("fmt", true), Outcome::Failed(_)));
        assert_eq!(
            missing_tool("fmt", false),
            Outcome::Skipped("`cargo fmt` is not installed".to_owned())
        );
    }

    #[test]
    fn named_steps_run_in_the_order_of_the_names() {
        let names = ["tidy".to_owned(), "fmt".to_owned()];
        let steps: Vec<_> = chosen(&names).map(|step| step.name).collect();
        assert_eq!(steps, ["tidy", "fmt"]);
        assert_eq!(chosen(&[]).count(), STEPS.len());
    }
}
