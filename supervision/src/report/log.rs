//! Reports in the log: `tracing` events with fields.

use super::{CrashReport, Decision, Report};
use crate::plan::ExitReason;
use tracing::field::display;

/// What programs that read logs tell these events by.
macro_rules! event {
    ($level:ident, $report:expr, $($fields:tt)*) => {
        tracing::$level!(target: "bastion", event = $report.event(), $($fields)*, "{}", $report)
    };
}

impl Report {
    /// Logs the report. Runs foreign code: an error's `Display`, and a subscriber.
    pub(super) fn log(&self) {
        match self {
            Report::Crash(crash) => self.log_crash(crash),
            Report::Supervisor { supervisor, path, child, report } => {
                self.log_decision(supervisor, path, child.as_deref(), &Decision::of(report));
            }
            Report::Abandoned { supervisor, pid, child, incarnation } => event!(
                warn,
                self,
                pid = %pid,
                name = child.as_deref(),
                incarnation,
                supervisor = &**supervisor
            ),
            Report::Refused { supervisor, pid, child, error } => event!(
                warn,
                self,
                pid = %pid,
                name = child.as_deref(),
                supervisor = &**supervisor,
                reason = %error
            ),
            Report::DeadLetters { pid, name, count } => {
                event!(warn, self, pid = pid.map(display), name = name.as_deref(), count)
            }
            Report::AskCircle { processes } => {
                let (pid, name) = processes.first().cloned().unzip();
                let (pid, name) = (pid.map(display), name.flatten());
                event!(error, self, pid, name = name.as_deref(), count = processes.len());
            }
            Report::HookPanicked { panic } => {
                event!(warn, self, reason = &*panic.message, location = panic.location.as_deref())
            }
        }
    }

    /// Says that the report could not be logged, without calling foreign code but the subscriber.
    pub(super) fn log_without_text(&self) {
        tracing::error!(target: "bastion", event = self.event(), "logging a report panicked");
    }

    fn log_crash(&self, crash: &CrashReport) {
        let location = match &crash.reason {
            ExitReason::Panic(panic) => panic.location.as_deref(),
            _ => None,
        };
        event!(
            error,
            self,
            pid = crash.pid.map(display),
            name = crash.name.as_deref(),
            incarnation = crash.incarnation,
            supervisor = crash.supervisor.as_deref(),
            path = crash.path(),
            reason = %crash.reason,
            location,
            count = crash.queued
        );
    }

    fn log_decision(
        &self,
        supervisor: &str,
        path: &str,
        name: Option<&str>,
        decision: &Decision<'_>,
    ) {
        let Decision { is_error, pid, incarnation, reason, delay, restarts, .. } = decision;
        let reason = reason.map(display);
        let delay_ms = delay.map(|delay| u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
        if *is_error {
            event!(
                error, self, pid = %pid, name, incarnation, supervisor, path, reason, delay_ms,
                restarts
            );
        } else {
            event!(
                info, self, pid = %pid, name, incarnation, supervisor, path, reason, delay_ms,
                restarts
            );
        }
    }
}
