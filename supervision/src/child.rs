//! [`Child`]: the description of a process, before a supervisor starts it.

use crate::env::Env;
use crate::exit::Exit;
use crate::names::NameError;
use crate::pid::Pid;
use crate::place::Place;
use crate::plan::{
    Backoff, ChildSpec, ExitReason, Failure, Quarantine, RestartPolicy, RestartType, Shutdown,
};
use crate::process::{Address, Context, Life, Process, Shared, body};
use crate::supervisor::{Command, SupervisorRef};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// Describes a process: a closure or async function that is called for every incarnation, and the rules for it.
///
/// Defaults, as OTP's: permanent, five seconds to stop, restarted at once, any number of times (as far as the supervisor's
/// intensity allows). The mailbox holds 1,048,576 messages.
///
/// # Examples
/// ```
/// use bastion_supervision::{child, Context, Exit, plan::{Backoff, RestartType}};
/// async fn print(mut cx: Context<u32>) -> Result<(), Exit> {
///     while let Some(number) = cx.recv().await {
///         println!("{number}");
///     }
///     Ok(())
/// }
/// let printer = child(print)
///     .named("printer")
///     .restart(RestartType::Transient)
///     .backoff(Backoff::storm_guard());
/// let address = printer.address();
/// assert_eq!(address.name(), Some("printer"));
/// ```
#[must_use = "a child does nothing until a supervisor is given it"]
pub struct Child<M> {
    pub(crate) shared: Arc<Shared<M>>,
    pub(crate) given: Given,
}

/// Describes a process by the function that makes its body.
///
/// The function is called in the new process, for every incarnation; the process is ready as soon as it has returned. A panic in
/// it is a failed start.
pub fn child<M, F, Fut>(start: F) -> Child<M>
where
    M: Send + 'static,
    F: Fn(Context<M>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Exit>> + Send + 'static,
{
    let shared = Shared::new();
    let starter = Starter { shared: shared.clone(), start, closed_at_rest: AtomicBool::new(false) };
    Child { shared, given: Given::new(AnyChild::new(Arc::new(starter))) }
}

impl<M: Send + 'static> Child<M> {
    /// Sets the name: the child's id among its siblings, at most one of each.
    ///
    /// # Panics
    /// When the child has a name already.
    #[track_caller]
    pub fn named(mut self, name: impl Into<Arc<str>>) -> Self {
        let name = name.into();
        self.given.child_mut().spec_mut().id = Some(name.clone());
        self.shared.core.set_name(name);
        self
    }

    /// Adds a name by which the process is found in its system: see [`Names`](crate::Names). It takes the name when it is given to its
    /// supervisor, before its first start, keeps it over restarts, and has it until it has ended for good. One that it has given back is
    /// taken again by its next start.
    ///
    /// A start fails when another process has the name, with a [`NameError`](crate::NameError) as the error of [`ExitReason::InitFailed`], and
    /// that process is not touched. One that is spawned ends for that reason, and is started again as its rules say.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Exit, NameError, Runtime, Sim, StartChildError, Supervisor, System, child};
    /// use bastion_supervision::plan::ExitReason;
    /// async fn wait(cx: Context<()>) -> Result<(), Exit> {
    ///     cx.stop_signal().requested().await;
    ///     Ok(())
    /// }
    /// let sim = Sim::new(1);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     let pool = system.supervise(Supervisor::dynamic("pool")).await.unwrap();
    ///     let first = pool.start_child(child(wait).registered("leader")).await.unwrap();
    ///     assert_eq!(system.names().find("leader"), Ok(first));
    ///     let second = pool.start_child(child(wait).registered("leader")).await;
    ///     let Err(StartChildError::Failed(ExitReason::InitFailed(failure))) = second else { panic!() };
    ///     assert!(matches!(failure.downcast_ref(), Some(NameError::Taken { .. })));
    /// });
    /// ```
    pub fn registered(mut self, name: impl Into<Arc<str>>) -> Self {
        self.given.child_mut().described_mut().names.push(name.into());
        self
    }

    /// Sets whether the child is started again when it ends by itself.
    pub fn restart(mut self, restart: RestartType) -> Self {
        self.given.child_mut().set_restart(restart);
        self
    }

    /// Sets how the child is stopped.
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.given.child_mut().spec_mut().shutdown = shutdown;
        self
    }

    /// Sets how often the child may be restarted.
    pub fn policy(mut self, policy: RestartPolicy) -> Self {
        self.given.child_mut().spec_mut().policy = policy;
        self
    }

    /// Sets how long a failed child waits for its restart.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.given.child_mut().spec_mut().backoff = backoff;
        self
    }

    /// Sets whether the child's end may end its supervisor: see [`Supervisor::auto_shutdown`](crate::Supervisor::auto_shutdown). A permanent
    /// child cannot be significant.
    pub fn significant(mut self, significant: bool) -> Self {
        self.given.child_mut().spec_mut().significant = significant;
        self
    }

    /// Adds an elder sibling that the child needs, by name: it is started when that one is ready, stopped before it is, and restarted
    /// with it. Only one-for-one asks for this; under the other strategies the order of the children says it.
    pub fn depends_on(mut self, name: impl Into<Arc<str>>) -> Self {
        self.given.child_mut().spec_mut().depends_on.push(name.into());
        self
    }

    /// Puts the child into quarantine when it fails too often, instead of giving it up: see [`Quarantine`].
    pub fn quarantine(mut self, quarantine: Quarantine) -> Self {
        self.given.child_mut().spec_mut().quarantine = Some(quarantine);
        self
    }

    /// Restarts the child when it has run so long, although nothing is wrong: after nine tenths of the time at the least, by chance, so
    /// that those that were started together are not restarted together. A temporary one only ends.
    pub fn max_lifetime(mut self, limit: Duration) -> Self {
        self.given.child_mut().spec_mut().max_lifetime = Some(limit);
        self
    }

    /// Treats the child as failed, by [`Stuck`](crate::plan::Stuck), when it makes no progress for so long: it has neither received a
    /// message, nor waited for one, nor called [`Context::progress`] or [`progress`](crate::progress). It is found out between one and two times the limit, and killed.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{child, Context, Exit};
    /// use std::time::Duration;
    /// async fn work(mut cx: Context<u64>) -> Result<(), Exit> {
    ///     while let Some(_job) = cx.recv().await {
    ///         // What takes longer than ten seconds here is restarted.
    ///     }
    ///     Ok(())
    /// }
    /// let guarded = child(work).watchdog(Duration::from_secs(10));
    /// ```
    pub fn watchdog(mut self, limit: Duration) -> Self {
        self.given.child_mut().spec_mut().watchdog = Some(limit);
        self
    }

    /// Sets where the child runs, in each incarnation. Default: where its supervisor does.
    ///
    /// A start fails, with a [`PlaceError`](crate::PlaceError), when there is no such place.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{child, Context, Exit, Place};
    /// async fn count(mut cx: Context<u64>) -> Result<(), Exit> {
    ///     while cx.recv().await.is_some() {}
    ///     Ok(())
    /// }
    /// let near_its_data = child(count).on(Place::Node(1));
    /// let may_block = child(count).on(Place::Thread);
    /// ```
    pub fn on(mut self, place: Place) -> Self {
        self.given.child_mut().described_mut().place = Some(place);
        self
    }

    /// Makes the child's readiness its own word: it is ready when its body calls [`Context::ready`], and the sibling after it is
    /// started then. An end before that is a failed start. Of no effect on a child that is spawned: nobody waits for it.
    pub fn gated(mut self) -> Self {
        self.given.child_mut().described_mut().gated = true;
        self
    }

    /// Refuses what is sent while the child rests (it has ended, or was stopped, and is kept), and drops what waits then, as dead letters.
    /// Otherwise that waits for a start, which may never come. Also when it is its supervisor that rests.
    pub fn closed_at_rest(self) -> Self {
        self.given.child().start.set_closed_at_rest();
        self
    }

    /// Returns the address, valid from now on: what is sent before the first start waits for it. It ends with a child that is
    /// dropped instead of being given to a supervisor.
    pub fn address(&self) -> Address<M> {
        Address { shared: self.shared.clone() }
    }
}

impl<M> fmt::Debug for Child<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("spec", self.given.child().spec()).finish_non_exhaustive()
    }
}

/// A child, whatever its messages.
#[derive(Clone)]
pub(crate) struct AnyChild {
    pub(crate) start: Arc<dyn Start>,
    rules: Rules,
    described: Option<Box<Described>>,
}

/// Many children have the first ones, and need no allocation for them.
#[derive(Clone)]
enum Rules {
    /// A worker's defaults, but for when it is restarted.
    Plain(&'static ChildSpec),
    Own(Box<ChildSpec>),
}

impl Rules {
    const fn plain(restart: RestartType) -> Rules {
        static PERMANENT: ChildSpec = ChildSpec::worker();
        static TRANSIENT: ChildSpec = ChildSpec::worker().restart(RestartType::Transient);
        static TEMPORARY: ChildSpec = ChildSpec::worker().restart(RestartType::Temporary);
        Rules::Plain(match restart {
            RestartType::Permanent => &PERMANENT,
            RestartType::Transient => &TRANSIENT,
            RestartType::Temporary => &TEMPORARY,
        })
    }
}

/// What is said of few children.
#[derive(Clone, Default)]
pub(crate) struct Described {
    pub(crate) gated: bool,
    /// Where it is to run; none: where its supervisor does.
    pub(crate) place: Option<Place>,
    /// By which names it is to be found.
    pub(crate) names: Vec<Arc<str>>,
}

impl AnyChild {
    /// One with a worker's defaults.
    fn new(start: Arc<dyn Start>) -> AnyChild {
        AnyChild { start, rules: Rules::plain(RestartType::Permanent), described: None }
    }

    /// One with rules of its own, which says itself when it is ready.
    pub(crate) fn supervisor(
        start: Arc<dyn Start>,
        spec: ChildSpec,
        place: Option<Place>,
    ) -> AnyChild {
        let described = Described { gated: true, place, names: Vec::new() };
        AnyChild { start, rules: Rules::Own(Box::new(spec)), described: Some(Box::new(described)) }
    }

    pub(crate) fn spec(&self) -> &ChildSpec {
        match &self.rules {
            Rules::Plain(spec) => spec,
            Rules::Own(spec) => spec,
        }
    }

    /// Takes the rules out; a worker's defaults are left.
    pub(crate) fn take_spec(&mut self) -> ChildSpec {
        match std::mem::replace(&mut self.rules, Rules::plain(RestartType::Permanent)) {
            Rules::Plain(spec) => spec.clone(),
            Rules::Own(spec) => *spec,
        }
    }

    pub(crate) fn spec_mut(&mut self) -> &mut ChildSpec {
        if let Rules::Plain(spec) = self.rules {
            self.rules = Rules::Own(Box::new(spec.clone()));
        }
        match &mut self.rules {
            Rules::Own(spec) => spec,
            Rules::Plain(_) => unreachable!("it has rules of its own now"),
        }
    }

    fn set_restart(&mut self, restart: RestartType) {
        match &mut self.rules {
            Rules::Plain(_) => self.rules = Rules::plain(restart),
            Rules::Own(spec) => spec.restart = restart,
        }
    }

    /// See [`ChildSpec::is_undemanding`].
    pub(crate) fn is_undemanding(&self) -> bool {
        match &self.rules {
            Rules::Plain(_) => true,
            Rules::Own(spec) => spec.is_undemanding(),
        }
    }

    pub(crate) fn described(&self) -> Option<&Described> {
        self.described.as_deref()
    }

    pub(crate) fn described_mut(&mut self) -> &mut Described {
        self.described.get_or_insert_default()
    }

    pub(crate) fn is_gated(&self) -> bool {
        self.described().is_some_and(|described| described.gated)
    }

    /// Where it is to run, if it says so itself.
    pub(crate) fn place(&self) -> Option<&Place> {
        self.described()?.place.as_ref()
    }

    pub(crate) fn names(&self) -> &[Arc<str>] {
        self.described().map_or(&[], |described| &described.names)
    }
}

/// A child that is on its way to a supervisor. If none takes it, it is ended for good.
pub(crate) struct Given(Option<AnyChild>);

impl Given {
    pub(crate) fn new(child: AnyChild) -> Given {
        Given(Some(child))
    }

    pub(crate) fn child(&self) -> &AnyChild {
        self.0.as_ref().expect("present until it is taken")
    }

    pub(crate) fn child_mut(&mut self) -> &mut AnyChild {
        self.0.as_mut().expect("present until it is taken")
    }

    pub(crate) fn take(mut self) -> AnyChild {
        self.0.take().expect("taken once")
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        if let Some(child) = self.0.take() {
            close(&child.start, &ExitReason::Shutdown);
        }
    }
}

/// How a child is started, and ended for good.
pub(crate) trait Start: Send + Sync {
    fn process(&self) -> &dyn Process;
    /// Gives the process its pid and its surroundings. A process keeps the first ones.
    fn settle(&self, env: &Env) -> Pid {
        self.process().settle(env)
    }
    /// Takes note of where the process will run, before it is known in its system.
    fn set_place(&self, _: Place) {}
    /// Takes note of its supervisor, likewise.
    fn set_above(&self, _: &Shared<Command>) {}
    /// Gives the process these names, as far as it does not have them. It has been settled.
    fn claim(&self, _: &[Arc<str>]) -> Result<(), NameError> {
        Ok(())
    }
    /// Starts an incarnation on the runtime of its system.
    fn spawn(self: Arc<Self>, life: Arc<Life>, gated: bool, place: Place);
    /// Ends the process for good. No incarnation exists.
    fn end(&self, reason: ExitReason);
    /// Takes note that the process does not run and will only when it is told to, because it rests itself (`finally`), or because its
    /// supervisor has ended, which may be started again.
    fn rest(&self, _finally: bool) {}
    /// Takes note that nothing is accepted while it rests.
    fn set_closed_at_rest(&self) {}
    /// The process as a supervisor, if it is one.
    fn supervisor(&self) -> Option<SupervisorRef> {
        None
    }
}

/// Gives a process these names before an incarnation of it runs, which it cannot without them.
pub(crate) fn claim(start: &Arc<dyn Start>, names: &[Arc<str>], life: &Life) {
    if let Err(error) = start.claim(names) {
        life.end_by(ExitReason::InitFailed(Failure::new(error)));
    }
}

/// Ends a process for good as soon as no incarnation of it exists.
pub(crate) fn close(start: &Arc<dyn Start>, reason: &ExitReason) {
    let (closed, reason) = (start.clone(), reason.clone());
    start.process().core().when_left(move || closed.end(reason));
}

struct Starter<M, F> {
    shared: Arc<Shared<M>>,
    start: F,
    closed_at_rest: AtomicBool,
}

impl<M, F, Fut> Start for Starter<M, F>
where
    M: Send + 'static,
    F: Fn(Context<M>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Exit>> + Send + 'static,
{
    fn process(&self) -> &dyn Process {
        &*self.shared
    }

    fn claim(&self, names: &[Arc<str>]) -> Result<(), NameError> {
        let env = self.shared.core.env().expect("it is settled");
        env.names().claim(names, &self.shared)
    }

    fn spawn(self: Arc<Self>, life: Arc<Life>, gated: bool, place: Place) {
        let shared = self.shared.clone();
        body::spawn(shared, move |cx| (self.start)(cx), life, gated, place);
    }

    fn end(&self, reason: ExitReason) {
        self.shared.end(reason);
    }

    fn set_closed_at_rest(&self) {
        self.closed_at_rest.store(true, Relaxed);
    }

    fn rest(&self, finally: bool) {
        if finally && self.closed_at_rest.load(Relaxed) {
            self.shared.shut_at_rest(&ExitReason::Shutdown);
        }
    }
}
