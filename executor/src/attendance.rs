//! Who attends to the program's reactor: some worker of some executor, whenever none of them has anything better to do.
//!
//! A worker that goes to sleep sits down in the reactor if the seat is free; busy ones ask it now and then, and so does the monitor.
//! That leaves the moments when all workers sleep elsewhere, or there is none: the reactor is new, or an executor has gone whose worker sat
//! there. For these somebody is told here.

use crate::monitor;
use crate::reactor::Reactor;
use crate::runtime::Executor;
use crate::shared::{Shared, wake};
use std::io;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

/// Sees to it that somebody attends now that a worker has stopped, which may have sat there, if anything is watched at all.
pub(crate) fn hand_over() {
    if let Some(reactor) = Reactor::started()
        && reactor.is_used()
        && let Err(error) = attend(reactor)
    {
        tracing::error!(%error, "nobody watches the sockets");
    }
}

/// Makes sure that somebody attends to the reactor: starts the global executor if there is none at all.
///
/// # Errors
/// When that is needed and the machine refuses its threads.
pub(crate) fn attend(reactor: &'static Reactor) -> io::Result<()> {
    loop {
        let executors = monitor::executors();
        // Whoever sits there, or comes by, belongs to one of them.
        if !executors.is_empty() {
            rouse_if_empty(reactor, &executors);
            return Ok(());
        }
        Executor::global().map_err(io::Error::other)?;
    }
}

/// Sees to it that a worker sits in the reactor while all sleep. By the monitor before it sleeps: a worker that went to sleep while the
/// monitor looked has found the seat taken.
pub(crate) fn take_turns(executors: &[Arc<Shared>]) {
    if let Some(reactor) = Reactor::started() {
        rouse_if_empty(reactor, executors);
    }
}

/// Wakes a worker of each executor, if nobody sits: one of them sits down when it goes to sleep again.
fn rouse_if_empty(reactor: &'static Reactor, executors: &[Arc<Shared>]) {
    // Free again before they come.
    let empty = reactor.try_sit().is_some();
    if empty {
        executors.iter().for_each(|executor| executor.rouse_a_sleeper());
    }
}

/// Asks which sockets are ready, unless somebody else does, and wakes whom they wake.
pub(crate) fn look(woken: &mut Vec<Waker>) {
    let Some(mut seat) = Reactor::started().and_then(Reactor::try_sit) else { return };
    let looked = seat.wait(Some(Duration::ZERO), woken);
    drop(seat);
    woken.drain(..).for_each(wake);
    if let Err(error) = looked {
        tracing::error!(%error, "the reactor cannot ask for sockets");
    }
}

#[cfg(all(test, unix))]
mod tests;
