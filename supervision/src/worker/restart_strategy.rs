//! [`RestartStrategy`]: what a supervisor does about failures, in one value.

use crate::plan::{Intensity, Shutdown, Strategy};
use std::time::Duration;

/// Who is restarted when a child fails: one name for it among the words of plain futures.
pub type RestartMode = Strategy;

/// How a child is stopped: one name for it among the words of plain futures.
pub type ShutdownStrategy = Shutdown;

/// Who is restarted when a child fails, and how often that is borne. Default: OTP's, one-for-one, one restart in five seconds.
///
/// # Examples
/// ```
/// use bastion_supervision::{RestartMode, RestartStrategy, Supervisor};
/// use std::time::Duration;
/// let strategy = RestartStrategy::new(RestartMode::OneForAll, 3, Duration::from_secs(10));
/// let store = Supervisor::new("store").restart_strategy(strategy);
/// assert_eq!(RestartStrategy::default().intensity, 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RestartStrategy {
    /// Who is restarted.
    pub mode: RestartMode,
    /// How many restarts are borne in any `period`; with 0 the first failure is one too many.
    pub intensity: u32,
    /// The length of the rolling window; must not be zero.
    pub period: Duration,
}

impl RestartStrategy {
    /// Returns the strategy of at most `intensity` restarts in any `period`.
    pub const fn new(mode: RestartMode, intensity: u32, period: Duration) -> Self {
        Self { mode, intensity, period }
    }
}

impl Default for RestartStrategy {
    fn default() -> Self {
        let Intensity { max, period } = Intensity::default();
        Self::new(RestartMode::default(), max, period)
    }
}
