//! How long a failed child waits before it is started again. Pure arithmetic: the random number comes in.

use std::time::Duration;

/// The storm guard's first wait.
const STORM_STEP: Duration = Duration::from_millis(1);
/// The storm guard's longest wait, and the run after which a child counts as healthy again.
const STORM_MAX: Duration = Duration::from_secs(1);

/// The delay between a child's failure and its restart.
///
/// Delays grow with the number of consecutive failures. A run that was long enough
/// ([`Backoff::healthy_after`]) ends the row: the next failure counts as the first. OTP has no
/// back-off ([`Backoff::immediate`], the default); the numbers of the exponential one are Akka's.
///
/// # Examples
/// ```
/// use bastion_supervision::plan::Backoff;
/// use std::time::Duration;
/// const S: Duration = Duration::from_secs(1);
/// let backoff = Backoff::exponential(3 * S, 2, 30 * S).jitter(20);
/// assert_eq!([0, 1, 2, 3, 4].map(|n| backoff.delay(n).as_secs()), [3, 6, 12, 24, 30]);
/// assert!(backoff.jittered(4, u64::MAX) <= 36 * S);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Backoff {
    growth: Growth,
    max: Duration,
    healthy_after: Duration,
    jitter_percent: u32,
}

/// How delays grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Growth {
    None,
    Linear { initial: Duration, step: Duration },
    Exponential { initial: Duration, factor: u32 },
    StormGuard,
}

impl Backoff {
    /// Returns the back-off without any delay: OTP's behaviour.
    pub const fn immediate() -> Self {
        Self::new(Growth::None, Duration::ZERO, Duration::ZERO)
    }

    /// Returns one that waits `step`, twice `step`, three times `step`, … up to `max`.
    pub fn linear(step: Duration, max: Duration) -> Self {
        Self::linear_from(step, step, max)
    }

    /// Returns one that waits `initial`, and `step` longer each time, up to `max`.
    pub fn linear_from(initial: Duration, step: Duration, max: Duration) -> Self {
        Self::new(Growth::Linear { initial, step }, max, middle(initial, max))
    }

    /// Returns one that waits `initial`, then `factor` times the delay before, up to `max`; with
    /// the factor 1 the delay is constant.
    pub fn exponential(initial: Duration, factor: u32, max: Duration) -> Self {
        Self::new(Growth::Exponential { initial, factor }, max, middle(initial, max))
    }

    /// Returns one that never gives up and never spins: the first restart at once, then 1 ms,
    /// 2 ms, 4 ms, … up to 1 s, until the child has run for 1 s.
    pub const fn storm_guard() -> Self {
        Self::new(Growth::StormGuard, STORM_MAX, STORM_MAX)
    }

    const fn new(growth: Growth, max: Duration, healthy_after: Duration) -> Self {
        Self { growth, max, healthy_after, jitter_percent: 0 }
    }

    /// Sets how long a run ends the row of failures. Default: the middle between the first delay
    /// and the longest, as Akka (row 300); for the storm guard one second.
    #[must_use]
    pub const fn healthy_after(mut self, run: Duration) -> Self {
        self.healthy_after = run;
        self
    }

    /// Sets how much longer than computed a delay may be by chance, in percent of it. Default: 0.
    ///
    /// Children that failed together then do not come back together. The random part is added to
    /// the capped delay, so it may pass the longest one (row 272).
    #[must_use]
    pub const fn jitter(mut self, percent: u32) -> Self {
        self.jitter_percent = percent;
        self
    }

    /// Returns the delay before the restart that follows a failure, without its random part, when
    /// `consecutive_failures` others came before that failure without a healthy run in between.
    ///
    /// So `delay(0)` is the delay of the first restart. The result saturates at the longest delay,
    /// whatever the numbers.
    pub fn delay(&self, consecutive_failures: u32) -> Duration {
        match self.growth {
            Growth::None => Duration::ZERO,
            Growth::Linear { initial, step } => {
                let grown = step.as_nanos().checked_mul(u128::from(consecutive_failures));
                let sum = grown.and_then(|grown| grown.checked_add(initial.as_nanos()));
                capped(sum, self.max)
            }
            Growth::Exponential { initial, factor } => {
                grown(initial, factor, consecutive_failures, self.max)
            }
            Growth::StormGuard => match consecutive_failures.checked_sub(1) {
                None => Duration::ZERO,
                Some(doublings) => grown(STORM_STEP, 2, doublings, self.max),
            },
        }
    }

    /// Returns the delay with its random part: evenly between nothing and the whole of
    /// [`Backoff::jitter`], as `random` lies between 0 and `u64::MAX`.
    pub fn jittered(&self, consecutive_failures: u32, random: u64) -> Duration {
        let delay = self.delay(consecutive_failures);
        if self.jitter_percent == 0 {
            return delay;
        }
        let most = delay.as_nanos().saturating_mul(u128::from(self.jitter_percent)) / 100;
        // The upper 64 bits of `most * random`, in two halves that cannot overflow.
        let random = u128::from(random);
        let part = (most >> 64) * random + (((most & u128::from(u64::MAX)) * random) >> 64);
        delay.saturating_add(capped(Some(part), Duration::MAX))
    }

    /// Returns whether a run of this length ends the row of failures.
    pub(super) fn is_healthy(&self, run: Duration) -> bool {
        run >= self.healthy_after
    }

    /// Returns whether the longest delay is at least the first one.
    pub(super) fn is_consistent(&self) -> bool {
        match self.growth {
            Growth::None | Growth::StormGuard => true,
            Growth::Linear { initial, .. } => initial <= self.max,
            Growth::Exponential { initial, factor } => initial <= self.max && factor > 0,
        }
    }
}

/// No delay, as OTP.
impl Default for Backoff {
    fn default() -> Self {
        Self::immediate()
    }
}

fn middle(first: Duration, max: Duration) -> Duration {
    first + max.saturating_sub(first) / 2
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
        Backoff::exponential(initial, 2, max)
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
    fn row_272_the_random_part_is_added_to_the_capped_delay() {
        let backoff = doubling(S, 8 * S).jitter(50);
        for (failures, random, ms) in [
            (0, 0, 1000),
            (0, 1 << 63, 1250),
            (1, 1 << 62, 2250),
            (9, 0, 8000),
            (9, 1 << 63, 10_000),
        ] {
            assert_eq!(backoff.jittered(failures, random).as_millis(), ms, "{failures} {random}");
        }
        let most = backoff.jittered(0, u64::MAX);
        assert!(most < S * 3 / 2 && most > S * 3 / 2 - Duration::from_nanos(2), "{most:?}");
        assert_eq!(doubling(S, S).jittered(0, u64::MAX), S, "none was asked for");
        let all = doubling(Duration::MAX, Duration::MAX).jitter(u32::MAX);
        assert_eq!(all.jittered(u32::MAX, u64::MAX), Duration::MAX);
    }

    #[test]
    fn row_273_five_failures() {
        let backoff = doubling(3 * S, 30 * S).jitter(20);
        for (failures, seconds) in [3, 6, 12, 24, 30, 30].into_iter().enumerate() {
            let failures = failures as u32;
            assert_eq!(backoff.delay(failures).as_secs(), seconds);
            let most = backoff.jittered(failures, u64::MAX);
            assert!(most <= Duration::from_secs(seconds) * 6 / 5, "{most:?}");
        }
    }

    #[test]
    fn row_300_a_run_of_the_middle_length_is_healthy() {
        let is_healthy = |ms| doubling(S, 9 * S).is_healthy(Duration::from_millis(ms));
        assert!(!is_healthy(4999) && is_healthy(5000));
        assert!(Backoff::linear(S, 9 * S).is_healthy(5 * S));
        assert!(!Backoff::linear(S, 9 * S).healthy_after(6 * S).is_healthy(5 * S));
        assert!(Backoff::linear(S, Duration::MAX).is_healthy(Duration::MAX));
    }

    #[test]
    fn linear_delays_grow_by_the_step_and_saturate() {
        let delays = (0..5).map(|n| Backoff::linear(2 * S, 7 * S).delay(n).as_secs());
        assert_eq!(delays.collect::<Vec<_>>(), [2, 4, 6, 7, 7]);
        let longest = Backoff::linear(Duration::MAX, Duration::MAX);
        assert_eq!(longest.delay(u32::MAX), Duration::MAX);
        assert_eq!(Backoff::linear(S, Duration::ZERO).delay(3), Duration::ZERO);
    }

    #[test]
    fn the_factor_one_is_constant() {
        let constant = Backoff::exponential(2 * S, 1, 9 * S);
        assert_eq!([0, 1, 9].map(|n| constant.delay(n)), [2 * S, 2 * S, 2 * S]);
    }

    #[test]
    fn what_contradicts_itself_is_seen() {
        for (backoff, consistent) in [
            (Backoff::immediate(), true),
            (Backoff::storm_guard(), true),
            (Backoff::linear(S, S), true),
            (Backoff::linear(2 * S, S), false),
            (Backoff::exponential(S, 1, S), true),
            (Backoff::exponential(2 * S, 2, S), false),
            (Backoff::exponential(S, 0, S), false),
        ] {
            assert_eq!(backoff.is_consistent(), consistent, "{backoff:?}");
        }
    }

    #[test]
    fn the_storm_guard_is_immediate_once_then_doubles_to_a_second() {
        let millis: Vec<_> = (0..14).map(|n| Backoff::storm_guard().delay(n).as_millis()).collect();
        assert_eq!(millis, [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 1000, 1000]);
        assert_eq!(Backoff::storm_guard().delay(u32::MAX), S);
        assert!(Backoff::storm_guard().is_healthy(S) && !Backoff::storm_guard().is_healthy(S / 2));
        assert_eq!(Backoff::immediate().delay(u32::MAX), Duration::ZERO);
    }
}
