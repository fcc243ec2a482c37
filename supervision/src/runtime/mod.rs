//! Where processes run: the project's executor, a tokio runtime, or a simulation with virtual time.
//!
//! The only place that tells the three apart. A runtime gives three things: a place to run a future, a clock, a timer.

mod sim;

pub use sim::Sim;

use crate::place::{Place, PlaceError};
use crate::plan::Time;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
#[cfg(feature = "executor")]
use std::time::Instant;

/// Where the processes of a [`System`](crate::System) run.
#[derive(Clone)]
pub struct Runtime(Kind);

#[derive(Clone)]
enum Kind {
    /// The origin of its clock.
    #[cfg(feature = "executor")]
    Executor(Instant),
    #[cfg(feature = "tokio")]
    Tokio(tokio::runtime::Handle, tokio::time::Instant),
    /// Not a handle: processes do not keep the simulation that runs them.
    Sim(Arc<sim::Inner>),
}

impl Runtime {
    /// Runs processes on the executor of the calling worker, else on the global one.
    #[cfg(feature = "executor")]
    pub fn executor() -> Runtime {
        Runtime(Kind::Executor(Instant::now()))
    }

    /// Runs processes as tasks of this tokio runtime, which must have its time driver enabled.
    ///
    /// When the runtime is shut down, all processes of the system end as killed.
    #[cfg(feature = "tokio")]
    pub fn tokio(handle: tokio::runtime::Handle) -> Runtime {
        let _entered = handle.enter();
        let origin = tokio::time::Instant::now();
        Runtime(Kind::Tokio(handle.clone(), origin))
    }

    /// Runs processes in a simulation: one thread, a seeded order, virtual time.
    ///
    /// When the last handle of the simulation is dropped, all processes of the system end as killed.
    pub fn sim(sim: &Sim) -> Runtime {
        Runtime(Kind::Sim(sim.inner().clone()))
    }

    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        match &self.0 {
            #[cfg(feature = "executor")]
            Kind::Executor(_) => bastion_executor::spawn_detached(future),
            #[cfg(feature = "tokio")]
            Kind::Tokio(handle, _) => drop(handle.spawn(future)),
            Kind::Sim(sim) => sim.spawn(future),
        }
    }

    /// As [`spawn`](Runtime::spawn), at a place.
    ///
    /// # Errors
    /// When there is no such place; the future comes back.
    pub(crate) fn spawn_on<F>(&self, place: Place, future: F) -> Result<(), (PlaceError, F)>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        match (&self.0, place) {
            (_, Place::Anywhere) | (Kind::Sim(_), _) => self.spawn(future),
            #[cfg(feature = "executor")]
            (Kind::Executor(_), place) => {
                let spot = match place.clone() {
                    Place::Anywhere => bastion_executor::Place::Anywhere,
                    Place::Node(node) => bastion_executor::Place::Node(node),
                    Place::Thread => bastion_executor::Place::Thread,
                    Place::Pinned(pus) => {
                        bastion_executor::Place::Pinned(pus.iter().copied().collect())
                    }
                };
                return match bastion_executor::spawn_on(spot, future) {
                    Ok(handle) => {
                        handle.detach();
                        Ok(())
                    }
                    Err(refused) => Err((PlaceError::new(place, refused.error), refused.future)),
                };
            }
            #[cfg(feature = "tokio")]
            (Kind::Tokio(handle, _), Place::Thread) => return own_thread(handle, future),
            #[cfg(feature = "tokio")]
            (Kind::Tokio(..), place) => {
                return Err((PlaceError::new(place, "tokio binds no threads"), future));
            }
        }
        Ok(())
    }

    /// A random number; in a simulation it follows from the seed.
    pub(crate) fn random(&self) -> u64 {
        match &self.0 {
            Kind::Sim(sim) => sim.random(),
            #[cfg(any(feature = "executor", feature = "tokio"))]
            _ => fastrand::u64(..),
        }
    }

    /// The time since the runtime was made.
    pub(crate) fn now(&self) -> Time {
        Time::from_duration(match &self.0 {
            #[cfg(feature = "executor")]
            Kind::Executor(origin) => origin.elapsed(),
            #[cfg(feature = "tokio")]
            Kind::Tokio(_, origin) => origin.elapsed(),
            Kind::Sim(sim) => sim.now(),
        })
    }

    /// A future that is ready at `time`.
    pub(crate) fn timer(&self, time: Time) -> Timer {
        self.timer_after(time.since(self.now()))
    }

    /// A future that is ready after `duration`.
    pub(crate) fn timer_after(&self, duration: Duration) -> Timer {
        match &self.0 {
            #[cfg(feature = "executor")]
            Kind::Executor(_) => Timer::Executor(bastion_executor::sleep(duration)),
            #[cfg(feature = "tokio")]
            Kind::Tokio(handle, _) => {
                let _entered = handle.enter();
                Timer::Tokio(Box::pin(tokio::time::sleep(duration)))
            }
            Kind::Sim(sim) => Timer::Sim(sim.timer(duration)),
        }
    }
}

/// Runs a future on a thread of its own, in a tokio runtime.
#[cfg(feature = "tokio")]
fn own_thread<F>(handle: &tokio::runtime::Handle, future: F) -> Result<(), (PlaceError, F)>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (handle, (give, given)) = (handle.clone(), std::sync::mpsc::sync_channel::<F>(1));
    let thread = std::thread::Builder::new().name("bastion-own".into());
    let started = thread.spawn(move || given.recv().map(|future| handle.block_on(future)));
    match started {
        // It waits for this.
        Ok(_) => give.send(future).map_err(|lost| {
            (PlaceError::new(Place::Thread, "the thread has ended before it began"), lost.0)
        }),
        Err(error) => Err((PlaceError::new(Place::Thread, error), future)),
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            #[cfg(feature = "executor")]
            Kind::Executor(_) => "Runtime::executor",
            #[cfg(feature = "tokio")]
            Kind::Tokio(..) => "Runtime::tokio",
            Kind::Sim(_) => "Runtime::sim",
        })
    }
}

/// A timer of one of the runtimes.
pub(crate) enum Timer {
    #[cfg(feature = "executor")]
    Executor(bastion_executor::Sleep),
    #[cfg(feature = "tokio")]
    Tokio(Pin<Box<tokio::time::Sleep>>),
    Sim(sim::SimTimer),
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut *self {
            #[cfg(feature = "executor")]
            Timer::Executor(timer) => Pin::new(timer).poll(cx),
            #[cfg(feature = "tokio")]
            Timer::Tokio(timer) => timer.as_mut().poll(cx),
            Timer::Sim(timer) => Pin::new(timer).poll(cx),
        }
    }
}
