//! The blocking pool: threads for calls that block, so that the workers need not.
//!
//! Each executor has its own. It grows at once when all its threads are busy, up to a limit; a thread that has been idle for a while
//! ends. The same process type as everywhere: a job is a process that never waits. `pool` has the queue and the threads.

mod pool;

pub(crate) use pool::{Place, Pool};

use crate::local;
use crate::runtime::{Executor, global_or_panic};
use crate::shared::Shared;
use crate::tokio_bridge::Bridge;
use crate::topology::CpuSet;
use lightproc::{LightProc, RecoverableHandle};
use pool::Refused;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What a pool goes by. The builder's methods say what each is.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) threads: usize,
    pub(crate) keep_alive: Duration,
    pub(crate) queue: usize,
    /// The executor's: `-blocking-N` is appended.
    pub(crate) name: String,
    pub(crate) stack_size_bytes: Option<usize>,
    /// Where its threads may run, as far as that is known.
    pub(crate) cpus: Option<CpuSet>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            threads: 512,
            keep_alive: Duration::from_secs(10),
            queue: 1 << 16,
            name: String::new(),
            stack_size_bytes: None,
            cpus: None,
        }
    }
}

/// Runs a closure that may block on a thread made for that: in the pool of the surrounding [`Executor::run`], else of the calling
/// worker or blocking job, else of the global executor.
///
/// At most 512 run at once ([`Builder::blocking_threads`](crate::Builder::blocking_threads)); the others wait in order. What the
/// closure spawns belongs to the same executor. Cancelling the handle before the closure has begun drops it; one that has begun
/// cannot be stopped. A panic ends the job only; the handle tells of it.
///
/// The job is refused when too many wait already ([`Builder::blocking_queue`](crate::Builder::blocking_queue)), or when the executor
/// has been dropped: the closure is dropped without a call, and the handle says that it was cancelled. Refused jobs are counted in
/// [`BlockingMetrics::rejected`](crate::BlockingMetrics), and the first of many is reported. [`try_spawn_blocking`] gives the closure
/// back instead.
///
/// # Panics
/// As [`spawn`](crate::spawn) does.
///
/// # Examples
/// ```
/// use bastion_executor::{run, spawn_blocking};
/// let text = run(spawn_blocking(|| std::fs::read_to_string("Cargo.toml")));
/// assert!(text.unwrap().unwrap().contains("[package]"));
/// ```
pub fn spawn_blocking<F, T>(f: F) -> RecoverableHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    with_executor(|shared| spawn_on(shared, f))
}

/// Runs a closure that may block as [`spawn_blocking`] does, if the pool takes it.
///
/// # Errors
/// [`RefusedJob`], with the closure, when too many jobs wait already or the executor has been dropped.
///
/// # Panics
/// As [`spawn`](crate::spawn) does.
///
/// # Examples
/// ```
/// use bastion_executor::{run, try_spawn_blocking};
/// match try_spawn_blocking(|| 6 * 7) {
///     Ok(handle) => assert_eq!(run(handle), Some(42)),
///     Err(refused) => assert_eq!(refused.into_job()(), 42), // Better late than never.
/// }
/// ```
pub fn try_spawn_blocking<F, T>(f: F) -> Result<RecoverableHandle<T>, RefusedJob<F>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    with_executor(|shared| try_spawn_on(shared, f))
}

impl Executor {
    /// Runs a closure that may block on a thread of this executor's pool; see [`spawn_blocking`].
    pub fn spawn_blocking<F, T>(&self, f: F) -> RecoverableHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        spawn_on(self.shared(), f)
    }

    /// Runs a closure that may block on a thread of this executor's pool, if it takes it; see [`try_spawn_blocking`].
    ///
    /// # Errors
    /// [`RefusedJob`], with the closure, when too many jobs wait already.
    pub fn try_spawn_blocking<F, T>(&self, f: F) -> Result<RecoverableHandle<T>, RefusedJob<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        try_spawn_on(self.shared(), f)
    }
}

/// Calls `f` with the executor that a function without one uses.
pub(crate) fn with_executor<R>(f: impl FnOnce(&Arc<Shared>) -> R) -> R {
    local::with_current(|current| match current {
        Some(shared) => f(shared),
        None => f(global_or_panic().shared()),
    })
}

fn spawn_on<F, T>(shared: &Arc<Shared>, f: F) -> RecoverableHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    match try_spawn_on(shared, f) {
        Ok(handle) => handle,
        Err(refused) => {
            // Dropped at once, which the handle tells of.
            let (_, handle) = LightProc::recoverable(async { (refused.into_job())() }, drop, ());
            handle
        }
    }
}

fn try_spawn_on<F, T>(shared: &Arc<Shared>, f: F) -> Result<RecoverableHandle<T>, RefusedJob<F>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let place = match shared.blocking.admit() {
        Ok(place) => place,
        Err(why) => return Err(RefusedJob { job: f, why }),
    };
    // What the job spawns belongs where the job came from.
    let origin = shared.clone();
    let bridge = Bridge::current();
    let run = async move {
        let _place = place;
        let _entered = local::enter(origin);
        bridge.within(f)
    };
    // A job never waits, so nothing ever makes it due again: there is nowhere to schedule it to.
    let (job, handle) = LightProc::recoverable(run, drop, shared.on_panic.clone());
    // A pool that has closed since has no use for it.
    drop(shared.blocking.push(job));
    Ok(handle)
}

/// The error of [`try_spawn_blocking`]: the pool did not take the job. Gives the closure back.
pub struct RefusedJob<F> {
    job: F,
    why: Refused,
}

impl<F> RefusedJob<F> {
    /// Returns the closure, which was not called.
    pub fn into_job(self) -> F {
        self.job
    }

    /// Says whether too many jobs wait already. Later there may be room.
    pub fn is_full(&self) -> bool {
        self.why == Refused::Full
    }

    /// Says whether the executor has been dropped. It will take no job again.
    pub fn is_closed(&self) -> bool {
        self.why == Refused::Closed
    }
}

impl<F> fmt::Debug for RefusedJob<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefusedJob").field("why", &self.why).finish_non_exhaustive()
    }
}

impl<F> fmt::Display for RefusedJob<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.why {
            Refused::Full => "too many blocking jobs wait already",
            Refused::Closed => "the executor of the blocking pool has been dropped",
        })
    }
}

impl<F> std::error::Error for RefusedJob<F> {}
