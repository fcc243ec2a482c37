//! What has happened to a process before: restarts, crashes, messages. Asked for in reports and snapshots.

use super::core::Core;
use super::meter::{Meter, Workload};
use crate::plan::Time;
use crate::report::{LastCrash, Restarts};
use std::sync::Arc;

/// What has happened to a process before.
#[derive(Default)]
pub(super) struct Past {
    /// When it was last started again.
    pub(super) restarts: Restarts,
    pub(super) last_crash: Option<LastCrash>,
    /// Only where it is measured.
    meter: Option<Arc<Meter>>,
}

impl Core {
    /// When the process was last started again.
    pub(crate) fn restarts(&self) -> Restarts {
        self.past(|past| Some(past.restarts)).unwrap_or_default()
    }

    /// Takes note of how an incarnation has crashed.
    pub(crate) fn crashed(&self, crash: LastCrash) {
        // The former one is dropped after the lock: its error is foreign.
        drop(self.change_past(|past| past.last_crash.replace(crash)));
    }

    /// How the process has crashed last, if it has and has not ended for good.
    pub(crate) fn last_crash(&self) -> Option<LastCrash> {
        self.past(|past| past.last_crash.clone())
    }

    /// Where it is counted what the process handles.
    pub(super) fn meter(&self) -> Arc<Meter> {
        self.change_past(|past| past.meter.get_or_insert_default().clone())
    }

    /// What the process has handled, if that is measured.
    pub(crate) fn workload(&self, now: Time) -> Option<Workload> {
        self.past(|past| past.meter.as_ref().map(|meter| meter.read(now)))
    }
}
