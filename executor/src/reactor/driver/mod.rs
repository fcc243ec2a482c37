//! What waits for the system's events: the crate `polling`, and on Linux a shorter way for its most frequent call.

#[cfg(target_os = "linux")]
mod direct;

#[cfg(target_os = "linux")]
use direct::Direct;
use polling::{Events, Poller};
use std::io;
use std::num::NonZeroUsize;
use std::time::Duration;

/// How many events are fetched at once; the others stay for the next call.
const AT_ONCE: usize = 256;

/// The system's poller, and how it is waited for and interrupted.
pub(super) struct Driver {
    poller: Poller,
    #[cfg(target_os = "linux")]
    direct: Option<Direct>,
}

/// What the system says of one source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    pub(super) key: usize,
    pub(super) read: bool,
    pub(super) write: bool,
}

/// The room for what a wait returns. Only one wait goes on at a time.
pub(super) struct Room {
    pub(super) reports: Vec<Report>,
    events: Events,
}

impl Room {
    pub(super) fn new() -> Room {
        let events = NonZeroUsize::new(AT_ONCE).map_or_else(Events::new, Events::with_capacity);
        Room { reports: Vec::with_capacity(AT_ONCE), events }
    }
}

impl Driver {
    /// Makes a driver; on Linux the direct one, unless a sandbox does not know its descriptors.
    pub(super) fn new() -> io::Result<Driver> {
        #[cfg_attr(not(target_os = "linux"), allow(unused_mut, reason = "nothing to add"))]
        let mut driver = Driver::portable()?;
        #[cfg(target_os = "linux")]
        {
            driver.direct = Direct::new(&driver.poller).ok();
        }
        Ok(driver)
    }

    /// Makes a driver that leaves everything to `polling`.
    pub(super) fn portable() -> io::Result<Driver> {
        Ok(Driver {
            poller: Poller::new()?,
            #[cfg(target_os = "linux")]
            direct: None,
        })
    }

    /// Returns the poller, to add sources to and to delete them.
    pub(super) fn poller(&self) -> &Poller {
        &self.poller
    }

    /// Waits for events, for the time to pass, or for an interrupt; and may return without any of them.
    pub(super) fn wait(&self, room: &mut Room, timeout: Option<Duration>) -> io::Result<()> {
        room.reports.clear();
        #[cfg(target_os = "linux")]
        if let Some(direct) = &self.direct {
            return direct.wait(&self.poller, timeout, &mut room.reports);
        }
        room.events.clear();
        self.poller.wait(&mut room.events, timeout)?;
        room.reports.extend(room.events.iter().map(|event| {
            // A failed or hung up source answers to every operation at once.
            let broken = event.is_interrupt() || event.is_err() == Some(true);
            let (read, write) = (event.readable || broken, event.writable || broken);
            Report { key: event.key, read, write }
        }));
        Ok(())
    }

    /// Makes the wait that goes on, or else the next one, return.
    pub(super) fn interrupt(&self) {
        #[cfg(target_os = "linux")]
        if let Some(direct) = &self.direct {
            return direct.interrupt();
        }
        // It fails only when the poller's own descriptor is broken, and then every wait fails too.
        let _ = self.poller.notify();
    }
}
