//! The steps of `cargo xtask test` as plain data, and the ones that are a single cargo command.
//!
//! A new step is one more entry in [`STEPS`] and, where one command does not do, a file beside this
//! one.

use std::process::Command;

use super::{Outcome, examples, features, layers, loom, shuttle};
use crate::workspace::Workspace;
use crate::{api, drop_in, process};

/// One thing that is checked.
pub(super) struct Step {
    /// What it is called on the command line.
    pub(super) name: &'static str,
    /// What it does, in one line.
    pub(super) about: &'static str,
    /// The cargo subcommand that it needs beside cargo itself.
    pub(super) tool: Option<&'static str>,
    /// Does it.
    pub(super) run: fn(&Workspace) -> Outcome,
}

/// Every step, in the order in which they run: what fails fastest comes first.
pub(super) const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        about: "every file is formatted as rustfmt formats it",
        tool: Some("fmt"),
        run: fmt,
    },
    Step {
        name: "tidy",
        about: "the tidy rules and the tests of xtask itself",
        tool: None,
        run: tidy,
    },
    Step {
        name: "layers",
        about: "each layer depends on no sibling but the ones below it",
        tool: None,
        run: layers::run,
    },
    Step {
        name: "clippy",
        about: "clippy on all targets with all features, warnings denied",
        tool: Some("clippy"),
        run: clippy,
    },
    Step { name: "doc", about: "the documentation builds, warnings denied", tool: None, run: doc },
    Step {
        name: "api",
        about: "the published crates offer what their listings in api/ say",
        tool: None,
        run: api,
    },
    Step {
        name: "features",
        about: "each published crate builds, whatever three of its features are on or off",
        tool: None,
        run: features::run,
    },
    Step {
        name: "tests",
        about: "all tests of all crates, with all features",
        tool: None,
        run: tests,
    },
    Step {
        name: "lightproc",
        about: "lightproc without features: its tests, optimised, and its lints",
        tool: Some("clippy"),
        run: lightproc,
    },
    Step {
        name: "doctests",
        about: "the programs in the documentation and in the READMEs",
        tool: None,
        run: doctests,
    },
    Step {
        name: "drop-in",
        about: "the examples of bastion 0.4's documentation, as they are, against ours",
        tool: None,
        run: drop_in::check,
    },
    Step {
        name: "loom",
        about: "the protocols under the model checker",
        tool: None,
        run: loom::run,
    },
    Step {
        name: "shuttle",
        about: "the executor under random schedules",
        tool: None,
        run: shuttle::run,
    },
    Step {
        name: "examples",
        about: "every example builds in release mode, runs, and ends well in 120 s",
        tool: None,
        run: examples::run,
    },
    Step {
        name: "benches",
        about: "clippy on the benchmarks, warnings denied",
        tool: Some("clippy"),
        run: benches,
    },
];

pub(super) use crate::workspace::cargo;

/// Says which command comes, runs it on the terminal, and judges by its exit code.
pub(super) fn run(mut command: Command) -> Outcome {
    let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy()).collect();
    println!("--- cargo {}", args.join(" "));
    match process::stream(&mut command, None) {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(match status.code() {
            Some(code) => format!("exit code {code}"),
            None => "ended by a signal".to_owned(),
        }),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

fn fmt(workspace: &Workspace) -> Outcome {
    run(cargo(workspace, &["fmt", "--all", "--check"]))
}

fn tidy(workspace: &Workspace) -> Outcome {
    run(cargo(workspace, &["test", "-p", "xtask"]))
}

// Lints are denied behind `--`: through RUSTFLAGS they would have everything built anew.
fn clippy(workspace: &Workspace) -> Outcome {
    let args = ["clippy", "--workspace", "--exclude", "benches", "--all-targets", "--all-features"];
    run(cargo(workspace, &[&args[..], &["--", "-D", "warnings"]].concat()))
}

fn benches(workspace: &Workspace) -> Outcome {
    run(cargo(workspace, &["clippy", "-p", "benches", "--all-targets", "--", "-D", "warnings"]))
}

fn doc(workspace: &Workspace) -> Outcome {
    let args = ["doc", "--no-deps", "--workspace", "--exclude", "benches", "--all-features"];
    let mut command = cargo(workspace, &args);
    command.env("RUSTDOCFLAGS", "-D warnings");
    run(command)
}

// CI has the compiler that the listings need.
fn api(workspace: &Workspace) -> Outcome {
    match api::check(workspace, false) {
        Outcome::Skipped(reason) if super::in_ci() => Outcome::Failed(reason),
        other => other,
    }
}

// xtask's own tests are the step `tidy`. One selection of packages with all features, for both
// steps, so that they share one build.
const TESTED: &[&str] =
    &["test", "--workspace", "--exclude", "benches", "--exclude", "xtask", "--all-features"];

// The examples are the step of that name, so not all targets.
fn tests(workspace: &Workspace) -> Outcome {
    let what = ["--lib", "--bins", "--tests", "--no-fail-fast"];
    run(cargo(workspace, &[TESTED, &what].concat()))
}

// The tests that count allocations are there only without the feature `magazines`, and those of large
// futures ask more of an optimised build.
fn lightproc(workspace: &Workspace) -> Outcome {
    let lints = ["clippy", "-p", "lightproc", "--all-targets", "--", "-D", "warnings"];
    match run(cargo(workspace, &lints)) {
        Outcome::Passed => {
            run(cargo(workspace, &["test", "--release", "-p", "lightproc", "--tests"]))
        }
        other => other,
    }
}

fn doctests(workspace: &Workspace) -> Outcome {
    run(cargo(workspace, &[TESTED, &["--doc", "--no-fail-fast"]].concat()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_fit_the_table() {
        let names: HashSet<_> = STEPS.iter().map(|step| step.name).collect();
        assert_eq!(names.len(), STEPS.len());
        assert!(names.iter().all(|name| name.len() <= 9));
    }
}
