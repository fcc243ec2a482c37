//! How many messages a process handles, and how long that takes it: counted only in systems that measure.

use super::context::Context;
use crate::env::Env;
use crate::plan::Time;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What a process has handled, over all its incarnations: see [`SystemBuilder::measure_handlers`](crate::SystemBuilder::measure_handlers).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Workload {
    /// How many messages it has received: whatever came by its mailbox, its control lane, its timers and streams.
    pub messages: u64,
    /// How long it has had one in its hands: from when it has received one, or several at once, until it asks for the next, or ends.
    /// What it waits for meanwhile is in it. The one that it has in its hands now is not.
    #[cfg_attr(feature = "serde", serde(rename = "busy_ms", with = "crate::machines::millis"))]
    pub busy: Duration,
    /// The longest of these times.
    #[cfg_attr(feature = "serde", serde(rename = "longest_ms", with = "crate::machines::millis"))]
    pub longest: Duration,
    /// How long it has had one in its hands now, if it has one.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "current_ms", with = "crate::machines::millis_if_any")
    )]
    pub current: Option<Duration>,
}

/// What is counted of one process, in whole nanoseconds.
#[derive(Default)]
pub(super) struct Meter {
    messages: AtomicU64,
    busy: AtomicU64,
    longest: AtomicU64,
    /// One more than when the message that is in its hands came; 0: none is.
    since: AtomicU64,
}

impl Meter {
    pub(super) fn read(&self, now: Time) -> Workload {
        let time = |nanos: &AtomicU64| Duration::from_nanos(nanos.load(Relaxed));
        let since = self.since.load(Relaxed).checked_sub(1);
        let now = now.as_duration();
        Workload {
            messages: self.messages.load(Relaxed),
            busy: time(&self.busy),
            longest: time(&self.longest),
            current: since.map(|since| now.saturating_sub(Duration::from_nanos(since))),
        }
    }
}

/// One incarnation's hand on the meter of its process.
pub(super) struct Stopwatch {
    meter: Arc<Meter>,
    env: Env,
    began: Option<Time>,
}

impl Stopwatch {
    pub(super) fn of<M: Send + 'static>(context: &Context<M>) -> Stopwatch {
        let (meter, env) = (context.shared.core.meter(), context.env().clone());
        Stopwatch { meter, env, began: None }
    }

    /// So many messages are given to the body.
    #[cold]
    fn start(&mut self, messages: usize) {
        self.meter.messages.fetch_add(messages as u64, Relaxed);
        if messages > 0 && self.began.is_none() {
            let now = self.env.now();
            self.began = Some(now);
            self.meter.since.store(nanos(now.as_duration()).saturating_add(1), Relaxed);
        }
    }

    /// The body asks for the next one, or has ended.
    #[cold]
    fn stop(&mut self) {
        let Some(began) = self.began.take() else { return };
        let taken = nanos(self.env.now().since(began));
        // An incarnation that was abandoned leaves its successor's alone.
        let own = nanos(began.as_duration()).saturating_add(1);
        let _ = self.meter.since.compare_exchange(own, 0, Relaxed, Relaxed);
        self.meter.busy.fetch_add(taken, Relaxed);
        self.meter.longest.fetch_max(taken, Relaxed);
    }
}

impl Drop for Stopwatch {
    fn drop(&mut self) {
        self.stop();
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl<M: Send + 'static> Context<M> {
    /// The body is given so many messages.
    pub(super) fn handles(&mut self, messages: usize) {
        if let Some(stopwatch) = self.stopwatch() {
            stopwatch.start(messages);
        }
    }

    /// The body asks for the next message.
    pub(super) fn has_handled(&mut self) {
        self.has_followed();
        if let Some(stopwatch) = self.stopwatch() {
            stopwatch.stop();
        }
    }

    fn stopwatch(&mut self) -> Option<&mut Stopwatch> {
        self.rare.as_mut()?.stopwatch.as_mut()
    }
}
