//! What a supervisor is told about a child. How to start it is the driver's knowledge.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::backoff::Backoff;
use super::quarantine::Quarantine;
use super::restart::{RestartPolicy, RestartType};
use super::shutdown::Shutdown;

/// Whether a child is a worker or a supervisor itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum ChildKind {
    /// A process that does work.
    #[default]
    Worker,
    /// A nested supervisor.
    Supervisor,
}

/// The rules for one child.
///
/// Most of what OTP checks at run time (rows 34 to 36 of the conformance list) is said by the
/// types here; what is left, [`ChildSpec::validate`] finds.
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
    /// The ids of elder siblings that it needs. It is started when they are ready, and stopped
    /// before they are, also when one of them alone is restarted.
    pub depends_on: Vec<Arc<str>>,
    /// What becomes of it when it fails more often than is borne; none: it is given up.
    pub quarantine: Option<Quarantine>,
    /// After how much time without progress it counts as failed; none: never.
    pub watchdog: Option<Duration>,
    /// After how much time it is restarted although nothing is wrong; none: never.
    pub max_lifetime: Option<Duration>,
    /// How many messages may wait in its mailbox; none: as many as its runtime says.
    pub capacity: Option<usize>,
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
            depends_on: Vec::new(),
            quarantine: None,
            watchdog: None,
            max_lifetime: None,
            capacity: None,
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

    /// Adds an elder sibling that the child needs.
    #[must_use]
    pub fn depends_on(mut self, id: impl Into<Arc<str>>) -> Self {
        self.depends_on.push(id.into());
        self
    }

    /// Puts the child into quarantine, instead of giving it up, when it fails too often.
    #[must_use]
    pub const fn quarantine(mut self, quarantine: Quarantine) -> Self {
        self.quarantine = Some(quarantine);
        self
    }

    /// Sets after how much time without progress the child counts as failed.
    #[must_use]
    pub const fn watchdog(mut self, limit: Duration) -> Self {
        self.watchdog = Some(limit);
        self
    }

    /// Sets after how much time the child is restarted although nothing is wrong.
    #[must_use]
    pub const fn max_lifetime(mut self, limit: Duration) -> Self {
        self.max_lifetime = Some(limit);
        self
    }

    /// Sets how many messages may wait in its mailbox.
    pub const fn capacity(mut self, messages: usize) -> Self {
        self.capacity = Some(messages);
        self
    }

    /// Checks what the types cannot say (OTP's `check_childspecs`).
    ///
    /// # Errors
    ///
    /// The first thing that makes no sense.
    pub fn validate(&self) -> Result<(), SpecError> {
        let is_zero = |time: Option<Duration>| time.is_some_and(|time| time.is_zero());
        let zero_period = match self.policy {
            RestartPolicy::Within(budget) => budget.period.is_zero(),
            _ => false,
        };
        let permanent = self.restart == RestartType::Permanent;
        let refuse = |is_wrong, error| if is_wrong { Err(error) } else { Ok(()) };
        refuse(self.id.as_deref() == Some(""), SpecError::EmptyId)?;
        let needs_itself = self.depends_on.iter().any(|id| Some(id) == self.id.as_ref());
        refuse(needs_itself, SpecError::NeedsItself)?;
        refuse(zero_period, SpecError::ZeroPeriod)?;
        refuse(!self.backoff.is_consistent(), SpecError::Backoff)?;
        refuse(is_zero(self.watchdog), SpecError::ZeroWatchdog)?;
        refuse(is_zero(self.max_lifetime), SpecError::ZeroLifetime)?;
        refuse(self.capacity == Some(0), SpecError::ZeroCapacity)?;
        refuse(is_zero(self.quarantine.map(|q| q.cool_down)), SpecError::ZeroQuarantine)?;
        let in_vain = self.quarantine.is_some() && !self.comes_back();
        refuse(in_vain, SpecError::QuarantineInVain)?;
        refuse(self.significant && permanent, SpecError::SignificantPermanent)
    }

    /// Returns whether a child of these rules, as long as it runs, wants nothing of its supervisor, which would not refuse it
    /// either, unless for its own reasons: see [`Plan::is_at_ease`](super::Plan::is_at_ease).
    pub(crate) fn is_undemanding(&self) -> bool {
        let watched = self.watchdog.is_some() || self.max_lifetime.is_some();
        let tied = self.id.is_some() || self.significant || !self.depends_on.is_empty();
        !watched && !tied && self.validate().is_ok()
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

/// A spec contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpecError {
    /// The id is empty.
    EmptyId,
    /// The child depends on itself.
    NeedsItself,
    /// The period of the child's own budget is zero.
    ZeroPeriod,
    /// The back-off's longest delay is shorter than its first, or its factor is zero.
    Backoff,
    /// The watchdog's limit is zero.
    ZeroWatchdog,
    /// The longest lifetime is zero.
    ZeroLifetime,
    /// The mailbox has no room for any message.
    ZeroCapacity,
    /// The time in quarantine is zero.
    ZeroQuarantine,
    /// The child is never restarted, so there is nothing that a quarantine could end with.
    QuarantineInVain,
    /// A permanent child cannot be significant: it never ends for good by itself (row 44).
    SignificantPermanent,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyId => "the id is empty",
            Self::NeedsItself => "the child depends on itself",
            Self::ZeroPeriod => "the period of the child's budget is zero",
            Self::Backoff => {
                "the back-off's longest delay is shorter than its first one, or its factor is zero"
            }
            Self::ZeroWatchdog => "the watchdog's limit is zero",
            Self::ZeroLifetime => "the longest lifetime is zero",
            Self::ZeroCapacity => "the mailbox has no room for any message",
            Self::ZeroQuarantine => "the time in quarantine is zero",
            Self::QuarantineInVain => "a child that is never restarted cannot be in quarantine",
            Self::SignificantPermanent => "a permanent child cannot be significant",
        })
    }
}

impl Error for SpecError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Intensity;

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
    fn what_contradicts_itself_is_named() {
        let (zero, second) = (Duration::ZERO, Duration::from_secs(1));
        let spec = || ChildSpec::worker().id("a");
        let transient = || spec().restart(RestartType::Transient);
        let within = |period| RestartPolicy::Within(Intensity::new(1, period));
        let quarantine = Quarantine::new(second, second);
        for (spec, expected) in [
            (spec(), Ok(())),
            (spec().id(""), Err(SpecError::EmptyId)),
            (spec().depends_on("b"), Ok(())),
            (spec().depends_on("b").depends_on("a"), Err(SpecError::NeedsItself)),
            (spec().policy(within(second)), Ok(())),
            (spec().policy(within(zero)), Err(SpecError::ZeroPeriod)),
            (spec().backoff(Backoff::linear(second, zero)), Err(SpecError::Backoff)),
            (spec().watchdog(second), Ok(())),
            (spec().watchdog(zero), Err(SpecError::ZeroWatchdog)),
            (spec().max_lifetime(zero), Err(SpecError::ZeroLifetime)),
            (spec().capacity(1), Ok(())),
            (spec().capacity(0), Err(SpecError::ZeroCapacity)),
            (spec().quarantine(quarantine), Ok(())),
            (spec().quarantine(Quarantine::new(zero, second)), Err(SpecError::ZeroQuarantine)),
            (
                spec().quarantine(quarantine).restart(RestartType::Temporary),
                Err(SpecError::QuarantineInVain),
            ),
            (
                spec().quarantine(quarantine).policy(RestartPolicy::Never),
                Err(SpecError::QuarantineInVain),
            ),
            (transient().significant(true), Ok(())),
            (spec().significant(true), Err(SpecError::SignificantPermanent)),
        ] {
            assert_eq!(spec.validate(), expected, "{spec:?}");
        }
        assert_eq!(SpecError::EmptyId.to_string(), "the id is empty");
    }

    #[test]
    fn row_003_a_supervisor_gets_all_the_time_it_needs() {
        assert_eq!(ChildSpec::supervisor().shutdown, Shutdown::Infinity);
        assert_eq!(ChildSpec::supervisor().kind, ChildKind::Supervisor);
    }
}
