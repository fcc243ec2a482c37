//! [`Stats`] and [`Tree`] by way of the crate `metrics`, whose recorder the program has chosen (feature `metrics`).
//!
//! Knows names, units and labels; no recorder, and no time to publish at: the program calls.

use crate::process::Workload;
use crate::report::Stats;
use crate::tree::{Branch, Tree};
use metrics::{Label, Unit};
use std::time::Duration;

/// Name, unit, description, and where the figure comes from.
type Row<F, V> = (&'static str, Unit, &'static str, fn(&F) -> V);

const EVENTS: &[Row<Stats, u64>] = &[
    ("bastion_system_crashes", Unit::Count, "Abnormal ends", |stats| stats.crashes),
    ("bastion_system_restarts", Unit::Count, "Restarts of what ended by itself", |stats| {
        stats.restarts
    }),
    ("bastion_system_give_ups", Unit::Count, "Supervisors that gave up", |stats| stats.give_ups),
    ("bastion_system_forced_kills", Unit::Count, "Killed for not stopping in time", |stats| {
        stats.forced_kills
    }),
    ("bastion_system_abandoned", Unit::Count, "Not even ended by a kill", |stats| stats.abandoned),
    ("bastion_system_dead_letters", Unit::Count, "Messages never handled", |stats| {
        stats.dead_letters
    }),
    ("bastion_system_superseded", Unit::Count, "Messages replaced by newer ones", |stats| {
        stats.superseded
    }),
    ("bastion_system_hook_panics", Unit::Count, "Panics of hooks", |stats| stats.hook_panics),
];

const TOTALS: &[Row<Tree, f64>] = &[
    ("bastion_system_supervisors", Unit::Count, "Supervisors", |tree| {
        tree.totals.supervisors as f64
    }),
    ("bastion_system_workers", Unit::Count, "Workers", |tree| tree.totals.workers as f64),
    ("bastion_system_running", Unit::Count, "Processes that run", |tree| {
        tree.totals.running as f64
    }),
    ("bastion_system_unknown", Unit::Count, "Supervisors that did not answer", |tree| {
        tree.totals.unknown as f64
    }),
    ("bastion_system_queued", Unit::Count, "Messages in mailboxes", |tree| queued(&tree.root)),
];

const PROCESS_GAUGES: &[Row<Branch, f64>] =
    &[("bastion_process_queued", Unit::Count, "Messages in the mailbox", |branch| {
        branch.queued as f64
    })];

const WORKLOAD_COUNTERS: &[Row<Workload, u64>] = &[
    ("bastion_process_messages", Unit::Count, "Messages received", |workload| workload.messages),
    ("bastion_process_busy", Unit::Nanoseconds, "Time with a message in hand", |workload| {
        u64::try_from(workload.busy.as_nanos()).unwrap_or(u64::MAX)
    }),
];

const WORKLOAD_GAUGES: &[Row<Workload, f64>] = &[
    ("bastion_process_longest", Unit::Seconds, "Longest time with one", |workload| {
        workload.longest.as_secs_f64()
    }),
    ("bastion_process_current", Unit::Seconds, "Time with this one", |workload| {
        workload.current.unwrap_or(Duration::ZERO).as_secs_f64()
    }),
];

impl Stats {
    /// Tells the recorder of the crate `metrics` the unit and the meaning of each figure. Once, after the recorder was installed.
    pub fn describe() {
        describe_counters(EVENTS);
    }

    /// Publishes the figures through the crate `metrics`, to the recorder that the program has installed. Call it as often as you want
    /// them fresh.
    ///
    /// `system` is the label that tells systems apart. All are counters, set with `absolute`: `bastion_system_crashes`, `_restarts`,
    /// `_give_ups`, `_forced_kills`, `_abandoned`, `_dead_letters`, `_superseded` and `_hook_panics`.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Runtime, Sim, Stats, System, Tree};
    /// let sim = Sim::new(1);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     // Once, after the program has installed its recorder.
    ///     Stats::describe();
    ///     Tree::describe();
    ///     // Every few seconds.
    ///     system.stats().publish("main");
    ///     system.tree().await.publish("main");
    /// });
    /// ```
    pub fn publish(&self, system: &str) {
        let labels = vec![Label::new("system", system.to_owned())];
        set_counters(EVENTS, self, &labels);
    }
}

impl Tree {
    /// Tells the recorder of the crate `metrics` the unit and the meaning of each figure. Once, after the recorder was installed.
    pub fn describe() {
        describe_gauges(TOTALS);
        describe_gauges(PROCESS_GAUGES);
        describe_counters(WORKLOAD_COUNTERS);
        describe_gauges(WORKLOAD_GAUGES);
    }

    /// Publishes the figures through the crate `metrics`, to the recorder that the program has installed: those of the system, and those
    /// of each process that has a name, as have all above it. Others would be a series each, and are only in the sums.
    ///
    /// `system` is the label that tells systems apart; `process` is what [`Tree::find`] takes. When several processes have the same, the last
    /// one is seen. It makes strings for each process, so not in a hot path.
    ///
    /// | name | kind | labels |
    /// |---|---|---|
    /// | `bastion_system_supervisors`, `_workers`, `_running`, `_unknown`, `_queued` | gauge | `system` |
    /// | `bastion_process_queued` | gauge | `system`, `process` |
    /// | `bastion_process_messages` | counter | `system`, `process` |
    /// | `bastion_process_busy` | counter, nanoseconds | `system`, `process` |
    /// | `bastion_process_longest`, `_current` | gauge, seconds | `system`, `process` |
    ///
    /// The last three rows are those of a [`Workload`], and there where
    /// [`measure_handlers`](crate::SystemBuilder::measure_handlers) is on.
    pub fn publish(&self, system: &str) {
        let labels = vec![Label::new("system", system.to_owned())];
        set_gauges(TOTALS, self, &labels);
        publish_named(&self.root, "", &labels);
    }
}

/// Publishes a process and what is below it. It goes down as deep as the snapshot does, which has a limit.
fn publish_named(branch: &Branch, above: &str, of_system: &[Label]) {
    let Some(name) = &branch.name else { return };
    let path = format!("{above}{name}");
    let below = format!("{path}/");
    let mut labels = of_system.to_vec();
    labels.push(Label::new("process", path));
    set_gauges(PROCESS_GAUGES, branch, &labels);
    if let Some(workload) = &branch.workload {
        set_counters(WORKLOAD_COUNTERS, workload, &labels);
        set_gauges(WORKLOAD_GAUGES, workload, &labels);
    }
    for child in branch.children() {
        publish_named(child, &below, of_system);
    }
}

fn queued(branch: &Branch) -> f64 {
    branch.queued as f64 + branch.children().iter().map(queued).sum::<f64>()
}

fn describe_counters<F>(rows: &[Row<F, u64>]) {
    for (name, unit, about, _) in rows {
        metrics::describe_counter!(*name, *unit, *about);
    }
}

fn describe_gauges<F>(rows: &[Row<F, f64>]) {
    for (name, unit, about, _) in rows {
        metrics::describe_gauge!(*name, *unit, *about);
    }
}

fn set_counters<F>(rows: &[Row<F, u64>], figures: &F, labels: &[Label]) {
    for (name, _, _, value) in rows {
        metrics::counter!(*name, labels.to_vec()).absolute(value(figures));
    }
}

fn set_gauges<F>(rows: &[Row<F, f64>], figures: &F, labels: &[Label]) {
    for (name, _, _, value) in rows {
        metrics::gauge!(*name, labels.to_vec()).set(value(figures));
    }
}
