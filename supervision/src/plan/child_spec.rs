//! What a supervisor is told about a child. How to start it is the driver's knowledge.

use std::sync::Arc;

use super::backoff::Backoff;
use super::restart::{RestartPolicy, RestartType};
use super::shutdown::Shutdown;

/// Whether a child is a worker or a supervisor itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ChildKind {
    /// A process that does work.
    #[default]
    Worker,
    /// A nested supervisor.
    Supervisor,
}

/// The rules for one child.
///
/// A spec cannot be invalid by itself: what OTP checks at run time (rows 34 to 36 of the
/// conformance list) is said by the types here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ChildSpec {
    /// The child's name among its siblings, at most one of each. Dynamic children have none.
    pub id: Option<Arc<str>>,
    /// Worker or supervisor.
    pub kind: ChildKind,
    /// Whether the child is started again when it ends by itself.
    pub restart: RestartType,
    /// How the child is stopped.
    pub shutdown: Shutdown,
    /// How often the child may be restarted for failures of its own.
    pub policy: RestartPolicy,
    /// How long a failed child waits for its restart.
    pub backoff: Backoff,
    /// Whether its end may end its supervisor: see [`AutoShutdown`](super::AutoShutdown).
    pub significant: bool,
}

impl ChildSpec {
    /// Returns OTP's defaults for a worker: permanent, 5 s to stop.
    pub const fn worker() -> Self {
        Self::of(ChildKind::Worker)
    }

    /// Returns OTP's defaults for a nested supervisor: permanent, unlimited time to stop.
    pub const fn supervisor() -> Self {
        Self::of(ChildKind::Supervisor)
    }

    const fn of(kind: ChildKind) -> Self {
        Self {
            id: None,
            kind,
            restart: RestartType::Permanent,
            shutdown: Shutdown::default_for(kind),
            policy: RestartPolicy::Always,
            backoff: Backoff::immediate(),
            significant: false,
        }
    }

    /// Sets the id.
    #[must_use]
    pub fn id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the restart type.
    #[must_use]
    pub const fn restart(mut self, restart: RestartType) -> Self {
        self.restart = restart;
        self
    }

    /// Sets how the child is stopped.
    #[must_use]
    pub const fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.shutdown = shutdown;
        self
    }

    /// Sets how often the child may be restarted for failures of its own.
    #[must_use]
    pub const fn policy(mut self, policy: RestartPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the delay before restarts.
    #[must_use]
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets whether the child's end may end its supervisor.
    #[must_use]
    pub const fn significant(mut self, significant: bool) -> Self {
        self.significant = significant;
        self
    }

    /// Returns whether a child that was stopped because a sibling failed is started again.
    ///
    /// A temporary child is not (conformance row 61), nor one whose policy is
    /// [`RestartPolicy::Never`].
    pub(super) fn comes_back(&self) -> bool {
        self.restart != RestartType::Temporary && self.policy != RestartPolicy::Never
    }
}

/// A worker's.
impl Default for ChildSpec {
    fn default() -> Self {
        Self::worker()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn row_002_a_workers_defaults() {
        let spec = ChildSpec::default().id("a");
        assert_eq!(spec.id.as_deref(), Some("a"));
        assert_eq!(spec.kind, ChildKind::Worker);
        assert_eq!(spec.restart, RestartType::Permanent);
        assert_eq!(spec.shutdown, Shutdown::Timeout(Duration::from_millis(5000)));
        assert!(!spec.significant);
    }

    #[test]
    fn row_003_a_supervisor_gets_all_the_time_it_needs() {
        assert_eq!(ChildSpec::supervisor().shutdown, Shutdown::Infinity);
        assert_eq!(ChildSpec::supervisor().kind, ChildKind::Supervisor);
    }
}
