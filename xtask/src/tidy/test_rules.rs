//! Tests that all run, and that do not hope for time to pass.

use super::Rule;
use super::code;
use super::tree::{File, Tree, Violation};

/// Tests that may let a thread sleep, each with its reason.
const MAY_SLEEP: &[(&str, &str)] = &[];

/// Has every test run.
pub(super) const IGNORED: Rule =
    Rule { name: "ignored", about: "no test is ignored", check: ignored };

/// Keeps tests from forcing an order by sleeping.
pub(super) const SLEEP: Rule =
    Rule { name: "sleep", about: "no thread::sleep in tests folders", check: sleep };

fn ignored(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.rust() {
        for (place, _) in file.code.match_indices("ignore") {
            let before = file.code[..place].trim_end();
            let after = file.code[place + "ignore".len()..].trim_start();
            // `#[ignore]`, `#[ignore = "…"]` and `#[cfg_attr(…, ignore)]`.
            if before.ends_with("#[") && after.starts_with([']', '='])
                || before.ends_with(',') && after.starts_with(")]")
            {
                let line = code::line_of(&file.code, place);
                violations.push(file.violation(line, "a test that does not run is no test"));
            }
        }
    }
    violations
}

fn sleep(tree: &Tree) -> Vec<Violation> {
    let in_tests = |file: &&File| file.path.split('/').any(|part| part == "tests");
    let allowed = |file: &&File| MAY_SLEEP.iter().any(|(path, _)| *path == file.path);
    let mut violations = Vec::new();
    for file in tree.rust().filter(in_tests).filter(|file| !allowed(file)) {
        // An import under another name counts too.
        for word in ["thread::sleep", "thread::sleep_ms", "thread::park_timeout"] {
            for line in code::lines_with_word(&file.code, word) {
                let message = format!("{word} in a test: wait for the event or use virtual time");
                violations.push(file.violation(line, message));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check;

    #[test]
    fn ignored_tests_are_found() {
        check::finds(
            &IGNORED,
            &[
                ("a/tests/a.rs", "#[test]\n#[ignore]\nfn f() {}\n"),
                ("a/tests/b.rs", "#[ignore = \"slow\"]\n"),
                ("a/tests/c.rs", "#[cfg_attr(windows, ignore)]\n"),
                ("a/tests/d.rs", "// #[ignore]\nlet ignore = f(a, ignore);\n"),
            ],
            &[("a/tests/a.rs", 2), ("a/tests/b.rs", 1), ("a/tests/c.rs", 1)],
        );
    }

    #[test]
    fn sleeping_tests_are_found() {
        check::finds(
            &SLEEP,
            &[
                ("a/tests/a.rs", "fn f() {\n    std::thread::sleep(d);\n}\n"),
                ("a/tests/common/b.rs", "use std::thread::sleep;\n"),
                ("a/tests/c.rs", "// thread::sleep\ntimer::sleep(d);\n"),
                ("a/src/d.rs", "std::thread::sleep(d);\n"),
            ],
            &[("a/tests/a.rs", 2), ("a/tests/common/b.rs", 1)],
        );
    }

    #[test]
    fn nothing_is_ignored_in_the_real_tree() {
        check::real_tree(&IGNORED);
    }

    #[test]
    fn no_test_sleeps_in_the_real_tree() {
        check::real_tree(&SLEEP);
    }
}
