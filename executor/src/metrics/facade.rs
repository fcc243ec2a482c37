//! [`Metrics`] by way of the crate `metrics`, whose recorder the program has chosen (feature `metrics`).
//!
//! Knows names, units and labels; no recorder, and no time to publish at: the program calls.

use super::{Metrics, WorkerMetrics};
use metrics::{Label, Unit};

/// Name, unit, description, and where the figure comes from.
type Row<F, V> = (&'static str, Unit, &'static str, fn(&F) -> V);

const WORKER_COUNTERS: &[Row<WorkerMetrics, u64>] = &[
    ("bastion_executor_polls", Unit::Count, "Polls begun", |worker| worker.polls),
    ("bastion_executor_steals", Unit::Count, "Thefts from other workers", |worker| worker.steals),
    ("bastion_executor_stolen", Unit::Count, "Processes taken so", |worker| worker.stolen),
    ("bastion_executor_abroad", Unit::Count, "Processes taken from other nodes", |worker| {
        worker.abroad
    }),
    ("bastion_executor_rescued", Unit::Count, "Given away from behind long polls", |worker| {
        worker.rescued
    }),
    ("bastion_executor_parks", Unit::Count, "Times gone to sleep", |worker| worker.parks),
    ("bastion_executor_unparks", Unit::Count, "Sleepers woken", |worker| worker.unparks),
    ("bastion_executor_busy", Unit::Nanoseconds, "Time with something to do", |worker| {
        u64::try_from(worker.busy.as_nanos()).unwrap_or(u64::MAX)
    }),
];

const WORKER_GAUGES: &[Row<WorkerMetrics, f64>] = &[
    ("bastion_executor_longest_poll", Unit::Seconds, "Bound for the longest poll", |worker| {
        worker.longest_poll.as_secs_f64()
    }),
    ("bastion_executor_queued", Unit::Count, "Processes in the queue", |worker| {
        worker.queued as f64
    }),
];

const COUNTERS: &[Row<Metrics, u64>] = &[
    ("bastion_executor_outside_unparks", Unit::Count, "Workers woken from outside", |metrics| {
        metrics.outside_unparks
    }),
    ("bastion_blocking_rejected", Unit::Count, "Jobs refused", |metrics| metrics.blocking.rejected),
];

const GAUGES: &[Row<Metrics, f64>] = &[
    ("bastion_executor_sleeping", Unit::Count, "Workers that sleep", |metrics| {
        metrics.sleeping as f64
    }),
    ("bastion_executor_injected", Unit::Count, "Processes from outside that wait", |metrics| {
        metrics.injected as f64
    }),
    ("bastion_blocking_threads", Unit::Count, "Threads of the blocking pool", |metrics| {
        metrics.blocking.threads as f64
    }),
    ("bastion_blocking_idle", Unit::Count, "Its threads without a job", |metrics| {
        metrics.blocking.idle as f64
    }),
    ("bastion_blocking_queued", Unit::Count, "Its jobs without a thread", |metrics| {
        metrics.blocking.queued as f64
    }),
    ("bastion_blocking_longest_wait", Unit::Seconds, "Longest wait of a job", |metrics| {
        metrics.blocking.longest_wait.as_secs_f64()
    }),
];

impl Metrics {
    /// Tells the recorder of the crate `metrics` the unit and the meaning of each figure. Once, after the recorder was installed.
    pub fn describe() {
        let worker = WORKER_COUNTERS.iter().map(|(name, unit, about, _)| (name, unit, about));
        let own = COUNTERS.iter().map(|(name, unit, about, _)| (name, unit, about));
        for (name, unit, about) in worker.chain(own) {
            metrics::describe_counter!(*name, *unit, *about);
        }
        let worker = WORKER_GAUGES.iter().map(|(name, unit, about, _)| (name, unit, about));
        let own = GAUGES.iter().map(|(name, unit, about, _)| (name, unit, about));
        for (name, unit, about) in worker.chain(own) {
            metrics::describe_gauge!(*name, *unit, *about);
        }
    }

    /// Publishes the figures through the crate `metrics`, to the recorder that the program has installed. Call it as often as you
    /// want them fresh; it makes a string for each label, so not in a hot path.
    ///
    /// `executor` is the label that tells executors apart. Counters are set with `absolute`.
    ///
    /// | name | kind | labels |
    /// |---|---|---|
    /// | `bastion_executor_polls`, `_steals`, `_stolen`, `_abroad`, `_rescued`, `_parks`, `_unparks` | counter | `executor`, `worker` |
    /// | `bastion_executor_busy` | counter, nanoseconds | `executor`, `worker` |
    /// | `bastion_executor_longest_poll` | gauge, seconds | `executor`, `worker` |
    /// | `bastion_executor_queued` | gauge | `executor`, `worker` |
    /// | `bastion_executor_outside_unparks` | counter | `executor` |
    /// | `bastion_executor_sleeping`, `_injected` | gauge | `executor` |
    /// | `bastion_blocking_threads`, `_idle`, `_queued` | gauge | `executor` |
    /// | `bastion_blocking_rejected` | counter | `executor` |
    /// | `bastion_blocking_longest_wait` | gauge, seconds | `executor` |
    pub fn publish(&self, executor: &str) {
        let of_executor = vec![Label::new("executor", executor.to_owned())];
        for (index, worker) in self.workers.iter().enumerate() {
            let mut labels = of_executor.clone();
            labels.push(Label::new("worker", index.to_string()));
            for (name, _, _, value) in WORKER_COUNTERS {
                metrics::counter!(*name, labels.clone()).absolute(value(worker));
            }
            for (name, _, _, value) in WORKER_GAUGES {
                metrics::gauge!(*name, labels.clone()).set(value(worker));
            }
        }
        for (name, _, _, value) in COUNTERS {
            metrics::counter!(*name, of_executor.clone()).absolute(value(self));
        }
        for (name, _, _, value) in GAUGES {
            metrics::gauge!(*name, of_executor.clone()).set(value(self));
        }
    }
}
