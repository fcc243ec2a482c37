//! Spawning into the supervisor of the process that runs on this thread.

use super::plain::Worker;
use crate::process::{Address, Life, guard};
use crate::supervisor::{Gone, SupervisorRef};
use std::convert::Infallible;
use std::error::Error;
use std::fmt;

/// Starts a worker as a sibling of the running process, and does not wait: see
/// [`SupervisorRef::spawn_child`](crate::SupervisorRef::spawn_child).
///
/// The worker belongs to the supervisor of the process that calls: it outlives the caller, and ends with the supervisor at the latest. Only the
/// process's own code has that supervisor: not what it has given to another task, as with `tokio::spawn`, or to another thread.
///
/// # Errors
/// [`NoSupervisor`] outside of every process, or when the supervisor has ended.
///
/// # Examples
/// ```
/// use bastion_supervision::{Runtime, Sim, Supervisor, one_shot, spawn, worker};
/// use std::{future::pending, time::Duration};
/// let sim = Sim::new(1);
/// sim.run(async {
///     let server = worker("server", |shutdown| async move {
///         for number in 0..3 {
///             spawn(one_shot(async move {
///                 println!("serving connection {number}");
///                 Ok(())
///             }))?;
///         }
///         shutdown.requested().await;
///         Ok(())
///     });
///     let second = sim.sleep(Duration::from_secs(1));
///     Supervisor::new("web").add_worker(server).run_on(Runtime::sim(&sim), second).await.unwrap();
/// });
/// assert!(spawn(one_shot(pending())).is_err(), "there is no supervisor here");
/// ```
pub fn spawn(worker: impl Into<Worker>) -> Result<Address<Infallible>, NoSupervisor> {
    let supervisor = current_supervisor().ok_or(NoSupervisor::Outside)?;
    supervisor.spawn_child(worker.into()).map_err(|Gone| NoSupervisor::Gone)
}

/// Returns the supervisor of the process that runs on this thread; see [`spawn`] for whose that is.
pub fn current_supervisor() -> Option<SupervisorRef> {
    // The keeper of a root, who has no name, takes no children.
    guard::with_current(Life::supervisor)
        .filter(|supervisor| supervisor.shared().core.name().is_some())
}

/// Tells the watchdog of the process that runs on this thread that it makes progress: see [`Child::watchdog`](crate::Child::watchdog). Outside of
/// every process it does nothing.
///
/// # Examples
/// ```
/// use bastion_supervision::{progress, worker};
/// use std::time::Duration;
/// let sorter = worker("sorter", |shutdown| async move {
///     while !shutdown.is_requested() {
///         // ... one step, and then:
///         progress();
///     }
///     Ok(())
/// });
/// let guarded = sorter.watchdog(Duration::from_secs(10));
/// ```
pub fn progress() {
    let _ = guard::with_current(|life| life.progress(false));
}

/// Nobody takes what was to be spawned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoSupervisor {
    /// The calling code is not that of a process.
    Outside,
    /// The process's supervisor has ended.
    Gone,
}

impl fmt::Display for NoSupervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoSupervisor::Outside => f.write_str("no process runs here that has a supervisor"),
            NoSupervisor::Gone => Gone.fmt(f),
        }
    }
}

impl Error for NoSupervisor {}
