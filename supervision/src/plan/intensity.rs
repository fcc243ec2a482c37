//! OTP's restart intensity: how many restarts a supervisor bears in how much time.

use std::collections::VecDeque;
use std::time::Duration;

use super::time::Time;

/// At most `max` restarts in any `period`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Intensity {
    /// How many restarts are borne; with 0 the first failure is one too many.
    pub max: u32,
    /// The length of the rolling window; must not be zero.
    #[cfg_attr(feature = "serde", serde(rename = "period_ms", with = "crate::machines::millis"))]
    pub period: Duration,
}

impl Intensity {
    /// Returns the intensity of at most `max` restarts in any `period`.
    pub const fn new(max: u32, period: Duration) -> Self {
        Self { max, period }
    }
}

/// One restart in five seconds, as OTP.
impl Default for Intensity {
    fn default() -> Self {
        Self::new(1, Duration::from_secs(5))
    }
}

/// Whether one more restart is borne.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub enum Verdict {
    /// It is.
    Within,
    /// It is not: the supervisor gives up.
    Exceeded {
        /// How many restarts the window held, the one that is refused included.
        restarts: u32,
    },
}

/// The rolling window of a supervisor: when its last restarts were.
///
/// A restart counts as long as its time is at least `now − period`: the bound is inclusive, as
/// in `supervisor.erl`'s `add_restart`, which counts whole seconds where this is exact.
#[derive(Clone, Debug)]
pub struct Window {
    intensity: Intensity,
    restarts: VecDeque<Time>,
}

impl Window {
    /// Returns an empty window.
    pub const fn new(intensity: Intensity) -> Self {
        Self { intensity, restarts: VecDeque::new() }
    }

    /// Changes how many restarts are borne. Those that were counted stay so.
    pub fn change(&mut self, intensity: Intensity) {
        self.intensity = intensity;
    }

    /// Counts a restart at `now`, and says whether it is borne.
    ///
    /// One that is not borne does not happen, so it is not counted. Holds at most `max` times, all
    /// of them of the last period.
    pub fn record(&mut self, now: Time) -> Verdict {
        while self.restarts.front().is_some_and(|&at| now.since(at) > self.intensity.period) {
            self.restarts.pop_front();
        }
        let restarts = u32::try_from(self.restarts.len() + 1).unwrap_or(u32::MAX);
        if restarts > self.intensity.max {
            return Verdict::Exceeded { restarts };
        }
        self.restarts.push_back(now);
        Verdict::Within
    }

    /// Returns how many restarts count `now`.
    pub fn count(&self, now: Time) -> usize {
        let past = self.restarts.iter().take_while(|&&at| now.since(at) > self.intensity.period);
        self.restarts.len() - past.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records restarts at these milliseconds, and checks which of them are borne.
    fn check(max: u32, period_ms: u64, restarts: &[(u64, bool)]) {
        let mut window = Window::new(Intensity::new(max, Duration::from_millis(period_ms)));
        for &(at, within) in restarts {
            let verdict = window.record(Time::from_duration(Duration::from_millis(at)));
            assert_eq!(verdict == Verdict::Within, within, "{max} in {period_ms}: at {at}");
        }
    }

    #[test]
    fn row_063_slow_crashes_are_borne_for_ever() {
        check(1, 1000, &[(0, true), (2100, true), (4200, true), (6300, true)]);
    }

    #[test]
    fn row_064_one_too_many() {
        check(2, 10_000, &[(0, true), (1, true), (2, false)]);
    }

    #[test]
    fn row_065_zero_bears_none() {
        check(0, 1000, &[(0, false)]);
    }

    #[test]
    fn row_066_the_window_rolls() {
        check(2, 1000, &[(0, true), (900, true), (1001, true), (1900, false)]);
        check(2, 1000, &[(0, true), (1, true), (1002, true), (1003, true)]);
    }

    #[test]
    fn row_067_the_bound_is_inclusive() {
        check(1, 1000, &[(0, true), (1000, false)]);
        check(1, 1000, &[(0, true), (1001, true)]);
    }

    #[test]
    fn what_counts_is_what_the_next_restart_would_meet() {
        let at = |ms| Time::from_duration(Duration::from_millis(ms));
        let mut window = Window::new(Intensity::new(5, Duration::from_millis(1000)));
        for ms in [0, 500, 900] {
            assert_eq!(window.record(at(ms)), Verdict::Within);
        }
        assert_eq!([900, 1000, 1001, 1901].map(|ms| window.count(at(ms))), [3, 3, 2, 0]);
    }

    #[test]
    fn extremes() {
        let mut window = Window::new(Intensity::new(u32::MAX, Duration::MAX));
        assert_eq!(window.record(Time::ZERO), Verdict::Within);
        assert_eq!(window.record(Time::ZERO + Duration::MAX), Verdict::Within);
        let mut none = Window::new(Intensity::new(0, Duration::MAX));
        assert_eq!(none.record(Time::ZERO), Verdict::Exceeded { restarts: 1 });
        assert_eq!(none.record(Time::ZERO), Verdict::Exceeded { restarts: 1 });
    }
}
