//! What runs in the simulation. A workload knows its processes by numbers of its own and no worker, queue or clock, so that what is to
//! be done does not depend on the order in which it is done.

mod flood;
mod fork_join;
mod imbalance;
mod messages;
mod sessions;
mod tiny;

/// The size of a workload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) workers: usize,
    pub(super) nodes: usize,
    /// The cache lines that the data of a process have, instead of what the workload itself says.
    pub(super) footprint: Option<u64>,
    pub(super) seed: u64,
}

/// Whose data a new process has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Birth {
    /// What its parent has just touched.
    Shared,
    /// Its own, which nobody has touched.
    Fresh,
}

/// How a poll ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// The process waits to be woken.
    Wait,
    /// The process is due again.
    Yield,
    /// It does not: this was the first part of a long poll. What it spawned and woke is visible.
    GoOn,
    /// The process has ended.
    End,
}

/// What a process does in a poll. What it spawns and wakes is visible at the end.
#[derive(Clone, Debug)]
pub(super) struct Poll {
    /// How long it computes, with all data at hand and a core of its own.
    pub(super) work_ns: u64,
    /// How many lines of its data it touches.
    pub(super) lines: u64,
    pub(super) spawned: Vec<(usize, Birth)>,
    pub(super) woken: Vec<usize>,
    pub(super) then: Then,
}

impl Poll {
    pub(super) fn new(work_ns: u64, lines: u64, then: Then) -> Poll {
        Poll { work_ns, lines, spawned: Vec::new(), woken: Vec::new(), then }
    }
}

/// A thread that is no worker spawns a process, with data in its node's memory, or wakes it if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) at_ns: u64,
    pub(super) node: usize,
    pub(super) process: usize,
}

/// Something to run.
pub(super) trait Workload {
    /// Returns the number of processes that there will be; they are numbered from 0.
    fn processes(&self) -> usize;

    /// Returns what comes from outside.
    fn arrivals(&self) -> Vec<Arrival>;

    /// Hears of what comes from outside, when it comes.
    fn arrived(&mut self, _process: usize) {}

    /// Takes the next step of a process.
    fn poll(&mut self, process: usize) -> Poll;

    /// Returns how much has not been done yet: nothing, when it is over.
    fn left(&self) -> usize;
}

/// A workload by name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) make: fn(Shape) -> Box<dyn Workload>,
}

/// All workloads, those first for which the place matters.
pub(super) const WORKLOADS: &[Kind] = &[
    Kind {
        name: "fork-join",
        about: "a tree of halves; each process gets 64 lines from its parent, leaves compute 20 us",
        make: fork_join::make,
    },
    Kind {
        name: "groups",
        about: "groups of 4 actors, 2 groups a worker, whose messages stay in the group 15 times of 16; 1 us, 256 lines each",
        make: messages::groups,
    },
    Kind {
        name: "sessions",
        about: "on each node a thread wakes 8 sessions a worker with requests, for half of the processors; 8 us, 512 lines each",
        make: sessions::even,
    },
    Kind {
        name: "hot-node",
        about: "the same, but half of all requests come to the first node",
        make: sessions::hot,
    },
    Kind {
        name: "flood",
        about: "a thread on the first node spawns 32 jobs a worker, ten in a microsecond; 20 us, 64 lines each",
        make: flood::make,
    },
    Kind {
        name: "imbalance",
        about: "one process spawns 32 jobs a worker in one long poll; 20 us, 4 lines each",
        make: imbalance::make,
    },
    Kind {
        name: "all-to-all",
        about: "4 actors a worker send messages to any actor; 1 us, 64 lines each",
        make: messages::all_to_all,
    },
    Kind {
        name: "tiny",
        about: "a producer for 4 workers spawns 32 tasks at a time; 200 ns each, no data",
        make: tiny::make,
    },
];

/// Returns a generator of its own for one of many, whatever the order in which they draw.
fn generator(seed: u64, of: usize) -> fastrand::Rng {
    fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(of as u64))
}

/// One arrival that starts it all.
fn at_once(process: usize) -> Vec<Arrival> {
    vec![Arrival { at_ns: 0, node: 0, process }]
}
