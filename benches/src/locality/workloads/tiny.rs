//! Tasks that hardly do anything and have no data, from producers that are everywhere.

use super::{Arrival, Birth, Poll, Shape, Then, Workload, at_once};

const TASK_NS: u64 = 200;
const WORKERS_A_PRODUCER: usize = 4;
const ROUNDS: usize = 64;
const TASKS_A_ROUND: usize = 32;

struct Tiny {
    /// The rounds that each producer has done. Their numbers come first, then the root's, then the tasks'.
    rounds: Vec<usize>,
    left: usize,
    lines: u64,
}

pub(super) fn make(shape: Shape) -> Box<dyn Workload> {
    let producers = shape.workers.div_ceil(WORKERS_A_PRODUCER);
    let left = producers * ROUNDS * TASKS_A_ROUND;
    Box::new(Tiny { rounds: vec![0; producers], left, lines: shape.footprint.unwrap_or(0) })
}

impl Tiny {
    fn produce(&mut self, producer: usize) -> Poll {
        let round = self.rounds[producer];
        self.rounds[producer] += 1;
        let then = if round + 1 == ROUNDS { Then::End } else { Then::Yield };
        let mut poll = Poll::new(0, 0, then);
        let first = self.rounds.len() + 1 + (producer * ROUNDS + round) * TASKS_A_ROUND;
        poll.spawned.extend((first..first + TASKS_A_ROUND).map(|task| (task, Birth::Fresh)));
        poll
    }
}

impl Workload for Tiny {
    fn processes(&self) -> usize {
        self.rounds.len() * (1 + ROUNDS * TASKS_A_ROUND) + 1
    }

    fn arrivals(&self) -> Vec<Arrival> {
        at_once(self.rounds.len())
    }

    fn poll(&mut self, process: usize) -> Poll {
        let root = self.rounds.len();
        if process < root {
            return self.produce(process);
        }
        if process > root {
            self.left -= 1;
            return Poll::new(TASK_NS, self.lines, Then::End);
        }
        let mut poll = Poll::new(0, 0, Then::End);
        poll.spawned.extend((0..root).map(|producer| (producer, Birth::Fresh)));
        poll
    }

    fn left(&self) -> usize {
        self.left
    }
}
