//! [`System`]: a tree of processes with its surroundings. A program may have many, and tests do.

use crate::child::{self, Child, Given, Start};
use crate::env::{Env, Watches};
use crate::mailbox::BATCH;
use crate::names::Names;
use crate::plan::{Backoff, ExitReason, Time};
use crate::process::{Address, Life, Process, Shared, guard};
use crate::report::{DeadLetters, History, Hook, Report, Reporter, Stats};
use crate::runtime::Runtime;
use crate::supervisor::{Command, Gone, Signal, StartChildError, Supervisor, SupervisorRef};
use crate::sync::lock;
use crate::system_builder::SystemBuilder;
use crate::tree::Tree;
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

/// A tree of processes under one root, on one runtime.
///
/// Cloning it gives another handle. When the last one is dropped, all processes of the system are killed; [`System::stop`] stops
/// them in order.
///
/// # Examples
/// ```
/// use bastion_supervision::{child, Context, Exit, Reply, Runtime, Sim, System};
/// use std::time::Duration;
///
/// enum Count { Add(u64), Get(Reply<u64>) }
///
/// async fn counter(mut cx: Context<Count>) -> Result<(), Exit> {
///     let mut total = 0;
///     while let Some(message) = cx.recv().await {
///         match message {
///             Count::Add(n) => total += n,
///             Count::Get(reply) => reply.send(total),
///         }
///     }
///     Ok(())
/// }
///
/// let sim = Sim::new(1);
/// let total = sim.run(async {
///     let system = System::new(Runtime::sim(&sim));
///     let counter = system.spawn_child(child(counter).named("counter")).unwrap();
///     counter.tell(Count::Add(2)).unwrap();
///     let total = counter.ask(Count::Get).await.unwrap();
///     system.stop(Duration::from_secs(5)).await;
///     total
/// });
/// assert_eq!(total, 2);
/// ```
#[derive(Clone)]
pub struct System(Arc<Inner>);

struct Inner {
    env: Env,
    root: SupervisorRef,
    /// The root's only incarnation.
    life: Arc<Life>,
    /// When that was started.
    began: Time,
    /// The dynamic supervisor of `spawn_child`.
    processes: SupervisorRef,
    forced: Arc<Mutex<Vec<String>>>,
}

/// How long a snapshot of the tree waits for supervisors that do not answer, when nothing else is said.
pub(crate) const TREE_LIMIT: Duration = Duration::from_secs(1);

/// How many names of killed children a system keeps.
const FORCED_NAMES: usize = 1000;

/// How long a stop waits for processes whose supervisor had to be killed before they had ended themselves.
pub(crate) const ORPHANS_GRACE: Duration = Duration::from_secs(1);

/// What a stop came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stopped {
    /// The children that did not stop in time and were killed, over the system's life; the first thousand by name or pid.
    pub forced: Vec<String>,
    /// How many processes did not even end when killed: they never yield, and run on without anybody waiting for them.
    pub abandoned: u64,
}

impl System {
    /// Makes a system whose reports go to `tracing` and are kept for a while: install a subscriber to see crashes.
    ///
    /// The first system of a program chains a panic hook before the program's own, to learn where processes panic; a hook that is
    /// set afterwards replaces it, and crash reports lose the place.
    pub fn new(runtime: Runtime) -> System {
        System::builder(runtime).build()
    }

    /// Makes a system whose reports go to `hook` too: see [`SystemBuilder::on_report`].
    pub fn with_reports(
        runtime: Runtime,
        hook: impl Fn(&Report) + Send + Sync + 'static,
    ) -> System {
        System::builder(runtime).on_report(hook).build()
    }

    /// Describes a system whose reports go to hooks, or of which more or fewer are kept.
    pub fn builder(runtime: Runtime) -> SystemBuilder {
        SystemBuilder::new(runtime)
    }

    pub(crate) fn make(
        runtime: Runtime,
        hooks: Vec<Hook>,
        history: usize,
        watches: Watches,
    ) -> System {
        guard::install_hook();
        let forced = Arc::new(Mutex::new(Vec::new()));
        let hooks = std::iter::once(remember_forced(forced.clone())).chain(hooks).collect();
        let env = Env::new(runtime, Reporter::new(hooks, history), watches);
        // Nothing else limits their restarts.
        let guarded =
            |supervisor: Supervisor| supervisor.unlimited().default_backoff(Backoff::storm_guard());
        let (processes, processes_ref) = guarded(Supervisor::dynamic("processes")).into_child();
        let mut root = guarded(Supervisor::new("root"));
        root.push(processes);
        let (root, root_ref) = root.into_child();
        root_ref.shared().set_above(None);
        processes_ref.shared().set_above(Some(root_ref.shared()));
        root_ref.shared().core.settle(&env);
        processes_ref.shared().core.settle(&env);
        let life = launch(&env, root);
        let began = env.now();
        System(Arc::new(Inner {
            env,
            root: root_ref,
            life,
            began,
            processes: processes_ref,
            forced,
        }))
    }

    /// Starts a supervisor under the root, after those that were started before, and waits until its children are started.
    ///
    /// One without a back-off gets [`Backoff::storm_guard`], because the root restarts it without limit.
    ///
    /// # Errors
    /// When it cannot be started, or the system is stopping. Nothing of it is left then.
    pub async fn supervise(
        &self,
        supervisor: Supervisor,
    ) -> Result<SupervisorRef, StartChildError> {
        self.0.root.start_supervisor(supervisor).await
    }

    /// Starts a process outside any supervisor of the program's own, and does not wait: see [`SupervisorRef::spawn_child`].
    ///
    /// A child without a back-off gets [`Backoff::storm_guard`], because it may be restarted without limit.
    ///
    /// # Errors
    /// [`Gone`] when the system has been stopped.
    pub fn spawn_child<M: Send + 'static>(&self, child: Child<M>) -> Result<Address<M>, Gone> {
        self.0.processes.spawn_child(child)
    }

    /// Returns the root supervisor.
    pub fn root(&self) -> &SupervisorRef {
        &self.0.root
    }

    /// Returns the names by which the system's processes are found.
    pub fn names(&self) -> Names {
        self.0.env.names().clone()
    }

    /// Stops everything, in reverse order of the starts, within `limit`: what does not stop in its own time, or in this one, is
    /// killed. Called again, it waits for the same end; the earlier of the limits holds.
    pub async fn stop(&self, limit: Duration) -> Stopped {
        self.ask_to_stop(limit);
        self.0.root.ended().await;
        self.0.env.bury_orphans(ORPHANS_GRACE).await;
        Stopped { forced: lock(&self.0.forced).clone(), abandoned: self.stats().abandoned }
    }

    /// Kills everything at once, without asking: processes end at their next poll. Does not wait.
    pub fn kill(&self) {
        self.0.life.kill();
    }

    /// Begins a stop, or cuts the limit of one under way: [`stop`](Self::stop) without waiting for it.
    pub fn ask_to_stop(&self, limit: Duration) {
        self.0.life.request_stop(Some(self.0.env.now() + limit));
        self.0.root.shared().wake();
    }

    /// Waits until the system was stopped, by whomever.
    pub async fn ended(&self) -> ExitReason {
        self.0.root.ended().await
    }

    /// Says whether this is a handle of the same system.
    pub fn is(&self, other: &System) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Says whether the system has been stopped, and is gone.
    pub fn has_ended(&self) -> bool {
        self.0.root.shared().core.has_ended()
    }

    /// Returns what the system has counted so far.
    pub fn stats(&self) -> Stats {
        self.0.env.reporter().stats()
    }

    /// Returns the time of the system's clock, which all times in reports and trees are of: since its runtime was made, virtual in a
    /// simulation.
    pub fn now(&self) -> Duration {
        self.0.env.now().as_duration()
    }

    /// Returns the last reports with their times, oldest first: the last 1,000, unless [`SystemBuilder::history`] says otherwise.
    /// Children that ended as they should, and are not to be restarted, are not in it.
    ///
    /// An error that a process ended with is kept as long as a report of it is. All are dropped with the last handle of the system.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{child, Context, Exit, Report, Runtime, Sim, System, plan::RestartType};
    /// use std::time::Duration;
    /// let sim = Sim::new(1);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     let failing = child(|_: Context<()>| async { Err(Exit::error("no disk")) });
    ///     let failing = system.spawn_child(failing.named("store").restart(RestartType::Temporary)).unwrap();
    ///     failing.ended().await;
    ///     let history = system.history();
    ///     let Report::Crash(crash) = &history.records[0].report else { panic!("{history:?}") };
    ///     assert_eq!(crash.path(), "root/processes/store");
    ///     assert_eq!(crash.reason.to_string(), "error: no disk");
    ///     assert_eq!(history.records[0].at, Duration::ZERO);
    /// });
    /// ```
    pub fn history(&self) -> History {
        self.0.env.reporter().history()
    }

    /// Subscribes to the dead letters of the system from now on: all messages that were accepted and will never be handled, with the
    /// reason. At most `limit` letters wait for the subscriber; of one that is slower the oldest are dropped, and the next one that it takes
    /// says how many messages it has [missed](crate::DeadLetter::missed). There may be any number of subscriptions; who has none pays nothing.
    ///
    /// What a full mailbox drops before its process was given to a supervisor is only counted. So are messages of processes that have not
    /// ended when their system has, because they never yield.
    ///
    /// # Panics
    /// When `limit` is 0.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{child, Context, Exit, Runtime, Sim, System, plan::RestartType};
    /// let sim = Sim::new(1);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     let mut letters = system.dead_letters(100);
    ///     let one = child(|mut cx: Context<u32>| async move {
    ///         cx.recv().await;
    ///         Err(Exit::error("that was enough"))
    ///     });
    ///     let one = system.spawn_child(one.named("one").restart(RestartType::Temporary)).unwrap();
    ///     (1..=3).for_each(|number| one.tell(number).unwrap());
    ///     let letter = letters.recv().await.unwrap();
    ///     assert_eq!((letter.message, letter.count), ("u32", 2));
    ///     assert_eq!(letter.reason.to_string(), "it has ended: error: that was enough");
    /// });
    /// ```
    pub fn dead_letters(&self, limit: usize) -> DeadLetters {
        self.0.env.letters().subscribe(limit)
    }

    /// Takes a snapshot of the tree, within a second: see [`System::tree_within`].
    pub async fn tree(&self) -> Tree {
        self.tree_within(TREE_LIMIT).await
    }

    /// Takes a snapshot of the tree: asks every supervisor that runs for its children, all at the same time.
    ///
    /// It ends within `limit`, whatever supervisors do. What is below one that has not answered until then, because it was killed, or a
    /// process that never yields keeps it from running, is marked as unknown.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{child, Context, Exit, Runtime, Sim, Supervisor, System};
    /// use std::time::Duration;
    /// async fn wait(cx: Context<()>) -> Result<(), Exit> {
    ///     cx.stop_signal().requested().await;
    ///     Ok(())
    /// }
    /// let sim = Sim::new(1);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     let store = Supervisor::new("store").child(child(wait).named("disk"));
    ///     system.supervise(store).await.unwrap();
    ///     sim.sleep(Duration::from_secs(90)).await;
    ///     let tree = system.tree_within(Duration::from_millis(100)).await;
    ///     assert_eq!((tree.totals.supervisors, tree.totals.workers), (3, 1));
    ///     let disk = tree.find("root/store/disk").unwrap();
    ///     assert_eq!(disk.uptime, Some(Duration::from_secs(90)));
    ///     println!("{tree}");
    /// });
    /// ```
    pub async fn tree_within(&self, limit: Duration) -> Tree {
        Tree::take(&self.0.root, &self.0.env, self.0.began, limit).await
    }
}

/// Starts a supervisor that has none itself, only a keeper that waits for its end.
pub(crate) fn launch(env: &Env, root: Given) -> Arc<Life> {
    let root = root.take();
    let place = root.place().cloned().unwrap_or_default();
    root.start.set_place(place.clone());
    let keeper = Shared::of_supervisor();
    // Without a name: the path begins below it.
    root.start.set_above(&keeper);
    let pid = root.start.settle(env);
    keeper.core.settle(env);
    let life = Arc::new(Life::new(keeper.clone(), pid, 1));
    root.start.process().core().begin(&life, Time::ZERO);
    root.start.clone().spawn(life.clone(), root.is_gated(), place);
    env.runtime().spawn(keep(keeper, Root(root.start, life.clone(), env.clone())));
    life
}

/// Has the names of killed children kept.
pub(crate) fn remember_forced(forced: Arc<Mutex<Vec<String>>>) -> Hook {
    Box::new(move |report| {
        if let Report::Supervisor {
            child,
            report: crate::plan::Report::ForcedKill { pid, .. },
            ..
        } = report
        {
            let mut forced = lock(&forced);
            if forced.len() < FORCED_NAMES {
                forced
                    .push(child.as_ref().map_or_else(|| pid.to_string(), |name| name.to_string()));
            }
        }
    })
}

/// The root, to be ended for good; also when the runtime drops its keeper.
struct Root(Arc<dyn Start>, Arc<Life>, Env);

impl Drop for Root {
    fn drop(&mut self) {
        // It may run elsewhere, and has nobody above it any more.
        self.1.kill();
        let (start, env) = (self.0.clone(), self.2.clone());
        start.clone().process().core().when_left(Box::new(move || {
            start.end(ExitReason::Killed);
            env.letters().close();
        }));
    }
}

/// Waits for the end of the root's only incarnation, and ends it for good.
async fn keep(keeper: Arc<Shared<Command>>, root: Root) {
    let (mut commands, mut signals) = (VecDeque::new(), VecDeque::new());
    let reason = poll_fn(|task| {
        // Nobody sends a command to a keeper: the mailbox only keeps its waker.
        let _ = keeper.mailbox.fetch(&mut commands, BATCH, Some(task.waker()));
        loop {
            keeper.take_signals(&mut signals, false);
            let Some(signal) = signals.pop_front() else { return Poll::Pending };
            match signal {
                Signal::Exited { reason, .. } | Signal::StartFailed { reason, .. } => {
                    return Poll::Ready(reason);
                }
                Signal::Declined { .. } => return Poll::Ready(ExitReason::Declined),
                Signal::Started { .. } | Signal::Healthy { .. } | Signal::Arrived(_) => {}
            }
        }
    });
    child::close(&root.0, &reason.await);
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.life.kill();
        self.env.reporter().close();
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("System").field("runtime", self.0.env.runtime()).finish_non_exhaustive()
    }
}
