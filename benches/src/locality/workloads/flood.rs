//! Jobs that a thread outside spawns on the first node, faster than that node can run them.

use super::{Arrival, Poll, Shape, Then, Workload};

const JOBS_A_WORKER: usize = 32;
const JOB_NS: u64 = 20_000;
const LINES: u64 = 64;
const GAP_NS: u64 = 100;

struct Flood {
    jobs: usize,
    left: usize,
    lines: u64,
}

pub(super) fn make(shape: Shape) -> Box<dyn Workload> {
    let jobs = JOBS_A_WORKER * shape.workers;
    Box::new(Flood { jobs, left: jobs, lines: shape.footprint.unwrap_or(LINES) })
}

impl Workload for Flood {
    fn processes(&self) -> usize {
        self.jobs
    }

    fn arrivals(&self) -> Vec<Arrival> {
        let arrival = |job| Arrival { at_ns: job as u64 * GAP_NS, node: 0, process: job };
        (0..self.jobs).map(arrival).collect()
    }

    fn poll(&mut self, _: usize) -> Poll {
        self.left -= 1;
        Poll::new(JOB_NS, self.lines, Then::End)
    }

    fn left(&self) -> usize {
        self.left
    }
}
