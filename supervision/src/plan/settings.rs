//! What a supervisor is told about itself.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::backoff::Backoff;
use super::intensity::Intensity;

/// Who is restarted when a child fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Strategy {
    /// Only the child that failed.
    #[default]
    OneForOne,
    /// All children: stopped in reverse order, then started in order.
    OneForAll,
    /// The child that failed and those after it, likewise.
    RestForOne,
}

/// Whether the order of the children means anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Order {
    /// Children start one after another, each when the one before is ready, and stop in reverse.
    #[default]
    Ordered,
    /// A dynamic supervisor (`simple_one_for_one`): its children start at once, stop in parallel,
    /// and leave the table as soon as they are not to run.
    Unordered,
}

/// Whether a supervisor ends when its significant children have (OTP's `auto_shutdown`).
///
/// A significant child counts when it ends by itself and is not restarted; not when it was asked to stop, or is stopped because a
/// sibling failed. The supervisor then stops the others and ends by `Shutdown`, as if it had been asked to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum AutoShutdown {
    /// It does not. No child may be significant then.
    #[default]
    Never,
    /// It ends with the first significant child.
    AnySignificant,
    /// It ends with the last significant child. One that is being restarted has not ended.
    AllSignificant,
    /// It ends when it has no child any more, significant or not, however they have left: they ended and are not kept, were
    /// stopped, or have used up their restarts. One that has not had any waits for its first.
    WhenEmpty,
}

/// The rules of one supervisor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Settings {
    /// Who is restarted when a child fails.
    pub strategy: Strategy,
    /// Whether the order of the children means anything.
    pub order: Order,
    /// How many restarts the supervisor bears before it gives up; `None`: any number.
    pub intensity: Option<Intensity>,
    /// How long after its kill a child that never yields is abandoned.
    pub kill_grace: Duration,
    /// Whether the supervisor ends when its significant children have.
    pub auto_shutdown: AutoShutdown,
    /// How many children it may have, running or not; `None`: any number.
    pub max_children: Option<u32>,
    /// The back-off of those children that have none of their own.
    pub backoff: Backoff,
}

impl Settings {
    /// Sets the strategy.
    #[must_use]
    pub const fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// Sets the order.
    #[must_use]
    pub const fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// Sets the restart intensity; `None`: any number of restarts.
    #[must_use]
    pub const fn intensity(mut self, intensity: Option<Intensity>) -> Self {
        self.intensity = intensity;
        self
    }

    /// Sets how long after its kill a child that never yields is abandoned.
    #[must_use]
    pub const fn kill_grace(mut self, kill_grace: Duration) -> Self {
        self.kill_grace = kill_grace;
        self
    }

    /// Sets whether the supervisor ends when its significant children have.
    #[must_use]
    pub const fn auto_shutdown(mut self, auto_shutdown: AutoShutdown) -> Self {
        self.auto_shutdown = auto_shutdown;
        self
    }

    /// Sets how many children the supervisor may have; `None`: any number.
    #[must_use]
    pub const fn max_children(mut self, max: Option<u32>) -> Self {
        self.max_children = max;
        self
    }

    /// Sets the back-off of those children that have none of their own.
    #[must_use]
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    ///
    /// The first value that makes no sense.
    pub fn validate(&self) -> Result<(), SettingsError> {
        if let Some(intensity) = self.intensity
            && intensity.period.is_zero()
        {
            return Err(SettingsError::InvalidPeriod(intensity.period));
        }
        if !self.backoff.is_consistent() {
            return Err(SettingsError::InvalidBackoff);
        }
        if self.order == Order::Unordered && self.strategy != Strategy::OneForOne {
            return Err(SettingsError::UnorderedStrategy(self.strategy));
        }
        Ok(())
    }
}

/// OTP's: one-for-one, one restart in five seconds; and one second of grace after a kill.
impl Default for Settings {
    fn default() -> Self {
        Self {
            strategy: Strategy::OneForOne,
            order: Order::Ordered,
            intensity: Some(Intensity::default()),
            kill_grace: Duration::from_secs(1),
            auto_shutdown: AutoShutdown::Never,
            max_children: None,
            backoff: Backoff::immediate(),
        }
    }
}

/// A value in [`Settings`] that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SettingsError {
    /// The intensity's period is zero (OTP: `invalid_period`).
    InvalidPeriod(Duration),
    /// An unordered supervisor cannot have this strategy: without an order there is no rest.
    UnorderedStrategy(Strategy),
    /// The back-off's longest delay is shorter than its first one, or its factor is zero.
    InvalidBackoff,
    /// The order cannot change once the supervisor is there.
    OrderIsFixed,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidPeriod(period) => write!(f, "invalid restart period: {period:?}"),
            Self::UnorderedStrategy(strategy) => {
                write!(f, "invalid strategy for an unordered supervisor: {strategy:?}")
            }
            Self::InvalidBackoff => f.write_str(
                "invalid back-off: its longest delay is shorter than its first one, or its factor is zero",
            ),
            Self::OrderIsFixed => f.write_str("whether a supervisor has an order cannot change"),
        }
    }
}

impl Error for SettingsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_001_the_defaults_are_otps() {
        let settings = Settings::default();
        assert_eq!(settings.strategy, Strategy::OneForOne);
        assert_eq!(settings.intensity, Some(Intensity::new(1, Duration::from_secs(5))));
        assert_eq!(settings.auto_shutdown, AutoShutdown::Never);
        assert_eq!(settings.validate(), Ok(()));
    }

    #[test]
    fn row_029_a_zero_period_is_refused() {
        let settings = Settings::default().intensity(Some(Intensity::new(3, Duration::ZERO)));
        let error = SettingsError::InvalidPeriod(Duration::ZERO);
        assert_eq!(settings.validate(), Err(error));
        assert_eq!(error.to_string(), "invalid restart period: 0ns");
        assert_eq!(settings.intensity(None).validate(), Ok(()));
    }

    #[test]
    fn an_unordered_supervisor_is_one_for_one() {
        for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
            let settings = Settings::default().order(Order::Unordered).strategy(strategy);
            assert_eq!(settings.validate(), Err(SettingsError::UnorderedStrategy(strategy)));
        }
        assert_eq!(Settings::default().order(Order::Unordered).validate(), Ok(()));
    }
}
