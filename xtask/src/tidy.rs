//! `cargo xtask tidy`: the rules of the house that a program can check.
//!
//! A rule is a function over the files of the project, in the file of its subject. Each is also an
//! ordinary test, against a small tree that breaks it and against the real one.

use std::process::ExitCode;

use crate::process;

mod api;
mod code;
mod heads;
mod manifests;
mod repository;
mod semantics;
mod size;
mod spaces;
mod test_rules;
mod tree;
mod unsafety;
mod words;

use tree::{Tree, Violation};

/// Check the house rules that a program can check
///
/// Prints each violation as `file:line: message`. The files are those that git tracks and those
/// that it would track, or, without git, everything outside target/. Every rule is also a test of
/// xtask, so `cargo test -p xtask` fails on the same violations.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  cargo xtask tidy
  cargo xtask tidy --list

Exit codes: 0 no violation, 1 a violation.")]
pub(crate) struct TidyArgs {
    /// List the rules, and check nothing
    #[arg(long)]
    list: bool,
}

/// One rule of the house.
#[derive(Clone, Copy)]
struct Rule {
    /// What it is called.
    name: &'static str,
    /// What it demands, in one line.
    about: &'static str,
    /// Finds what breaks it.
    check: fn(&Tree) -> Vec<Violation>,
}

/// Every rule.
const RULES: &[Rule] = &[
    size::FILES,
    size::FUNCTIONS,
    unsafety::PLACES,
    unsafety::FORBIDDEN,
    manifests::SIBLINGS,
    manifests::LINTS,
    repository::READMES,
    repository::LICENCES,
    semantics::TESTS,
    heads::HEADS,
    test_rules::IGNORED,
    test_rules::SLEEP,
    words::UNFINISHED,
    words::FOREIGN,
    api::GETTERS,
    spaces::SPACES,
];

/// Checks all rules and prints what breaks them.
pub(crate) fn run(args: &TidyArgs) -> ExitCode {
    if args.list {
        let lines = RULES.iter().map(|rule| format!("{:<10} {}\n", rule.name, rule.about));
        process::print(&lines.collect::<String>());
        return ExitCode::SUCCESS;
    }
    let tree = match Tree::read(&process::root()) {
        Ok(tree) => tree,
        Err(error) => {
            eprintln!("error: the project's files cannot be read: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut violations: Vec<Violation> =
        RULES.iter().flat_map(|rule| (rule.check)(&tree)).collect();
    violations.sort();
    let lines: String = violations.iter().map(|violation| format!("{violation}\n")).collect();
    process::print(&lines);
    eprintln!(
        "tidy: {} rules, {} files, {} violations",
        RULES.len(),
        tree.files.len(),
        violations.len()
    );
    if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What the rules' tests have in common.
#[cfg(test)]
mod check {
    use std::collections::HashSet;
    use std::sync::OnceLock;

    use super::*;

    /// Fails when the project itself breaks a rule.
    pub(super) fn real_tree(rule: &Rule) {
        static TREE: OnceLock<Tree> = OnceLock::new();
        let tree = TREE.get_or_init(|| Tree::read(&process::root()).expect("readable"));
        let violations: Vec<String> =
            (rule.check)(tree).iter().map(|violation| format!("{violation}\n")).collect();
        assert!(violations.is_empty(), "{}:\n{}", rule.about, violations.concat());
    }

    /// Fails when a rule does not find exactly these places in a small tree.
    pub(super) fn finds(rule: &Rule, files: &[(&str, &str)], expected: &[(&str, usize)]) {
        let mut found = (rule.check)(&Tree::of(files));
        found.sort();
        let places: Vec<(&str, usize)> =
            found.iter().map(|violation| (&*violation.path, violation.line)).collect();
        assert_eq!(places, expected, "{found:#?}");
    }

    #[test]
    fn names_are_unique_and_fit_the_list() {
        let names: HashSet<_> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), RULES.len());
        assert!(names.iter().all(|name| name.len() <= 10));
    }
}
