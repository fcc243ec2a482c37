//! [`SystemBuilder`]: what becomes of a system's reports, said before it exists.

use crate::env::Watches;
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
    watches: Watches,
}

impl SystemBuilder {
    pub(crate) fn new(runtime: Runtime) -> SystemBuilder {
        SystemBuilder { runtime, hooks: Vec::new(), history: HISTORY, watches: Watches::default() }
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
        self.watches.measures = measures;
        self
    }

    /// Sets whether messages are traced. Default: no.
    ///
    /// A message then has a span of `tracing` of its own, `message`, with the level `INFO`, the target `bastion::message`, and the fields `pid` and `name` of the
    /// process that it is for, and `message_type`. It begins when the message is sent, follows from the span in which that happens, and ends when the process asks for the next message, or ends. It
    /// is entered whenever the process is polled meanwhile, so that what that logs, sends, or is told by a crash's report belongs to it. It is no child of the
    /// sender's span, which ends when it would without it: so two processes that answer each other for ever do not make one trace without an end.
    ///
    /// Of messages that are received at once the first one's is entered, and all end together. A message to a [`Pool`](crate::Pool) has the pool's pid and name. Messages without a span: those of
    /// timers, streams and the control lane, which nobody has sent, and those sent before the process was given to its supervisor. A process that receives in another task than its own is not followed there.
    ///
    /// When it is off it costs a look for each poll, and no room in messages. When it is on, every process has the mailbox of one with
    /// [rules](crate::Child::priority), which has room for spans, and a message costs more.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{child, Context, Runtime, Sim, System};
    /// let sim = Sim::new(1);
    /// let system = System::builder(Runtime::sim(&sim)).trace_messages(true).build();
    /// sim.run(async {
    ///     let orders = child(|mut cx: Context<u32>| async move {
    ///         while let Some(order) = cx.recv().await {
    ///             // In the message's span, which follows from the request's.
    ///             tracing::info!(order, "shipped");
    ///         }
    ///         Ok(())
    ///     });
    ///     let orders = system.spawn_child(orders.named("orders")).unwrap();
    ///     let request = tracing::info_span!("request", path = "/orders");
    ///     request.in_scope(|| orders.tell(7)).unwrap();
    /// });
    /// ```
    pub fn trace_messages(mut self, traces: bool) -> Self {
        self.watches.traces = traces;
        self
    }

    /// Makes the system; see [`System::new`].
    pub fn build(self) -> System {
        System::make(self.runtime, self.hooks, self.history, self.watches)
    }
}

impl fmt::Debug for SystemBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemBuilder")
            .field("runtime", &self.runtime)
            .field("hooks", &self.hooks.len())
            .field("history", &self.history)
            .field("watches", &self.watches)
            .finish()
    }
}
