//! The program that runs inside the machines: the executor's example `numa_guest`, built without any library that it would need there.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use crate::process::{self, RunError};
use crate::workspace::{self, Workspace};

/// The package, its example, and the target that the emulated processors are.
const PACKAGE: &str = "bastion-executor";
const EXAMPLE: &str = "numa_guest";
pub(super) const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Says why there is no program.
#[derive(Debug)]
pub(super) enum BuildError {
    /// Cargo could not be run.
    NotRun(RunError),
    /// It does not build; the compiler has said why.
    Failed,
    /// It is not where cargo should have put it.
    NotRead(PathBuf, io::Error),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRun(error) => error.fmt(f),
            Self::Failed => f.write_str(
                "the program for the machines does not build (it is linked with a static C library)",
            ),
            Self::NotRead(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for BuildError {}

/// Builds the program and returns it.
///
/// # Errors
/// See [`BuildError`].
pub(super) fn build(workspace: &Workspace) -> Result<Vec<u8>, BuildError> {
    let built = process::stream(&mut command(workspace), None).map_err(BuildError::NotRun)?;
    if !built.success() {
        return Err(BuildError::Failed);
    }
    let path = folder(workspace).join(TARGET).join("release").join("examples").join(EXAMPLE);
    fs::read(&path).map_err(|error| BuildError::NotRead(path, error))
}

/// It has other flags than all else, so it has a folder of its own.
fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("numa")
}

/// The target is named so that build scripts and macros, which are for this system, stay as they are.
fn command(workspace: &Workspace) -> Command {
    let args = ["build", "--release", "-p", PACKAGE, "--example", EXAMPLE, "--target", TARGET];
    let mut command = workspace::cargo(workspace, &args);
    workspace::add_flags(&mut command, "-C target-feature=+crt-static");
    command
        .env("CARGO_TARGET_DIR", folder(workspace))
        // It is unpacked into the machine's memory.
        .env("CARGO_PROFILE_RELEASE_STRIP", "symbols");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_there_and_is_built_static() {
        let workspace = Workspace::read().expect("cargo knows the workspace");
        let package = workspace.package(PACKAGE).expect("a member");
        assert!(package.targets("example").any(|example| example.name == EXAMPLE));
        let command = command(&workspace);
        let flags = command.get_envs().find(|(name, _)| *name == "RUSTFLAGS");
        let flags = flags.and_then(|(_, value)| value).map(|value| value.to_string_lossy());
        assert!(flags.is_some_and(|flags| flags.contains("+crt-static")));
    }
}
