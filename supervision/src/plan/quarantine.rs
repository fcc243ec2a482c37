//! What becomes of a child that fails more often than is borne, when it is not to be given up.

use std::time::Duration;

/// Rest for a child that fails too often, instead of its end or its supervisor's.
///
/// Like a circuit breaker: a child whose own budget is used up ([`RestartPolicy`](super::RestartPolicy)),
/// or whose restart is one more than its supervisor bears, does not run for `cool_down`. Then it is
/// tried once (half open). If it runs for `trial`, the matter is closed, and its next failure
/// is an ordinary one; if it fails earlier it goes back into quarantine. These restarts do not
/// count for the supervisor's intensity. Under one-for-all and rest-for-one those that are restarted
/// with the child are down as long as it is. Bastion's own rule; OTP always gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Quarantine {
    /// How long the child does not run. Not zero.
    pub cool_down: Duration,
    /// How long it has to run afterwards.
    pub trial: Duration,
}

impl Quarantine {
    /// Returns a quarantine of `cool_down`, which a run of `trial` ends.
    pub const fn new(cool_down: Duration, trial: Duration) -> Self {
        Self { cool_down, trial }
    }
}
