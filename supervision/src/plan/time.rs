//! A point in time that the caller supplies. Knows no clock.

use std::ops::Add;
use std::time::Duration;

/// A point in time, as the time passed since an arbitrary origin.
///
/// The plan never reads a clock: whoever drives it says what time it is, from a monotonic clock
/// (OTP measures the restart window with `erlang:monotonic_time`) or from a virtual one. It counts
/// nanoseconds, for 584 years. Sums saturate there, and differences at zero, so no duration that
/// a user may write can overflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The origin.
    pub const ZERO: Time = Time(0);

    /// The point where sums saturate. As a deadline: none.
    pub(crate) const FAR: Time = Time(u64::MAX);

    /// Returns the point in time that is `elapsed` after the origin.
    pub const fn from_duration(elapsed: Duration) -> Self {
        let nanos = elapsed.as_nanos();
        Self(if nanos < u64::MAX as u128 { nanos as u64 } else { u64::MAX })
    }

    /// Returns the time passed since the origin.
    pub const fn as_duration(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    pub(crate) const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Returns the time passed since `earlier`, and zero if that lies in the future.
    pub const fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Time;

    fn add(self, rest: Duration) -> Time {
        Time(self.0.saturating_add(Time::from_duration(rest).0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_differences_saturate() {
        let late = Time::ZERO + Duration::MAX;
        assert_eq!(late + Duration::from_nanos(1), late);
        assert_eq!(Time::ZERO.since(late), Duration::ZERO);
        assert!(late.since(Time::ZERO) > Duration::from_secs(500 * 365 * 24 * 3600));
        assert_eq!(Time::from_duration(Duration::from_secs(2)).as_duration().as_secs(), 2);
        assert_eq!((late + Duration::MAX).since(late), Duration::ZERO);
    }
}
