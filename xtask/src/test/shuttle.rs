//! The step `shuttle`: the real executor under random schedules.

use super::{Outcome, steps};
use crate::workspace::{self, Workspace};
use std::process::Command;

/// Checks that the executor builds as it is for others, and runs its schedules.
pub(super) fn run(workspace: &Workspace) -> Outcome {
    match steps::run(command(workspace, &["check", "--quiet", "-p", "bastion-executor"])) {
        Outcome::Passed => steps::run(command(workspace, SCHEDULES)),
        failed => failed,
    }
}

/// The features stay off: what is behind them waits for the system, which shuttle does not schedule.
const SCHEDULES: &[&str] =
    &["test", "--release", "--no-default-features", "-p", "bastion-executor", "--lib", "schedules"];

/// Returns a command with a target folder of its own, because `--cfg shuttle` is another build of everything.
fn command(workspace: &Workspace, args: &[&str]) -> Command {
    let mut command = workspace::cargo(workspace, args);
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
        let command = command(&workspace, SCHEDULES);
        let target = command.get_envs().find(|(name, _)| *name == "CARGO_TARGET_DIR");
        assert_eq!(target.and_then(|(_, value)| value), Some("/t/shuttle".as_ref()));
    }
}
