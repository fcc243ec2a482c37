//! Ticks at regular times.

use crate::timer::{Sleep, now, sleep_until};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// In a second.
const NANOS: u128 = 1_000_000_000;

/// What happens to ticks that nobody has taken in time. The words are tokio's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTicks {
    /// They come at once, one after the other, until the interval has caught up.
    #[default]
    Burst,
    /// They are left out, and the next tick comes one period after the late one was taken.
    Delay,
    /// They are left out, and the next tick comes when one was due anyway: a multiple of the period after the start.
    Skip,
}

/// A series of ticks. Dropping it takes its timer back.
#[derive(Debug)]
pub struct Interval {
    period: Duration,
    missed: MissedTicks,
    /// When the next tick is due; `None`: beyond what the clock can tell.
    next: Option<Instant>,
    /// The timer of the next tick.
    timer: Sleep,
}

/// Ticks now, and then once every `period`.
///
/// # Panics
/// When the period is zero.
///
/// # Examples
/// ```
/// use bastion_executor::{interval, run};
/// use std::time::{Duration, Instant};
/// let start = Instant::now();
/// run(async {
///     let mut ticks = interval(Duration::from_millis(5));
///     for _ in 0..3 {
///         ticks.tick().await;
///     }
/// });
/// assert!(start.elapsed() >= Duration::from_millis(10));
/// ```
pub fn interval(period: Duration) -> Interval {
    interval_at(now(), period)
}

/// Ticks at `start`, and then once every `period`.
///
/// # Panics
/// When the period is zero.
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(!period.is_zero(), "the period of an interval is not zero");
    let missed = MissedTicks::default();
    Interval { period, missed, next: Some(start), timer: sleep_until(start) }
}

impl Interval {
    /// Sets what happens to ticks that nobody has taken in time. Default: [`MissedTicks::Burst`].
    #[must_use]
    pub fn missed_ticks(mut self, missed: MissedTicks) -> Interval {
        self.missed = missed;
        self
    }

    /// Waits for the next tick, and returns when it was due.
    ///
    /// # Panics
    /// As [`sleep`](crate::sleep) does.
    ///
    /// # Cancel safety
    /// Dropping the future takes no tick.
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// Polls for the next tick; [`tick`](Interval::tick) in the form that streams are made of.
    ///
    /// # Panics
    /// As [`sleep`](crate::sleep) does.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        let Some(due) = self.next else { return Poll::Pending };
        ready!(Pin::new(&mut self.timer).poll(cx));
        self.next = following(due, now(), self.period, self.missed);
        if let Some(next) = self.next {
            self.timer = sleep_until(next);
        }
        Poll::Ready(due)
    }

    /// Lets the next tick come one period from now, whatever came before.
    pub fn reset(&mut self) {
        self.next = now().checked_add(self.period);
        if let Some(next) = self.next {
            self.timer = sleep_until(next);
        }
    }

    /// Returns the period.
    pub fn period(&self) -> Duration {
        self.period
    }
}

/// Says when the tick after the one of `due`, which was taken `now`, is due.
fn following(due: Instant, now: Instant, period: Duration, missed: MissedTicks) -> Option<Instant> {
    let next = due.checked_add(period)?;
    if next > now {
        return Some(next);
    }
    match missed {
        MissedTicks::Burst => Some(next),
        MissedTicks::Delay => now.checked_add(period),
        MissedTicks::Skip => {
            let over = (now - due).as_nanos() % period.as_nanos();
            // Less than a period, so it fits.
            let over = Duration::new((over / NANOS) as u64, (over % NANOS) as u32);
            now.checked_add(period - over)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(10);

    /// Checks when the next tick comes after one that was due at 0 and was taken at `taken`, all in seconds.
    fn check(missed: MissedTicks, taken: u64, next: u64) {
        let due = Instant::now();
        let at = |seconds| due + Duration::from_secs(seconds);
        assert_eq!(following(due, at(taken), PERIOD, missed), Some(at(next)), "{missed:?} {taken}");
    }

    #[test]
    fn the_next_tick_follows_from_when_the_last_was_due_and_taken() {
        use MissedTicks::{Burst, Delay, Skip};
        for missed in [Burst, Delay, Skip] {
            check(missed, 0, 10);
            check(missed, 9, 10);
        }
        for (taken, burst, delay, skip) in
            [(10, 10, 20, 20), (11, 10, 21, 20), (25, 10, 35, 30), (40, 10, 50, 50)]
        {
            check(Burst, taken, burst);
            check(Delay, taken, delay);
            check(Skip, taken, skip);
        }
    }

    #[test]
    fn a_tick_beyond_the_clock_never_comes() {
        let now = Instant::now();
        for missed in [MissedTicks::Burst, MissedTicks::Delay, MissedTicks::Skip] {
            assert_eq!(following(now, now, Duration::MAX, missed), None);
        }
    }
}
