//! [`Metrics`]: what the executor has done and what waits, read at one moment.
//!
//! Plain data. Who counts it: `meter.rs`, the workers' part, which is always on. Who carries it out of the program: the reader, or
//! `facade.rs` (feature `metrics`).

#[cfg(feature = "metrics")]
mod facade;
mod meter;

pub(crate) use meter::Meter;
use std::fmt;
use std::time::Duration;

/// What an executor has done since its start, and what waits now; see [`Executor::metrics`](crate::Executor::metrics).
///
/// The counters only grow. They are read one after the other while the workers go on: two figures may be some polls apart. What
/// was counted before something that the reader knows of (the end of a process that it has awaited) is in. Its `Display` is a
/// table.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Metrics {
    /// Each worker, by its number.
    pub workers: Vec<WorkerMetrics>,
    /// How long the executor has been there.
    pub uptime: Duration,
    /// How many workers sleep now, or are about to.
    pub sleeping: usize,
    /// How many processes that came from outside the workers wait now for the first worker that has time.
    pub injected: usize,
    /// How often a thread that is none of the workers has woken one of them, since the start.
    pub outside_unparks: u64,
    /// Its blocking pool.
    pub blocking: BlockingMetrics,
}

/// What one worker has done since its start; part of [`Metrics`].
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct WorkerMetrics {
    /// Polls that it has begun.
    pub polls: u64,
    /// How often it has taken processes from another worker's queue.
    pub steals: u64,
    /// How many processes it has taken so. One that a third worker takes away in the same moment may be missing.
    pub stolen: u64,
    /// How many processes it has taken from another NUMA node, where nobody was idle: out of workers' queues, so that they are among the
    /// stolen ones, or of what had come there from outside.
    pub abroad: u64,
    /// How many processes that waited behind a long poll of this worker were given to the others.
    pub rescued: u64,
    /// How often it has gone to sleep because there was nothing to do.
    pub parks: u64,
    /// How many sleeping workers it has woken.
    pub unparks: u64,
    /// How long it has had something to do, by the clock on the wall: from finding the first process to not finding another, with
    /// what lies between polls. The time of a worker that blocks inside a poll, or that the system does not let run, is counted.
    /// What is going on at the moment of reading is counted up to then.
    pub busy: Duration,
    /// A bound for its longest poll: the longest time between two looks at the clock. It looks when it begins to be busy, when it
    /// runs out of work, and at least every 64 polls. So no poll was longer than this, and this is at most 64 polls, with what
    /// lies between them. A poll that is going on at the moment of reading is counted up to then.
    pub longest_poll: Duration,
    /// How many processes wait in its queue now, for it or for a thief. The one that it has kept to run next is not among them.
    pub queued: usize,
}

/// The blocking pool of an executor, now and since its start; part of [`Metrics`].
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct BlockingMetrics {
    /// How many threads it has.
    pub threads: usize,
    /// How many of them wait for a job, or are on their way to one.
    pub idle: usize,
    /// How many jobs wait for a thread.
    pub queued: usize,
    /// How many jobs it has not taken, because too many waited, or none could be run.
    pub rejected: u64,
    /// The longest time that a job has waited for a thread. One that waits at the moment of reading is counted up to then.
    pub longest_wait: Duration,
}

impl Metrics {
    /// Adds the workers up. `longest_poll` is the longest of all.
    ///
    /// # Examples
    /// ```
    /// let executor = bastion_executor::Executor::builder().workers(2).build()?;
    /// executor.run(executor.spawn(async {}));
    /// assert_eq!(executor.metrics().total().polls, 1);
    /// # Ok::<(), bastion_executor::BuildError>(())
    /// ```
    pub fn total(&self) -> WorkerMetrics {
        self.workers.iter().fold(WorkerMetrics::default(), |sum, worker| WorkerMetrics {
            polls: sum.polls + worker.polls,
            steals: sum.steals + worker.steals,
            stolen: sum.stolen + worker.stolen,
            abroad: sum.abroad + worker.abroad,
            rescued: sum.rescued + worker.rescued,
            parks: sum.parks + worker.parks,
            unparks: sum.unparks + worker.unparks,
            busy: sum.busy + worker.busy,
            longest_poll: sum.longest_poll.max(worker.longest_poll),
            queued: sum.queued + worker.queued,
        })
    }
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>6} {:>12} {:>8} {:>10} {:>8} {:>7} {:>10} {:>10} {:>10} {:>10} {:>6}",
            "worker",
            "polls",
            "steals",
            "stolen",
            "abroad",
            "rescued",
            "parks",
            "unparks",
            "busy",
            "longest",
            "queued"
        )?;
        for (index, worker) in self.workers.iter().enumerate() {
            row(f, &index.to_string(), worker)?;
        }
        row(f, "all", &self.total())?;
        writeln!(
            f,
            "{} sleep; {} injected, {} woken from outside; up {:.3?}",
            self.sleeping, self.injected, self.outside_unparks, self.uptime
        )?;
        let BlockingMetrics { threads, idle, queued, rejected, longest_wait } = self.blocking;
        write!(
            f,
            "blocking: {threads} threads, {idle} idle; {queued} jobs queued, {rejected} refused, longest wait {longest_wait:.3?}"
        )
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, worker: &WorkerMetrics) -> fmt::Result {
    let WorkerMetrics { polls, steals, stolen, abroad, rescued, parks, unparks, queued, .. } =
        worker;
    // Their own format knows no width.
    let busy = format!("{:.3?}", worker.busy);
    let longest = format!("{:.3?}", worker.longest_poll);
    writeln!(
        f,
        "{name:>6} {polls:>12} {steals:>8} {stolen:>10} {abroad:>8} {rescued:>7} {parks:>10} {unparks:>10} {busy:>10} {longest:>10} {queued:>6}"
    )
}
