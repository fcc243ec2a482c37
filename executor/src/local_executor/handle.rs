//! [`LocalHandle`]: awaits, cancels or lets go of a process of a local executor.

use futures_core::future::FusedFuture;
use lightproc::{Outcome, RecoverableHandle};
use send_wrapper::SendWrapper;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Awaits a process of a [`LocalExecutor`](crate::LocalExecutor), and turns its panic into a value. It stays on the
/// executor's thread.
///
/// As a future its output is `None` when the process panicked or was cancelled; [`outcome`](LocalHandle::outcome) keeps the
/// panic and tells the two apart. It is ready only after the future was dropped. Dropping the handle detaches the process.
/// Outside of the executor's `run` it waits for ever unless the process has ended, because only there processes run.
///
/// # Panics
/// Polling it after it was ready panics.
///
/// # Examples
/// ```
/// use bastion_executor::{LocalExecutor, Outcome};
/// let executor = LocalExecutor::new();
/// let mut handle = executor.spawn_local(std::future::pending::<()>());
/// handle.cancel();
/// assert!(matches!(executor.run(handle.outcome()), Outcome::Cancelled));
/// ```
///
/// It cannot leave the thread:
/// ```compile_fail,E0277
/// let handle = bastion_executor::LocalExecutor::new().spawn_local(async {});
/// std::thread::spawn(move || drop(handle));
/// ```
#[must_use = "dropping a handle detaches its process; call `detach` to say that this is meant"]
pub struct LocalHandle<T> {
    inner: RecoverableHandle<SendWrapper<T>>,
    /// The output must be taken and dropped on the executor's thread.
    _local: PhantomData<Rc<()>>,
}

impl<T> LocalHandle<T> {
    pub(super) fn new(inner: RecoverableHandle<SendWrapper<T>>) -> Self {
        LocalHandle { inner, _local: PhantomData }
    }

    /// Asks for cancellation: the future is dropped at the process's next turn, and not polled any more. Await the handle to wait
    /// until that has happened. A process that has ended stays as it is.
    pub fn cancel(&self) {
        self.inner.cancel();
    }

    /// Lets the process go on without a handle. The same as dropping it, but says so.
    pub fn detach(self) {}

    /// Says whether the process has ended, which never becomes false again.
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }

    /// Waits for the end of the process and says how it came about.
    ///
    /// # Panics
    /// When the handle was ready before.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing: the handle can be awaited again, or cancelled first.
    pub async fn outcome(&mut self) -> Outcome<T> {
        match self.inner.outcome().await {
            Outcome::Completed(output) => Outcome::Completed(output.take()),
            Outcome::Panicked(panic) => Outcome::Panicked(panic),
            Outcome::Cancelled => Outcome::Cancelled,
        }
    }
}

impl<T> Future for LocalHandle<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.inner).poll(cx).map(|output| output.map(SendWrapper::take))
    }
}

impl<T> FusedFuture for LocalHandle<T> {
    fn is_terminated(&self) -> bool {
        self.inner.is_terminated()
    }
}

impl<T> fmt::Debug for LocalHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalHandle").field("inner", &self.inner).finish()
    }
}
