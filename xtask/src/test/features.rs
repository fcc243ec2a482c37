//! The step `features`: each published crate builds, whatever three of its features are on or off.
//!
//! All sets would be sixty-four for six features, and a crate that fails because of how four of them meet has not been seen. A feature
//! that only turns on others, and that the crate's own sources do not name, cannot change whether the crate builds: those are all on, or
//! all off, as if they were one.

use std::collections::HashSet;
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
    let mut switches: Vec<Vec<&String>> = own.into_iter().map(|name| vec![name]).collect();
    switches.extend((!passed_on.is_empty()).then_some(passed_on));
    let on = |set: usize| {
        let on = switches.iter().enumerate().filter(move |(place, _)| set >> place & 1 == 1);
        on.flat_map(|(_, names)| names.iter().map(|name| name.as_str())).collect()
    };
    covering(switches.len()).into_iter().map(on).collect()
}

/// Returns sets of so many switches, a bit each, such that any three of them are in each of their eight positions in one set at least: none, all, and
/// then always one of those that bring the most.
fn covering(switches: usize) -> Vec<usize> {
    let all = (1_usize << switches) - 1;
    let mut missing: HashSet<(usize, usize)> = (0..=all)
        .filter(|three| three.count_ones() as usize == switches.min(3))
        .flat_map(|three| (0..=all).map(move |set| (three, set & three)))
        .collect();
    let mut sets = vec![];
    let mut next = Some(0);
    while let Some(set) = next {
        missing.retain(|(three, positions)| set & three != *positions);
        sets.push(set);
        let brings = |set: &usize| {
            missing.iter().filter(|(three, positions)| set & three == *positions).count()
        };
        // The first of the best.
        let best = (0..=all).rev().max_by_key(brings).filter(|best| brings(best) > 0);
        next = best.map(|best| if sets.len() == 1 { all } else { best });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_switches_are_in_every_position_and_not_in_many_sets() {
        for (switches, most) in [(0, 1), (1, 2), (2, 4), (3, 8), (4, 10), (5, 14), (6, 16), (7, 18)]
        {
            let sets = covering(switches);
            assert!(sets.len() <= most, "{switches}: {sets:?}");
            assert_eq!(
                (sets[0], sets.get(1)),
                (0, Some(&((1 << switches) - 1)).filter(|_| switches > 0))
            );
            let threes = (0..1_usize << switches).filter(|three| three.count_ones() <= 3);
            for (three, set) in
                threes.flat_map(|three| (0..1 << switches).map(move |set| (three, set)))
            {
                assert!(sets.iter().any(|other| other & three == set & three), "{three:b} {set:b}");
            }
        }
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
        let mut sets: Vec<String> = sets.iter().map(|set| set.join(" ")).collect();
        sets.sort();
        let expected = ["", "io", "io serde tokio", "own", "own io", "own io serde tokio"];
        assert_eq!(sets, [&expected[..], &["own serde tokio", "serde tokio"]].concat());
    }

    #[test]
    fn sources_are_searched() {
        let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
        let bastion = xtask.with_file_name("bastion").join("src");
        assert!(names(&bastion, "io") && !names(&bastion, "serde"));
    }
}
