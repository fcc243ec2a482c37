//! All work is born in one place: a process spawns jobs in one long poll.

use super::{Arrival, Birth, Poll, Shape, Then, Workload, at_once};

const JOBS_A_WORKER: usize = 32;
const JOB_NS: u64 = 20_000;
const LINES: u64 = 4;
/// So many jobs become visible at once.
const PART: usize = 8;

struct Imbalance {
    jobs: usize,
    spawned: usize,
    left: usize,
    lines: u64,
}

pub(super) fn make(shape: Shape) -> Box<dyn Workload> {
    let jobs = JOBS_A_WORKER * shape.workers;
    let lines = shape.footprint.unwrap_or(LINES);
    Box::new(Imbalance { jobs, spawned: 0, left: jobs, lines })
}

impl Workload for Imbalance {
    fn processes(&self) -> usize {
        self.jobs + 1
    }

    fn arrivals(&self) -> Vec<Arrival> {
        at_once(self.jobs)
    }

    fn poll(&mut self, process: usize) -> Poll {
        if process < self.jobs {
            self.left -= 1;
            return Poll::new(JOB_NS, self.lines, Then::End);
        }
        let upto = (self.spawned + PART).min(self.jobs);
        let then = if upto == self.jobs { Then::End } else { Then::GoOn };
        let mut poll = Poll::new(0, 0, then);
        poll.spawned.extend((self.spawned..upto).map(|job| (job, Birth::Shared)));
        self.spawned = upto;
        poll
    }

    fn left(&self) -> usize {
        self.left
    }
}
