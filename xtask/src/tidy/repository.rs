//! What every reader of the repository looks for first.

use super::Rule;
use super::tree::{Package, Tree, Violation};

/// How a library takes in its README, so that its programs are compiled.
const INCLUDE: &str = "include_str!(\"../README.md\")";

/// Has each published crate explain itself, and its explanation compile.
pub(super) const READMES: Rule = Rule {
    name: "readmes",
    about: "every published crate has a README.md, and its lib.rs includes it",
    check: readmes,
};

/// Demands both licences.
pub(super) const LICENCES: Rule = Rule {
    name: "licences",
    about: "the root has LICENSE-APACHE and LICENSE-MIT",
    check: licences,
};

fn readmes(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in tree.packages().filter(|package| package.published) {
        if tree.file(&format!("{}/README.md", package.folder)).is_none() {
            violations.push(package.manifest.violation(1, "the crate has no README.md"));
        }
        violations.extend(without_readme(tree, package));
    }
    violations
}

/// Returns the violation of a library that does not include its README.
fn without_readme(tree: &Tree, package: Package<'_>) -> Option<Violation> {
    let library = tree.file(&format!("{}/src/lib.rs", package.folder))?;
    // The text says what is included, the code says that it is no comment.
    let included = library
        .text
        .match_indices(INCLUDE)
        .any(|(place, _)| library.code[place..].starts_with("include_str!("));
    let message = format!("the library does not include its README: {INCLUDE}");
    (!included).then(|| library.violation(1, message))
}

fn licences(tree: &Tree) -> Vec<Violation> {
    ["LICENSE-APACHE", "LICENSE-MIT"]
        .into_iter()
        .filter(|path| tree.file(path).is_none_or(|file| file.text.trim().is_empty()))
        .map(|path| Violation {
            path: path.to_owned(),
            line: 1,
            message: "the text of this licence is missing".to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check;

    #[test]
    fn libraries_without_their_readme_are_found() {
        let includes = format!("#![doc = {INCLUDE}]\n");
        check::finds(
            &READMES,
            &[
                ("a/Cargo.toml", "[package]"),
                ("a/README.md", "# a"),
                ("a/src/lib.rs", &includes),
                ("b/Cargo.toml", "[package]"),
                ("b/src/lib.rs", &includes),
                ("c/Cargo.toml", "[package]"),
                ("c/README.md", "# c"),
                ("c/src/lib.rs", &format!("// {includes}")),
                ("d/Cargo.toml", "[package]\npublish = false"),
            ],
            &[("b/Cargo.toml", 1), ("c/src/lib.rs", 1)],
        );
    }

    #[test]
    fn a_missing_or_empty_licence_is_found() {
        check::finds(
            &LICENCES,
            &[("LICENSE-MIT", "\n")],
            &[("LICENSE-APACHE", 1), ("LICENSE-MIT", 1)],
        );
        check::finds(&LICENCES, &[("LICENSE-MIT", "MIT"), ("LICENSE-APACHE", "2.0")], &[]);
    }

    #[test]
    fn readmes_are_included_in_the_real_tree() {
        check::real_tree(&READMES);
    }

    #[test]
    fn licences_are_in_the_real_tree() {
        check::real_tree(&LICENCES);
    }
}
