//! A registered I/O object: its readiness in each direction, and its registration with the poller.
//!
//! The only file of the reactor with unsafe code: the poller wants a descriptor to stay open while it is registered.

use super::Reactor;
use super::readiness::{Readiness, Token};
use polling::Event;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};

/// What the reactor can watch: whatever has a file descriptor (on Windows: a socket), and owns it or a share of it.
///
/// It need not and cannot be implemented: it is another name for these two bounds.
pub trait Pollable: AsFd + 'static {}
impl<T: AsFd + 'static> Pollable for T {}

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Read,
    Write,
}

/// What the driver sees of a source.
#[derive(Debug)]
pub(super) struct Shared {
    read: Readiness,
    write: Readiness,
    /// Without edges: the directions that the poller watches now.
    armed: Mutex<Armed>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Armed {
    read: bool,
    write: bool,
}

impl Shared {
    fn new() -> Shared {
        let (read, write) = (Readiness::new(), Readiness::new());
        Shared { read, write, armed: Mutex::default() }
    }

    fn side(&self, side: Side) -> &Readiness {
        match side {
            Side::Read => &self.read,
            Side::Write => &self.write,
        }
    }

    /// Notes an event and hands out whoever waits for it.
    pub(super) fn report(&self, edge: bool, (read, write): (bool, bool), woken: &mut Vec<Waker>) {
        // The event has disarmed both directions, also for one that it says nothing of: who waits there must arm it again.
        if !edge {
            *self.armed.lock().unwrap_or_else(PoisonError::into_inner) = Armed::default();
        }
        if read || !edge {
            self.read.set(woken);
        }
        if write || !edge {
            self.write.set(woken);
        }
    }
}

/// An I/O object that the reactor watches.
#[derive(Debug)]
pub(crate) struct Source<T> {
    /// Dropped first: it ends before the descriptor is closed.
    registration: Registration,
    io: T,
}

impl<T: Pollable> Source<T> {
    /// Registers the object with a reactor. It must not block.
    ///
    /// # Errors
    /// Those of the system: too many watched descriptors, or one that cannot be watched (a file), or that is watched already.
    pub(crate) fn new(reactor: &'static Reactor, io: T) -> io::Result<Source<T>> {
        let fd = io.as_fd().as_raw_fd();
        let shared = Arc::new(Shared::new());
        let key = reactor.insert(shared.clone())?;
        // Without edges nothing is watched before somebody waits.
        let interest = if reactor.edge { Event::all(key) } else { Event::none(key) };
        // SAFETY: the descriptor must stay open until it is deleted. `io` owns it, or a share of it: `AsFd` promises that it is
        // open as long as `io` is borrowed, and `io` is `'static`, so no borrow of something else can end first. From here on `io`
        // is reached by shared references only (`Source::io`), and it is dropped or given away only after `registration`, whose
        // destructor deletes the descriptor: see the order of the fields, and `into_inner`. A source that is leaked leaks both.
        let added = unsafe { reactor.driver.poller().add_with_mode(fd, interest, reactor.mode()) };
        if let Err(error) = added {
            reactor.remove(key);
            return Err(error);
        }
        Ok(Source { registration: Registration { reactor, shared, key, fd }, io })
    }

    /// Takes the object out of the reactor.
    pub(crate) fn into_inner(self) -> T {
        let Source { registration, io } = self;
        drop(registration);
        io
    }

    /// Tries an operation, and waits until it does not say `WouldBlock`.
    ///
    /// With a token, one waker waits, the last; without, each task that has asked since the last event.
    pub(crate) fn poll<R>(
        &self,
        side: Side,
        token: Option<&mut Token>,
        cx: &mut Context<'_>,
        operation: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        ready!(crate::budget::poll_budget(cx));
        self.poll_free(side, token, cx, operation)
    }

    /// Does what [`Source::poll`] does, and takes nothing from the budget.
    pub(crate) fn poll_free<R>(
        &self,
        side: Side,
        mut token: Option<&mut Token>,
        cx: &mut Context<'_>,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let readiness = self.registration.shared.side(side);
        loop {
            if let Some(seen) = readiness.look() {
                match operation(&self.io) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        if !readiness.take_back(seen) {
                            continue;
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    done => return Poll::Ready(done),
                }
            }
            readiness.leave(token.as_deref_mut(), cx.waker());
            self.registration.arm(side)?;
            if readiness.look().is_none() {
                return Poll::Pending;
            }
        }
    }
}

impl<T> Source<T> {
    /// Returns the object.
    pub(crate) fn io(&self) -> &T {
        &self.io
    }

    /// Takes back what waits under a token.
    pub(crate) fn forget(&self, side: Side, token: &mut Token) {
        self.registration.shared.side(side).forget(token);
    }
}

/// An entry in the reactor and in its poller. Dropping it deletes both.
#[derive(Debug)]
struct Registration {
    reactor: &'static Reactor,
    shared: Arc<Shared>,
    key: usize,
    /// As it was registered: an odd `AsFd` could name another one today.
    fd: RawFd,
}

impl Registration {
    /// Has the poller watch a direction, if it does not do so all the time.
    fn arm(&self, side: Side) -> io::Result<()> {
        if self.reactor.edge {
            return Ok(());
        }
        // Under the lock, so that the poller's last word is the last of ours.
        let mut armed = self.shared.armed.lock().unwrap_or_else(PoisonError::into_inner);
        match side {
            Side::Read => armed.read = true,
            Side::Write => armed.write = true,
        }
        let interest = Event::new(self.key, armed.read, armed.write);
        self.reactor.driver.poller().modify_with_mode(self.fd(), interest, self.reactor.mode())
    }

    fn fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor is open as long as the registration is there: the proof in `Source::new`.
        unsafe { BorrowedFd::borrow_raw(self.fd) }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.reactor.remove(self.key);
        // It fails only for a descriptor that is not registered, and then all is well.
        let _ = self.reactor.driver.poller().delete(self.fd());
    }
}
