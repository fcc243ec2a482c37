//! The circuit breaker of a pool: the state machine, a clock, and what messages are let through with.

use super::breaker::{Breaker, Pass};
use crate::plan::Time;
use crate::supervisor::SupervisorRef;
use crate::sync::lock;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(super) struct Fuse {
    breaker: Mutex<Breaker>,
    /// Knows the time, as soon as it has a system.
    supervisor: SupervisorRef,
}

impl Fuse {
    pub(super) fn new(failures: u32, open_for: Duration, supervisor: SupervisorRef) -> Fuse {
        Fuse { breaker: Mutex::new(Breaker::new(failures, open_for)), supervisor }
    }

    /// Lets a message through, or says in what time to try again. A question has its time limit.
    pub(super) fn admit(self: &Arc<Self>, limit: Option<Duration>) -> Result<Admission, Duration> {
        let pass = lock(&self.breaker).admit(limit, self.now())?;
        Ok(Admission { fuse: self.clone(), pass: Some(pass) })
    }

    /// Takes note of a worker's crash.
    pub(super) fn crashed(&self) {
        lock(&self.breaker).crashed(self.now());
    }

    fn now(&self) -> Time {
        self.supervisor.shared().core.env().map(|env| env.now()).unwrap_or_default()
    }
}

/// The right to send one message. Dropped, it is given back.
pub(super) struct Admission {
    fuse: Arc<Fuse>,
    pass: Option<Pass>,
}

impl Admission {
    /// A message was sent, and nobody waits for an answer.
    pub(super) fn sent(mut self) {
        self.pass = None;
    }

    /// A question was answered, or not.
    pub(super) fn answered(mut self, well: bool) {
        let Some(pass) = self.pass.take() else { return };
        let now = self.fuse.now();
        let mut breaker = lock(&self.fuse.breaker);
        if well { breaker.succeeded(pass) } else { breaker.failed(pass, now) }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if let Some(pass) = self.pass.take() {
            let now = self.fuse.now();
            lock(&self.fuse.breaker).given_up(pass, now);
        }
    }
}
