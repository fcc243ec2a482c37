//! What the subjects are told before they start: how many workers they have and, for ours alone, what the environment says.

use bastion_executor::{Builder, Executor, Placement};
use std::env;
use std::sync::OnceLock;

/// How many workers a subject has when nobody says.
pub(crate) const DEFAULT_WORKERS: usize = 2;

static WORKERS: OnceLock<usize> = OnceLock::new();

/// Sets the number of workers of every subject. The first word counts, and it must come before any subject starts.
pub(crate) fn set_workers(workers: usize) {
    let _ = WORKERS.set(workers);
}

/// Returns how many worker threads every subject has.
pub(crate) fn workers() -> usize {
    WORKERS.get().copied().unwrap_or(DEFAULT_WORKERS)
}

/// Returns whether somebody has said how many workers there are. If not, ours takes what the environment says.
pub(crate) fn workers_are_set() -> bool {
    WORKERS.get().is_some()
}

/// Describes our executor: by the environment, but with the number of workers that was set for all subjects.
///
/// # Panics
/// When a variable has a value that means nothing; see [`check`].
pub(crate) fn builder() -> Builder {
    let builder = match from_env(variable) {
        Ok(builder) => builder,
        Err(error) => panic!("{error}"),
    };
    match WORKERS.get() {
        Some(workers) => builder.workers(*workers),
        None => builder,
    }
}

/// Looks at the environment before anything is measured: figures of other settings than those that were asked for are worse
/// than none.
///
/// # Errors
/// The variable whose value means nothing.
pub(crate) fn check() -> Result<(), String> {
    from_env(variable).map(drop)
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// Stands in for `Builder::from_env`, which the executor does not have yet. Not yet: `BASTION_TIME_SLICE_US`, `BASTION_LIFO_CHAIN`,
/// `BASTION_SPIN_US`.
fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Builder, String> {
    let mut builder = Executor::builder();
    if let Some(text) = variable("BASTION_WORKERS") {
        let workers = text.parse().map_err(|_| format!("BASTION_WORKERS={text} is no number"))?;
        builder = builder.workers(workers);
    }
    if let Some(text) = variable("BASTION_PLACEMENT") {
        builder = builder.placement(match text.as_str() {
            "unbound" => Placement::Unbound,
            "compact" => Placement::Compact,
            "spread" => Placement::Spread,
            "numa-balanced" => Placement::NumaBalanced,
            "per-node" => Placement::PerNode,
            _ => return Err(format!("BASTION_PLACEMENT={text} is no placement")),
        });
    }
    Ok(builder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(variables: &[(&str, &str)]) -> Result<String, String> {
        let find = |name: &str| {
            let found = variables.iter().find(|(of, _)| *of == name)?;
            Some(found.1.to_owned())
        };
        from_env(find).map(|builder| format!("{builder:?}"))
    }

    #[test]
    fn the_environment_is_read() {
        assert_eq!(built(&[]), Ok(format!("{:?}", Executor::builder())));
        let both = built(&[("BASTION_WORKERS", "3"), ("BASTION_PLACEMENT", "numa-balanced")]);
        let expected = Executor::builder().workers(3).placement(Placement::NumaBalanced);
        assert_eq!(both, Ok(format!("{expected:?}")));
    }

    #[test]
    fn what_means_nothing_is_said() {
        assert_eq!(
            built(&[("BASTION_WORKERS", "many")]),
            Err("BASTION_WORKERS=many is no number".to_owned())
        );
        assert_eq!(
            built(&[("BASTION_PLACEMENT", "near")]),
            Err("BASTION_PLACEMENT=near is no placement".to_owned())
        );
    }
}
