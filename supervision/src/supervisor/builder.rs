//! [`Supervisor`]: the description of a supervisor and of its children.

use super::command::Command;
use super::driver::drive;
use super::error::{InvalidSupervisor, SupervisorError};
use super::observer::{Observer, Observers};
use super::reference::SupervisorRef;
use crate::child::{self, AnyChild, Child, Given, Start};
use crate::env::Env;
use crate::exit::Exit;
use crate::pid::Pid;
use crate::place::Place;
use crate::plan::{
    AutoShutdown, Backoff, ChildSpec, ExitReason, Intensity, Order, Quarantine, RestartPolicy,
    RestartType, Settings, Shutdown, Strategy,
};
use crate::process::{Life, Process, Shared, body};
use crate::worker::{RestartStrategy, Worker};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Describes a supervisor: its rules, and the children that it starts with.
///
/// Defaults, as OTP's: one-for-one, one restart in five seconds, and as a child itself permanent with all the time it needs to
/// stop.
///
/// # Examples
/// ```
/// use bastion_supervision::{child, Context, Exit, Runtime, Sim, Supervisor, System, plan::Strategy};
/// use std::time::Duration;
/// async fn wait(cx: Context<()>) -> Result<(), Exit> {
///     cx.stop_signal().requested().await;
///     Ok(())
/// }
/// let sim = Sim::new(7);
/// sim.run(async {
///     let system = System::new(Runtime::sim(&sim));
///     let store = Supervisor::new("store")
///         .strategy(Strategy::RestForOne)
///         .intensity(3, Duration::from_secs(10))
///         .child(child(wait).named("disk"))
///         .child(child(wait).named("cache"));
///     let store = system.supervise(store).await.unwrap();
///     assert_eq!(store.counts().await.unwrap().active, 2);
///     system.stop(Duration::from_secs(5)).await;
/// });
/// ```
#[must_use = "a supervisor does nothing until a system or another supervisor is given it"]
pub struct Supervisor {
    shared: Arc<Shared<Command>>,
    pub(crate) name: Arc<str>,
    settings: Settings,
    pub(crate) spec: ChildSpec,
    place: Option<Place>,
    dedicated: Option<usize>,
    children: Vec<Given>,
    rest: Rest,
}

/// What few supervisors have.
#[derive(Clone, Default)]
struct Rest {
    observers: Observers,
    gives_up_with_error: bool,
}

impl Supervisor {
    /// Describes a supervisor with an order: children start one after another, and stop in reverse.
    pub fn new(name: impl Into<Arc<str>>) -> Supervisor {
        let name = name.into();
        let shared = Shared::of_supervisor();
        shared.core.set_name(name.clone());
        let spec = ChildSpec::supervisor().id(name.clone());
        let (settings, children, rest) = (Settings::default(), Vec::new(), Rest::default());
        Supervisor { shared, name, settings, spec, place: None, dedicated: None, children, rest }
    }

    /// Describes a supervisor for children that come and go: they start at once and stop in parallel, one-for-one.
    pub fn dynamic(name: impl Into<Arc<str>>) -> Supervisor {
        let mut supervisor = Supervisor::new(name);
        supervisor.settings.order = Order::Unordered;
        supervisor
    }

    /// Sets who is restarted when a child fails.
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.settings.strategy = strategy;
        self
    }

    /// Sets how many restarts in how much time are borne; one more, and the supervisor gives up.
    pub fn intensity(mut self, restarts: u32, period: Duration) -> Self {
        self.settings.intensity = Some(Intensity::new(restarts, period));
        self
    }

    /// Sets who is restarted when a child fails, and how often that is borne: [`strategy`](Self::strategy) and
    /// [`intensity`](Self::intensity) in one.
    pub fn restart_strategy(self, rules: RestartStrategy) -> Self {
        self.strategy(rules.mode).intensity(rules.intensity, rules.period)
    }

    /// Bears any number of restarts. Children should have a [`Backoff`] then.
    pub fn unlimited(mut self) -> Self {
        self.settings.intensity = None;
        self
    }

    /// Sets how long after its kill a process that never yields is abandoned. Default: one second.
    pub fn kill_grace(mut self, grace: Duration) -> Self {
        self.settings.kill_grace = grace;
        self
    }

    /// Sets how many children the supervisor may have, running or not; one more is refused. Default: any number.
    pub fn max_children(mut self, max: u32) -> Self {
        self.settings.max_children = Some(max);
        self
    }

    /// Sets the back-off of those children that have none of their own. Default: none.
    pub fn default_backoff(mut self, backoff: Backoff) -> Self {
        self.settings.backoff = backoff;
        self
    }

    /// Sets whether the supervisor ends when its significant children have, by themselves and for good. Default: never.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{child, Context, Exit, Runtime, Sim, Supervisor, System};
    /// use bastion_supervision::plan::{AutoShutdown, ExitReason, RestartType};
    /// async fn job(_: Context<()>) -> Result<(), Exit> {
    ///     Ok(())
    /// }
    /// let sim = Sim::new(7);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     let job = child(job).restart(RestartType::Transient).significant(true);
    ///     let batch = Supervisor::new("batch")
    ///         .restart(RestartType::Temporary)
    ///         .auto_shutdown(AutoShutdown::AnySignificant)
    ///         .child(job);
    ///     let batch = system.supervise(batch).await.unwrap();
    ///     assert!(matches!(batch.ended().await, ExitReason::Shutdown));
    /// });
    /// ```
    pub fn auto_shutdown(mut self, auto_shutdown: AutoShutdown) -> Self {
        self.settings.auto_shutdown = auto_shutdown;
        self
    }

    /// Sets whether the supervisor's end may end its own supervisor; a permanent one cannot be significant.
    pub fn significant(mut self, significant: bool) -> Self {
        self.spec.significant = significant;
        self
    }

    /// Ends by an error when it gives up, so that also a transient supervisor is restarted for it. Otherwise it ends by shutdown, as in OTP.
    pub fn gives_up_with_error(mut self) -> Self {
        self.rest.gives_up_with_error = true;
        self
    }

    /// Adds somebody who is told when it starts its children, and when it has stopped, and who may say by which rules it begins.
    pub fn observed_by(mut self, observer: Arc<dyn Observer>) -> Self {
        self.rest.observers.add(observer);
        self
    }

    /// Adds a child after those that were added before.
    pub fn child<M: Send + 'static>(mut self, child: Child<M>) -> Self {
        self.children.push(child.given);
        self
    }

    /// Adds a worker after the children that were added before: a [`Supervisable`](crate::Supervisable), or what
    /// [`worker`](crate::worker), [`one_shot`](crate::one_shot) and [`supervised`](crate::supervised) describe.
    pub fn add_worker(self, worker: impl Into<Worker>) -> Self {
        self.child(worker.into())
    }

    pub(crate) fn push(&mut self, child: Given) {
        self.children.push(child);
    }

    /// Adds a nested supervisor after the children that were added before.
    pub fn supervisor(mut self, supervisor: Supervisor) -> Self {
        self.children.push(supervisor.into_child().0);
        self
    }

    /// Sets whether the supervisor is started again when it ends by itself.
    pub fn restart(mut self, restart: RestartType) -> Self {
        self.spec.restart = restart;
        self
    }

    /// Sets how the supervisor is stopped. A [`Shutdown::Timeout`] is a budget for everything below it: what has more time itself, in
    /// whatever depth, gets no more than is left.
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.spec.shutdown = shutdown;
        self
    }

    /// Sets how often the supervisor may be restarted.
    pub fn policy(mut self, policy: RestartPolicy) -> Self {
        self.spec.policy = policy;
        self
    }

    /// Sets how long the supervisor, having failed, waits for its restart.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.spec.backoff = backoff;
        self
    }

    /// Adds an elder sibling that the supervisor needs, by name: it is started when that one is ready, stopped before it is, and restarted
    /// with it. Only one-for-one asks for this; under the other strategies the order of the children says it.
    pub fn depends_on(mut self, name: impl Into<Arc<str>>) -> Self {
        self.spec.depends_on.push(name.into());
        self
    }

    /// Puts the supervisor into quarantine when it fails too often, instead of giving it up: see [`Quarantine`].
    pub fn quarantine(mut self, quarantine: Quarantine) -> Self {
        self.spec.quarantine = Some(quarantine);
        self
    }

    /// Restarts the supervisor when it has run so long, although nothing is wrong: after nine tenths of the time at the least, by chance, so
    /// that those that were started together are not restarted together. A temporary one only ends.
    pub fn max_lifetime(mut self, limit: Duration) -> Self {
        self.spec.max_lifetime = Some(limit);
        self
    }

    /// Sets where the supervisor runs, and everything below it that does not say otherwise itself, also what is added later. Default: where
    /// its own supervisor does; the first, anywhere. With a place that is a thread of its own, each process below has its own.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Place, Supervisor};
    /// // Both halves of a machine of two nodes; what they own is allocated where they run.
    /// let halves = [0, 1].map(|node| Supervisor::new(format!("half-{node}")).on(Place::Node(node)));
    /// ```
    pub fn on(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Gives everything below this supervisor a runtime of its own, with so many threads: a subtree that keeps its threads busy, or blocks them,
    /// takes none from the rest of the system.
    ///
    /// The runtime is of the kind that the system is on: an [`Executor`](bastion_executor::Executor) that is the subtree's, or a multi-thread
    /// tokio runtime; in a simulation it is the simulation. It is made when the supervisor starts, and is the same over its
    /// restarts; it ends when the supervisor has ended for good. The threads bear the supervisor's name.
    ///
    /// The supervisor itself runs where its own supervisor's children do, so that it answers when the subtree is stuck. What is said below of
    /// places ([`on`](Self::on)) means the subtree's runtime; a place from above does not reach into it.
    ///
    /// The start fails, with [`InvalidSupervisor::NoThreads`](crate::InvalidSupervisor::NoThreads) when `threads` is 0, and with
    /// [`SupervisorError::Runtime`](crate::SupervisorError::Runtime) when the machine refuses them.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Supervisor, worker};
    /// let crunch = worker("crunch", |_| async {
    ///     println!("busy");
    ///     Ok(())
    /// });
    /// let batch = Supervisor::new("batch").dedicated(2).add_worker(crunch);
    /// let app = Supervisor::new("app").supervisor(batch);
    /// ```
    pub fn dedicated(mut self, threads: usize) -> Self {
        self.dedicated = Some(threads);
        self
    }

    /// Returns the handle, for those who are to ask something of the supervisor later: before it has a system it answers nothing.
    pub fn reference(&self) -> SupervisorRef {
        SupervisorRef::new(self.shared.clone())
    }

    pub(crate) fn into_child(self) -> (Given, SupervisorRef) {
        let Supervisor { shared, name, settings, spec, place, dedicated, children, rest } = self;
        let children = children.into_iter().map(Given::take).collect();
        let blueprint = Blueprint { name, settings, children, rest };
        let blueprint = Arc::new(blueprint);
        let dedicated = dedicated.map(|threads| Dedicated { threads, place: place.clone() });
        let start = Arc::new(Nested { shared: shared.clone(), blueprint, dedicated });
        (Given::new(AnyChild::supervisor(start, spec, place)), SupervisorRef::new(shared))
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor")
            .field("name", &self.name)
            .field("settings", &self.settings)
            .field("children", &self.children.len())
            .finish_non_exhaustive()
    }
}

/// What every incarnation of a supervisor starts from.
pub(crate) struct Blueprint {
    pub(crate) name: Arc<str>,
    settings: Settings,
    pub(crate) children: Vec<AnyChild>,
    rest: Rest,
}

impl Blueprint {
    /// The rules that an incarnation begins with.
    pub(super) fn settings(&self, env: &Env) -> Settings {
        self.observers().rules(env).unwrap_or_else(|| self.settings.clone())
    }

    pub(super) fn observers(&self) -> &Observers {
        &self.rest.observers
    }

    /// Whether giving up is an error, and no shutdown.
    pub(super) fn gives_up_with_error(&self) -> bool {
        self.rest.gives_up_with_error
    }
}

/// A supervisor, as a child.
struct Nested {
    shared: Arc<Shared<Command>>,
    blueprint: Arc<Blueprint>,
    dedicated: Option<Dedicated>,
}

/// The runtime that a supervisor gives to what is below it.
struct Dedicated {
    threads: usize,
    /// What the supervisor itself says about places, and not those above.
    place: Option<Place>,
}

impl Nested {
    /// Makes the runtime of what is below, if it is to have one.
    fn open(&self) -> Result<(), SupervisorError> {
        let (supervisor, dedicated) = (&self.blueprint.name, self.dedicated.as_ref());
        match (dedicated, self.shared.core.env()) {
            (Some(Dedicated { threads: 0, .. }), _) => {
                let error = Arc::new(InvalidSupervisor::NoThreads);
                Err(SupervisorError::Invalid { supervisor: supervisor.clone(), error })
            }
            (Some(_), Some(below)) => below.runtime().open().map_err(|error| {
                SupervisorError::Runtime { supervisor: supervisor.clone(), error }
            }),
            _ => Ok(()),
        }
    }
}

impl Nested {
    fn stopped(&self) {
        self.blueprint.observers().tell(self.shared.core.env(), |observer| observer.stopped());
    }
}

impl Start for Nested {
    fn process(&self) -> &dyn Process {
        &*self.shared
    }

    fn settle(&self, env: &Env) -> Pid {
        let core = &self.shared.core;
        match (core.pid(), &self.dedicated) {
            (Some(pid), _) => pid,
            (None, None) => core.settle(env),
            (None, Some(dedicated)) => {
                core.settle(&env.on(env.runtime().own(&self.blueprint.name, dedicated.threads)))
            }
        }
    }

    fn set_place(&self, place: Place) {
        self.shared.set_place(match &self.dedicated {
            None => place,
            Some(dedicated) => dedicated.place.clone().unwrap_or_default(),
        });
    }

    fn set_above(&self, above: &Shared<Command>) {
        self.shared.set_above(Some(above));
    }

    fn spawn(self: Arc<Self>, life: Arc<Life>, gated: bool, place: Place) {
        let shared = self.shared.clone();
        if let Err(error) = self.open() {
            life.end_by(Exit::from(error).into_reason());
        }
        body::spawn(shared, move |cx| drive(cx, self.blueprint.clone()), life, gated, place);
    }

    /// The declared children keep their addresses while the supervisor may be restarted; now it will not be.
    fn end(&self, reason: ExitReason) {
        for child in &self.blueprint.children {
            child::close(&child.start, &reason);
        }
        if self.dedicated.is_some()
            && let Some(below) = self.shared.core.env()
        {
            below.runtime().close();
        }
        self.stopped();
        // Last: whoever waits for this end finds those of the children.
        self.shared.end(reason);
    }

    /// Nobody would answer while it rests: requests are refused until it is started again. The same below it.
    fn rest(&self, finally: bool) {
        self.shared.shut(&ExitReason::Shutdown);
        for child in &self.blueprint.children {
            child.start.rest(finally);
        }
        if finally {
            self.stopped();
        }
    }

    fn supervisor(&self) -> Option<SupervisorRef> {
        Some(SupervisorRef::new(self.shared.clone()))
    }
}
