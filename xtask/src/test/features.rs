//! The step `features`: every combination of the features of each published crate builds.

use super::steps::cargo;
use super::{Outcome, steps};
use crate::workspace::Workspace;

/// Checks each published crate with each set of its features, `default` left out.
pub(super) fn run(workspace: &Workspace) -> Outcome {
    let mut failed = Vec::new();
    let mut count = 0;
    for package in workspace.published() {
        for set in power_set(&package.features) {
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

/// Returns every subset, the empty one first.
fn power_set(items: &[String]) -> Vec<Vec<&str>> {
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
        let sets: Vec<String> = power_set(&items).iter().map(|set| set.join("")).collect();
        assert_eq!(sets, ["", "a", "b", "ab", "c", "ac", "bc", "abc"]);
        assert_eq!(power_set(&[]), [Vec::<&str>::new()]);
    }
}
