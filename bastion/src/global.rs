//! [`Bastion`]: the one system of a program that wants no more than one.

use crate::{
    Address, Child, Gone, Runtime, StartChildError, Stopped, Supervisor, SupervisorRef, System,
    Tree,
};
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

static SYSTEM: Mutex<Option<System>> = Mutex::new(None);

/// How long [`Bastion::run`], and with it `#[bastion::main]`, waits at most for the processes to stop.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// The global system. It is made when it is first used, and again when it is used after it was stopped.
///
/// All it has is one [`System`] on the global executor; a program with more than one system, and every test, makes its own.
#[derive(Debug)]
pub struct Bastion;

impl Bastion {
    /// Returns the global system.
    pub fn system() -> System {
        let mut global = SYSTEM.lock().unwrap_or_else(PoisonError::into_inner);
        if global.as_ref().is_some_and(System::has_ended) {
            *global = None;
        }
        global.get_or_insert_with(|| System::new(Runtime::executor())).clone()
    }

    /// Starts a process and does not wait: see [`System::spawn_child`].
    ///
    /// # Errors
    /// [`Gone`] when the global system is being stopped.
    pub fn spawn_child<M: Send + 'static>(child: Child<M>) -> Result<Address<M>, Gone> {
        Bastion::system().spawn_child(child)
    }

    /// Starts a supervisor and waits until its children are started: see [`System::supervise`].
    ///
    /// # Errors
    /// When it cannot be started; nothing of it is left then.
    pub async fn supervise(supervisor: Supervisor) -> Result<SupervisorRef, StartChildError> {
        Bastion::system().supervise(supervisor).await
    }

    /// Asks every supervisor for its children.
    pub async fn tree() -> Tree {
        Bastion::system().tree().await
    }

    /// Stops everything in order, within `limit`; see [`System::stop`]. Does nothing when there is nothing to stop.
    pub async fn stop(limit: Duration) -> Stopped {
        let system = SYSTEM.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(system) = system else { return Stopped::default() };
        system.stop(limit).await
    }

    /// Waits for a signal that asks the program to end, then stops everything in order, within `limit`: see
    /// [`System::stop_on_signal`].
    ///
    /// # Errors
    /// When the program handles these signals already, otherwise than through this; or when the system refuses.
    #[cfg(feature = "signals")]
    pub async fn stop_on_signal(limit: Duration) -> Result<Stopped, crate::SignalError> {
        Bastion::system().stop_on_signal(limit).await
    }

    /// Runs a future on the calling thread, then stops the global system in order, within 30 seconds. What `#[bastion::main]` does.
    ///
    /// # Panics
    /// With the future's panic; the system is then not stopped in order.
    pub fn run<F: Future>(main: F) -> F::Output {
        let output = crate::executor::run(main);
        crate::executor::run(Bastion::stop(STOP_LIMIT));
        output
    }
}
