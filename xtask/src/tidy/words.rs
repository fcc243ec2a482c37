//! Words that have no place in the repository.
//!
//! They are put together here from halves, so that this file does not break its own rules.

use super::Rule;
use super::code;
use super::tree::{Tree, Violation};

/// What announces work that nobody will do, in code and in comments.
const NOTES: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];

/// What stands in the place of code.
const STAND_INS: &[&str] = &[concat!("to", "do!"), concat!("unimple", "mented!")];

/// What belongs to the machine or the surroundings where the project is written.
const SURROUNDINGS: &[&str] = &[
    concat!("../sha", "red"),
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("farm", "-bench"),
];

/// Keeps unfinished work out of the code.
pub(super) const UNFINISHED: Rule = Rule {
    name: "unfinished",
    about: "no note of unfinished work and no stand-in for code in .rs files",
    check: unfinished,
};

/// Keeps the author's machine out of the repository.
pub(super) const FOREIGN: Rule = Rule {
    name: "foreign",
    about: "no path or name of the machine where the project is written",
    check: foreign,
};

fn unfinished(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.rust() {
        let notes = NOTES.iter().map(|word| (&file.text, word));
        for (text, word) in notes.chain(STAND_INS.iter().map(|word| (&file.code, word))) {
            for line in code::lines_with_word(text, word) {
                violations.push(file.violation(line, format!("`{word}`: finish it or file it")));
            }
        }
    }
    violations
}

fn foreign(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in &tree.files {
        for (number, line) in file.lines() {
            for word in SURROUNDINGS.iter().filter(|word| line.contains(**word)) {
                let message = format!("`{word}` means nothing outside the author's machine");
                violations.push(file.violation(number, message));
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
    fn unfinished_work_is_found() {
        let note = format!("// {}: later\n", NOTES[0]);
        let macros = format!("\nfn f() {{\n    {}()\n}}\n", STAND_INS[0]);
        let in_string = format!("let a = \"{}()\"; // {}\n", STAND_INS[1], STAND_INS[0]);
        check::finds(
            &UNFINISHED,
            &[
                ("a.rs", &note),
                ("b.rs", &macros),
                ("c.rs", &in_string),
                ("d.rs", &format!("let {}s = 1;\n", NOTES[2])),
                ("e.md", &note),
            ],
            &[("a.rs", 1), ("b.rs", 3)],
        );
    }

    #[test]
    fn the_authors_machine_is_found() {
        let line = |index: usize| format!("see\n{}x\n", SURROUNDINGS[index]);
        check::finds(
            &FOREIGN,
            &[
                ("a.rs", &line(0)),
                ("b.md", &line(1)),
                ("c.toml", &line(2)),
                ("ci", &line(3)),
                (".github/workflows/ci.yml", "uses: .github/workflows/ci.yml\n"),
            ],
            &[("a.rs", 2), ("b.md", 2), ("c.toml", 2), ("ci", 2)],
        );
    }

    #[test]
    fn nothing_is_unfinished_in_the_real_tree() {
        check::real_tree(&UNFINISHED);
    }

    #[test]
    fn nothing_is_foreign_in_the_real_tree() {
        check::real_tree(&FOREIGN);
    }
}
