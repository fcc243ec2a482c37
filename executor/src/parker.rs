//! [`Parker`]: how one thread waits until it is woken, and how the others wake it.
//!
//! It waits in the reactor when somebody should and nobody else does, so that what its sockets are ready for runs without another
//! thread in between; otherwise on the thread's own token. Knows no worker and no queue.

#[cfg(loom)]
use loom::{
    sync::atomic::AtomicU32,
    thread::{Thread, current, park},
};
#[cfg(shuttle)]
use shuttle::{
    sync::atomic::AtomicU32,
    thread::{Thread, current, park, park_timeout},
};
#[cfg(not(any(loom, shuttle)))]
use std::{
    sync::atomic::AtomicU32,
    thread::{Thread, current, park, park_timeout},
};

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::task::Waker;
use std::time::Duration;

const AWAKE: u32 = 0;
const PARKED: u32 = 1;
/// It waits in the reactor.
#[cfg(all(feature = "io", not(loom)))]
const DRIVING: u32 = 2;
/// It has been woken: the next wait returns at once.
const NOTIFIED: u32 = 3;

/// One thread's place to wait at.
#[derive(Debug)]
pub(crate) struct Parker {
    state: AtomicU32,
    thread: Thread,
}

impl Parker {
    /// Makes the calling thread's.
    pub(crate) fn new() -> Parker {
        Parker { state: AtomicU32::new(AWAKE), thread: current() }
    }

    /// Waits until it is woken or the time is over; it may return for no reason. By its own thread.
    pub(crate) fn park(&self, timeout: Option<Duration>) {
        if !self.lie_down(PARKED) {
            return;
        }
        match timeout {
            #[cfg(not(loom))]
            Some(timeout) => park_timeout(timeout),
            _ => park(),
        }
        self.get_up();
    }

    /// As [`park`](Parker::park), but in the reactor if that is in use and nobody else is there. Appends to `woken` whom the sockets
    /// have become ready for.
    #[cfg(all(feature = "io", not(loom)))]
    pub(crate) fn drive(&self, timeout: Option<Duration>, woken: &mut Vec<Waker>) {
        use crate::reactor::Reactor;
        let Some(mut seat) = Reactor::started().and_then(Reactor::try_sit) else {
            return self.park(timeout);
        };
        if !self.lie_down(DRIVING) {
            return;
        }
        let waited = seat.wait(timeout, woken);
        self.get_up();
        drop(seat);
        if let Err(error) = waited {
            tracing::error!(%error, "the reactor cannot wait for sockets");
            // Not again at once, if it goes on like that.
            park_timeout(timeout.unwrap_or(Duration::MAX).min(Duration::from_millis(1)));
        }
    }

    /// As [`park`](Parker::park): there is no reactor.
    #[cfg(any(not(feature = "io"), loom))]
    pub(crate) fn drive(&self, timeout: Option<Duration>, _: &mut Vec<Waker>) {
        self.park(timeout);
    }

    /// Lets the thread's current wait return, or its next one.
    pub(crate) fn unpark(&self) {
        // Release pairs with the Acquire of who sees it. A swap also when it is notified already: what happened before this call is
        // seen, too.
        match self.state.swap(NOTIFIED, Release) {
            PARKED => self.thread.unpark(),
            #[cfg(all(feature = "io", not(loom)))]
            DRIVING => {
                if let Some(reactor) = crate::reactor::Reactor::started() {
                    reactor.interrupt();
                }
            }
            _ => {}
        }
    }

    /// False: it has been woken meanwhile, which this takes note of.
    fn lie_down(&self, how: u32) -> bool {
        let awake = self.state.compare_exchange(AWAKE, how, Relaxed, Relaxed).is_ok();
        if !awake {
            self.get_up();
        }
        awake
    }

    fn get_up(&self) {
        // Pairs with the Release of `unpark`.
        self.state.swap(AWAKE, Acquire);
    }
}
