//! Files and functions that a reader can hold in the head.

use super::Rule;
use super::code;
use super::tree::{Tree, Violation};

/// The most lines of a Rust file.
const FILE_LINES: usize = 500;

/// The most lines of a function, from its `fn` to its closing brace.
const FUNCTION_LINES: usize = 70;

/// Files with a limit of their own.
const OWN_LIMITS: &[(&str, usize)] = &[("ARCHITECTURE.md", 300), ("bastion/src/lib.rs", 200)];

/// Functions that may be longer, as path and name, each with its reason.
const LONG_FUNCTIONS: &[(&str, &str, &str)] = &[];

/// Limits the length of files.
pub(super) const FILES: Rule = Rule {
    name: "files",
    about: "a .rs file has at most 500 lines, ARCHITECTURE.md 300, the facade's lib.rs 200",
    check: files,
};

/// Limits the length of functions.
pub(super) const FUNCTIONS: Rule =
    Rule { name: "functions", about: "a function has at most 70 lines", check: functions };

fn files(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in &tree.files {
        let own = OWN_LIMITS.iter().find(|(path, _)| *path == file.path).map(|(_, limit)| *limit);
        let limit = own.or(file.path.ends_with(".rs").then_some(FILE_LINES));
        let count = file.text.lines().count();
        if let Some(limit) = limit.filter(|limit| count > *limit) {
            violations.push(file.violation(limit + 1, format!("{count} lines, at most {limit}")));
        }
    }
    violations
}

fn functions(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.rust() {
        for place in code::places_of_word(&file.code, "fn") {
            let Some((name, length)) = function(&file.code[place..]) else { continue };
            let excused =
                LONG_FUNCTIONS.iter().any(|(path, of, _)| *path == file.path && *of == name);
            if length > FUNCTION_LINES && !excused {
                let message = format!("`{name}` has {length} lines, at most {FUNCTION_LINES}");
                violations.push(file.violation(code::line_of(&file.code, place), message));
            }
        }
    }
    violations
}

/// Returns the name and the number of lines of the function at the start of the code.
///
/// Nothing is returned for a function pointer and for a declaration without a body.
fn function(code: &str) -> Option<(&str, usize)> {
    let after = code.strip_prefix("fn")?.trim_start();
    let is_name = |c: char| c == '_' || c == '#' || c.is_ascii_alphanumeric();
    let name = &after[..after.find(|c| !is_name(c)).unwrap_or(after.len())];
    if name.is_empty() {
        return None;
    }
    let body = body_start(code)?;
    let mut depth = 0_usize;
    for (place, byte) in code.bytes().enumerate().skip(body) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return Some((name, code::line_of(code, place)));
        }
    }
    None
}

/// Returns where the body begins: at the first brace that is in no parenthesis or bracket.
fn body_start(code: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (place, byte) in code.bytes().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b';' if depth == 0 => return None,
            b'{' if depth == 0 => return Some(place),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check;

    #[test]
    fn long_files_are_found() {
        let lines = |count| "\n".repeat(count);
        check::finds(
            &FILES,
            &[
                ("a/src/short.rs", &lines(500)),
                ("a/src/long.rs", &lines(501)),
                ("README.md", &lines(900)),
                ("ARCHITECTURE.md", &lines(301)),
                ("bastion/src/lib.rs", &lines(201)),
            ],
            &[("ARCHITECTURE.md", 301), ("a/src/long.rs", 501), ("bastion/src/lib.rs", 201)],
        );
    }

    #[test]
    fn long_functions_are_found() {
        let body =
            |lines| format!("fn long<const N: usize>(a: [u8; 3]) {{{}}}\n", "\n".repeat(lines));
        let method = format!("trait T {{\n fn a();\n{}}}\n", body(71));
        check::finds(
            &FUNCTIONS,
            &[
                ("a.rs", &body(69)),
                ("b.rs", &format!("\n{}", body(70))),
                ("c.rs", &method),
                ("d.rs", &format!("// {}", body(70).replace('\n', "\n// "))),
                ("e.rs", &format!("type F = fn(u8);{}", "\n".repeat(100))),
            ],
            &[("b.rs", 2), ("c.rs", 3)],
        );
    }

    #[test]
    fn files_are_short_in_the_real_tree() {
        check::real_tree(&FILES);
    }

    #[test]
    fn functions_are_short_in_the_real_tree() {
        check::real_tree(&FUNCTIONS);
    }
}
