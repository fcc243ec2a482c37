//! The runtime of a subtree: threads of its own, of the same kind as those of the tree above, whose clock it shares.
//!
//! Made when its supervisor starts, or when something is spawned below it before; ended when that supervisor has ended for good.

use super::{Kind, Runtime, RuntimeError};
use crate::sync::lock;
#[cfg(feature = "tokio")]
use lightproc::Panic;
use std::error::Error;
use std::fmt;
#[cfg(feature = "tokio")]
use std::io;
use std::sync::{Arc, Mutex};

pub(super) struct Own {
    /// That of the tree above.
    base: Runtime,
    name: String,
    threads: usize,
    state: Mutex<State>,
}

enum State {
    Waiting,
    /// The threads, and the same to spawn on.
    Running(Threads, Runtime),
    Ended,
}

/// Ends its threads when it is dropped.
enum Threads {
    #[cfg(feature = "executor")]
    Executor(bastion_executor::Executor),
    #[cfg(feature = "tokio")]
    Tokio(tokio::runtime::Runtime),
}

impl Own {
    pub(super) fn new(base: Runtime, name: &str, threads: usize) -> Own {
        // No thread can be named so.
        let name = name.replace('\0', "?");
        Own { base, name, threads, state: Mutex::new(State::Waiting) }
    }

    pub(super) fn base(&self) -> &Runtime {
        &self.base
    }

    /// Makes the runtime, if it is not there.
    pub(super) fn open(&self) -> Result<(), RuntimeError> {
        let mut state = lock(&self.state);
        if !matches!(*state, State::Running(..)) {
            *state = self.make()?;
        }
        Ok(())
    }

    /// Returns what runs; made now, if nothing was to run yet.
    pub(super) fn running(&self) -> Result<Runtime, RuntimeError> {
        let mut state = lock(&self.state);
        if let State::Waiting = *state {
            *state = self.make()?;
        }
        match &*state {
            State::Running(_, runtime) => Ok(runtime.clone()),
            _ => Err(RuntimeError::Ended),
        }
    }

    /// What runs; else the runtime above.
    pub(super) fn inner(&self) -> Runtime {
        match &*lock(&self.state) {
            State::Running(_, runtime) => runtime.clone(),
            _ => self.base.clone(),
        }
    }

    pub(super) fn close(&self) {
        let state = std::mem::replace(&mut *lock(&self.state), State::Ended);
        if let State::Running(threads, _) = state {
            threads.end();
        }
    }

    fn make(&self) -> Result<State, RuntimeError> {
        let failed = |cause: Arc<dyn Error + Send + Sync>| RuntimeError::Threads {
            threads: self.threads,
            cause,
        };
        match &self.base.whole().0 {
            #[cfg(feature = "executor")]
            Kind::Executor(_, clock, origin) => {
                let builder = bastion_executor::Executor::builder().clock(clock.clone());
                let executor = builder.workers(self.threads).name(&*self.name).build();
                let executor = executor.map_err(|error| failed(Arc::new(error)))?;
                let runtime = Kind::Executor(Some(executor.handle()), clock.clone(), *origin);
                let runtime = Runtime(runtime);
                Ok(State::Running(Threads::Executor(executor), runtime))
            }
            #[cfg(feature = "tokio")]
            Kind::Tokio(_, origin) => {
                let mut builder = tokio::runtime::Builder::new_multi_thread();
                builder.worker_threads(self.threads).thread_name(&*self.name).enable_all();
                // It panics when the machine refuses a thread.
                let built = Panic::catch(move || builder.build());
                let built = built.unwrap_or_else(|panic| Err(io::Error::other(panic.to_string())));
                let tokio = built.map_err(|error| failed(Arc::new(error)))?;
                let runtime = Runtime(Kind::Tokio(tokio.handle().clone(), *origin));
                Ok(State::Running(Threads::Tokio(tokio), runtime))
            }
            // Neither has threads of its own.
            Kind::Sim(_) | Kind::Own(_) => Err(RuntimeError::Missing),
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.close();
    }
}

impl Threads {
    /// Ends them without waiting: whoever calls is a process, and may be one of theirs.
    fn end(self) {
        match self {
            #[cfg(feature = "executor")]
            Threads::Executor(executor) => {
                let end = std::thread::Builder::new().name("bastion-end".into());
                let (give, given) = std::sync::mpsc::channel();
                match end.spawn(move || drop(given.recv())) {
                    // It waits for this.
                    Ok(_) => drop(give.send(executor)),
                    // Its threads stay, and sleep: to wait for them here could be for ever.
                    Err(_) => std::mem::forget(executor),
                }
            }
            #[cfg(feature = "tokio")]
            Threads::Tokio(tokio) => tokio.shutdown_background(),
        }
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own").field("name", &self.name).finish_non_exhaustive()
    }
}
