//! How long a failed child waits before it is started again. Pure arithmetic.

use std::time::Duration;

/// The storm guard's first wait.
const STORM_STEP: Duration = Duration::from_millis(1);
/// The storm guard's longest wait, and the run after which a child counts as healthy again.
const STORM_MAX: Duration = Duration::from_secs(1);

/// The delay between a child's failure and its restart.
///
/// Delays grow with the number of consecutive failures. A run of at least `healthy_after` ends
/// the row: the next failure counts as the first. OTP has no back-off ([`Backoff::Immediate`]);
/// the numbers of the exponential one are Akka's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backoff {
    /// No delay (OTP's behaviour, and the default).
    #[default]
    Immediate,
    /// `step`, twice `step`, three times `step`, … up to `max`.
    Linear {
        /// The first delay, and what each further failure adds.
        step: Duration,
        /// The longest delay.
        max: Duration,
        /// A run at least this long resets the count.
        healthy_after: Duration,
    },
    /// `initial`, then `factor` times the delay before, up to `max`.
    Exponential {
        /// The first delay.
        initial: Duration,
        /// What each further failure multiplies the delay by; with 1 the delay is constant.
        factor: u32,
        /// The longest delay.
        max: Duration,
        /// A run at least this long resets the count.
        healthy_after: Duration,
    },
    /// The first restart at once, then 1 ms, 2 ms, 4 ms, … up to 1 s; reset after a run of 1 s.
    StormGuard,
}

impl Backoff {
    /// Returns a back-off that never gives up and never spins.
    ///
    /// A single failure costs no delay. A child that keeps failing at once is spaced out, by 1 ms
    /// that doubles up to 1 s, until it has run for 1 s.
    pub const fn storm_guard() -> Self {
        Self::StormGuard
    }

    /// Returns the delay before the restart that follows a failure, when `consecutive_failures`
    /// others came before that failure without a healthy run in between.
    ///
    /// So `delay(0)` is the delay of the first restart. The result saturates at `max`, whatever
    /// the numbers.
    pub fn delay(&self, consecutive_failures: u32) -> Duration {
        match *self {
            Self::Immediate => Duration::ZERO,
            Self::Linear { step, max, .. } => {
                let steps = u128::from(consecutive_failures) + 1;
                capped(step.as_nanos().checked_mul(steps), max)
            }
            Self::Exponential { initial, factor, max, .. } => {
                grown(initial, factor, consecutive_failures, max)
            }
            Self::StormGuard => match consecutive_failures.checked_sub(1) {
                None => Duration::ZERO,
                Some(doublings) => grown(STORM_STEP, 2, doublings, STORM_MAX),
            },
        }
    }

    /// Returns how long a run resets the count of consecutive failures.
    pub const fn healthy_after(&self) -> Duration {
        match *self {
            Self::Immediate => Duration::ZERO,
            Self::Linear { healthy_after, .. } | Self::Exponential { healthy_after, .. } => {
                healthy_after
            }
            Self::StormGuard => STORM_MAX,
        }
    }
}

/// Returns `initial · factor^times`, at most `max`.
fn grown(initial: Duration, factor: u32, times: u32, max: Duration) -> Duration {
    if initial.is_zero() {
        return Duration::ZERO;
    }
    let product = u128::from(factor).checked_pow(times);
    capped(product.and_then(|power| power.checked_mul(initial.as_nanos())), max)
}

/// Returns so many nanoseconds (`None`: more than can be counted), at most `max`.
fn capped(nanos: Option<u128>, max: Duration) -> Duration {
    const PER_SECOND: u128 = 1_000_000_000;
    match nanos {
        Some(nanos) if nanos < max.as_nanos() => {
            // Both conversions hold: the value is below `max`, a `Duration`.
            let seconds = u64::try_from(nanos / PER_SECOND).unwrap_or(u64::MAX);
            let rest = u32::try_from(nanos % PER_SECOND).unwrap_or(0);
            Duration::new(seconds, rest)
        }
        _ => max,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);
    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn doubling(initial: Duration, max: Duration) -> Backoff {
        Backoff::Exponential { initial, factor: 2, max, healthy_after: S }
    }

    #[test]
    fn row_271_exponential_delays_are_akkas() {
        let minute = 60 * S;
        for (failures, min, max, expected) in [
            (0, Duration::ZERO, Duration::ZERO, Duration::ZERO),
            (0, 5 * minute, 7 * minute, 5 * minute),
            (2, 5 * S, 7 * S, 7 * S),
            (2, 5 * S, 7 * DAY, 20 * S),
            (29, 5 * minute, 10 * minute, 10 * minute),
            (29, 10_000 * DAY, 10_000 * DAY, 10_000 * DAY),
            (i32::MAX as u32, 10_000 * DAY, 10_000 * DAY, 10_000 * DAY),
            (u32::MAX, Duration::MAX, Duration::MAX, Duration::MAX),
            (40, Duration::from_nanos(1), Duration::MAX, Duration::from_nanos(1 << 40)),
        ] {
            assert_eq!(doubling(min, max).delay(failures), expected, "{failures} {min:?} {max:?}");
        }
    }

    #[test]
    fn row_273_five_failures_without_the_random_part() {
        let delays = (0..6).map(|n| doubling(3 * S, 30 * S).delay(n).as_secs());
        assert_eq!(delays.collect::<Vec<_>>(), [3, 6, 12, 24, 30, 30]);
    }

    #[test]
    fn linear_delays_grow_by_the_step_and_saturate() {
        let linear = |step, max| Backoff::Linear { step, max, healthy_after: S };
        let delays = (0..5).map(|n| linear(2 * S, 7 * S).delay(n).as_secs());
        assert_eq!(delays.collect::<Vec<_>>(), [2, 4, 6, 7, 7]);
        assert_eq!(linear(Duration::MAX, Duration::MAX).delay(u32::MAX), Duration::MAX);
        assert_eq!(linear(S, Duration::ZERO).delay(3), Duration::ZERO);
    }

    #[test]
    fn factors_zero_and_one() {
        let factor =
            |factor| Backoff::Exponential { initial: 2 * S, factor, max: 9 * S, healthy_after: S };
        assert_eq!([0, 1, 9].map(|n| factor(1).delay(n)), [2 * S, 2 * S, 2 * S]);
        assert_eq!([0, 1, 9].map(|n| factor(0).delay(n)), [2 * S, Duration::ZERO, Duration::ZERO]);
    }

    #[test]
    fn the_storm_guard_is_immediate_once_then_doubles_to_a_second() {
        let millis: Vec<_> = (0..14).map(|n| Backoff::storm_guard().delay(n).as_millis()).collect();
        assert_eq!(millis, [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 1000, 1000]);
        assert_eq!(Backoff::storm_guard().delay(u32::MAX), S);
        assert_eq!(Backoff::storm_guard().healthy_after(), S);
        assert_eq!(Backoff::Immediate.delay(u32::MAX), Duration::ZERO);
    }
}
