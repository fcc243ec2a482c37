//! How long a child may take to stop, and how a parent's deadline caps its own.

use std::time::Duration;

use super::child_spec::ChildKind;
use super::time::Time;

/// What a worker gets when nothing else is said (OTP: 5000 ms).
const WORKER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long before its own end a nested supervisor wants to be done, at most.
const REPORT_MARGIN: Duration = Duration::from_millis(50);

/// How a child is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shutdown {
    /// It is killed at once (`brutal_kill`).
    Brutal,
    /// It is asked to stop, and killed after this time.
    Timeout(Duration),
    /// It is asked to stop, and waited for (`infinity`), as far as its supervisor's own deadline
    /// allows.
    Infinity,
}

/// The two deadlines of one stop. `None`: no deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StopTimes {
    /// By when the child is told to be done.
    pub told: Option<Time>,
    /// When it is killed.
    pub kill: Option<Time>,
}

impl Shutdown {
    /// Returns what a child of this kind gets when nothing else is said: 5 s for a worker, and
    /// for a supervisor all the time it needs for its subtree, as OTP.
    pub const fn default_for(kind: ChildKind) -> Self {
        match kind {
            ChildKind::Worker => Self::Timeout(WORKER_TIMEOUT),
            ChildKind::Supervisor => Self::Infinity,
        }
    }

    /// Returns the deadlines of a child that is asked to stop `now`, under a supervisor that has
    /// to be done itself by `parent`.
    ///
    /// The parent's deadline caps the child's own. A supervisor is told to be done a little
    /// before it is killed (50 ms, or half of what remains if that is less), so that it can report
    /// which of its children had to be killed before it is killed itself.
    pub fn stop_times(self, kind: ChildKind, now: Time, parent: Option<Time>) -> StopTimes {
        let own = match self {
            Self::Brutal => Some(now),
            Self::Timeout(timeout) => Some(now + timeout),
            Self::Infinity => None,
        };
        let kill = match (own, parent) {
            (Some(own), Some(parent)) => Some(own.min(parent)),
            (own, parent) => own.or(parent),
        };
        StopTimes { told: kill.map(|at| told(kind, now, at)), kill }
    }
}

/// Returns by when a child is told to be done that will be killed at `kill`.
fn told(kind: ChildKind, now: Time, kill: Time) -> Time {
    match kind {
        ChildKind::Worker => kill,
        ChildKind::Supervisor => {
            let remains = kill.since(now);
            now + (remains - REPORT_MARGIN.min(remains / 2))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ChildKind::{Supervisor, Worker};

    fn ms(ms: u64) -> Time {
        Time::from_duration(Duration::from_millis(ms))
    }

    /// Checks the deadlines, in milliseconds, of a stop at 1000 ms.
    fn check(
        shutdown: Shutdown,
        kind: ChildKind,
        parent: Option<u64>,
        told: Option<u64>,
        kill: Option<u64>,
    ) {
        let times = shutdown.stop_times(kind, ms(1000), parent.map(ms));
        let expected = StopTimes { told: told.map(ms), kill: kill.map(ms) };
        assert_eq!(times, expected, "{shutdown:?} {kind:?} {parent:?}");
    }

    #[test]
    fn a_child_gets_its_own_time() {
        let timeout = Shutdown::Timeout(Duration::from_millis(300));
        check(timeout, Worker, None, Some(1300), Some(1300));
        check(timeout, Supervisor, None, Some(1250), Some(1300));
        check(Shutdown::Infinity, Worker, None, None, None);
        check(Shutdown::Brutal, Worker, None, Some(1000), Some(1000));
        check(Shutdown::Timeout(Duration::ZERO), Worker, None, Some(1000), Some(1000));
    }

    #[test]
    fn the_parents_deadline_caps_it() {
        let timeout = Shutdown::Timeout(Duration::from_millis(300));
        check(timeout, Worker, Some(1200), Some(1200), Some(1200));
        check(timeout, Worker, Some(1400), Some(1300), Some(1300));
        check(Shutdown::Infinity, Worker, Some(1200), Some(1200), Some(1200));
        check(Shutdown::Infinity, Supervisor, Some(1200), Some(1150), Some(1200));
        check(Shutdown::Infinity, Supervisor, Some(1060), Some(1030), Some(1060));
        check(Shutdown::Infinity, Supervisor, Some(1000), Some(1000), Some(1000));
        check(Shutdown::Infinity, Supervisor, Some(900), Some(1000), Some(900));
    }

    #[test]
    fn the_longest_timeout_does_not_overflow() {
        let times = Shutdown::Timeout(Duration::MAX).stop_times(Supervisor, ms(1), None);
        assert_eq!(times.kill, Some(Time::ZERO + Duration::MAX));
        assert!(times.told < times.kill);
    }
}
