//! The step `shuttle`: the real executor under random schedules.

use super::{Outcome, steps};
use crate::workspace::{self, Workspace};
use std::process::Command;

/// Runs the schedules of the executor.
pub(super) fn run(workspace: &Workspace) -> Outcome {
    steps::run(command(workspace))
}

/// Returns the command that tries them.
///
/// They get a target folder of their own, because `--cfg shuttle` is another build of everything. The features stay off: what is
/// behind them waits for the system, which shuttle does not schedule.
fn command(workspace: &Workspace) -> Command {
    let what = ["-p", "bastion-executor", "--lib", "schedules"];
    let args = [&["test", "--release", "--no-default-features"][..], &what].concat();
    let mut command = workspace::cargo(workspace, &args);
    workspace::add_flags(&mut command, "--cfg shuttle");
    command.env("CARGO_TARGET_DIR", workspace.target.join("shuttle"));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedules_have_a_build_of_their_own() {
        let workspace = Workspace { root: "/r".into(), target: "/t".into(), packages: Vec::new() };
        let command = command(&workspace);
        let target = command.get_envs().find(|(name, _)| *name == "CARGO_TARGET_DIR");
        assert_eq!(target.and_then(|(_, value)| value), Some("/t/shuttle".as_ref()));
    }
}
