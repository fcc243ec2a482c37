//! What things cost in the simulated machine, in one place.
//!
//! These are assumptions, not measurements of any machine: round numbers of the size that is published for servers of the last
//! years. What the simulation tells is the difference between two orders under the same costs.

/// The costs, in nanoseconds where nothing else is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Costs {
    /// To take a process from the own queue and to begin and end its poll (this project's `spawn` and `wake` rows, less the rest).
    pub(super) poll_ns: u64,
    /// To spawn a process, on top of the poll that does it (this project's row `spawn/from-worker`).
    pub(super) spawn_ns: u64,
    /// To wake a process whose state word is at hand (this project's row `wake`).
    pub(super) wake_ns: u64,
    /// What waking a parked thread costs who wakes it: a system call.
    pub(super) unpark_ns: u64,
    /// How long a parked thread takes to run after that: scheduler and idle core on bare metal; tens of microseconds when virtual.
    pub(super) wake_up_ns: u64,
    /// So much longer if it is on another node: an interrupt across the interconnect, and a cold stack.
    pub(super) wake_up_far_ns: u64,
    /// How long a thread takes for what it does alone in 100, while the other threads of its core are busy.
    pub(super) smt_percent: u64,
    /// To fetch a cache line from another core that shares the level 2 cache.
    pub(super) line_l2_ns: u64,
    /// To fetch one from a core that shares the last level cache.
    pub(super) line_llc_ns: u64,
    /// To fetch one from the own node's memory, or from another cache of the node. For other nodes it grows with the distance that
    /// the firmware gives: at 21 it is 2.1 times this.
    pub(super) line_node_ns: u64,
    /// To look at a queue again that nobody has changed.
    pub(super) line_known_ns: u64,
    /// The lines of a process that whoever wakes or polls it touches: state word, queue entry, mailbox.
    pub(super) header_lines: u64,
    /// How many lines of a footprint are on their way at once: more than in a list that is walked, fewer than in an array.
    pub(super) overlap: u64,
    /// The lines that a core's own caches keep (1 MiB).
    pub(super) l2_lines: u64,
    /// The lines that a last level cache keeps (32 MiB).
    pub(super) llc_lines: u64,
    /// How often a worker looks at the clock and at what came from outside (the executor's time slice).
    pub(super) slice_ns: u64,
    /// What the executor takes a wake-up to cost when it decides whether one is worth it (`executor/src/pace.rs`).
    pub(super) worth_ns: u64,
}

impl Default for Costs {
    fn default() -> Costs {
        Costs {
            poll_ns: 25,
            spawn_ns: 60,
            wake_ns: 15,
            unpark_ns: 1_500,
            wake_up_ns: 5_000,
            wake_up_far_ns: 2_000,
            smt_percent: 160,
            line_l2_ns: 15,
            line_llc_ns: 40,
            line_node_ns: 100,
            line_known_ns: 4,
            header_lines: 2,
            overlap: 8,
            l2_lines: 16_384,
            llc_lines: 524_288,
            slice_ns: 100_000,
            worth_ns: 10_000,
        }
    }
}

impl Costs {
    /// Returns each with its name and unit, for the report.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let ns = |value: u64| format!("{value} ns");
        let lines = |value: u64| format!("{value} lines");
        vec![
            ("begin and end a poll", ns(self.poll_ns)),
            ("spawn", ns(self.spawn_ns)),
            ("wake a process", ns(self.wake_ns)),
            ("wake a thread, for the waker", ns(self.unpark_ns)),
            ("wake a thread, until it runs", ns(self.wake_up_ns)),
            ("the same, more on another node", ns(self.wake_up_far_ns)),
            (
                "the core's other thread is busy",
                format!("x {:.1}", self.smt_percent as f64 / 100.0),
            ),
            ("a cache line from the core's level 2", ns(self.line_l2_ns)),
            ("a cache line from the last level", ns(self.line_llc_ns)),
            ("a cache line from the node", format!("{} x distance/10", ns(self.line_node_ns))),
            ("a look at an unchanged queue", ns(self.line_known_ns)),
            ("what every process touches", lines(self.header_lines)),
            ("lines on their way at once", self.overlap.to_string()),
            ("a core keeps", lines(self.l2_lines)),
            ("a last level cache keeps", lines(self.llc_lines)),
            ("time slice", ns(self.slice_ns)),
            ("a wake-up is worth", ns(self.worth_ns)),
        ]
    }
}
