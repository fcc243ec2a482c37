//! `cargo xtask conformance`: which rows of the conformance list hold, for the pure half and on each runtime.
//!
//! The rows are in `supervision/tests/conformance/rows.tsv`; a test belongs to the rows that its name begins with. The tests are
//! built by cargo and run one program after another; it knows no rule of supervision.

use std::io::{BufRead, BufReader, IsTerminal};
use std::process::{ExitCode, Stdio};

use indicatif::{ProgressBar, ProgressStyle};

use crate::binaries::{self, Binary};
use crate::process;

mod results;
mod rows;
#[cfg(test)]
mod sources;
mod table;

use results::Test;
use rows::Row;

/// Run the conformance suite of the supervision, and print which rows hold where
///
/// Runs all tests that bear the number of a row: those of the pure half, and those of the driver in the simulation, on the project's
/// executor and on tokio. What has no test says why.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
The columns: passed, FAILED, or why there is no test:
  missing   there should be one
  driver    the pure half does not see it
  time      only on virtual time, in the simulation
  threads   only where there are threads
  n/a       cannot be: the types exclude it, or there is no such thing here
  not yet   should be, and is not

Examples:
  cargo xtask conformance
  cargo xtask conformance --group G
  cargo xtask conformance --json > rows.json

Exit codes: 0 all rows are as the list says, 1 something failed or is missing, 2 wrong arguments.")]
pub(crate) struct ConformanceArgs {
    /// Run and print the rows of one group only: A to V, or X
    #[arg(long, value_name = "LETTER", value_parser = group)]
    group: Option<char>,

    /// Print only the rows that failed or lack a test
    #[arg(long)]
    failed: bool,

    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

fn group(text: &str) -> Result<char, String> {
    let mut letters = text.chars().map(|letter| letter.to_ascii_uppercase());
    match (letters.next(), letters.next()) {
        (Some(letter @ ('A'..='V' | 'X')), None) => Ok(letter),
        _ => Err("not a group of the list: A to V, or X".to_owned()),
    }
}

/// Where the rows are, from the root.
const ROWS: &str = "supervision/tests/conformance/rows.tsv";

/// Runs the tests and prints the table.
pub(crate) fn run(args: &ConformanceArgs) -> ExitCode {
    match tried(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn tried(args: &ConformanceArgs) -> Result<bool, String> {
    let path = process::root().join(ROWS);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{ROWS}: {error}"))?;
    let mut rows = rows::read(&text).map_err(|error| format!("{ROWS}: {error}"))?;
    if let Some(group) = args.group {
        rows.retain(|row| row.group == group);
    }
    let mut command = process::cargo();
    command.current_dir(process::root()).args(["test", "-p", "bastion-supervision"]);
    command.args(["--all-features", "--lib", "--tests"]);
    let binaries = binaries::build(command).map_err(|error| error.to_string())?;
    let (tests, mut problems) = run_all(&binaries, &rows, args.group.is_some());
    let judged = results::judge(&rows, &tests);
    problems.extend(results::strangers(&rows, &tests, args.group.is_none()));
    problems.extend(judged.iter().flat_map(|row| row.problems()));
    let shown: Vec<_> = judged.iter().filter(|row| !args.failed || row.is_bad()).collect();
    process::print(&if args.json {
        table::json(&shown, &problems)
    } else {
        table::text(&shown, &judged, &problems)
    });
    Ok(problems.is_empty())
}

/// Runs the tests of some rows in all programs, and says what went wrong beside them.
fn run_all(binaries: &[Binary], rows: &[Row], some: bool) -> (Vec<Test>, Vec<String>) {
    // A filter of libtest is any part of a name.
    let filters: Vec<String> = match some {
        true => rows.iter().map(|row| format!("_{}", row.id)).collect(),
        false => vec!["row_".to_owned(), "rows_".to_owned()],
    };
    let bar = std::io::stderr().is_terminal().then(|| progress(binaries.len()));
    let (mut tests, mut problems) = (Vec::new(), Vec::new());
    for binary in binaries {
        match &bar {
            Some(bar) => bar.set_message(binary.name.clone()),
            None => eprintln!("--- {}", binary.name),
        }
        if let Err(problem) = run_one(binary, &filters, bar.as_ref(), &mut tests) {
            problems.push(format!("{}: {problem}", binary.name));
        }
        if let Some(bar) = &bar {
            bar.inc(1);
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    (tests, problems)
}

fn progress(programs: usize) -> ProgressBar {
    let bar = ProgressBar::new(programs as u64);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

/// Runs one program, and takes in its tests as they end. A failed test is no error here, a program that does not say so is.
fn run_one(
    binary: &Binary,
    filters: &[String],
    bar: Option<&ProgressBar>,
    tests: &mut Vec<Test>,
) -> Result<(), String> {
    let mut command = binary.command();
    command.args(filters).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let (mut failed, mut said) = (false, Vec::new());
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            match Test::read(&binary.name, &line) {
                Some(test) => {
                    failed |= test.failed();
                    if let Some(bar) = bar {
                        bar.set_message(format!("{} {}", binary.name, test.name));
                    }
                    tests.push(test);
                }
                None => said.push(line),
            }
        }
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.success() {
        return Ok(());
    }
    // What the failed tests have printed.
    eprintln!("{}", said.join("\n"));
    if failed { Ok(()) } else { Err(format!("ended without a failed test: {status}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_letters() {
        for (text, expected) in [("A", Some('A')), ("v", Some('V')), ("x", Some('X'))] {
            assert_eq!(group(text).ok(), expected);
        }
        for wrong in ["", "W", "AB", "1"] {
            assert!(group(wrong).is_err(), "{wrong}");
        }
    }
}
