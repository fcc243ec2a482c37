//! The step `loom`: the protocols under the model checker.

use super::steps::cargo;
use super::{Outcome, steps};
use crate::workspace::Workspace;

/// The packages whose tests named `loom…` are models.
const PACKAGES: &[&str] = &["lightproc", "bastion-executor"];

/// How often a model may be interrupted: three preemptions find nearly every known kind of race,
/// and each more multiplies the time.
const MAX_PREEMPTIONS: &str = "3";

/// Runs the models of each package that has any.
///
/// They get a target folder of their own, because `--cfg loom` is another build of everything. The
/// features stay off: models are about the protocols, and some libraries behind the features change
/// under `--cfg loom` too.
pub(super) fn run(workspace: &Workspace) -> Outcome {
    let mut args = vec!["test", "--release", "--no-default-features"];
    let plain = args.len();
    for name in PACKAGES {
        if workspace.package(name).is_some_and(|package| {
            package.targets("test").any(|target| target.name.starts_with("loom"))
        }) {
            args.extend(["-p", name]);
        }
    }
    if args.len() == plain {
        return Outcome::Skipped(format!("no tests/loom*.rs in {}", PACKAGES.join(" or ")));
    }
    args.extend(["--test", "loom*"]);
    let mut command = cargo(workspace, &args);
    let mut flags = std::env::var_os("RUSTFLAGS").unwrap_or_default();
    flags.push(" --cfg loom");
    command
        .env("RUSTFLAGS", flags)
        // It would win over the variable above.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("CARGO_TARGET_DIR", workspace.target.join("loom"))
        .env("LOOM_MAX_PREEMPTIONS", MAX_PREEMPTIONS);
    steps::run(command)
}
