//! A simulated worker: its queue, what it is doing, and how fast its polls are.

use super::costs::Costs;
use super::workloads::Poll;
use std::collections::VecDeque;

/// Processes in a row that come out of the slot, as the executor's default is.
const LIFO_CHAIN: u32 = 3;
/// Polls between two looks at the clock, at most (`executor/src/pace.rs`).
const MOST_POLLS: u64 = 64;
/// Work is counted in so many parts of a nanosecond, so that speeds are whole numbers.
const PARTS: u64 = 100;

/// What a worker is doing.
#[derive(Clone, Debug)]
pub(super) enum State {
    Polling(Run),
    Searching(Search),
    /// Woken, and on its way.
    Waking,
    Asleep,
}

/// A poll that is going on.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) process: usize,
    pub(super) poll: Poll,
    pub(super) began_ns: u64,
    /// What is left to do, in parts of a nanosecond, since then at this speed.
    left: u64,
    since_ns: u64,
    speed: u64,
}

impl Run {
    pub(super) fn new(process: usize, poll: Poll, takes_ns: u64, now: u64) -> Run {
        let left = takes_ns * PARTS;
        Run { process, poll, began_ns: now, left, since_ns: now, speed: PARTS }
    }

    /// Goes on with so many threads of the core being busy; returns when it will be done.
    pub(super) fn go_on(&mut self, busy: usize, now: u64, costs: &Costs) -> u64 {
        self.left = self.left.saturating_sub((now - self.since_ns) * self.speed);
        self.since_ns = now;
        self.speed = match busy as u64 {
            0 | 1 => PARTS,
            // What the core does in all is the same for more than two.
            threads => (2 * PARTS * 100 / costs.smt_percent / threads).max(1),
        };
        self.left.div_ceil(self.speed)
    }
}

/// A look at the places of a domain, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search {
    /// The own domain is 0, the nearest 1.
    pub(super) leg: usize,
    /// The place: the injector is 0, then the victims.
    pub(super) at: usize,
    /// The victim to begin with.
    pub(super) first: usize,
    /// There was something at the place; otherwise it was the last one.
    pub(super) hit: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Worker {
    pub(super) state: State,
    pub(super) slot: Option<usize>,
    fresh: bool,
    chain: u32,
    pub(super) queue: VecDeque<usize>,
    /// It counts as one that searches.
    pub(super) searcher: bool,
    /// It counts as one that looks into other domains.
    pub(super) remote_thief: bool,
    /// Who has woken it, if it is to look there first.
    pub(super) hint: Option<usize>,
    /// What it has done since its last poll, and pays for before the next thing.
    pub(super) debt_ns: u64,
    /// What came from outside has its turn.
    pub(super) injected_first: bool,
    /// Tells apart the ends that a poll was going to have.
    pub(super) turn: u64,
    pub(super) pace: Pace,
}

/// What was displaced from the slot, and needs a place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Displaced {
    pub(super) process: usize,
    pub(super) fresh: bool,
}

/// What a worker polls next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Popped {
    /// From the slot.
    Slot(usize),
    /// From the queue, where what was in the slot is now, if there was something.
    Queue(usize),
    Nothing,
}

impl Worker {
    pub(super) fn new(costs: &Costs) -> Worker {
        Worker {
            state: State::Asleep,
            slot: None,
            fresh: false,
            chain: 0,
            queue: VecDeque::new(),
            searcher: false,
            remote_thief: false,
            hint: None,
            debt_ns: 0,
            injected_first: false,
            turn: 0,
            pace: Pace { poll_ns: costs.slice_ns, polls: 0, since_ns: 0, bearable: 0 },
        }
    }

    pub(super) fn put(&mut self, process: usize, fresh: bool) -> Option<Displaced> {
        let displaced_fresh = std::mem::replace(&mut self.fresh, fresh);
        let displaced = self.slot.replace(process)?;
        Some(Displaced { process: displaced, fresh: displaced_fresh })
    }

    pub(super) fn pop(&mut self) -> Popped {
        let woken = self.slot.take();
        if let Some(woken) = woken {
            if self.chain < LIFO_CHAIN || self.queue.is_empty() {
                self.chain += 1;
                return Popped::Slot(woken);
            }
            self.queue.push_back(woken);
        }
        self.chain = 0;
        self.queue.pop_front().map_or(Popped::Nothing, Popped::Queue)
    }

    /// Says whether more waits here than is worth a wake-up.
    pub(super) fn has_work(&self) -> bool {
        self.queue.len() > self.pace.bearable
    }
}

/// How long polls took of late, and how many may wait before that is worth waking another worker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    poll_ns: u64,
    polls: u64,
    since_ns: u64,
    pub(super) bearable: usize,
}

impl Pace {
    /// Begins a poll: the first one after a look, or a rest, begins the count.
    pub(super) fn begin(&mut self, now: u64) {
        if self.polls == 0 {
            self.since_ns = now;
        }
    }

    /// Counts a poll. True: look at the clock.
    pub(super) fn polled(&mut self, now: u64, costs: &Costs) -> bool {
        self.polls += 1;
        self.polls >= MOST_POLLS || now - self.since_ns >= costs.slice_ns
    }

    /// Looks at the clock: slower at once, faster by and by.
    pub(super) fn look(&mut self, now: u64, costs: &Costs) {
        if let Some(mean) = (now - self.since_ns).checked_div(self.polls) {
            self.poll_ns = if mean > self.poll_ns { mean } else { (3 * self.poll_ns + mean) / 4 };
        }
        self.bearable = (costs.worth_ns / self.poll_ns.max(1)) as usize;
        self.polls = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locality::workloads::Then;

    #[test]
    fn a_busy_sibling_slows_both_down_for_as_long_as_it_is_busy() {
        let costs = Costs { smt_percent: 160, ..Costs::default() };
        let mut run = Run::new(0, Poll::new(0, 0, Then::End), 1_000, 0);
        assert_eq!(run.go_on(1, 0, &costs), 1_000);
        assert_eq!(run.go_on(2, 500, &costs), 807, "50000 parts at 62 instead of 100");
        assert_eq!(run.go_on(1, 1_000, &costs), 190);
        assert_eq!(run.go_on(1, 1_190, &costs), 0);
    }

    #[test]
    fn the_slot_gives_way_after_a_chain() {
        let mut worker = Worker::new(&Costs::default());
        worker.queue.push_back(9);
        for process in 0..3 {
            assert_eq!(worker.put(process, false), None);
            assert_eq!(worker.pop(), Popped::Slot(process));
        }
        assert_eq!(worker.put(3, true), None);
        assert_eq!(worker.put(4, false), Some(Displaced { process: 3, fresh: true }));
        assert_eq!(worker.pop(), Popped::Queue(9));
        assert_eq!(worker.pop(), Popped::Queue(4));
    }

    #[test]
    fn short_polls_may_wait() {
        let costs = Costs::default();
        let mut pace = Worker::new(&costs).pace;
        for round in 1..=40_u64 {
            pace.begin((round - 1) * 6_400);
            assert!((1..64).all(|_| !pace.polled(round * 6_400, &costs)));
            assert!(pace.polled(round * 6_400, &costs));
            pace.look(round * 6_400, &costs);
        }
        // 10 us are 100 polls of 100 ns.
        assert!((90..=100).contains(&pace.bearable), "{}", pace.bearable);
        pace.begin(40 * 6_400);
        assert!(pace.polled(40 * 6_400 + 100_000, &costs));
        pace.look(40 * 6_400 + 100_000, &costs);
        assert_eq!(pace.bearable, 0);
    }
}
