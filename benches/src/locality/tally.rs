//! What is counted in a simulation.

/// The figures of one simulation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) workers: u64,
    /// When the last poll ended.
    pub(super) makespan_ns: u64,
    /// How often a process became due, and how often one was polled.
    pub(super) dues: u64,
    pub(super) polls: u64,
    /// What the polls computed, what they waited for data, and how long they took in all.
    pub(super) work_ns: u64,
    pub(super) data_ns: u64,
    pub(super) polling_ns: u64,
    /// The lines that polls touched, and those of them that came from another node.
    pub(super) lines: u64,
    pub(super) far_lines: u64,
    /// The processes that were taken from others or from injectors, and those of them that were queued on the taker's node.
    pub(super) taken: u64,
    pub(super) taken_near: u64,
    /// The wake-ups of threads, and those of them that came from another node.
    pub(super) wake_ups: u64,
    pub(super) far_wake_ups: u64,
    /// The time in which workers without work and processes without worker could have met, summed over the pairs.
    pub(super) wasted_ns: u64,
    /// How long the processes were due before they were polled, by the logarithm.
    waits: Vec<u64>,
    since_ns: u64,
}

/// So many steps of a wait's scale are a doubling.
const STEPS: f64 = 8.0;

impl Tally {
    pub(super) fn new(workers: usize) -> Tally {
        Tally { workers: workers as u64, ..Tally::default() }
    }

    /// Lets the time go on, in which so many workers had nothing and so many processes waited.
    pub(super) fn advance(&mut self, now: u64, workers: usize, processes: usize) {
        self.wasted_ns += (now - self.since_ns) * workers.min(processes) as u64;
        self.since_ns = now;
    }

    pub(super) fn waited(&mut self, ns: u64) {
        let step = ((ns + 1) as f64).log2() * STEPS;
        let step = step as usize;
        if self.waits.len() <= step {
            self.waits.resize(step + 1, 0);
        }
        self.waits[step] += 1;
    }

    /// Returns how long 99 of 100 polls were due at most, within a tenth.
    pub(super) fn wait_p99_ns(&self) -> f64 {
        let all: u64 = self.waits.iter().sum();
        let mut seen = 0;
        let found = self.waits.iter().position(|count| {
            seen += count;
            seen * 100 >= all * 99
        });
        ((found.unwrap_or(0) + 1) as f64 / STEPS).exp2() - 1.0
    }

    /// Returns the share of what was taken that was near.
    pub(super) fn near_share(&self) -> Option<f64> {
        share(self.taken_near, self.taken)
    }

    /// Returns the share of wake-ups that came from another node.
    pub(super) fn far_wake_share(&self) -> Option<f64> {
        share(self.far_wake_ups, self.wake_ups)
    }

    /// Returns the share of lines that came from another node.
    pub(super) fn far_line_share(&self) -> Option<f64> {
        share(self.far_lines, self.lines)
    }

    /// Returns the share of all workers' time in which they had nothing to do although something waited.
    pub(super) fn wasted_share(&self) -> Option<f64> {
        share(self.wasted_ns, self.makespan_ns * self.workers)
    }

    /// Returns how much processor time the polls took, as a multiple of what they computed.
    pub(super) fn inflation(&self) -> Option<f64> {
        share(self.polling_ns, self.work_ns)
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_what_there_was() {
        let mut tally = Tally { workers: 2, makespan_ns: 50, ..Tally::default() };
        assert_eq!(tally.near_share(), None);
        tally.advance(10, 2, 5);
        tally.advance(20, 3, 0);
        tally.advance(30, 1, 5);
        assert_eq!(tally.wasted_share(), Some(0.3));
    }

    #[test]
    fn the_wait_of_most_is_found_within_a_tenth() {
        let mut tally = Tally::default();
        (0..98).for_each(|_| tally.waited(100));
        (0..2).for_each(|_| tally.waited(5_000));
        assert!((5_000.0..5_500.0).contains(&tally.wait_p99_ns()), "{}", tally.wait_p99_ns());
        (0..200).for_each(|_| tally.waited(0));
        assert!((100.0..110.0).contains(&tally.wait_p99_ns()), "{}", tally.wait_p99_ns());
    }
}
