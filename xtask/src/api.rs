//! `cargo xtask api`: compares what the published crates offer with the listings in `api/`.
//!
//! rustdoc says as JSON what is public, and the crate `public-api` writes it as lines. That form of rustdoc's is not stable: one
//! compiler, and one version of `public-api` that reads it.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, ExitCode};

use crate::process;
use crate::summary::Outcome;
use crate::workspace::{Workspace, cargo};

/// The compiler whose JSON is read: with another one the version of `public-api` changes too, and so does CI's.
const COMPILER: &str = "rustc 1.95.";

/// What is left out: macros are functions on tokens to rustdoc, and their arguments are not there.
const UNLISTED: &str = "bastion-macros";

/// Compare what the published crates offer with the listings in `api/`
///
/// All features are on. Left out are the implementations that are derived, automatic or blanket.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Exit codes: 0 as listed (or written), 1 there is a difference, or another compiler is in use.")]
pub(crate) struct ApiArgs {
    /// Write the listings anew
    #[arg(long)]
    bless: bool,
}

/// Compares the listings, or writes them.
pub(crate) fn run(args: &ApiArgs) -> ExitCode {
    match Workspace::read() {
        Ok(workspace) => check(&workspace, args.bless).end(),
        Err(error) => Outcome::Failed(error.to_string()).end(),
    }
}

/// Compares the listings and prints the differences, or writes them; skipped where another compiler is in use.
pub(crate) fn check(workspace: &Workspace, bless: bool) -> Outcome {
    if !is_compiler() {
        return Outcome::Skipped(format!("the listings are made with {COMPILER}x only"));
    }
    let crates: Vec<&str> = workspace.published().map(|package| &*package.name).collect();
    let crates: Vec<&str> = crates.into_iter().filter(|name| *name != UNLISTED).collect();
    match process::stream(&mut rustdoc(workspace, &crates), None) {
        Ok(status) if status.success() => {}
        Ok(status) => return Outcome::Failed(format!("rustdoc: {status}")),
        Err(error) => return Outcome::Failed(error.to_string()),
    }
    let mut changed = Vec::new();
    for name in crates {
        match compare(workspace, name, bless) {
            Ok(true) => {}
            Ok(false) => changed.push(name),
            Err(reason) => return Outcome::Failed(format!("{name}: {reason}")),
        }
    }
    match changed.is_empty() {
        true => Outcome::Passed,
        false => Outcome::Failed(format!(
            "{}: if that is meant, `cargo xtask api --bless`, and see CHANGELOG.md",
            changed.join(" ")
        )),
    }
}

fn is_compiler() -> bool {
    let version = Command::new("rustc").arg("--version").output();
    version.is_ok_and(|output| output.stdout.starts_with(COMPILER.as_bytes()))
}

/// Returns the command that writes the JSON. In a target directory of its own, since its variables would have all else built anew.
fn rustdoc(workspace: &Workspace, crates: &[&str]) -> Command {
    let mut command = cargo(workspace, &["doc", "--quiet", "--no-deps", "--lib", "--all-features"]);
    command.args(crates.iter().flat_map(|name| ["-p", name]));
    command.arg("--target-dir").arg(workspace.target.join("api"));
    command.env("RUSTC_BOOTSTRAP", "1").env_remove("CARGO_ENCODED_RUSTDOCFLAGS");
    command.env("RUSTDOCFLAGS", "-Zunstable-options --output-format json");
    command
}

/// Says whether a crate is as listed. With `bless` it is afterwards.
fn compare(workspace: &Workspace, name: &str, bless: bool) -> Result<bool, String> {
    let json = workspace.target.join("api/doc").join(name.replace('-', "_") + ".json");
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .sorted(true)
        .build()
        .map_err(|error| error.to_string())?;
    let found: String = api.items().map(|item| format!("{item}\n")).collect();
    let file = workspace.root.join("api").join(format!("{name}.txt"));
    if bless {
        return fs::write(file, found).map(|()| true).map_err(|error| error.to_string());
    }
    let listed = fs::read_to_string(file).unwrap_or_default();
    let differences = differences(&listed, &found);
    differences.iter().for_each(|line| println!("{name}: {line}"));
    Ok(listed == found)
}

/// Returns the lines that are in one text only: `-` what is gone, `+` what is new.
fn differences(listed: &str, found: &str) -> Vec<String> {
    let (old, new): (BTreeSet<_>, BTreeSet<_>) =
        (listed.lines().collect(), found.lines().collect());
    let gone = old.difference(&new).map(|line| format!("- {line}"));
    gone.chain(new.difference(&old).map(|line| format!("+ {line}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_and_what_is_new_is_told() {
        assert_eq!(differences("a\nb\n", "b\nc\n"), ["- a", "+ c"]);
        assert!(differences("a\n", "a\n").is_empty());
    }
}
