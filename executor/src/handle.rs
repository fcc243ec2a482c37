//! [`Handle`]: an executor, to those who spawn on it and do not own it.

use crate::local;
use crate::place::{Place, Unplaced};
use crate::runtime::{self, Executor, is_global};
use crate::shared::Shared;
use crate::timer::Clock;
use lightproc::RecoverableHandle;
use std::fmt;
use std::sync::Arc;

/// Spawns on one executor, from wherever. Cloning it counts a reference.
///
/// It does not keep the executor: after that was dropped, what is spawned is dropped, unpolled.
///
/// # Examples
/// ```
/// use bastion_executor::{Executor, Handle};
/// let (first, second) = (Executor::builder().workers(1).build()?, Executor::builder().workers(1).build()?);
/// let there = second.handle();
/// // A process of the first executor that spawns on the second.
/// let spawned = first.spawn(async move { there.spawn(async { 6 * 7 }).await });
/// assert_eq!(first.run(spawned), Some(Some(42)));
/// assert!(Handle::current().is_none());
/// # Ok::<(), bastion_executor::BuildError>(())
/// ```
#[derive(Clone)]
pub struct Handle(Arc<Shared>);

impl Handle {
    /// Returns the executor of the surrounding [`Executor::run`], else of the calling worker; `None` elsewhere.
    pub fn current() -> Option<Handle> {
        local::with_current(|current| current.cloned().map(Handle))
    }

    /// Says whether this is the [global](Executor::global) executor.
    pub fn is_global(&self) -> bool {
        is_global(&self.0)
    }

    /// Returns the clock of the executor's timers; see [`Builder::clock`](crate::Builder::clock).
    pub fn clock(&self) -> Clock {
        self.0.clock.clone()
    }

    /// As [`Executor::spawn`].
    pub fn spawn<F>(&self, future: F) -> RecoverableHandle<F::Output>
    where
        F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
    {
        runtime::spawn_in(&self.0, future)
    }

    /// As [`Executor::spawn_detached`].
    pub fn spawn_detached<F>(&self, future: F)
    where
        F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
    {
        runtime::spawn_detached_on(&self.0, future);
    }

    /// As [`Executor::spawn_on`].
    ///
    /// # Errors
    /// As there.
    pub fn spawn_on<F>(
        &self,
        place: impl Into<Place>,
        future: F,
    ) -> Result<RecoverableHandle<F::Output>, Unplaced<F>>
    where
        F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
    {
        self.0.spawn_on(place.into(), future)
    }
}

impl Executor {
    /// Returns a handle for those who spawn here and do not own the executor.
    pub fn handle(&self) -> Handle {
        Handle(self.shared().clone())
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let workers = self.0.workers.len();
        f.debug_struct("Handle").field("workers", &workers).finish_non_exhaustive()
    }
}
