//! Where processes run: the project's executor, a tokio runtime, or a simulation with virtual time.
//!
//! The only place that tells the three apart. A runtime gives three things: a place to run a future, a clock, a timer.

mod error;
#[cfg(any(feature = "executor", feature = "tokio"))]
mod own;
mod sim;

pub use error::RuntimeError;
pub use sim::Sim;

use crate::place::{Place, PlaceError};
use crate::plan::Time;
use crate::process::guard;
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
    /// The executor, the global one if none; its clock, and the origin of that.
    #[cfg(feature = "executor")]
    Executor(Option<bastion_executor::Handle>, bastion_executor::Clock, Instant),
    #[cfg(feature = "tokio")]
    Tokio(tokio::runtime::Handle, tokio::time::Instant),
    /// Not a handle: processes do not keep the simulation that runs them.
    Sim(Arc<sim::Inner>),
    /// That of a subtree.
    #[cfg(any(feature = "executor", feature = "tokio"))]
    Own(Arc<own::Own>),
}

impl Runtime {
    /// Runs processes where the caller runs: on the runtime of the process that calls; else on the executor of the calling worker, or of the
    /// surrounding [`Executor::run`](bastion_executor::Executor::run); else on the tokio runtime that the caller is in; else on the
    /// global executor.
    ///
    /// # Errors
    /// [`RuntimeError::Missing`] when there is none of these: without the feature `executor`, outside of tokio.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Runtime, RuntimeError};
    /// match Runtime::current() {
    ///     Ok(runtime) => println!("{runtime:?}"),
    ///     Err(RuntimeError::Missing) => println!("no runtime here"),
    ///     Err(error) => println!("{error}"),
    /// }
    /// ```
    pub fn current() -> Result<Runtime, RuntimeError> {
        if let Some(runtime) = guard::with_current(|life| life.env().runtime().clone()) {
            return Ok(runtime);
        }
        #[cfg(feature = "executor")]
        if bastion_executor::Handle::current().is_some() {
            return Ok(Runtime::executor());
        }
        #[cfg(feature = "tokio")]
        if let Ok(handle) = tokio::runtime::Handle::try_current() {
            return Ok(Runtime::tokio(handle));
        }
        #[cfg(feature = "executor")]
        return Ok(Runtime::executor());
        #[cfg(not(feature = "executor"))]
        Err(RuntimeError::Missing)
    }

    /// Runs processes on the executor of the calling worker, or of the surrounding
    /// [`Executor::run`](bastion_executor::Executor::run), else on the global one. Time goes by that executor's [`Clock`](bastion_executor::Clock).
    ///
    /// # Panics
    /// When it is the first to need the global executor, and the machine refuses its threads.
    #[cfg(feature = "executor")]
    pub fn executor() -> Runtime {
        let current = bastion_executor::Handle::current();
        // The global one needs no handle, whose references all who ask would count.
        // Deadlines are looked at by the clock that the executor's timers go by.
        let clock = match &current {
            Some(handle) => handle.clock(),
            None => global().handle().clock(),
        };
        let origin = clock.now();
        Runtime(Kind::Executor(current.filter(|handle| !handle.is_global()), clock, origin))
    }

    /// Runs processes as tasks of this tokio runtime, which must have its time driver enabled.
    ///
    /// When the runtime is shut down, all processes of the system end as killed.
    ///
    /// `tokio::time::pause` is not for processes with a [thread of their own](crate::Place::Thread): tokio's clock skips ahead when its runtime has
    /// nothing to do, also while such a process runs or is about to set a timer, so its time limits are not exact. For virtual time there is
    /// [`Runtime::sim`].
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

    /// Waits for a time: real, or virtual in a simulation. For code that is no process; a process has [`Context::sleep`](crate::Context::sleep).
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        self.callers_timer(duration)
    }

    /// Returns a runtime for a subtree, with so many threads of its own and this one's clock. It has none before it is opened. In a simulation
    /// it is the simulation.
    pub(crate) fn own(&self, name: &str, threads: usize) -> Runtime {
        #[cfg(any(feature = "executor", feature = "tokio"))]
        if !matches!(self.0, Kind::Sim(_)) {
            return Runtime(Kind::Own(Arc::new(own::Own::new(self.clone(), name, threads))));
        }
        let _ = (name, threads);
        self.clone()
    }

    /// Starts the threads of a subtree's runtime, if they are not there.
    pub(crate) fn open(&self) -> Result<(), RuntimeError> {
        #[cfg(any(feature = "executor", feature = "tokio"))]
        if let Kind::Own(own) = &self.0 {
            return own.open();
        }
        Ok(())
    }

    /// Ends the threads of a subtree's runtime, and what is left there. Does not wait for them.
    pub(crate) fn close(&self) {
        #[cfg(any(feature = "executor", feature = "tokio"))]
        if let Kind::Own(own) = &self.0 {
            own.close();
        }
    }

    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        match &self.0 {
            #[cfg(feature = "executor")]
            Kind::Executor(Some(executor), ..) => executor.spawn_detached(future),
            #[cfg(feature = "executor")]
            Kind::Executor(None, ..) => global().spawn_detached(future),
            #[cfg(feature = "tokio")]
            Kind::Tokio(handle, _) => drop(handle.spawn(future)),
            Kind::Sim(sim) => sim.spawn(future),
            #[cfg(any(feature = "executor", feature = "tokio"))]
            Kind::Own(own) => own.inner().spawn(future),
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
            #[cfg(any(feature = "executor", feature = "tokio"))]
            (Kind::Own(own), place) => {
                return match own.running() {
                    Ok(inner) => inner.spawn_on(place, future),
                    Err(error) => Err((PlaceError::new(place, error), future)),
                };
            }
            (_, Place::Anywhere) | (Kind::Sim(_), _) => self.spawn(future),
            #[cfg(feature = "executor")]
            (Kind::Executor(executor, ..), place) => {
                let spot = match place.clone() {
                    Place::Anywhere => bastion_executor::Place::Anywhere,
                    Place::Node(node) => bastion_executor::Place::Node(node),
                    Place::Thread => bastion_executor::Place::Thread,
                    Place::Pinned(pus) => {
                        bastion_executor::Place::Pinned(pus.iter().copied().collect())
                    }
                };
                let spawned = match executor {
                    Some(executor) => executor.spawn_on(spot, future),
                    None => global().spawn_on(spot, future),
                };
                return match spawned {
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
            Kind::Executor(_, clock, origin) => clock.now() - *origin,
            #[cfg(feature = "tokio")]
            Kind::Tokio(_, origin) => origin.elapsed(),
            Kind::Sim(sim) => sim.now(),
            // One clock for all of a system: deadlines pass from level to level.
            #[cfg(any(feature = "executor", feature = "tokio"))]
            Kind::Own(own) => return own.base().now(),
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
            Kind::Executor(..) => Timer::Executor(bastion_executor::sleep(duration)),
            #[cfg(feature = "tokio")]
            Kind::Tokio(handle, _) => {
                let _entered = handle.enter();
                Timer::Tokio(Box::pin(tokio::time::sleep(duration)))
            }
            Kind::Sim(sim) => Timer::Sim(sim.timer(duration)),
            #[cfg(any(feature = "executor", feature = "tokio"))]
            Kind::Own(own) => own.inner().timer_after(duration),
        }
    }
}

impl Runtime {
    /// The runtime of the whole system.
    fn whole(&self) -> &Runtime {
        #[cfg(any(feature = "executor", feature = "tokio"))]
        if let Kind::Own(own) = &self.0 {
            return own.base().whole();
        }
        self
    }

    /// Says whether two runtimes go by one clock, from one origin: those of one system do.
    pub(crate) fn has_clock_of(&self, other: &Runtime) -> bool {
        match (&self.whole().0, &other.whole().0) {
            #[cfg(feature = "executor")]
            (Kind::Executor(.., origin), Kind::Executor(.., its)) => origin == its,
            #[cfg(feature = "tokio")]
            (Kind::Tokio(_, origin), Kind::Tokio(_, its)) => origin == its,
            (Kind::Sim(sim), Kind::Sim(other)) => Arc::ptr_eq(sim, other),
            #[cfg(any(feature = "executor", feature = "tokio"))]
            _ => false,
        }
    }

    /// A future for the caller that is ready after `duration`. It may outlive the subtree whose runtime this is.
    pub(crate) fn callers_timer(&self, duration: Duration) -> Timer {
        #[cfg(feature = "tokio")]
        if let Kind::Tokio(..) = &self.whole().0 {
            let near = guard::with_current(|life| {
                let runtime = life.env().runtime();
                runtime.has_clock_of(self).then(|| runtime.clone())
            });
            return near.flatten().as_ref().unwrap_or(self.whole()).timer_after(duration);
        }
        self.whole().timer_after(duration)
    }
}

/// # Panics
/// When it is needed for the first time and the machine refuses its threads.
#[cfg(feature = "executor")]
fn global() -> &'static bastion_executor::Executor {
    match bastion_executor::Executor::global() {
        Ok(executor) => executor,
        Err(error) => panic!("no global executor: {error}"),
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
            Kind::Executor(..) => "Runtime::executor",
            #[cfg(feature = "tokio")]
            Kind::Tokio(..) => "Runtime::tokio",
            Kind::Sim(_) => "Runtime::sim",
            #[cfg(any(feature = "executor", feature = "tokio"))]
            Kind::Own(_) => "a runtime of a subtree",
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
            // It panics when its runtime has been shut down: then there is nothing more to wait for.
            Timer::Tokio(timer) => {
                lightproc::Panic::catch(|| timer.as_mut().poll(cx)).unwrap_or(Poll::Ready(()))
            }
            Timer::Sim(timer) => Pin::new(timer).poll(cx),
        }
    }
}
