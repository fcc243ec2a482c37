//! Unsafe code stays where it is proven.

use super::Rule;
use super::code;
use super::tree::{Package, Tree, Violation};

/// The folders whose files may contain unsafe code.
const FOLDERS: &[(&str, &str)] = &[
    ("lightproc/src/", "the layer that owns the memory of a process"),
    ("lightproc/tests/", "they drive the raw interface"),
    (
        "mailbox/src/",
        "slots that one thread writes and another reads, in blocks that are freed once; values of \
         any type in a room of three words",
    ),
];

/// The single files that may contain unsafe code, each with its reason.
const FILES: &[(&str, &str)] = &[
    ("mailbox/tests/allocations.rs", "an allocator that counts"),
    ("executor/src/affinity.rs", "system calls that bind a thread to CPUs"),
    ("executor/src/pages.rs", "a system call that asks which node a page lies on"),
    ("executor/src/slot.rs", "a process as an atomic pointer, so that others can take it"),
    (
        "executor/src/scope.rs",
        "processes that borrow: a lifetime that only the scope's wait makes good",
    ),
    (
        "executor/src/reactor/source.rs",
        "the poller wants descriptors to outlive their registration",
    ),
];

/// The packages that cannot forbid unsafe code, because they contain it.
const WITH_UNSAFE: &[&str] = &["lightproc", "mailbox", "executor"];

/// Keeps unsafe code in the files that are known for it.
pub(super) const PLACES: Rule = Rule {
    name: "unsafe",
    about: "unsafe code only in lightproc, in mailbox and in the listed files",
    check: places,
};

/// Has every other crate forbid unsafe code.
pub(super) const FORBIDDEN: Rule = Rule {
    name: "forbid",
    about: "every root of the other crates says #![forbid(unsafe_code)]",
    check: forbidden,
};

fn places(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in tree.rust() {
        let listed = FOLDERS.iter().any(|(folder, _)| file.path.starts_with(folder))
            || FILES.iter().any(|(path, _)| *path == file.path);
        if listed {
            continue;
        }
        for line in code::lines_with_word(&file.code, "unsafe") {
            let message = "unsafe code in a file that the tidy rule does not list";
            violations.push(file.violation(line, message));
        }
    }
    violations
}

fn forbidden(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in tree.packages().filter(|package| !WITH_UNSAFE.contains(&package.folder)) {
        for file in tree.rust().filter(|file| is_root(&file.path, package)) {
            let code: String = file.code.split_whitespace().collect();
            if !code.contains("#![forbid(unsafe_code)]") {
                violations.push(file.violation(1, "the crate root lacks #![forbid(unsafe_code)]"));
            }
        }
    }
    violations
}

/// Tells whether a file is the root of a library, program, example or benchmark of a package.
fn is_root(path: &str, package: Package<'_>) -> bool {
    let Some(inner) = path.strip_prefix(package.folder).and_then(|rest| rest.strip_prefix('/'))
    else {
        return false;
    };
    // The package of the examples has them beside its manifest, one file or folder each.
    let parts: Vec<&str> = inner.split('/').collect();
    match parts[..] {
        ["src", "lib.rs" | "main.rs"] | ["src", "bin" | "examples", _] => true,
        ["examples" | "benches", _] | ["examples" | "benches", _, "main.rs"] => true,
        ["src", "bin", _, "main.rs"] => true,
        [_] | [_, "main.rs"] => package.folder == "examples",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check;

    #[test]
    fn unsafe_code_elsewhere_is_found() {
        let code = "fn f() {\n    unsafe { g() }\n}\n";
        check::finds(
            &PLACES,
            &[
                ("lightproc/src/raw.rs", code),
                ("executor/src/affinity.rs", code),
                ("executor/src/worker.rs", code),
                ("bastion/src/lib.rs", "// unsafe\n#![forbid(unsafe_code)]\nlet a = \"unsafe\";\n"),
                ("supervision/tests/a.rs", "unsafe impl Send for A {}\n"),
            ],
            &[("executor/src/worker.rs", 2), ("supervision/tests/a.rs", 1)],
        );
    }

    #[test]
    fn roots_that_do_not_forbid_are_found() {
        let forbids = "//! a\n#![forbid(unsafe_code)]\n";
        let only_says = "//! #![forbid(unsafe_code)]\n";
        check::finds(
            &FORBIDDEN,
            &[
                ("lightproc/Cargo.toml", "[package]"),
                ("lightproc/src/lib.rs", ""),
                ("bastion/Cargo.toml", "[package]"),
                ("bastion/src/lib.rs", forbids),
                ("bastion/src/part.rs", ""),
                ("bastion/examples/a.rs", only_says),
                ("xtask/Cargo.toml", "[package]"),
                ("xtask/src/main.rs", only_says),
                ("examples/Cargo.toml", "[package]"),
                ("examples/one.rs", ""),
                ("examples/two/main.rs", ""),
                ("examples/two/args.rs", ""),
            ],
            &[
                ("bastion/examples/a.rs", 1),
                ("examples/one.rs", 1),
                ("examples/two/main.rs", 1),
                ("xtask/src/main.rs", 1),
            ],
        );
    }

    #[test]
    fn unsafe_code_is_in_its_places_in_the_real_tree() {
        check::real_tree(&PLACES);
    }

    #[test]
    fn roots_forbid_in_the_real_tree() {
        check::real_tree(&FORBIDDEN);
    }
}
