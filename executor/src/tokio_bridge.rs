//! Tokio's sockets, timers and tasks inside our processes (feature `tokio`).
//!
//! What is built on tokio (`tokio::net`, `tokio::time`, `tokio::spawn`, and with them hyper, reqwest, sqlx, axum) looks for a
//! runtime in the thread that it is called on. With this feature each of our threads is in one, for all its life: the workers, the
//! threads of the blocking pool, and the thread of [`Executor::run`](crate::Executor::run), [`run`](crate::run()) and
//! [`LocalExecutor::run`](crate::LocalExecutor::run). Our processes are polled by our workers as before; tokio's runtime
//! watches the sockets and the clock, and runs what is spawned on it.
//!
//! Which runtime: the one of [`Builder::tokio`](crate::Builder::tokio), else a helper, with one thread of the name `tokio`. It is
//! started with the first executor, or `run`, that needs it, lives as long as the program, and sleeps when it has nothing to do. A
//! thread that is in a runtime already keeps to that one in [`run`](crate::run()) and in what it gives to the blocking pool.
//!
//! # Examples
//! ```
//! use bastion_executor::{run, spawn};
//! use std::time::Duration;
//!
//! let sum = run(async {
//!     let process = spawn(async {
//!         tokio::time::sleep(Duration::from_millis(1)).await;
//!         40
//!     });
//!     let task = tokio::spawn(async { 2 });
//!     process.await.unwrap() + task.await.unwrap()
//! });
//! assert_eq!(sum, 42);
//! ```
//!
//! # Limits
//! - *A wake is a hop between threads*: a socket that becomes ready, or a timer that fires, is seen by tokio's thread, which wakes one of
//!   ours. It costs what [`io`](crate::io) and [`sleep`](crate::sleep) cost too, and more than in a program of tokio's alone.
//! - *`tokio::spawn` goes to tokio's thread*, not to our workers: a task there that blocks delays every socket and timer of the
//!   helper. Spawn processes for work, and leave tokio's tasks to the libraries that make them.
//! - *Tokio's cooperative budget is not in force* in our processes: one that reads from sockets that are always ready yields only
//!   where it says so. `tokio::task::yield_now` is as good as ours.
//! - *`tokio::task::block_in_place`* in a process blocks its worker, and hands nothing over to others; in a task on the helper it
//!   panics, as on any runtime with one thread. Use [`spawn_blocking`](crate::spawn_blocking).
//! - *`tokio::task::LocalSet`* is not `Send`, so it cannot be in a process that moves between workers: run it in
//!   [`run`](crate::run()), or use a [`LocalExecutor`](crate::LocalExecutor). Outside of one `tokio::task::spawn_local` panics.
//! - *A runtime that you give must be driven*: one with one thread does nothing unless somebody blocks on it, and after its
//!   shutdown tokio's sockets and timers fail or panic in our processes too.
//! - *No virtual time*: `tokio::time::pause` is for runtimes that run their tasks themselves.

use crate::builder::Builder;
use once_cell::sync::OnceCell;
use std::future::pending;
use std::io;
use std::thread;
use tokio::runtime::{self, Handle};

/// The runtime of whoever brings none. It is never taken down.
static HELPER: OnceCell<Handle> = OnceCell::new();

/// Returns the handle of the helper runtime, and starts it when it is first asked for.
///
/// # Errors
/// When the machine refuses the thread, or what tokio needs to watch sockets; asking again tries again.
///
/// # Examples
/// ```
/// let handle = bastion_executor::tokio_bridge::helper()?;
/// let name = handle.spawn(async { std::thread::current().name().map(str::to_owned) });
/// assert_eq!(bastion_executor::run(name)?.as_deref(), Some("tokio"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn helper() -> io::Result<&'static Handle> {
    HELPER.get_or_try_init(|| {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let drive = move || runtime.block_on(pending::<()>());
        thread::Builder::new().name("tokio".into()).spawn(drive)?;
        Ok(handle)
    })
}

impl Builder {
    /// Has the workers use this tokio runtime, instead of a helper that the crate starts: see
    /// [`tokio_bridge`](crate::tokio_bridge). The runtime must be driven, and outlive the executor's use of tokio.
    ///
    /// # Examples
    /// ```
    /// let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    /// let executor =
    ///     bastion_executor::Executor::builder().workers(1).tokio(runtime.handle().clone()).build()?;
    /// let id = executor.spawn(async { tokio::runtime::Handle::current().id() });
    /// assert_eq!(executor.run(id), Some(runtime.handle().id()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn tokio(mut self, handle: Handle) -> Self {
        self.bridge = Bridge(Some(handle));
        self
    }
}

/// The tokio runtime that a thread of ours is in; `None`: the helper.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bridge(Option<Handle>);

impl Bridge {
    /// Returns the runtime that the calling thread is in, or the helper.
    pub(crate) fn current() -> Bridge {
        Bridge(Handle::try_current().ok())
    }

    /// Makes sure that the runtime is there.
    pub(crate) fn start(self) -> io::Result<Bridge> {
        match self.0 {
            Some(handle) => Ok(Bridge(Some(handle))),
            None => Ok(Bridge(Some(helper()?.clone()))),
        }
    }

    /// Calls `f` inside the runtime. Without one if there is none to be had: then only who needs it fails.
    pub(crate) fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        // During the destruction of the thread's locals no runtime can be entered.
        let ending = Handle::try_current().is_err_and(|error| error.is_thread_local_destroyed());
        let handle = if ending { None } else { self.0.as_ref().or_else(|| helper_or_warn()) };
        let _entered = handle.map(Handle::enter);
        f()
    }
}

fn helper_or_warn() -> Option<&'static Handle> {
    helper().inspect_err(|error| tracing::warn!(%error, "there is no tokio runtime")).ok()
}
