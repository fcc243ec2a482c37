//! `cargo xtask loom`: the protocols under the model checker, for longer than `cargo xtask test loom`.
//!
//! It knows which packages have models and how they are built; the models are their tests named
//! `loom…`.

use std::process::{Command, ExitCode};
use std::time::Instant;

use clap::builder::PossibleValuesParser;

use crate::binaries::{self, Binary};
use crate::process;
use crate::summary::{Outcome, Report, Row};
use crate::workspace::{self, Workspace};

/// A package with models.
struct Models {
    package: &'static str,
    /// The most preemptions that its models can be checked with.
    most: u32,
}

const MODELS: &[Models] = &[
    Models { package: "lightproc", most: u32::MAX },
    Models { package: "bastion-mailbox", most: u32::MAX },
    // loom 0.7 lets an unpark resume a thread that waits for a lock, and then fails by itself
    // ("expected to be able to acquire lock"). With four preemptions the idle protocol, which locks
    // and parks in the same thread, comes there.
    Models { package: "bastion-executor", most: 3 },
];

/// Check the protocols under every interleaving, with more preemptions than `cargo xtask test` allows
///
/// Runs the models of lightproc, the mailbox and the executor, which are their tests named loom…, and ends
/// with a table. Each model's time stands behind its name. A preemption is an interruption that no
/// thread asked for; one more multiplies the time by about six.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask loom                            all models, three minutes or so
  cargo xtask loom --preemptions 5            the same in twelve or so
  cargo xtask loom --package lightproc wakes  the models of lightproc with `wakes` in their names

Exit codes: 0 no model failed, 1 one did, 2 the arguments are wrong or no model has such a name.")]
pub(crate) struct LoomArgs {
    /// Check only the models whose name contains one of these texts
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,

    /// How often a model may be interrupted; bastion-executor's are held at 3, which is said
    #[arg(long, value_name = "N", default_value_t = 4)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10))]
    preemptions: u32,

    /// Check only the models of this package [default: all packages that have models]
    #[arg(long, short, value_name = "NAME")]
    #[arg(value_parser = PossibleValuesParser::new(MODELS.iter().map(|models| models.package)))]
    package: Vec<String>,
}

/// Builds the models, runs them and prints the summary.
pub(crate) fn run(args: &LoomArgs) -> ExitCode {
    let workspace = match Workspace::read() {
        Ok(workspace) => workspace,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut rows = Vec::new();
    for package in with_models(&workspace, &args.package) {
        let preemptions = args.preemptions.min(most(package));
        if preemptions < args.preemptions {
            eprintln!("{package}: {preemptions} preemptions, where loom itself reaches its limit");
        }
        let begin = Instant::now();
        match binaries::build(command(&workspace, &[package], preemptions)) {
            Ok(found) => {
                let chosen = found.iter().filter(|binary| has_models(binary, &args.filters));
                rows.extend(chosen.map(|binary| check(binary, &args.filters, preemptions)));
            }
            Err(error) => rows.push(Row {
                name: package.to_owned(),
                outcome: Outcome::Failed(error.to_string()),
                time: begin.elapsed(),
            }),
        }
    }
    if rows.is_empty() {
        eprintln!("error: no model has a name with `{}`", args.filters.join("` or `"));
        return ExitCode::from(2);
    }
    let report = Report(&rows);
    process::print(&format!("{report}"));
    if report.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Returns the packages that have models, or those of them that are named.
pub(crate) fn with_models(workspace: &Workspace, named: &[String]) -> Vec<&'static str> {
    let is_named = |name: &str| named.is_empty() || named.iter().any(|own| own == name);
    let has_any = |name: &str| {
        workspace.package(name).is_some_and(|package| {
            package.targets("test").any(|target| target.name.starts_with("loom"))
        })
    };
    let packages = MODELS.iter().map(|models| models.package);
    packages.filter(|name| is_named(name) && has_any(name)).collect()
}

fn most(package: &str) -> u32 {
    MODELS.iter().find(|models| models.package == package).map_or(u32::MAX, |models| models.most)
}

/// Returns the command that checks the models of some packages.
///
/// They get a target folder of their own, because `--cfg loom` is another build of everything. The
/// features stay off: models are about the protocols, and some libraries behind the features change
/// under `--cfg loom` too.
pub(crate) fn command(workspace: &Workspace, packages: &[&str], preemptions: u32) -> Command {
    let mut args = vec!["test", "--release", "--no-default-features", "--test", "loom*"];
    args.extend(packages.iter().flat_map(|package| ["-p", package]));
    let mut command = workspace::cargo(workspace, &args);
    workspace::add_flags(&mut command, "--cfg loom");
    command
        .env("CARGO_TARGET_DIR", workspace.target.join("loom"))
        .env("LOOM_MAX_PREEMPTIONS", preemptions.to_string());
    command
}

/// Tells whether a test program has a model of such a name. One that cannot say so is run.
fn has_models(binary: &Binary, filters: &[String]) -> bool {
    let listed = binary.command().args(filters).args(["--list", "--format", "terse"]).output();
    listed.map_or(true, |output| !output.stdout.trim_ascii().is_empty())
}

/// Runs the models of one test program.
fn check(binary: &Binary, filters: &[String], preemptions: u32) -> Row {
    eprintln!("--- {} with {preemptions} preemptions", binary.name);
    let mut command = binary.command();
    command
        .args(filters)
        // The time of each model: an option of the test harness that is not stable yet.
        .args(["-Zunstable-options", "--report-time"])
        .env("RUSTC_BOOTSTRAP", "1")
        .env("LOOM_MAX_PREEMPTIONS", preemptions.to_string());
    let begin = Instant::now();
    let outcome = match process::stream(&mut command, None) {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(status.to_string()),
        Err(error) => Outcome::Failed(error.to_string()),
    };
    Row { name: binary.name.clone(), outcome, time: begin.elapsed() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_reaches_the_models() {
        let workspace = Workspace { root: "/r".into(), target: "/t".into(), packages: Vec::new() };
        let command = command(&workspace, &["a", "b"], 4);
        let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy()).collect();
        assert!(args.join(" ").ends_with("--test loom* -p a -p b"), "{args:?}");
        let bound = command.get_envs().find(|(name, _)| *name == "LOOM_MAX_PREEMPTIONS");
        assert_eq!(bound.and_then(|(_, value)| value), Some("4".as_ref()));
    }

    #[test]
    fn packages_without_models_are_left_out() {
        let json = serde_json::json!({
            "workspace_root": "/r", "target_directory": "/t",
            "packages": [
                {"name": "lightproc", "features": {},
                 "manifest_path": "/r/Cargo.toml", "targets": [{"name": "loom_pairs", "kind": ["test"]}]},
                {"name": "bastion-executor", "features": {}, "manifest_path": "/r/Cargo.toml", "targets": []},
            ],
        });
        let workspace = Workspace::from_json(&json).expect("complete");
        assert_eq!(with_models(&workspace, &[]), ["lightproc"]);
        assert!(with_models(&workspace, &["bastion-executor".to_owned()]).is_empty());
    }
}
