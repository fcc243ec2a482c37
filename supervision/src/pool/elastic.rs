//! [`Elastic`]: when a pool grows and shrinks. The decision is pure: `(rules, what is seen, now) -> how many come or go`.

use crate::plan::Time;
use std::ops::RangeInclusive;
use std::time::Duration;

/// When a pool with bounds ([`Pool::size`](crate::Pool::size)) grows and shrinks.
///
/// It looks every so often. It grows at once when too many messages wait, or when one had to wait too long, and shrinks when for a while
/// there was little to do for so many. Between the two nothing happens, so that it does not go up and down with every wave.
/// While a pool is as small as it may be and nothing waits, nobody looks: it costs nothing.
///
/// # Examples
/// ```
/// use bastion_supervision::Elastic;
/// use std::time::Duration;
/// let elastic = Elastic::new()
///     .every(Duration::from_millis(50))
///     .grow_above(3.0)
///     .grow_by(0.1)
///     .latency(Duration::from_millis(20))
///     .shrink_below(0.3)
///     .shrink_by(0.1)
///     .calm(Duration::from_secs(10));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "it does nothing until a pool is given it"]
pub struct Elastic {
    pub(super) period: Duration,
    grow_above: f64,
    grow_by: f64,
    pub(super) latency: Option<Duration>,
    shrink_below: f64,
    shrink_by: f64,
    calm: Duration,
}

impl Default for Elastic {
    fn default() -> Self {
        Elastic::new()
    }
}

impl Elastic {
    /// The rules that hold when nothing else is said: looks every 100 milliseconds; more than two messages waiting for each worker: half as many
    /// workers more; for five seconds fewer messages than half as many as workers, handled or waiting: a quarter of them fewer.
    pub fn new() -> Elastic {
        Elastic {
            period: Duration::from_millis(100),
            grow_above: 2.0,
            grow_by: 0.5,
            latency: None,
            shrink_below: 0.5,
            shrink_by: 0.25,
            calm: Duration::from_secs(5),
        }
    }

    /// Sets how often it looks, and so how often it can grow.
    ///
    /// # Panics
    /// When the period is zero.
    pub fn every(mut self, period: Duration) -> Self {
        assert!(!period.is_zero(), "a period is longer than zero");
        self.period = period;
        self
    }

    /// Grows when more messages wait than so many for each worker.
    ///
    /// # Panics
    /// When it is not a number, or negative.
    pub fn grow_above(mut self, messages: f64) -> Self {
        assert!(messages >= 0.0, "a number of messages is not negative");
        self.grow_above = messages;
        self
    }

    /// Sets how much it grows at a time: by this part of its size, rounded up.
    ///
    /// # Panics
    /// When it is not a number, or not positive.
    pub fn grow_by(mut self, part: f64) -> Self {
        assert!(part > 0.0, "it grows by something");
        self.grow_by = part;
        self
    }

    /// Grows also when a message that was taken since the last look had waited longer than this. It costs the senders a look at the clock for each
    /// message. Default: how long messages wait is not measured.
    pub fn latency(mut self, limit: Duration) -> Self {
        self.latency = Some(limit);
        self
    }

    /// Shrinks only while there are fewer messages, handled or waiting, than this part of the number of workers.
    ///
    /// # Panics
    /// When it is not a number, or negative.
    pub fn shrink_below(mut self, part: f64) -> Self {
        assert!(part >= 0.0, "a part is not negative");
        self.shrink_below = part;
        self
    }

    /// Sets how much it shrinks at a time: by this part of its size, rounded up.
    ///
    /// # Panics
    /// When it is not a number, or not positive.
    pub fn shrink_by(mut self, part: f64) -> Self {
        assert!(part > 0.0, "it shrinks by something");
        self.shrink_by = part;
        self
    }

    /// Sets how long it has to be calm before it shrinks, and before it shrinks again.
    pub fn calm(mut self, time: Duration) -> Self {
        self.calm = time;
        self
    }

    /// Returns what decides by these rules about a size between two bounds, for those who keep their workers themselves. It knows no clock, and no
    /// [`latency`](Elastic::latency).
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Elastic, Resize};
    /// use std::time::Duration;
    /// let rules = Elastic::new().every(Duration::from_secs(1)).calm(Duration::from_secs(1));
    /// let mut sizing = rules.sizing(1..=4);
    /// assert_eq!(sizing.decide(1, 1, 3), Resize::Grow(1));
    /// assert_eq!(sizing.decide(2, 0, 0), Resize::Stay, "not yet");
    /// assert_eq!(sizing.decide(2, 0, 0), Resize::Shrink(1));
    /// ```
    pub fn sizing(self, sizes: RangeInclusive<usize>) -> Sizing {
        let (min, max) = sizes.into_inner();
        Sizing { elastic: self, bounds: Bounds { min, max }, calm: Calm::default(), looks: 0 }
    }

    /// Decides, by what is seen now and how long it has been calm.
    pub(super) fn decide(&self, bounds: Bounds, calm: &mut Calm, seen: Seen, now: Time) -> Resize {
        let Bounds { min, max } = bounds;
        let size = seen.size;
        let crowded = seen.waiting as f64 > self.grow_above * size as f64;
        let late = self.latency.is_some_and(|limit| seen.longest_wait > limit);
        let quiet = ((seen.busy + seen.waiting) as f64) < self.shrink_below * size as f64;
        if !quiet || crowded || late {
            calm.since = None;
        }
        if size < min {
            return Resize::Grow(min - size);
        }
        if crowded || late {
            let more = part(self.grow_by, size).min(max.saturating_sub(size));
            return if more > 0 { Resize::Grow(more) } else { Resize::Stay };
        }
        if !quiet || size <= min {
            return Resize::Stay;
        }
        let since = *calm.since.get_or_insert(now);
        if now.since(since) < self.calm {
            return Resize::Stay;
        }
        calm.since = Some(now);
        Resize::Shrink(part(self.shrink_by, size).min(size - min))
    }
}

/// A part of a size, rounded up, at least one.
fn part(part: f64, size: usize) -> usize {
    // The cast saturates.
    ((part * size as f64).ceil() as usize).max(1)
}

/// How many workers there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) min: usize,
    pub(super) max: usize,
}

/// What a look at a pool has shown.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) size: usize,
    pub(super) busy: usize,
    pub(super) waiting: usize,
    /// How long a message had waited that was taken since the last look.
    pub(super) longest_wait: Duration,
}

/// Since when there is little to do.
#[derive(Debug, Default)]
pub(super) struct Calm {
    since: Option<Time>,
}

/// What is to be done about a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resize {
    /// Nothing.
    Stay,
    /// So many are to come.
    Grow(usize),
    /// So many are to go.
    Shrink(usize),
}

/// Decides as a pool does, for those who keep their workers themselves: see [`Elastic::sizing`].
#[derive(Debug)]
pub struct Sizing {
    elastic: Elastic,
    bounds: Bounds,
    calm: Calm,
    /// How often it was asked.
    looks: u32,
}

impl Sizing {
    /// Says what is to be done about `size` workers, of which so many are `busy`, and for which so many messages are `waiting`. It is to be asked
    /// once in each period of its rules. It never replaces those that have ended: fewer than the lower bound are as few as there may be.
    pub fn decide(&mut self, size: usize, busy: usize, waiting: usize) -> Resize {
        self.looks = self.looks.saturating_add(1);
        let now = Time::from_duration(self.elastic.period.saturating_mul(self.looks));
        let bounds = Bounds { min: self.bounds.min.min(size), ..self.bounds };
        let seen = Seen { size, busy, waiting, longest_wait: Duration::ZERO };
        self.elastic.decide(bounds, &mut self.calm, seen, now)
    }
}

#[cfg(test)]
mod tests {
    use super::Resize::{Grow, Shrink, Stay};
    use super::*;
    use proptest::prelude::*;

    const BOUNDS: Bounds = Bounds { min: 2, max: 10 };
    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u64) -> Time {
        Time::from_duration(seconds as u32 * SECOND)
    }

    fn seen(size: usize, busy: usize, waiting: usize) -> Seen {
        Seen { size, busy, waiting, longest_wait: Duration::ZERO }
    }

    fn once(elastic: &Elastic, seen: Seen) -> Resize {
        elastic.decide(BOUNDS, &mut Calm::default(), seen, at(0))
    }

    #[test]
    fn it_grows_when_too_many_wait_or_one_has_waited_too_long() {
        let elastic = Elastic::new();
        for (size, waiting, expected) in [
            (2, 4, Stay),
            (2, 5, Grow(1)),
            (3, 7, Grow(2)),
            (4, 9, Grow(2)),
            (8, 1000, Grow(2)),
            (10, 1000, Stay),
            (0, 0, Grow(2)),
            (1, 0, Grow(1)),
        ] {
            assert_eq!(once(&elastic, seen(size, size, waiting)), expected, "{size} {waiting}");
        }
        let late = Seen { longest_wait: SECOND, ..seen(4, 4, 1) };
        assert_eq!(once(&elastic, late), Stay, "nobody has asked");
        assert_eq!(once(&elastic.clone().latency(SECOND), late), Stay, "as long as it may");
        assert_eq!(once(&elastic.latency(SECOND / 2), late), Grow(2));
    }

    #[test]
    fn it_shrinks_after_a_calm_and_begins_anew_after_each_disturbance() {
        let (elastic, mut calm) = (Elastic::new(), Calm::default());
        let mut decide = |second, size, busy, waiting| {
            elastic.decide(BOUNDS, &mut calm, seen(size, busy, waiting), at(second))
        };
        assert_eq!(decide(0, 8, 1, 0), Stay);
        assert_eq!(decide(4, 8, 3, 0), Stay);
        assert_eq!(decide(5, 8, 1, 0), Shrink(2));
        assert_eq!(decide(6, 6, 1, 0), Stay, "not at once again");
        assert_eq!(decide(10, 6, 1, 0), Shrink(2));
        assert_eq!(decide(14, 4, 2, 0), Stay, "half are busy");
        assert_eq!(decide(15, 4, 1, 0), Stay, "so it begins anew");
        assert_eq!(decide(19, 4, 1, 1), Stay, "one waits");
        assert_eq!(decide(20, 4, 1, 0), Stay);
        assert_eq!(decide(25, 4, 1, 0), Shrink(1));
        assert_eq!(decide(30, 3, 0, 0), Shrink(1));
        assert_eq!(decide(60, 2, 0, 0), Stay, "no smaller");
    }

    proptest! {
        #[test]
        fn it_stays_within_its_bounds(
            size in 0..20_usize, busy in 0..20_usize, waiting in 0..100_usize, calm_for in 0..20_u64,
            grow_by in 0.01..5.0, shrink_by in 0.01..5.0,
        ) {
            let elastic = Elastic::new().grow_by(grow_by).shrink_by(shrink_by);
            let mut calm = Calm::default();
            elastic.decide(BOUNDS, &mut calm, seen(size, 0, 0), at(0));
            match elastic.decide(BOUNDS, &mut calm, seen(size, busy, waiting), at(calm_for)) {
                Stay => {}
                Grow(more) => prop_assert!(more > 0 && (size + more <= BOUNDS.max)),
                Shrink(fewer) => {
                    prop_assert!(fewer > 0 && size - fewer >= BOUNDS.min);
                    prop_assert!(busy + waiting < size.div_ceil(2) && calm_for >= 5);
                }
            }
        }
    }
}
