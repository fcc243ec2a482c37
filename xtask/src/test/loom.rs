//! The step `loom`: the protocols under the model checker, in the short version of `cargo xtask loom`.

use super::{Outcome, steps};
use crate::loom;
use crate::workspace::Workspace;

/// How often a model may be interrupted: three preemptions find nearly every known kind of race,
/// and each more multiplies the time.
const PREEMPTIONS: u32 = 3;

/// Runs the models of each package that has any.
pub(super) fn run(workspace: &Workspace) -> Outcome {
    let packages = loom::with_models(workspace, &[]);
    if packages.is_empty() {
        return Outcome::Skipped("no tests/loom*.rs".to_owned());
    }
    steps::run(loom::command(workspace, &packages, PREEMPTIONS))
}
