//! A tree: each process halves its work between two children and waits for both.

use super::{Arrival, Birth, Poll, Shape, Then, Workload, at_once};

const SPLIT_NS: u64 = 500;
const LEAF_NS: u64 = 20_000;
const LINES: u64 = 64;
const LEAVES_A_WORKER: usize = 16;

struct ForkJoin {
    /// The children of `i` are `2i + 1` and `2i + 2`; the second half are leaves.
    processes: usize,
    /// How many children each still waits for; none before the first poll.
    waits_for: Vec<Option<u8>>,
    left: usize,
    lines: u64,
}

pub(super) fn make(shape: Shape) -> Box<dyn Workload> {
    let leaves = (LEAVES_A_WORKER * shape.workers).next_power_of_two();
    let processes = 2 * leaves - 1;
    let lines = shape.footprint.unwrap_or(LINES);
    Box::new(ForkJoin { processes, waits_for: vec![None; processes], left: processes, lines })
}

impl ForkJoin {
    fn end(&mut self, process: usize, work_ns: u64) -> Poll {
        let mut poll = Poll::new(work_ns, self.lines, Then::End);
        self.left -= 1;
        if process > 0 {
            let parent = (process - 1) / 2;
            if let Some(children) = &mut self.waits_for[parent] {
                *children -= 1;
                if *children == 0 {
                    poll.woken.push(parent);
                }
            }
        }
        poll
    }
}

impl Workload for ForkJoin {
    fn processes(&self) -> usize {
        self.processes
    }

    fn arrivals(&self) -> Vec<Arrival> {
        at_once(0)
    }

    fn poll(&mut self, process: usize) -> Poll {
        if process >= self.processes / 2 {
            return self.end(process, LEAF_NS);
        }
        if self.waits_for[process].is_some() {
            return self.end(process, SPLIT_NS);
        }
        self.waits_for[process] = Some(2);
        let mut poll = Poll::new(SPLIT_NS, self.lines, Then::Wait);
        poll.spawned = vec![(2 * process + 1, Birth::Shared), (2 * process + 2, Birth::Shared)];
        poll
    }

    fn left(&self) -> usize {
        self.left
    }
}
