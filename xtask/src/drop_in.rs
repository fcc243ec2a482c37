//! `cargo xtask drop-in`: the examples in the documentation of bastion 0.4, as they are, against this Bastion.
//!
//! The benchmarks have these crates as peers, so cargo fetches their sources. Their examples become the documentation of a crate
//! that depends on ours under the same names, in a folder below `target`, and rustdoc builds and runs them.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use serde_json::Value;

use crate::process;
use crate::summary::Outcome;
use crate::workspace::Workspace;

/// Whose documentation is tried, and the folder of ours that takes its place.
const ORIGINALS: &[(&str, &str, &str)] = &[
    ("bastion", "0.4.5", "bastion"),
    ("bastion-executor", "0.4.2", "executor"),
    ("lightproc", "0.3.5", "lightproc"),
];

/// The manifest of the crate whose documentation they become; the edition is theirs.
const MANIFEST: &str = r#"[package]
name = "drop-in"
version = "0.0.0"
edition = "2018"

[workspace]

[lints.rust]
unexpected_cfgs = "allow"

[dependencies]
tokio = { version = "1", features = ["full"] }
"#;

/// Build and run the examples of bastion 0.4's documentation against this Bastion
///
/// Those of bastion 0.4.5, bastion-executor 0.4.2 and lightproc 0.3.5, whose sources cargo fetches.
#[derive(clap::Args, Debug)]
#[command(after_help = "Exit codes: 0 all build and end well, 1 one does not.")]
pub(crate) struct DropInArgs {}

/// Runs them.
pub(crate) fn run(_args: &DropInArgs) -> ExitCode {
    match Workspace::read() {
        Ok(workspace) => check(&workspace).end(),
        Err(error) => Outcome::Failed(error.to_string()).end(),
    }
}

/// Says whether all build, and end well.
pub(crate) fn check(workspace: &Workspace) -> Outcome {
    let folder = workspace.target.join("drop-in");
    if let Err(reason) = prepare(workspace, &folder) {
        return Outcome::Failed(reason);
    }
    let mut command = process::cargo();
    command.args(["test", "--doc", "--manifest-path"]).arg(folder.join("Cargo.toml"));
    command.arg("--target-dir").arg(&workspace.target);
    match process::stream(&mut command, None) {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(format!("an example of 0.4 fails: {status}")),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

/// Writes the crate.
fn prepare(workspace: &Workspace, folder: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let metadata = metadata(workspace)?;
    let (mut manifest, mut library) = (MANIFEST.to_owned(), String::new());
    for (name, version, ours) in ORIGINALS {
        let sources = sources(&metadata, name, version)
            .ok_or_else(|| format!("cargo does not know where {name} {version} is"))?;
        let mut files = Vec::new();
        rust_files(&sources, &mut files).map_err(failed)?;
        let before = library.len();
        for file in files {
            let text = fs::read_to_string(&file).map_err(failed)?;
            for example in examples(&text) {
                let shown = file.strip_prefix(&sources).unwrap_or(&file).display().to_string();
                add(&mut library, &format!("{name} {shown}"), &example);
            }
        }
        if library.len() == before {
            return Err(format!("{name} {version} has no examples"));
        }
        let features = if *name == "bastion" { r#""scaling", "tokio-runtime""# } else { "" };
        let path = workspace.root.join(ours);
        let _ = writeln!(manifest, "{name} = {{ path = {path:?}, features = [{features}] }}");
    }
    fs::create_dir_all(folder.join("src")).map_err(failed)?;
    fs::write(folder.join("Cargo.toml"), manifest).map_err(failed)?;
    fs::write(folder.join("src/lib.rs"), library).map_err(failed)?;
    fs::copy(workspace.root.join("Cargo.lock"), folder.join("Cargo.lock")).map_err(failed)?;
    Ok(())
}

/// What cargo knows of all packages, also of those that others have made.
fn metadata(workspace: &Workspace) -> Result<Value, String> {
    let mut command: Command = process::cargo();
    command.args(["metadata", "--format-version", "1", "--manifest-path"]);
    let output = command.arg(workspace.root.join("Cargo.toml")).output();
    let output = output.map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
}

/// Returns the folder of a package's sources.
fn sources(metadata: &Value, name: &str, version: &str) -> Option<PathBuf> {
    let packages = metadata["packages"].as_array()?;
    let is_it = |package: &&Value| package["name"] == name && package["version"] == version;
    let manifest = packages.iter().find(is_it)?["manifest_path"].as_str()?;
    Some(Path::new(manifest).parent()?.join("src"))
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    for path in paths {
        if path.is_dir() {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// An example in a documentation comment.
#[derive(Debug, PartialEq)]
struct Example<'a> {
    /// The line on which it begins.
    line: usize,
    /// What stands behind the quotes that open it.
    info: &'a str,
    code: Vec<&'a str>,
}

/// Finds the examples of a file that rustdoc would run.
fn examples(text: &str) -> Vec<Example<'_>> {
    let (mut found, mut open): (Vec<Example<'_>>, Option<Example<'_>>) = (Vec::new(), None);
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim_start();
        let Some(text) = text.strip_prefix("///").or_else(|| text.strip_prefix("//!")) else {
            open = None;
            continue;
        };
        let text = text.strip_prefix(' ').unwrap_or(text);
        match (text.trim_start().strip_prefix("```"), &mut open) {
            (Some(info), None) => {
                open = Some(Example { line, info: info.trim(), code: Vec::new() })
            }
            (None, Some(example)) => example.code.push(text),
            (Some(_), Some(_)) => found.extend(open.take().filter(|example| is_run(example.info))),
            (None, None) => {}
        }
    }
    found
}

fn is_run(info: &str) -> bool {
    let mut words = info.split(',').map(str::trim);
    words.all(|word| matches!(word, "" | "rust" | "no_run" | "should_panic"))
}

/// Adds an example as the documentation of a module that is named after where it was.
fn add(library: &mut String, file: &str, example: &Example<'_>) {
    let place = file.replace(|letter: char| !letter.is_alphanumeric(), "_");
    let _ = writeln!(library, "/// ```{}", example.info);
    // Where it stood rustdoc adds this by itself, so that the crate is in `crate::` too.
    if file.starts_with("lightproc") {
        let _ = writeln!(library, "/// # extern crate lightproc;");
    }
    for line in &example.code {
        let _ = writeln!(library, "/// {line}");
    }
    let _ = writeln!(library, "/// ```\npub mod {place}_{} {{}}\n", example.line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_that_rustdoc_would_run_are_found() {
        let text = "//! ```\n//! one();\n//! ```\n\
                    fn code() {}\n    /// ```rust,no_run\n    /// # hidden();\n    ///\n    /// ```\n\
                    /// ```ignore\n/// not();\n/// ```\n/// ```toml\n/// a = 1\n/// ```\n// ```\n";
        let found = examples(text);
        let one = Example { line: 1, info: "", code: vec!["one();"] };
        let two = Example { line: 5, info: "rust,no_run", code: vec!["# hidden();", ""] };
        assert_eq!(found, [one, two]);
    }

    #[test]
    fn an_example_keeps_its_text_and_its_place() {
        let mut library = String::new();
        let example = Example { line: 7, info: "no_run", code: vec!["use bastion::prelude::*;"] };
        add(&mut library, "bastion a/b.rs", &example);
        let expected =
            "/// ```no_run\n/// use bastion::prelude::*;\n/// ```\npub mod bastion_a_b_rs_7 {}\n\n";
        assert_eq!(library, expected);
    }
}
