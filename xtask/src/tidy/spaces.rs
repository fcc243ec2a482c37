//! White space that nobody sees and every diff shows.

use super::Rule;
use super::tree::{File, Tree, Violation};

/// What the rule looks at: scripts and the files that people write. Recorded data is as it was recorded.
const ENDINGS: &[&str] = &[".rs", ".md", ".toml", ".yml", ".yaml", ".sh"];

/// Keeps lines and files clean at their ends.
pub(super) const SPACES: Rule = Rule {
    name: "spaces",
    about: "no space at the end of a line, one newline at the end of a file, no tab in .rs files",
    check: spaces,
};

fn spaces(tree: &Tree) -> Vec<Violation> {
    let written = |file: &&File| {
        file.text.starts_with("#!/") || ENDINGS.iter().any(|ending| file.path.ends_with(ending))
    };
    tree.files.iter().filter(written).flat_map(in_file).collect()
}

fn in_file(file: &File) -> Vec<Violation> {
    let mut violations = Vec::new();
    // Not `lines`: it would take a carriage return for a part of the newline.
    for (index, line) in file.text.split('\n').enumerate() {
        if line.ends_with([' ', '\t', '\r']) {
            violations.push(file.violation(index + 1, "white space at the end of the line"));
        }
        if file.path.ends_with(".rs") && line.contains('\t') {
            violations.push(file.violation(index + 1, "a tab"));
        }
    }
    let last = file.text.lines().count().max(1);
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        violations.push(file.violation(last, "no newline at the end of the file"));
    } else if file.text.ends_with("\n\n") {
        violations.push(file.violation(last, "an empty line at the end of the file"));
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check;

    #[test]
    fn careless_ends_are_found() {
        check::finds(
            &SPACES,
            &[
                ("a.rs", "a \nb\n"),
                ("b.rs", "a\n\tb\n"),
                ("c.md", "a\nb"),
                ("d.md", "a\n\n"),
                ("e.toml", "a\r\n"),
                ("f.md", "a\n\tb\n"),
                ("g.rs", ""),
                ("h.stderr", "a \n"),
                ("run", "#!/bin/sh\na \n"),
            ],
            &[("a.rs", 1), ("b.rs", 2), ("c.md", 2), ("d.md", 2), ("e.toml", 1), ("run", 2)],
        );
    }

    #[test]
    fn the_real_tree_is_clean() {
        check::real_tree(&SPACES);
    }
}
