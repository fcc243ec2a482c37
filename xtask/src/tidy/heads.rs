//! Each module says what it knows and does not know.

use super::Rule;
use super::tree::{Tree, Violation};

/// Has each source file begin with its documentation.
pub(super) const HEADS: Rule = Rule {
    name: "heads",
    about: "every .rs file in a src folder begins with a //! line (or takes in a README)",
    check: heads,
};

fn heads(tree: &Tree) -> Vec<Violation> {
    tree.rust()
        .filter(|file| file.path.split('/').nth(1) == Some("src"))
        .filter(|file| {
            let first = file.text.lines().next().unwrap_or_default();
            !first.starts_with("//! ") && !first.starts_with("#![doc = include_str!(")
        })
        .map(|file| file.violation(1, "the file does not begin with a //! line"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check;

    #[test]
    fn files_without_a_head_are_found() {
        check::finds(
            &HEADS,
            &[
                ("a/src/good.rs", "//! Does it.\n"),
                ("a/src/lib.rs", "#![doc = include_str!(\"../README.md\")]\n"),
                ("a/src/deep/bad.rs", "// Does it.\n"),
                ("a/src/empty.rs", ""),
                ("a/tests/free.rs", "fn f() {}\n"),
                ("examples/x/args.rs", "// Shared.\n"),
            ],
            &[("a/src/deep/bad.rs", 1), ("a/src/empty.rs", 1)],
        );
    }

    #[test]
    fn the_real_tree_is_clean() {
        check::real_tree(&HEADS);
    }
}
