//! [`Pace`]: after how many polls a worker looks at the clock, and at all that it does by the clock.
//!
//! A look costs about as much as a poll that does little, so it is not taken after each; and the time between two looks should
//! not depend on how long the polls are. So it is counted in polls, and the count follows the time that polls took of late. Pure: knows no clock.

/// A worker looks after so many polls at most: when polls become longer at once, the first look is late by no more than these.
const MOST: u32 = 64;

/// What it takes to wake a thread, roughly: some microseconds for who wakes it, tens until it runs.
const WAKE_NS: u64 = 10_000;

/// Returns what [`Pace::bearable`] would, as far as somebody else can tell: from how many polls there were in a time.
pub(crate) fn bearable(polls: u64, in_ns: u64) -> usize {
    (polls.saturating_mul(WAKE_NS) / in_ns.max(1)) as usize
}

/// How fast a worker's polls are, and what follows from that.
#[derive(Debug)]
pub(crate) struct Pace {
    /// The time between two looks that is aimed at.
    slice_ns: u64,
    /// What a poll takes, with what lies between polls: a moving average.
    poll_ns: u64,
    /// How many polls make the current stretch, and how many of them are left.
    stretch: u32,
    left: u32,
}

impl Pace {
    /// Aims at looks that are `slice_ns` apart. The first poll of all is followed by a look.
    pub(crate) fn new(slice_ns: u64) -> Pace {
        Pace { slice_ns, poll_ns: slice_ns, stretch: 1, left: 1 }
    }

    /// Counts a poll. True: look at the clock, and call [`looked`](Pace::looked).
    #[inline]
    pub(crate) fn polled(&mut self) -> bool {
        self.left -= 1;
        self.left == 0
    }

    /// Takes in how long the stretch took that ends now, and begins the next.
    pub(crate) fn looked(&mut self, took_ns: u64) {
        let polls = self.stretch - self.left;
        if polls > 0 {
            let now = took_ns / u64::from(polls);
            // Slower at once, faster by and by: one long poll among short ones may be followed by another.
            self.poll_ns = if now > self.poll_ns { now } else { (3 * self.poll_ns + now) / 4 };
        }
        let polls = self.polls_in(self.slice_ns);
        self.stretch = polls.clamp(1, u64::from(MOST)) as u32;
        self.left = self.stretch;
    }

    /// Returns how many processes may wait here before it is worth waking another worker: those that this one will have polled before the
    /// other is awake.
    pub(crate) fn bearable(&self) -> usize {
        self.polls_in(WAKE_NS) as usize
    }

    fn polls_in(&self, ns: u64) -> u64 {
        ns / self.poll_ns.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLICE: u64 = 100_000;

    /// Polls until the next look, as a worker does; returns how many polls that took.
    fn look_after(pace: &mut Pace, poll_ns: u64) -> u64 {
        let mut polls = 1;
        while !pace.polled() {
            polls += 1;
        }
        pace.looked(polls * poll_ns);
        polls
    }

    #[test]
    fn the_first_poll_is_followed_by_a_look() {
        assert_eq!(look_after(&mut Pace::new(SLICE), 10), 1);
    }

    #[test]
    fn looks_are_a_slice_apart_whatever_a_poll_takes() {
        for (poll_ns, polls) in [(10, 64), (1_562, 64), (2_000, 50), (50_000, 2), (1_000_000, 1)] {
            let mut pace = Pace::new(SLICE);
            let last = (0..40).map(|_| look_after(&mut pace, poll_ns)).last();
            assert_eq!(last, Some(polls), "{poll_ns} ns");
        }
    }

    #[test]
    fn polls_that_become_long_are_followed_at_once_and_ones_that_become_short_by_and_by() {
        let mut pace = Pace::new(SLICE);
        (0..40).for_each(|_| assert!(look_after(&mut pace, 10) > 0));
        assert_eq!(look_after(&mut pace, 1_000_000), 64);
        assert_eq!(look_after(&mut pace, 10), 1);
        assert!((0..40).any(|_| look_after(&mut pace, 10) == 64));
    }

    #[test]
    fn somebody_else_can_tell_what_is_bearable_from_the_number_of_polls() {
        for (polls, expected) in [(0, 0), (1, 0), (299, 0), (300, 1), (30_000, 100)] {
            assert_eq!(bearable(polls, 3_000_000), expected, "{polls}");
        }
    }

    #[test]
    fn a_stretch_that_ends_before_its_time_counts_what_it_had() {
        let mut pace = Pace::new(SLICE);
        (0..40).for_each(|_| assert!(look_after(&mut pace, 10) > 0));
        assert!(!pace.polled());
        assert!(!pace.polled());
        pace.looked(2 * 50_000);
        assert_eq!(look_after(&mut pace, 50_000), 2);
    }
}
