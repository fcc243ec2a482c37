//! A storm: the children of one supervisor crash, again and again, and each is timed from its crash until its body runs again.
//!
//! It knows no library: a subject tells it who is up and who crashes, and is told who is to crash next.

use crate::bench::Failure;
use crate::latch::{Finish, Wait, latch};
use crate::subjects::workers;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How many children the supervisor has.
pub(crate) const CHILDREN: u32 = 1_000;

/// The 50th, 99th and 99.9th percentile and the longest, in nanoseconds.
pub(crate) type Percentiles = [u64; 4];

/// Who crashes when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// As many at a time as there are workers: whoever is up again has the one crash that has been up for longest.
    SomeAtATime,
    /// All in the same moment; and again, when all are up.
    AllAtOnce,
}

impl Pattern {
    /// Returns what Erlang is told.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Pattern::SomeAtATime => "storm_some",
            Pattern::AllAtOnce => "storm_all",
        }
    }
}

/// Who is to crash now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Nobody,
    One(u32),
    Many(Vec<u32>),
}

/// One storm.
pub(crate) struct Storm {
    pattern: Pattern,
    origin: Instant,
    /// When each child has crashed, in nanoseconds since the origin; 0: not yet.
    crashed: Vec<AtomicU64>,
    /// How long each crash was felt, in the order of the returns.
    latencies: Vec<AtomicU64>,
    /// How many are up for the first time.
    started: AtomicU32,
    /// How many have come back.
    back: AtomicU32,
    /// How many of those have left their figure.
    noted: AtomicU32,
    /// How many were told to crash.
    told: AtomicU32,
    /// Those that are up, longest first.
    up: Mutex<VecDeque<u32>>,
    finish: Finish,
}

impl Storm {
    /// Makes a storm of so many crashes, and what waits for its end.
    pub(crate) fn new(children: u32, crashes: u32, pattern: Pattern) -> (Storm, Wait) {
        let (finish, mut wait) = latch();
        wait.start();
        let zeros = |count: u32| (0..count).map(|_| AtomicU64::new(0)).collect();
        let storm = Storm {
            pattern,
            origin: Instant::now(),
            crashed: zeros(children),
            latencies: zeros(crashes),
            started: AtomicU32::new(0),
            back: AtomicU32::new(0),
            noted: AtomicU32::new(0),
            told: AtomicU32::new(0),
            up: Mutex::new(VecDeque::with_capacity(children as usize)),
            finish,
        };
        (storm, wait)
    }

    /// Notes that a child crashes: its last word.
    pub(crate) fn crash(&self, child: u32) {
        self.crashed[child as usize].store(self.now(), SeqCst);
    }

    /// Notes that a child's body runs: its first word.
    pub(crate) fn up(&self, child: u32) -> Next {
        let now = self.now();
        let crashed = self.crashed[child as usize].load(SeqCst);
        if crashed == 0 {
            return self.first_time(child);
        }
        let number = self.back.fetch_add(1, SeqCst);
        let Some(place) = self.latencies.get(number as usize) else { return Next::Nobody };
        place.store(now.saturating_sub(crashed).max(1), SeqCst);
        // After the figure, so that all are there when the last one is.
        let noted = self.noted.fetch_add(1, SeqCst) + 1;
        if noted as usize == self.latencies.len() {
            self.finish.now();
            return Next::Nobody;
        }
        match self.pattern {
            Pattern::SomeAtATime => self.another(child),
            Pattern::AllAtOnce if noted.is_multiple_of(self.children()) => self.all(noted),
            Pattern::AllAtOnce => Next::Nobody,
        }
    }

    fn first_time(&self, child: u32) -> Next {
        self.line().push_back(child);
        if self.started.fetch_add(1, SeqCst) + 1 < self.children() {
            return Next::Nobody;
        }
        match self.pattern {
            Pattern::SomeAtATime => {
                let some = (workers() as u32).min(self.children()).min(self.latencies.len() as u32);
                self.told.store(some, SeqCst);
                Next::Many(self.line().drain(..some as usize).collect())
            }
            Pattern::AllAtOnce => self.all(0),
        }
    }

    /// The child goes to the end of the line, whose first one is to crash.
    fn another(&self, child: u32) -> Next {
        if self.told.fetch_add(1, SeqCst) as usize >= self.latencies.len() {
            return Next::Nobody;
        }
        let mut line = self.line();
        line.push_back(child);
        line.pop_front().map_or(Next::Nobody, Next::One)
    }

    fn all(&self, noted: u32) -> Next {
        let left = self.latencies.len() as u32 - noted;
        Next::Many((0..self.children().min(left)).collect())
    }

    fn children(&self) -> u32 {
        self.crashed.len() as u32
    }

    fn line(&self) -> MutexGuard<'_, VecDeque<u32>> {
        self.up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        // Never 0, which means that it has not happened.
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
    }

    /// Returns the percentiles, when the storm is over.
    ///
    /// # Errors
    /// When a crash has left no figure.
    pub(crate) fn percentiles(&self) -> Result<Percentiles, Failure> {
        let mut all: Vec<u64> = self.latencies.iter().map(|latency| latency.load(SeqCst)).collect();
        if all.contains(&0) {
            return Err(Failure::new("a child has crashed and left no figure"));
        }
        all.sort_unstable();
        percentiles(&all).ok_or_else(|| Failure::new("nobody has crashed"))
    }
}

/// Returns the percentiles of sorted latencies: that which so many are not above.
fn percentiles(sorted: &[u64]) -> Option<Percentiles> {
    let last = *sorted.last()?;
    let at = |permille: usize| sorted[(sorted.len() * permille).div_ceil(1000).max(1) - 1];
    Some([at(500), at(990), at(999), last])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has the storm blow in one thread; returns how often each child was told to crash.
    fn blow(children: u32, crashes: u32, pattern: Pattern) -> Vec<u32> {
        let (storm, wait) = Storm::new(children, crashes, pattern);
        let mut told = vec![0; children as usize];
        let mut up: VecDeque<u32> = (0..children).collect();
        while let Some(child) = up.pop_front() {
            let next = match storm.up(child) {
                Next::Nobody => Vec::new(),
                Next::One(one) => vec![one],
                Next::Many(many) => many,
            };
            for child in next {
                told[child as usize] += 1;
                storm.crash(child);
                up.push_back(child);
            }
        }
        assert!(wait.measured().is_ok());
        assert!(storm.percentiles().is_ok());
        told
    }

    #[test]
    fn so_many_crash_as_were_ordered_and_all_take_part() {
        assert_eq!(blow(20, 100, Pattern::SomeAtATime), [5; 20]);
        assert_eq!(blow(20, 60, Pattern::AllAtOnce), [3; 20]);
        assert_eq!(blow(20, 30, Pattern::AllAtOnce)[9..11], [2, 1]);
        assert_eq!(blow(20, 10, Pattern::SomeAtATime).iter().sum::<u32>(), 10);
    }

    #[test]
    fn a_percentile_is_what_so_many_are_not_above() {
        let sorted: Vec<u64> = (1..=1000).collect();
        assert_eq!(percentiles(&sorted), Some([500, 990, 999, 1000]));
        assert_eq!(percentiles(&[7]), Some([7; 4]));
        assert_eq!(percentiles(&[]), None);
    }
}
