//! The step `features`: every combination of the features of each published crate builds.
//!
//! A feature that only turns on features of the layers below, and that the crate's own sources do not name, cannot change
//! whether the crate builds: those are all on, or all off.

use std::fs;
use std::path::Path;

use super::steps::cargo;
use super::{Outcome, steps};
use crate::workspace::{Package, Workspace};

/// Checks each published crate with each set of its features, `default` left out.
pub(super) fn run(workspace: &Workspace) -> Outcome {
    let mut failed = Vec::new();
    let mut count = 0;
    for package in workspace.published() {
        for set in sets(package, |name| names(&package.folder.join("src"), name)) {
            let features = set.join(",");
            let args = ["check", "--quiet", "-p", &package.name, "--no-default-features"];
            let mut command = cargo(workspace, &args);
            if !features.is_empty() {
                command.args(["--features", &features]);
            }
            count += 1;
            if steps::run(command) != Outcome::Passed {
                failed.push(format!("{} [{features}]", package.name));
            }
        }
    }
    if failed.is_empty() {
        println!("{count} combinations build");
        Outcome::Passed
    } else {
        Outcome::Failed(format!("{} of {count}: {}", failed.len(), failed.join(" ")))
    }
}

/// Returns the sets of features to be checked. `is_named`: whether the sources name a feature.
fn sets(package: &Package, is_named: impl Fn(&str) -> bool) -> Vec<Vec<&str>> {
    let is_own = |name: &&String| !package.passed_on.contains(name) || is_named(name);
    let (own, passed_on): (Vec<&String>, Vec<&String>) = package.features.iter().partition(is_own);
    let mut sets = power_set(&own);
    if !passed_on.is_empty() {
        for index in 0..sets.len() {
            let mut with = sets[index].clone();
            with.extend(passed_on.iter().map(|name| name.as_str()));
            sets.push(with);
        }
    }
    sets
}

/// Says whether any source in a folder asks for a feature.
fn names(folder: &Path, feature: &str) -> bool {
    let asked = format!("feature = \"{feature}\"");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| match path.is_dir() {
        true => names(&path, feature),
        false => fs::read_to_string(&path).is_ok_and(|text| text.contains(&asked)),
    })
}

/// Returns every subset, the empty one first.
fn power_set<'a>(items: &[&'a String]) -> Vec<Vec<&'a str>> {
    let mut sets = vec![vec![]];
    for item in items {
        for index in 0..sets.len() {
            let mut with = sets[index].clone();
            with.push(item.as_str());
            sets.push(with);
        }
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subset_comes_once() {
        let items = ["a", "b", "c"].map(str::to_owned);
        let sets: Vec<String> =
            power_set(&items.iter().collect::<Vec<_>>()).iter().map(|set| set.join("")).collect();
        assert_eq!(sets, ["", "a", "b", "ab", "c", "ac", "bc", "abc"]);
        assert_eq!(power_set(&[]), [Vec::<&str>::new()]);
    }

    #[test]
    fn what_is_passed_on_and_not_named_comes_together() {
        let package = Package {
            name: "a".into(),
            published: true,
            features: ["own", "io", "serde", "tokio"].map(str::to_owned).into(),
            passed_on: ["io", "serde", "tokio"].map(str::to_owned).into(),
            folder: "a".into(),
            targets: Vec::new(),
        };
        let sets = sets(&package, |name| name == "io");
        let sets: Vec<String> = sets.iter().map(|set| set.join(" ")).collect();
        let without = ["", "own", "io", "own io"];
        let with = ["serde tokio", "own serde tokio", "io serde tokio", "own io serde tokio"];
        assert_eq!(sets, [without, with].concat());
    }

    #[test]
    fn sources_are_searched() {
        let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
        let bastion = xtask.with_file_name("bastion").join("src");
        assert!(names(&bastion, "io") && !names(&bastion, "serde"));
    }
}
