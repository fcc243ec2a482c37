//! The end of a measurement: told by the subject, from whatever thread, and awaited by the program's main thread.

use crate::bench::{Amount, Failure, Measured};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// No measurement takes a tenth of this; a subject that has lost a wake-up or a message never ends.
const LIMIT: Duration = Duration::from_secs(60);

/// What a subject says at the end.
enum End {
    At(Instant),
    Took(Amount),
    Failed(Failure),
}

/// Tells of the end. The first word counts.
#[derive(Clone)]
pub(crate) struct Finish(SyncSender<End>);

/// Waits for the end.
pub(crate) struct Wait {
    ends: Receiver<End>,
    start: Option<Instant>,
}

/// Makes the two sides of an end.
pub(crate) fn latch() -> (Finish, Wait) {
    let (sender, ends) = sync_channel(1);
    (Finish(sender), Wait { ends, start: None })
}

impl Finish {
    /// Says that all is done, now.
    pub(crate) fn now(&self) {
        let _ = self.0.try_send(End::At(Instant::now()));
    }

    /// Says that all is done, now, if what came out is right; otherwise, what is wrong with it.
    pub(crate) fn now_if(&self, is_right: bool, otherwise: &str) {
        if is_right { self.now() } else { self.result(Err(Failure::new(otherwise))) }
    }

    /// Says how long it took, by the subject's own watch.
    pub(crate) fn took(&self, since: Instant) {
        let _ = self.0.try_send(End::Took(since.elapsed().into()));
    }

    /// Passes the result of a fallible subject on: how long it took, or that it failed.
    pub(crate) fn result(&self, result: Measured) {
        let _ = self.0.try_send(match result {
            Ok(took) => End::Took(took),
            Err(failure) => End::Failed(failure),
        });
    }
}

impl Wait {
    /// Notes the time from which [`Finish::now`] counts.
    pub(crate) fn start(&mut self) {
        self.start = Some(Instant::now());
    }

    /// Waits for an end whose time is of no interest.
    ///
    /// # Errors
    /// As [`Wait::measured`].
    pub(crate) fn ended(mut self) -> Result<(), Failure> {
        self.start();
        self.measured().map(drop)
    }

    /// Waits for the end, and says how long it took.
    ///
    /// # Errors
    /// What the subject says, or that it did not end in a minute.
    pub(crate) fn measured(self) -> Measured {
        match self.ends.recv_timeout(LIMIT) {
            Ok(End::Took(took)) => Ok(took),
            Ok(End::At(end)) => match self.start {
                Some(start) => Ok((end - start).into()),
                None => Err(Failure::new("the start was not noted")),
            },
            Ok(End::Failed(failure)) => Err(failure),
            Err(_) => Err(Failure::new("it ended too early, or not within a minute")),
        }
    }
}

/// Tells of the end when so many have arrived.
pub(crate) struct Countdown {
    remaining: AtomicU32,
    finish: Finish,
}

impl Countdown {
    /// Makes one that lives for ever, so that what a process carries is one pointer and no reference is counted.
    pub(crate) fn leaked(count: u32, finish: Finish) -> &'static Countdown {
        Box::leak(Box::new(Countdown { remaining: AtomicU32::new(count), finish }))
    }

    /// Counts one.
    pub(crate) fn arrive(&self) {
        if self.remaining.fetch_sub(1, Relaxed) == 1 {
            self.finish.now();
        }
    }
}
