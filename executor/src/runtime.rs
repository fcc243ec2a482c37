//! [`Executor`]: the owned handle, the global default, and the functions that use whichever is current.

use crate::attendance;
use crate::builder::{BuildError, Builder};
use crate::local;
use crate::metrics::Metrics;
use crate::monitor;
use crate::on_panic::OnGlobalPanic;
use crate::park;
use crate::placement::Plan;
use crate::registry::Listing;
use crate::shared::Shared;
use crate::sync::thread::{self, JoinHandle as Thread};
use crate::timer::Clock;
use crate::tokio_bridge::Bridge;
use crate::topology::Topology;
use lightproc::{Hooks, LightProc, RecoverableHandle};
use once_cell::sync::OnceCell;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

/// A work-stealing executor: worker threads and the processes that they run.
///
/// Dropping it ends all that belongs to it:
/// 1. The workers stop after the polls that they are in, which are waited for. Meanwhile what is queued is dropped, and each process
///    that waits, also for a wake that would never come; a worker whose poll waits for one of them goes on.
///    A process that has a thread of its own ([`Place::Thread`](crate::Place::Thread)) is dropped by that thread, also after the poll that it
///    is in.
/// 2. When they have stopped, what their last polls have left is dropped. Now every future is gone, and so are those threads.
/// 3. The blocking jobs that wait are dropped, and idle threads of the blocking pool end. Jobs that run are not waited for, since nothing
///    can stop them; their threads end behind them.
///
/// Futures are dropped on the dropping thread, on workers that stop, or on a thread made for it. What a destructor spawns, there or later, is
/// dropped as well, unpolled. Handles say that their processes were cancelled. A waker that somebody keeps does nothing any more. A
/// process of a [`scope`](crate::scope) that waits for ever keeps the poll that has called the scope, and with it the drop. A destructor that waits
/// for the dropping thread, and two executors that are dropped each on a worker of the other, wait for ever.
///
/// On one of its own workers it leaves the process that drops it, which goes on to the end of its poll. A process that owns its
/// executor, through an `Arc`, keeps it from being dropped while it waits.
///
/// Until then a process of an owned executor that nobody can wake any more stays, unless it is cancelled. (One of the
/// [global](Executor::global) executor, which never ends, is dropped when it has no handle either.)
///
/// # Examples
/// ```
/// let executor = bastion_executor::Executor::builder().workers(2).build()?;
/// let handle = executor.spawn(async { 6 * 7 });
/// assert_eq!(executor.run(handle), Some(42));
/// # Ok::<(), bastion_executor::BuildError>(())
/// ```
pub struct Executor {
    pub(crate) shared: Arc<Shared>,
    threads: Vec<Thread<()>>,
    topology: Arc<Topology>,
    // Boxed, so that an executor stays small enough to be moved about.
    plan: Box<Plan>,
    bridge: Bridge,
}

/// The executor of whoever made none. It lives as long as the program.
static GLOBAL: OnceCell<Executor> = OnceCell::new();

impl Executor {
    /// Describes an executor: how many workers, where, with what names.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn new(
        shared: Arc<Shared>,
        topology: Arc<Topology>,
        plan: Plan,
        bridge: Bridge,
    ) -> Executor {
        Executor { shared, threads: Vec::new(), topology, plan: Box::new(plan), bridge }
    }

    pub(crate) fn push_thread(&mut self, thread: Thread<()>) {
        self.threads.push(thread);
    }

    /// Returns the global executor, made with the settings of [`Builder::from_env`] when it is first asked for.
    ///
    /// # Errors
    /// When a variable of the environment means nothing, or the machine refuses the worker threads; asking again tries again.
    pub fn global() -> Result<&'static Executor, BuildError> {
        GLOBAL.get_or_try_init(|| Builder::from_env()?.build())
    }

    /// Makes this executor the global one.
    ///
    /// # Errors
    /// Gives the executor back when there is a global one already.
    pub fn into_global(self) -> Result<&'static Executor, Executor> {
        GLOBAL.try_insert(self).map_err(|(_, executor)| executor)
    }

    /// Runs a future as a process on this executor's workers.
    pub fn spawn<F>(&self, future: F) -> RecoverableHandle<F::Output>
    where
        F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
    {
        spawn_in(&self.shared, future)
    }

    /// Runs a future as a process without a handle; see [`spawn_detached`].
    pub fn spawn_detached<F>(&self, future: F)
    where
        F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
    {
        spawn_detached_on(&self.shared, future);
    }

    /// Runs a future on the calling thread, which waits for it; the workers run what it spawns.
    ///
    /// # Panics
    /// With the future's panic, if it panics.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        let _entered = local::enter(self.shared.clone());
        self.bridge.within(|| park::block_on(future))
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Returns the clock that the timers go by.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Returns how many workers there are.
    pub fn workers(&self) -> usize {
        self.shared.workers.len()
    }

    /// Reads what the workers have done since the start and what waits now. Counting is always on; reading disturbs nobody but by
    /// looking at the workers' counters, and takes its blocking pool's lock once.
    ///
    /// The global executor's: `Executor::global()?.metrics()`.
    ///
    /// # Examples
    /// ```
    /// use bastion_executor::{Executor, yield_now};
    /// let executor = Executor::builder().workers(1).build()?;
    /// executor.run(executor.spawn(yield_now()));
    /// let metrics = executor.metrics();
    /// assert_eq!(metrics.workers[0].polls, 2);
    /// println!("{metrics}");
    /// # Ok::<(), bastion_executor::BuildError>(())
    /// ```
    pub fn metrics(&self) -> Metrics {
        self.shared.metrics()
    }

    /// Returns the topology that the workers were placed by.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Returns where the workers were to go, and why. Where they are: [`residence`](Self::residence).
    ///
    /// # Examples
    /// ```
    /// use bastion_executor::{Executor, Placement};
    /// let machine = "node:2 core:4 pu:2".parse()?;
    /// let executor = Executor::builder().topology(machine).build()?;
    /// assert_eq!(executor.plan().policy, Placement::PerNode);
    /// println!("{}", executor.plan().explain());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        let (shared, me) = (self.shared.clone(), thread::current().id());
        shared.close();
        self.bridge.within(|| {
            // What destructors spawn belongs here, and is dropped as well.
            let _entered = local::enter(shared.clone());
            shared.sweep_waiting();
            for thread in self.threads.drain(..) {
                // A worker that drops its own executor cannot wait for itself.
                if thread.thread().id() != me {
                    let _ = thread.join();
                }
            }
            shared.finish();
            shared.join_dedicated();
            shared.blocking.close();
            // What the destructors of jobs have spawned.
            shared.finish();
        });
        shared.blocking.join();
        monitor::leave(&self.shared);
        attendance::hand_over();
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor").field("workers", &self.workers()).finish_non_exhaustive()
    }
}

/// Returns the global executor, if there is one.
pub(crate) fn global() -> Option<&'static Executor> {
    GLOBAL.get()
}

pub(crate) fn is_global(shared: &Arc<Shared>) -> bool {
    GLOBAL.get().is_some_and(|global| Arc::ptr_eq(&global.shared, shared))
}

#[inline]
pub(crate) fn spawn_in<F>(shared: &Arc<Shared>, future: F) -> RecoverableHandle<F::Output>
where
    F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
{
    if is_global(shared) {
        // A schedule function without captured values: no reference to count, at spawn or at a wake.
        let (process, handle) = LightProc::recoverable(future, schedule_global, OnGlobalPanic);
        shared.schedule_first(process);
        handle
    } else {
        spawn_owned(shared, Listing(future), shared.on_panic.clone())
    }
}

/// Runs a future as a process that carries data of another kind, which say what is done with a panic that nobody hears of.
///
/// [`spawn_in`] does not go through it: in an unoptimised build each call more copies a large future.
pub(crate) fn spawn_with<F, D: Hooks>(
    shared: &Arc<Shared>,
    future: F,
    data: D,
) -> RecoverableHandle<F::Output>
where
    F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
{
    if is_global(shared) {
        let (process, handle) = LightProc::recoverable(future, schedule_global, data);
        shared.schedule_first(process);
        handle
    } else {
        spawn_owned(shared, Listing(future), data)
    }
}

/// Runs a future as a process that does not enter the registry: the end of an owned executor reaches it only in a queue. In return it is
/// dropped when nobody can wake it, as on the global one.
pub(crate) fn spawn_unlisted<F>(shared: &Arc<Shared>, future: F) -> RecoverableHandle<F::Output>
where
    F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
{
    if is_global(shared) {
        spawn_in(shared, future)
    } else {
        spawn_owned(shared, future, shared.on_panic.clone())
    }
}

// Inlined, or a large future would be copied on its way into the list.
#[inline(always)]
fn spawn_owned<F, D: Hooks>(
    shared: &Arc<Shared>,
    future: F,
    data: D,
) -> RecoverableHandle<F::Output>
where
    F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
{
    let owner = shared.clone();
    let schedule = move |process| owner.schedule(process);
    let (process, handle) = LightProc::recoverable(future, schedule, data);
    shared.schedule_first(process);
    handle
}

pub(crate) fn spawn_detached_on<F>(shared: &Arc<Shared>, future: F)
where
    F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
{
    let process = if is_global(shared) {
        LightProc::detached(future, schedule_global, OnGlobalPanic)
    } else {
        let (shared, on_panic) = (shared.clone(), shared.on_panic.clone());
        LightProc::detached(Listing(future), move |process| shared.schedule(process), on_panic)
    };
    shared.schedule_first(process);
}

fn schedule_global(process: LightProc) {
    match GLOBAL.get() {
        Some(global) => global.shared.schedule(process),
        None => unreachable!("the global executor is never taken down"),
    }
}

/// Runs a future as a process: on the executor of the surrounding [`Executor::run`], else of the calling worker, else on
/// the global one.
///
/// A panic ends the process only; the handle tells of it. Dropping the handle detaches the process. A large future is best given
/// as [`InPlace`](crate::InPlace): it is made where it will live, and not on the stack.
///
/// # Panics
/// When the global executor is needed for the first time and the machine refuses its threads; see [`Executor::global`].
///
/// # Examples
/// ```
/// use bastion_executor::{run, spawn};
/// assert_eq!(run(async { spawn(async { 6 * 7 }).await }), Some(42));
/// ```
pub fn spawn<F>(future: F) -> RecoverableHandle<F::Output>
where
    F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
{
    local::with_current(|current| match current {
        Some(shared) => spawn_in(shared, future),
        None => global_or_panic().spawn(future),
    })
}

/// Runs a future as a process without a handle, where [`spawn`] would: it is smaller and cheaper than a detached one.
///
/// A panic ends the process only; see [`Builder::on_panic`]. Its output is dropped.
///
/// # Panics
/// As [`spawn`] does.
///
/// # Examples
/// ```
/// use bastion_executor::spawn_detached;
/// let (told, tells) = std::sync::mpsc::channel();
/// spawn_detached(async move { told.send("done").unwrap() });
/// assert_eq!(tells.recv(), Ok("done"));
/// ```
pub fn spawn_detached<F>(future: F)
where
    F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
{
    local::with_current(|current| match current {
        Some(shared) => spawn_detached_on(shared, future),
        None => global_or_panic().spawn_detached(future),
    });
}

/// Runs a future on the calling thread, which waits for it. Needs no executor unless the future spawns.
///
/// On a worker thread it keeps that worker from its processes: what the future waits for needs another worker that is free.
///
/// # Panics
/// With the future's panic, if it panics.
pub fn run<F: Future>(future: F) -> F::Output {
    Bridge::current().within(|| park::block_on(future))
}

/// Returns the global executor's part, for who has no other.
///
/// # Panics
/// As [`spawn`] does.
pub(crate) fn global_shared() -> Arc<Shared> {
    global_or_panic().shared.clone()
}

pub(crate) fn global_or_panic() -> &'static Executor {
    match Executor::global() {
        Ok(executor) => executor,
        Err(error) => panic!("no global executor: {error}"),
    }
}

/// Lets the other processes run first.
///
/// # Examples
/// ```
/// bastion_executor::run(bastion_executor::yield_now());
/// ```
pub async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
