//! Names in the public interface.

use super::Rule;
use super::code;
use super::tree::{Tree, Violation};

/// Names that programs call already: those of the classic interface, and what std and every adapter call the object within.
const CLASSIC: &[&str] =
    &["get_pid", "get_state", "get_ref", "get_core_ids", "get_num_cores", "get_cores"];

/// Keeps `get_` out of the public interface.
pub(super) const GETTERS: Rule =
    Rule { name: "getters", about: "no public function is called get_…", check: getters };

fn getters(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.rust() {
        for place in code::places_of_word(&file.code, "fn") {
            let name = file.code[place + "fn".len()..].trim_start();
            // The words before `fn` in the same item: `pub`, `const`, `async`, `unsafe`, `extern`.
            let item = file.code[..place].rsplit([';', '{', '}', ']']).next().unwrap_or_default();
            let word = name.split(|c: char| !c.is_alphanumeric() && c != '_').next();
            let classic = word.is_some_and(|word| CLASSIC.contains(&word));
            if name.starts_with("get_") && !classic && item.split_whitespace().next() == Some("pub")
            {
                let line = code::line_of(&file.code, place);
                violations.push(file.violation(line, "a public name does not begin with `get_`"));
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
    fn public_getters_are_found() {
        check::finds(
            &GETTERS,
            &[
                ("a.rs", "impl A {\n    #[inline]\n    pub const fn get_a(&self) {}\n}\n"),
                ("b.rs", "pub fn a() {}\npub async fn get_b() {}\n"),
                ("c.rs", "fn get_c() {}\npub(crate) fn get_d() {}\npub fn getter() {}\n"),
                ("d.rs", "// pub fn get_e() {}\npub fn get_pid() {}\n"),
            ],
            &[("a.rs", 3), ("b.rs", 2)],
        );
    }

    #[test]
    fn the_real_tree_is_clean() {
        check::real_tree(&GETTERS);
    }
}
