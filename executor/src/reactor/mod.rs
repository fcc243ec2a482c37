//! The reactor: which sources are ready, and whom that wakes. One for the program.
//!
//! Whoever has nothing to do sits in it and waits for events; one thread at a time. It hands out wakers and wakes nobody itself, so
//! no foreign code runs under its locks. Where the system can, a source is registered once, edge-triggered, for both directions,
//! and no wait costs a system call; elsewhere each wait arms it anew.

mod driver;
mod readiness;
mod slab;
mod source;
#[cfg(all(test, unix))]
mod tests;

pub(crate) use readiness::Token;
pub use source::Pollable;
pub(crate) use source::{Side, Source};

use driver::{Driver, Room};
use once_cell::sync::OnceCell;
use polling::PollMode;
use slab::Slab;
use source::Shared;
use std::fmt;
use std::io;
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::Waker;
use std::time::Duration;

static REACTOR: OnceCell<Reactor> = OnceCell::new();

/// All registered sources, and the system's poller that watches them.
pub(crate) struct Reactor {
    driver: Driver,
    /// Sources are registered once, for good.
    edge: bool,
    sources: Mutex<Slab<Arc<Shared>>>,
    /// Held by whoever drives.
    seat: Mutex<Room>,
}

impl Reactor {
    /// Returns the reactor of the program, made now if there is none yet.
    ///
    /// # Errors
    /// When the system refuses the poller; asking again tries again.
    pub(crate) fn get() -> io::Result<&'static Reactor> {
        let reactor =
            REACTOR.get_or_try_init(|| Ok::<_, io::Error>(Reactor::new(Driver::new()?, true)))?;
        crate::attendance::attend(reactor)?;
        Ok(reactor)
    }

    /// Returns the reactor if anybody has needed it yet. Costs a load.
    pub(crate) fn started() -> Option<&'static Reactor> {
        REACTOR.get()
    }

    /// Makes a reactor, with edges only if they are wanted and the system has them.
    fn new(driver: Driver, edges: bool) -> Reactor {
        let edge = edges && driver.poller().supports_edge();
        let (sources, seat) = (Mutex::new(Slab::new()), Mutex::new(Room::new()));
        Reactor { driver, edge, sources, seat }
    }

    /// Takes the right to drive the reactor, unless somebody has it.
    pub(crate) fn try_sit(&'static self) -> Option<Seat> {
        let room = match self.seat.try_lock() {
            Ok(room) => room,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(Seat { reactor: self, room })
    }

    /// Makes the wait that goes on, or else the next one, return. What the caller wrote before is seen after that wait.
    pub(crate) fn interrupt(&self) {
        // The poller writes nothing when an interrupt is on its way already, and then orders nothing either. Pairs with the
        // fence in `Seat::wait`.
        fence(Ordering::SeqCst);
        self.driver.interrupt();
    }

    /// Says whether anything is watched.
    pub(crate) fn is_used(&self) -> bool {
        self.sources().len() > 0
    }

    fn mode(&self) -> PollMode {
        if self.edge { PollMode::Edge } else { PollMode::Oneshot }
    }

    fn sources(&self) -> MutexGuard<'_, Slab<Arc<Shared>>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn insert(&self, source: Arc<Shared>) -> io::Result<usize> {
        let key = self.sources().insert(source);
        key.map_err(|_| io::Error::new(io::ErrorKind::OutOfMemory, "too many sockets"))
    }

    fn remove(&self, key: usize) {
        let removed = self.sources().remove(key);
        // Outside the lock: it may hold the last reference to wakers.
        drop(removed);
    }
}

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactor").field("edge", &self.edge).finish_non_exhaustive()
    }
}

/// The right to drive the reactor. Dropping it gives the right back.
pub(crate) struct Seat {
    reactor: &'static Reactor,
    room: MutexGuard<'static, Room>,
}

impl Seat {
    /// Waits for events, for the time to pass, or for an interrupt; and may return without any of them. Adds the wakers that are
    /// due. The caller drops the seat, then wakes them: foreign code must not run while it drives.
    ///
    /// # Errors
    /// Those of the system's call. Nothing is due then.
    pub(crate) fn wait(
        &mut self,
        timeout: Option<Duration>,
        woken: &mut Vec<Waker>,
    ) -> io::Result<()> {
        self.reactor.driver.wait(&mut self.room, timeout)?;
        // Pairs with the fence in `Reactor::interrupt`.
        fence(Ordering::SeqCst);
        if self.room.reports.is_empty() {
            return Ok(());
        }
        let sources = self.reactor.sources();
        for report in &self.room.reports {
            // None: it was reported for a source that has left since.
            if let Some(source) = sources.find(report.key) {
                source.report(self.reactor.edge, (report.read, report.write), woken);
            }
        }
        Ok(())
    }
}
