//! Manifests that keep the workspace testing itself.

use super::Rule;
use super::tree::{File, Tree, Violation};

/// Links siblings by path and version, in one place.
pub(super) const SIBLINGS: Rule = Rule {
    name: "siblings",
    about: "siblings are linked by path and by the workspace's version, in the root manifest",
    check: siblings,
};

/// Gives every package the lints of the workspace.
pub(super) const LINTS: Rule =
    Rule { name: "lints", about: "every package takes the lints of the workspace", check: lints };

fn siblings(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    if let Some(root) = tree.file("Cargo.toml") {
        let version = section(root, "[workspace.package]")
            .find(|(_, line)| line.starts_with("version="))
            .map(|(_, line)| line);
        for (number, line) in section(root, "[workspace.dependencies]") {
            if !line.contains("path=") {
                continue;
            }
            if !line.contains("version=") {
                violations.push(root.violation(number, "a sibling by path, but without a version"));
            } else if version.as_ref().is_some_and(|version| !line.contains(version)) {
                violations.push(root.violation(number, "the version is not the workspace's"));
            }
        }
    }
    for package in tree.packages() {
        for (number, line) in package.manifest.lines() {
            if line.replace(' ', "").contains("path=\"../") {
                let message = "a path out of the package: use `workspace = true`";
                violations.push(package.manifest.violation(number, message));
            }
        }
    }
    violations
}

fn lints(tree: &Tree) -> Vec<Violation> {
    tree.packages()
        .filter(|package| {
            !section(package.manifest, "[lints]").any(|(_, line)| line == "workspace=true")
        })
        .map(|package| package.manifest.violation(1, "lacks `workspace = true` under [lints]"))
        .collect()
}

/// Returns the lines of one table of a manifest, without spaces, with their numbers.
fn section<'a>(file: &'a File, name: &'a str) -> impl Iterator<Item = (usize, String)> + use<'a> {
    let mut inside = false;
    file.lines().filter_map(move |(number, line)| {
        let line = line.trim();
        if line.starts_with('[') {
            inside = line == name;
            return None;
        }
        (inside && !line.starts_with('#')).then(|| (number, line.replace(' ', "")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check;

    const ROOT: &str = r#"[workspace.package]
version = "0.5.0"
[workspace.dependencies]
a = { path = "a", version = "0.5.0" }
b = { path = "b" }
c = { path = "c", version = "0.4.0", default-features = false }
serde = "1"
# d = { path = "d" }
"#;

    #[test]
    fn wrong_links_are_found() {
        let member = "[package]\nname = \"a\"\n[dependencies]\nb = { path = \"../b\" }\n\
                      [[example]]\nname = \"x\"\npath = \"x/main.rs\"\n";
        check::finds(
            &SIBLINGS,
            &[("Cargo.toml", ROOT), ("a/Cargo.toml", member)],
            &[("Cargo.toml", 5), ("Cargo.toml", 6), ("a/Cargo.toml", 4)],
        );
    }

    #[test]
    fn packages_without_the_lints_are_found() {
        check::finds(
            &LINTS,
            &[
                ("a/Cargo.toml", "[package]\n[lints]\nworkspace = true\n"),
                ("b/Cargo.toml", "[package]\n[lints.rust]\nworkspace = true\n"),
                ("c/Cargo.toml", "[package]\nlicense.workspace = true\n"),
            ],
            &[("b/Cargo.toml", 1), ("c/Cargo.toml", 1)],
        );
    }

    #[test]
    fn siblings_are_linked_in_the_real_tree() {
        check::real_tree(&SIBLINGS);
    }

    #[test]
    fn packages_have_the_lints_in_the_real_tree() {
        check::real_tree(&LINTS);
    }
}
