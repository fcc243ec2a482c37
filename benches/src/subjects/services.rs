//! What executors have beside processes: timers, and threads for calls that block. Who has none does not implement the trait.

use super::executors::{AsyncExecutor, Bastion, Bastion04, Executor, Tokio};
use std::future::Future;
use std::time::Duration;

/// An executor whose processes can wait for a time.
pub(crate) trait Timers: Executor {
    /// Waits, inside a process.
    fn sleep(duration: Duration) -> impl Future + Send + 'static;
}

impl Timers for Bastion {
    fn sleep(duration: Duration) -> impl Future + Send + 'static {
        bastion_executor::sleep(duration)
    }
}

impl Timers for Tokio {
    fn sleep(duration: Duration) -> impl Future + Send + 'static {
        tokio::time::sleep(duration)
    }
}

/// Its timers are those of async-io.
impl Timers for AsyncExecutor {
    fn sleep(duration: Duration) -> impl Future + Send + 'static {
        async_io::Timer::after(duration)
    }
}

/// An executor with threads for calls that block.
pub(crate) trait Blocking: Executor {
    /// Runs a closure on such a thread; the future ends when it has. Dropping the future lets the closure run.
    fn spawn_blocking(
        work: impl FnOnce() + Send + 'static,
    ) -> impl Future<Output: Send> + Send + 'static;
}

impl Blocking for Bastion {
    fn spawn_blocking(
        work: impl FnOnce() + Send + 'static,
    ) -> impl Future<Output: Send> + Send + 'static {
        bastion_executor::spawn_blocking(work)
    }
}

impl Blocking for Tokio {
    fn spawn_blocking(
        work: impl FnOnce() + Send + 'static,
    ) -> impl Future<Output: Send> + Send + 'static {
        Self::runtime().spawn_blocking(work)
    }
}

/// Its pool is that of the crate `blocking`.
impl Blocking for AsyncExecutor {
    fn spawn_blocking(
        work: impl FnOnce() + Send + 'static,
    ) -> impl Future<Output: Send> + Send + 'static {
        blocking::unblock(work)
    }
}

/// Its pool takes futures, and polls them on a thread of its own.
impl Blocking for Bastion04 {
    fn spawn_blocking(
        work: impl FnOnce() + Send + 'static,
    ) -> impl Future<Output: Send> + Send + 'static {
        let stack = lightproc_03::proc_stack::ProcStack::default();
        bastion_executor_04::blocking::spawn_blocking(async move { work() }, stack)
    }
}
