//! A watch for work that one thread does alone: it stands still while the thread does not run.
//!
//! So a row is not charged for what else the machine does meanwhile, as far as the system can tell. Where it tells no
//! such time, the watch never stands still.

use std::time::Duration;

/// A watch that runs.
pub(super) struct Watch(Duration);

impl Watch {
    /// Starts a watch.
    pub(super) fn start() -> Watch {
        Watch(now())
    }

    /// Returns how long the thread has run since the start. The same thread must ask.
    pub(super) fn elapsed(&self) -> Duration {
        now().saturating_sub(self.0)
    }
}

#[cfg(target_os = "linux")]
fn now() -> Duration {
    use nix::time::{ClockId, clock_gettime};
    // Never fails for this clock; the result would be a time of zero, which nobody could overlook.
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
fn now() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static FIRST: OnceLock<Instant> = OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed()
}
