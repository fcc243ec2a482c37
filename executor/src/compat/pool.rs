//! Processes with a stack, on the executor's workers.

pub use super::blocking::spawn_blocking;
use super::stacked;
use crate::jobs::with_executor;
use crate::runtime::{global_or_panic, spawn_with};
use crate::shared::Shared;
use lightproc::{ProcStack, RecoverableHandle};
use std::future::Future;
use std::sync::Arc;

/// Runs a future as a process with a stack, where [`spawn`](crate::spawn()) would.
///
/// The stack's hooks run once each: before the first poll; after it has returned, or after a panic. A panic that no handle tells of is
/// reported as that of any other process.
///
/// # Panics
/// As [`spawn`](crate::spawn()) does.
///
/// # Examples
/// ```
/// use bastion_executor::prelude::*;
/// use lightproc::prelude::*;
///
/// let pid = 1;
/// let stack = ProcStack::default().with_pid(pid);
///
/// let handle = spawn(
///     async {
///         panic!("test");
///     },
///     stack.clone(),
/// );
///
/// run(
///     async {
///         handle.await;
///     },
///     stack.clone(),
/// );
/// ```
pub fn spawn<F, T>(future: F, stack: ProcStack) -> RecoverableHandle<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    with_executor(|shared| spawn_on(shared, future, stack))
}

fn spawn_on<F, T>(shared: &Arc<Shared>, future: F, stack: ProcStack) -> RecoverableHandle<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let (future, data) = stacked::parts(shared, future, stack);
    spawn_with(shared, future, data)
}

/// The global executor's workers; see [`get`].
#[derive(Debug)]
pub struct Pool(());

/// Returns the workers of the global executor, which starts them if it has not.
///
/// # Panics
/// When the machine refuses its threads; see [`Executor::global`](crate::Executor::global).
pub fn get() -> &'static Pool {
    global_or_panic();
    &Pool(())
}

impl Pool {
    /// Runs a future as a process with a stack on the global executor, as [`spawn`] does.
    ///
    /// # Examples
    /// ```
    /// use bastion_executor::prelude::*;
    /// use lightproc::prelude::*;
    /// let handle = get().spawn(async { 6 * 7 }, ProcStack::default().with_pid(1));
    /// assert_eq!(handle.stack().get_pid(), 1);
    /// assert_eq!(run(handle, ProcStack::default()), Some(42));
    /// ```
    pub fn spawn<F, T>(&self, future: F, stack: ProcStack) -> RecoverableHandle<T>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        spawn_on(global_or_panic().shared(), future, stack)
    }
}
