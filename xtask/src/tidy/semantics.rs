//! The promises have tests: every test that SEMANTICS.md names exists.

use super::Rule;
use super::tree::{Tree, Violation};
use std::collections::HashSet;

/// Keeps SEMANTICS.md and the tests together.
pub(super) const TESTS: Rule = Rule {
    name: "semantics",
    about: "every promise in SEMANTICS.md names tests, and they exist",
    check,
};

fn check(tree: &Tree) -> Vec<Violation> {
    let tests: HashSet<&str> = tree.rust().flat_map(|file| functions(&file.code)).collect();
    let mut violations = Vec::new();
    let Some(file) = tree.file("SEMANTICS.md") else { return violations };
    for (number, line) in file.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let &["", promise, named, ""] = &cells[..] else { continue };
        if promise == "promise" || promise.starts_with("---") {
            continue;
        }
        let named: Vec<&str> = named.split('`').skip(1).step_by(2).collect();
        if named.is_empty() {
            violations.push(file.violation(number, "a promise without a test"));
        }
        for test in named.iter().filter(|test| !tests.contains(*test)) {
            violations.push(file.violation(number, format!("there is no test `{test}`")));
        }
    }
    violations
}

/// The names of all functions in a file.
fn functions(code: &str) -> impl Iterator<Item = &str> {
    code.split("fn ").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn promises_without_tests_are_found() {
        let text =
            "| promise | tests |\n|---|---|\n| a | `known` |\n| b | |\n| c | `known` `not` |\n";
        let files = [("SEMANTICS.md", text), ("tests/a.rs", "#[test]\nfn known() {}\n")];
        check::finds(&TESTS, &files, &[("SEMANTICS.md", 4), ("SEMANTICS.md", 5)]);
    }

    #[test]
    fn promises_have_tests_in_the_real_tree() {
        check::real_tree(&TESTS);
    }
}
