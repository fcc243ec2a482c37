//! [`Meter`]: what one worker counts about itself, and how anybody reads it.
//!
//! One writer, the worker: a count is a relaxed load and a relaxed store, no locked instruction. It lies on the worker's own cache
//! lines, which others touch only in a reading. Knows no queue; knows the clock, and looks at it seldom: [`begin`](Meter::begin),
//! [`look`](Meter::look) and [`rest`](Meter::rest).

use super::WorkerMetrics;
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};
use std::time::{Duration, Instant};

/// A number that one thread writes and all may read.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    /// Adds to it. Only its one writer may call this: what two add at once would be counted once.
    #[inline]
    pub(crate) fn add(&self, more: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(more), Relaxed);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The counters and clocks of one worker. Times are in nanoseconds since `epoch`.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) polls: Count,
    pub(crate) steals: Count,
    pub(crate) stolen: Count,
    pub(crate) abroad: Count,
    pub(crate) rescued: Count,
    pub(crate) parks: Count,
    pub(crate) unparks: Count,
    /// At rest: twice the busy time. At work: twice the time when it would have begun had it never rested, plus one. In one word, so
    /// that a reader who comes in the middle of a change sees one or the other.
    busy: AtomicU64,
    /// The last look at the clock, 0 at rest.
    looked: AtomicU64,
    /// The longest time between two looks.
    longest: AtomicU64,
    epoch: Instant,
    /// The most that a reader has been told of `busy` and of `longest`. Readers write them, the worker does not know them.
    told_busy: AtomicU64,
    told_longest: AtomicU64,
}

impl Meter {
    pub(crate) fn new(epoch: Instant) -> Meter {
        Meter {
            polls: Count::default(),
            steals: Count::default(),
            stolen: Count::default(),
            abroad: Count::default(),
            rescued: Count::default(),
            parks: Count::default(),
            unparks: Count::default(),
            busy: AtomicU64::new(0),
            looked: AtomicU64::new(0),
            longest: AtomicU64::new(0),
            epoch,
            told_busy: AtomicU64::new(0),
            told_longest: AtomicU64::new(0),
        }
    }

    /// Begins to be busy. By the worker, at rest.
    #[cold]
    pub(crate) fn begin(&self) {
        let now = self.now();
        let busy = self.busy.load(Relaxed) >> 1;
        self.busy.store(now.saturating_sub(busy) << 1 | 1, Relaxed);
        self.looked.store(now, Relaxed);
    }

    /// Ends one stretch and begins the next; returns how long it was, in nanoseconds. By the worker, at work.
    pub(crate) fn look(&self, now: Instant) -> u64 {
        self.end_stretch(self.since_epoch(now), |now| now)
    }

    /// Ends to be busy; returns how long the last stretch was, in nanoseconds. By the worker, at work.
    pub(crate) fn rest(&self, now: Instant) -> u64 {
        let now = self.since_epoch(now);
        let stretch = self.end_stretch(now, |_| 0);
        let began = self.busy.load(Relaxed) >> 1;
        self.busy.store(now.saturating_sub(began) << 1, Relaxed);
        stretch
    }

    fn end_stretch(&self, now: u64, looked: impl FnOnce(u64) -> u64) -> u64 {
        let stretch = now.saturating_sub(self.looked.load(Relaxed));
        self.longest.store(stretch.max(self.longest.load(Relaxed)), Relaxed);
        // Pairs with the Acquire in `longest`: who sees that the stretch has ended sees its length.
        self.looked.store(looked(now), Release);
        stretch
    }

    /// Reads everything. `queued` is not the meter's to know.
    pub(crate) fn read(&self, queued: usize) -> WorkerMetrics {
        WorkerMetrics {
            polls: self.polls.value(),
            steals: self.steals.value(),
            stolen: self.stolen.value(),
            abroad: self.abroad.value(),
            rescued: self.rescued.value(),
            parks: self.parks.value(),
            unparks: self.unparks.value(),
            busy: self.busy(),
            longest_poll: self.longest(),
            queued,
        }
    }

    fn busy(&self) -> Duration {
        let (word, now) = self.at_one_time(&self.busy);
        let time = word >> 1;
        let busy = if word & 1 == 1 { now.saturating_sub(time) } else { time };
        never_less(&self.told_busy, busy)
    }

    fn longest(&self) -> Duration {
        let (looked, now) = self.at_one_time(&self.looked);
        let running = if looked == 0 { 0 } else { now.saturating_sub(looked) };
        never_less(&self.told_longest, running.max(self.longest.load(Relaxed)))
    }

    /// Reads a word and the clock while the word does not change: a reader that is held up in between is not ahead by that.
    fn at_one_time(&self, word: &AtomicU64) -> (u64, u64) {
        let mut value = word.load(Acquire);
        loop {
            let now = self.now();
            let again = word.load(Acquire);
            if again == value {
                return (value, now);
            }
            value = again;
        }
    }

    fn now(&self) -> u64 {
        self.since_epoch(Instant::now())
    }

    fn since_epoch(&self, now: Instant) -> u64 {
        // Never 0, which `looked` has another meaning for. 64 bits are enough for centuries.
        (now.saturating_duration_since(self.epoch).as_nanos() as u64).max(1)
    }
}

/// Keeps a figure from falling: between its last look at the clock and the store that tells of it the worker still seems to be busy.
fn never_less(told: &AtomicU64, nanos: u64) -> Duration {
    Duration::from_nanos(told.fetch_max(nanos, Relaxed).max(nanos))
}
