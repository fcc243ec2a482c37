//! The rules of a supervisor, as bastion 0.4 says them and as the engine does.

use bastion_supervision::plan::{
    self, AutoShutdown, Backoff, Intensity, Order, Settings, Strategy,
};
use std::time::Duration;

/// Who is restarted when an element of a supervisor fails.
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// fn shop(supervisor: Supervisor) -> Supervisor {
///     supervisor.with_strategy(SupervisionStrategy::RestForOne)
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub enum SupervisionStrategy {
    /// Only what failed: of a group, the child that did. The default.
    #[default]
    OneForOne,
    /// All elements, those that have stopped too: they are stopped in reverse, then started in the order in which they were added.
    OneForAll,
    /// The element that failed and all that were added after it, likewise.
    RestForOne,
}

impl SupervisionStrategy {
    fn is_one_for_one(&self) -> bool {
        matches!(self, SupervisionStrategy::OneForOne)
    }
}

impl From<&SupervisionStrategy> for Strategy {
    fn from(strategy: &SupervisionStrategy) -> Self {
        match strategy {
            SupervisionStrategy::OneForOne => Strategy::OneForOne,
            SupervisionStrategy::OneForAll => Strategy::OneForAll,
            SupervisionStrategy::RestForOne => Strategy::RestForOne,
        }
    }
}

/// How often what failed is restarted, over its whole life.
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// let restart = RestartStrategy::default().with_restart_policy(RestartPolicy::Tries(3));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RestartPolicy {
    /// Always. The default.
    #[default]
    Always,
    /// Never: it is removed.
    Never,
    /// So many times. The failure after that removes it.
    Tries(usize),
}

/// How long what failed waits for its restart.
///
/// Failures are counted over its whole life. Without a delay, what fails again and again is spaced out all the same: the first restart is at once, those
/// after it wait 1 ms, 2 ms, 4 ms, up to a second, until it has run for a second.
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// use std::time::Duration;
/// let ms = Duration::from_millis;
/// let linear = ActorRestartStrategy::LinearBackOff { timeout: ms(100) };
/// assert_eq!([0, 1, 99].map(|n| linear.calculate(n)), [100, 200, 10_000].map(|n| Some(ms(n))));
/// let steeper = ActorRestartStrategy::ExponentialBackOff { timeout: ms(100), multiplier: 5.0 };
/// assert_eq!([0, 1, 99].map(|n| steeper.calculate(n)), [100, 600, 49_600].map(|n| Some(ms(n))));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ActorRestartStrategy {
    /// It does not wait. The default.
    #[default]
    Immediate,
    /// It waits the timeout, twice the timeout, three times the timeout, and so on.
    LinearBackOff {
        /// The first delay, and how much longer each is than the one before.
        timeout: Duration,
    },
    /// It waits the timeout, and each time longer by the timeout times the multiplier: whatever its name says, that is linear. With 1 it is the linear one, with 0 the
    /// delay is always the timeout. One that doubles: see [`RestartStrategy::with_backoff`].
    ExponentialBackOff {
        /// The first delay.
        timeout: Duration,
        /// How many times the timeout each delay is longer than the one before. Below 0 it is taken for 0.
        multiplier: f64,
    },
}

impl ActorRestartStrategy {
    /// Returns the delay of a restart before which there were so many; `None`: there is none.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// let second = std::time::Duration::from_secs(1);
    /// let linear = ActorRestartStrategy::LinearBackOff { timeout: second };
    /// assert_eq!(linear.calculate(2), Some(3 * second));
    /// assert_eq!(ActorRestartStrategy::Immediate.calculate(2), None);
    /// ```
    pub fn calculate(&self, restarts_count: usize) -> Option<Duration> {
        let n = u32::try_from(restarts_count).unwrap_or(u32::MAX);
        self.growth().map(|(first, step)| first.saturating_add(step.saturating_mul(n)))
    }

    /// The first delay, and how much longer each is than the one before.
    fn growth(&self) -> Option<(Duration, Duration)> {
        match *self {
            ActorRestartStrategy::Immediate => None,
            ActorRestartStrategy::LinearBackOff { timeout } => Some((timeout, timeout)),
            ActorRestartStrategy::ExponentialBackOff { timeout, multiplier } => {
                let seconds = timeout.as_secs_f64() * multiplier;
                let step = Duration::try_from_secs_f64(seconds);
                let longest = if seconds > 0.0 { Duration::MAX } else { Duration::ZERO };
                Some((timeout, step.unwrap_or(longest)))
            }
        }
    }
}

/// How often, and after how long, what failed is restarted.
///
/// # Examples
/// ```
/// use bastion_classic::prelude::*;
/// let restart = RestartStrategy::new(RestartPolicy::Tries(3), ActorRestartStrategy::Immediate);
/// let shop = |supervisor: Supervisor| supervisor.with_restart_strategy(restart);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RestartStrategy {
    policy: RestartPolicy,
    strategy: ActorRestartStrategy,
    /// Instead of the strategy.
    backoff: Option<Backoff>,
}

impl RestartStrategy {
    /// Makes one of both parts.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// let restart = RestartStrategy::new(RestartPolicy::Tries(3), ActorRestartStrategy::Immediate);
    /// assert_eq!(restart.strategy(), ActorRestartStrategy::Immediate);
    /// ```
    pub fn new(restart_policy: RestartPolicy, strategy: ActorRestartStrategy) -> Self {
        RestartStrategy { policy: restart_policy, strategy, backoff: None }
    }

    /// Returns how often.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// assert_eq!(RestartStrategy::default().restart_policy(), RestartPolicy::Always);
    /// ```
    pub fn restart_policy(&self) -> RestartPolicy {
        self.policy.clone()
    }

    /// Returns after how long.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// assert_eq!(RestartStrategy::default().strategy(), ActorRestartStrategy::Immediate);
    /// ```
    pub fn strategy(&self) -> ActorRestartStrategy {
        self.strategy.clone()
    }

    /// Sets how often.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// let restart = RestartStrategy::default().with_restart_policy(RestartPolicy::Never);
    /// assert_eq!(restart.restart_policy(), RestartPolicy::Never);
    /// ```
    pub fn with_restart_policy(mut self, restart_policy: RestartPolicy) -> Self {
        self.policy = restart_policy;
        self
    }

    /// Sets after how long.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// let timeout = std::time::Duration::from_millis(100);
    /// let linear = ActorRestartStrategy::LinearBackOff { timeout };
    /// let restart = RestartStrategy::default().with_actor_restart_strategy(linear.clone());
    /// assert_eq!(restart.strategy(), linear);
    /// ```
    pub fn with_actor_restart_strategy(mut self, strategy: ActorRestartStrategy) -> Self {
        self.strategy = strategy;
        self.backoff = None;
        self
    }

    /// Sets after how long, by any of the engine's back-offs, instead of the [strategy](RestartStrategy::strategy): one that is exponential, has a
    /// limit, or is forgotten after a good run. The API of 0.4 had none of these.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::prelude::*;
    /// use bastion_supervision::plan::Backoff;
    /// use std::time::Duration;
    /// let doubling = Backoff::exponential(Duration::from_millis(100), 2, Duration::from_secs(10));
    /// let shop = |supervisor: Supervisor| {
    ///     supervisor.with_restart_strategy(RestartStrategy::default().with_backoff(doubling))
    /// };
    /// ```
    pub fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = Some(backoff);
        self
    }

    pub(crate) fn policy(&self) -> plan::RestartPolicy {
        match self.policy {
            RestartPolicy::Always => plan::RestartPolicy::Always,
            RestartPolicy::Never => plan::RestartPolicy::Never,
            RestartPolicy::Tries(tries) => {
                plan::RestartPolicy::Tries(u32::try_from(tries).unwrap_or(u32::MAX))
            }
        }
    }

    pub(crate) fn backoff(&self) -> Backoff {
        if let Some(backoff) = self.backoff {
            return backoff;
        }
        match self.strategy.growth() {
            // The supervisor has the storm guard for those that have none.
            None => Backoff::immediate(),
            // Counted over the whole life.
            Some((first, step)) => {
                Backoff::linear_from(first, step, Duration::MAX).healthy_after(Duration::MAX)
            }
        }
    }
}

/// Under the strategies that restart elements as a whole, a group fails with its first child that does.
fn intensity(above: &SupervisionStrategy) -> Option<Intensity> {
    (!above.is_one_for_one()).then_some(Intensity::new(0, Duration::from_secs(1)))
}

/// The rules of a group of children below a supervisor with this strategy.
pub(crate) fn group_settings(above: &SupervisionStrategy) -> Settings {
    Settings::default()
        .order(Order::Unordered)
        .intensity(intensity(above))
        .auto_shutdown(AutoShutdown::WhenEmpty)
        .backoff(Backoff::storm_guard())
}

/// The rules of a supervisor with this strategy.
pub(crate) fn supervisor_settings(strategy: &SupervisionStrategy) -> Settings {
    Settings::default().strategy(strategy.into()).intensity(None).backoff(Backoff::storm_guard())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_3_5_the_engines_back_off_has_the_pinned_numbers() {
        let timeout = Duration::from_millis(100);
        let exponential =
            |multiplier| ActorRestartStrategy::ExponentialBackOff { timeout, multiplier };
        for strategy in [
            ActorRestartStrategy::Immediate,
            ActorRestartStrategy::LinearBackOff { timeout },
            exponential(0.0),
            exponential(1.0),
            exponential(5.0),
            exponential(0.5),
            exponential(-1.0),
            exponential(f64::NAN),
        ] {
            let backoff = RestartStrategy::new(RestartPolicy::Always, strategy.clone()).backoff();
            for n in [0, 1, 2, 99] {
                let delay = strategy.calculate(n as usize).unwrap_or_default();
                assert_eq!(backoff.delay(n), delay, "{strategy:?} {n}");
            }
        }
        assert_eq!(exponential(f64::INFINITY).calculate(1), Some(Duration::MAX));
        assert_eq!(exponential(0.0).calculate(99), Some(timeout));
    }
}
