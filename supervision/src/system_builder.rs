//! [`SystemBuilder`]: what becomes of a system's reports, said before it exists.

use crate::report::{Hook, Report};
use crate::runtime::Runtime;
use crate::system::System;
use std::fmt;

/// How many reports a system keeps when nothing else is said.
const HISTORY: usize = 1_000;

/// Describes a [`System`].
///
/// # Examples
/// ```
/// use bastion_supervision::{Runtime, Sim, System};
/// let sim = Sim::new(1);
/// let system = System::builder(Runtime::sim(&sim))
///     .on_report(|report| eprintln!("{report}"))
///     .history(100)
///     .build();
/// assert!(system.history().records.is_empty());
/// ```
#[must_use = "a description does nothing until it is built"]
pub struct SystemBuilder {
    runtime: Runtime,
    hooks: Vec<Hook>,
    history: usize,
    measures: bool,
}

impl SystemBuilder {
    pub(crate) fn new(runtime: Runtime) -> SystemBuilder {
        SystemBuilder { runtime, hooks: Vec::new(), history: HISTORY, measures: false }
    }

    /// Adds a hook, which is shown every report, after those that were added before. It runs inside the system, on whichever thread makes
    /// the report: it must not block.
    ///
    /// It is kept as long as anybody has an address in the system; so one that has such an address itself is never dropped. One that
    /// panics is called again all the same; that it panics is reported once, and counted ([`Stats::hook_panics`](crate::Stats::hook_panics)).
    pub fn on_report(mut self, hook: impl Fn(&Report) + Send + Sync + 'static) -> Self {
        self.hooks.push(Box::new(hook));
        self
    }

    /// Sets how many reports are kept for [`System::history`], the last ones; 0: none. Default: 1,000.
    pub fn history(mut self, reports: usize) -> Self {
        self.history = reports;
        self
    }

    /// Sets whether it is counted how many messages each process handles, and how long that takes it: see
    /// [`ChildInfo::workload`](crate::ChildInfo::workload) and [`Branch::workload`](crate::Branch::workload). Default: no. It costs two looks
    /// at the clock for each message, and a branch when it is off. Supervisors are not measured.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{child, Context, Runtime, Sim, System};
    /// use std::time::Duration;
    /// let sim = Sim::new(1);
    /// sim.run(async {
    ///     let system = System::builder(Runtime::sim(&sim)).measure_handlers(true).build();
    ///     let slow = child(|mut cx: Context<u32>| async move {
    ///         while let Some(seconds) = cx.recv().await {
    ///             cx.sleep(Duration::from_secs(seconds.into())).await;
    ///         }
    ///         Ok(())
    ///     });
    ///     let slow = system.spawn_child(slow.named("slow")).unwrap();
    ///     (1..=3).for_each(|seconds| slow.tell(seconds).unwrap());
    ///     sim.sleep(Duration::from_secs(10)).await;
    ///     let workload = system.tree().await.find("root/processes/slow").unwrap().workload.unwrap();
    ///     assert_eq!((workload.messages, workload.busy), (3, Duration::from_secs(6)));
    ///     assert_eq!(workload.longest, Duration::from_secs(3));
    /// });
    /// ```
    pub fn measure_handlers(mut self, measures: bool) -> Self {
        self.measures = measures;
        self
    }

    /// Makes the system; see [`System::new`].
    pub fn build(self) -> System {
        System::make(self.runtime, self.hooks, self.history, self.measures)
    }
}

impl fmt::Debug for SystemBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemBuilder")
            .field("runtime", &self.runtime)
            .field("hooks", &self.hooks.len())
            .field("history", &self.history)
            .field("measures", &self.measures)
            .finish()
    }
}
