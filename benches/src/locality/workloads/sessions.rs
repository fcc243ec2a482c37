//! A server: on each node a thread receives requests and wakes the session of each.

use super::{Arrival, Poll, Shape, Then, Workload, generator};

const REQUEST_NS: u64 = 8_000;
const LINES: u64 = 512;
const SESSIONS_A_WORKER: usize = 8;
const REQUESTS_A_WORKER: usize = 200;
/// Between the requests to one worker, on the average: what a request takes, its data included, is about half of this.
const GAP_NS: u64 = 24_000;

struct Sessions {
    arrivals: Vec<Arrival>,
    /// The requests that each session has received and not handled.
    inboxes: Vec<u64>,
    left: usize,
    lines: u64,
}

/// All nodes receive the same.
pub(super) fn even(shape: Shape) -> Box<dyn Workload> {
    make(shape, |request, nodes| request % nodes)
}

/// The first node receives half of all, and the others share the rest.
pub(super) fn hot(shape: Shape) -> Box<dyn Workload> {
    make(shape, |request, nodes| if request % 2 == 0 { 0 } else { request / 2 % nodes })
}

fn make(shape: Shape, node_of: fn(usize, usize) -> usize) -> Box<dyn Workload> {
    let Shape { workers, nodes, footprint, seed } = shape;
    // A node may have no worker at all.
    let of_a_node = (SESSIONS_A_WORKER * workers / nodes).max(1);
    let requests = REQUESTS_A_WORKER * workers;
    let mut chosen = generator(seed, 0);
    let gap = GAP_NS / workers as u64;
    let mut at_ns = 0;
    let arrivals: Vec<Arrival> = (0..requests)
        .map(|request| {
            let node = node_of(request, nodes);
            at_ns += chosen.u64(0..=2 * gap);
            Arrival { at_ns, node, process: node * of_a_node + chosen.usize(0..of_a_node) }
        })
        .collect();
    Box::new(Sessions {
        arrivals,
        inboxes: vec![0; of_a_node * nodes],
        left: requests,
        lines: footprint.unwrap_or(LINES),
    })
}

impl Workload for Sessions {
    fn processes(&self) -> usize {
        self.inboxes.len()
    }

    fn arrivals(&self) -> Vec<Arrival> {
        self.arrivals.clone()
    }

    fn arrived(&mut self, process: usize) {
        self.inboxes[process] += 1;
    }

    fn poll(&mut self, process: usize) -> Poll {
        let requests = std::mem::take(&mut self.inboxes[process]);
        self.left -= requests as usize;
        Poll::new(requests * REQUEST_NS, self.lines, Then::Wait)
    }

    fn left(&self) -> usize {
        self.left
    }
}
