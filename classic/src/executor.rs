//! Futures on the executor: spawned, on a thread that may block, or run by the caller.

use bastion_executor::{RecoverableHandle, run as run_here};
use std::future::Future;

pub use lightproc::ProcStack;

/// Runs a future on a thread that it may block. The handle gives `None` when it panicked or was cancelled; dropped, it lets the future go on.
///
/// # Examples
/// ```
/// let answer = bastion_classic::executor::blocking(async {
///     std::thread::sleep(std::time::Duration::from_millis(1));
///     42
/// });
/// assert_eq!(bastion_classic::executor::run(answer), Some(42));
/// ```
pub fn blocking<F, R>(future: F) -> RecoverableHandle<R>
where
    F: Future<Output = R> + Send + 'static,
    R: Send + 'static,
{
    bastion_executor::spawn_blocking(move || run_here(future))
}

/// Runs a future on the calling thread.
///
/// # Panics
/// With the future's panic.
///
/// # Examples
/// ```
/// assert_eq!(bastion_classic::executor::run(async { 40 + 2 }), 42);
/// ```
pub fn run<F, T>(future: F) -> T
where
    F: Future<Output = T>,
{
    run_here(future)
}

/// Runs a future on the executor. The handle gives `None` when it panicked or was cancelled; dropped, it lets the future go on.
///
/// # Examples
/// ```
/// let answer = bastion_classic::executor::spawn(async { 42 });
/// assert_eq!(bastion_classic::executor::run(answer), Some(42));
/// ```
pub fn spawn<F, T>(future: F) -> RecoverableHandle<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    bastion_executor::spawn(future)
}
