//! The step `examples`: every example builds in release mode, runs, and ends well in time.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::steps::cargo;
use super::{Outcome, steps};
use crate::process;
use crate::workspace::{Package, Workspace};

/// The package whose examples are run.
const PACKAGE: &str = "examples";

/// The examples that are packages, so that no other one's features reach them.
const PROGRAMS: &[&str] = &["supervised-tokio"];

/// The arguments of the examples that are not run without any.
const ARGUMENTS: &[(&str, &[&str])] = &[("chaos_service", &["--seconds", "3", "--json"])];

/// How long one example may run.
const LIMIT: Duration = Duration::from_secs(120);

/// Builds all examples once and runs each of them.
pub(super) fn run(workspace: &Workspace) -> Outcome {
    let Some(package) = workspace.package(PACKAGE) else {
        return Outcome::Failed(format!("there is no package `{PACKAGE}`"));
    };
    let names: Vec<&str> = package.targets("example").map(|target| &*target.name).collect();
    if let Some(name) = stale(ARGUMENTS, &names) {
        return Outcome::Failed(format!("arguments are given for `{name}`, which does not exist"));
    }
    let features = required_features(package);
    let mut build = cargo(workspace, &["build", "--release", "-p", PACKAGE, "--examples"]);
    if !features.is_empty() {
        build.args(["--features", &features]);
    }
    if steps::run(build) != Outcome::Passed {
        return Outcome::Failed("they do not build".to_owned());
    }
    let mut failed = Vec::new();
    for name in &names {
        let arguments = ARGUMENTS.iter().find(|(of, _)| of == name);
        let arguments = arguments.map_or(&[][..], |(_, arguments)| arguments);
        let which = ["-p", PACKAGE, "--features", &features, "--example", name];
        if !runs_well(workspace, name, &which, arguments) {
            failed.push(*name);
        }
    }
    for name in PROGRAMS {
        let build = cargo(workspace, &["build", "--release", "-p", name]);
        if steps::run(build) != Outcome::Passed || !runs_well(workspace, name, &["-p", name], &[]) {
            failed.push(name);
        }
    }
    match failed.len() {
        0 => Outcome::Passed,
        count => {
            let all = names.len() + PROGRAMS.len();
            Outcome::Failed(format!("{count} of {all}: {}", failed.join(" ")))
        }
    }
}

/// Runs one example that is built already, and says how long it took.
fn runs_well(workspace: &Workspace, name: &str, which: &[&str], arguments: &[&str]) -> bool {
    println!("--- {name} {}", arguments.join(" "));
    let begin = Instant::now();
    let verdict = run_one(workspace, which, arguments);
    println!("--- {name}: {verdict} ({:.1} s)", begin.elapsed().as_secs_f64());
    verdict == Outcome::Passed
}

/// On Unix cargo becomes the example, so ending the one process ends the example.
fn run_one(workspace: &Workspace, which: &[&str], arguments: &[&str]) -> Outcome {
    let mut command = cargo(workspace, &["run", "--quiet", "--release"]);
    command.args(which).arg("--").args(arguments).stdin(Stdio::null());
    match process::stream(&mut command, Some(LIMIT)) {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(status.to_string()),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

/// Returns the name of an example that has arguments and does not exist.
fn stale<'a>(arguments: &[(&'a str, &[&str])], names: &[&str]) -> Option<&'a str> {
    arguments.iter().map(|(name, _)| *name).find(|name| !names.contains(name))
}

/// Returns all features that any example needs, so that one build serves all of them.
fn required_features(package: &Package) -> String {
    let mut features: Vec<&str> = package
        .targets("example")
        .flat_map(|target| target.required_features.iter().map(String::as_str))
        .collect();
    features.sort_unstable();
    features.dedup();
    features.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Target;

    #[test]
    fn arguments_of_a_vanished_example_are_noticed() {
        assert_eq!(stale(&[("a", &[]), ("b", &[])], &["a", "c"]), Some("b"));
        assert_eq!(stale(&[("a", &["-x"])], &["a", "c"]), None);
    }

    #[test]
    fn the_features_of_all_examples_are_joined() {
        let example = |features: &[&str]| Target {
            name: "x".to_owned(),
            kinds: vec!["example".to_owned()],
            required_features: features.iter().map(|name| (*name).to_owned()).collect(),
        };
        let package = Package {
            name: PACKAGE.to_owned(),
            published: false,
            features: Vec::new(),
            passed_on: Vec::new(),
            folder: "p".into(),
            targets: vec![example(&["b", "a"]), example(&[]), example(&["b"])],
        };
        assert_eq!(required_features(&package), "a,b");
    }
}
