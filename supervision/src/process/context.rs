//! [`Context`]: what the body of a process is given: its stop signal, its time, itself. What it receives is in `receive`.

use super::address::Address;
use super::batch::Batch;
use super::core::Shared;
use super::inlet::Inflow;
use super::life::Life;
use super::meter::Stopwatch;
use super::receive::Origin;
use super::shutdown::ProcessShutdown;
use super::sources::Sources;
use super::trail::Spans;
use super::watching::Watching;
use crate::env::Env;
use crate::names::Names;
use crate::pid::Pid;
use crate::plan::Time;
use crate::supervisor::SupervisorRef;
use lightproc::Panic;
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// What the body of a process is given. Each incarnation has its own.
pub struct Context<M: Send + 'static> {
    pub(super) shared: Arc<Shared<M>>,
    pub(super) life: Arc<Life>,
    pub(super) batch: Batch<M>,
    /// How many were handed out without a wait.
    pub(super) in_a_row: u32,
    pub(super) rare: Option<Box<Rare<M>>>,
}

/// What most processes do not have: they watch nobody, have neither timers nor streams, and receive what comes.
pub(super) struct Rare<M> {
    /// What a selective receive has passed over that did not come by the mailbox. No later incarnation's.
    pub(super) passed: VecDeque<(Origin, M)>,
    pub(super) watching: Watching<M>,
    pub(super) sources: Option<Sources<M>>,
    /// Whether a source has its turn before the mailbox.
    pub(super) sources_first: bool,
    /// Where a worker of a pool has messages from.
    pub(super) inflow: Option<Inflow<M>>,
    /// Only where it is measured.
    pub(super) stopwatch: Option<Stopwatch>,
    /// Only where messages are traced: those of the batch.
    pub(super) spans: Option<Spans>,
    /// A panic while several messages were received: it goes on when those that had been taken are handled.
    pub(super) panic: Option<Panic>,
}

impl<M> Default for Rare<M> {
    fn default() -> Self {
        let (passed, watching) = (VecDeque::new(), Watching::default());
        Rare {
            passed,
            watching,
            sources: None,
            sources_first: false,
            inflow: None,
            stopwatch: None,
            spans: None,
            panic: None,
        }
    }
}

impl<M: Send + 'static> Context<M> {
    pub(super) fn new(shared: Arc<Shared<M>>, life: Arc<Life>) -> Self {
        let mut context = Context { shared, life, batch: Batch::new(), in_a_row: 0, rare: None };
        if context.env().measures() && !context.shared.is_supervisor() {
            context.rare().stopwatch = Some(Stopwatch::of(&context));
        }
        if context.shared.is_traced() {
            context.rare().spans = Some(Spans::new());
        }
        context
    }

    pub(super) fn rare(&mut self) -> &mut Rare<M> {
        self.rare.get_or_insert_default()
    }

    /// Drops what was passed over of some origin. True: there was something.
    pub(super) fn drop_passed(&mut self, of_it: impl Fn(&Origin) -> bool) -> bool {
        let Some(rare) = &mut self.rare else { return false };
        let before = rare.passed.len();
        rare.passed.retain(|(origin, _)| !of_it(origin));
        rare.passed.len() < before
    }

    /// Returns the signal that tells when the process is asked to stop.
    pub fn stop_signal(&self) -> ProcessShutdown {
        ProcessShutdown::of(self.life.clone())
    }

    /// Tells the supervisor that the initialisation is complete, for a child that said it would:
    /// see [`Child::gated`](crate::Child::gated). Does nothing otherwise, or a second time.
    pub fn ready(&self) {
        let _ = self.life.ready();
    }

    /// Tells the watchdog that the process makes progress: see [`Child::watchdog`](crate::Child::watchdog). Receiving a message, or
    /// waiting for one, does so by itself.
    pub fn progress(&self) {
        self.life.progress(false);
    }

    /// Tells the supervisor that what the process failed of before is over, for example because a connection stands again: the next failure
    /// is the first of its row, and a trial after a quarantine is passed. A run that is long enough says so by itself:
    /// see [`Backoff::healthy_after`](crate::plan::Backoff::healthy_after).
    pub fn healthy(&self) {
        self.life.healthy();
    }

    /// Waits for a time: real, or virtual in a simulation.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<M> {
        self.life.env().runtime().timer_after(duration)
    }

    /// Waits for a future, but not longer than `limit` from now, real or virtual; `None`: the time was over first.
    ///
    /// # Cancel safety
    /// That of the future.
    pub fn timeout<F: Future>(
        &self,
        limit: Duration,
        future: F,
    ) -> impl Future<Output = Option<F::Output>> + use<M, F> {
        let mut timer = self.life.env().runtime().timer_after(limit);
        async move {
            let mut future = pin!(future);
            poll_fn(|task| match future.as_mut().poll(task) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending => Pin::new(&mut timer).poll(task).map(|()| None),
            })
            .await
        }
    }

    /// Returns the process's own address.
    pub fn address(&self) -> Address<M> {
        Address { shared: self.shared.clone() }
    }

    /// Returns the process's pid.
    pub fn pid(&self) -> Pid {
        self.life.pid()
    }

    /// Returns which incarnation this is: 1 is the first.
    pub fn incarnation(&self) -> u32 {
        self.life.incarnation()
    }

    /// Returns the supervisor of the process.
    pub fn supervisor(&self) -> SupervisorRef {
        self.life.supervisor()
    }

    /// Returns the names by which the processes of the system are found.
    pub fn names(&self) -> Names {
        self.env().names().clone()
    }

    /// Calls something whose panic is not to be this process's failure: it is contained, and reported as that of a hook.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Exit, child};
    /// let plugins: [fn(); 1] = [|| println!("begins")];
    /// let host = child(move |cx: Context<()>| async move {
    ///     plugins.iter().for_each(|plugin| cx.contain(plugin));
    ///     Ok(())
    /// });
    /// ```
    pub fn contain(&self, f: impl FnOnce()) {
        self.env().contain(f);
    }

    pub(crate) fn env(&self) -> &Env {
        self.life.env()
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.life.is_killed()
    }

    pub(crate) fn is_coming_back(&self) -> bool {
        self.life.is_coming_back()
    }

    pub(crate) fn stop_request(&self) -> Option<Option<Time>> {
        self.life.stop_request()
    }
}

impl<M: Send + 'static> Drop for Context<M> {
    fn drop(&mut self) {
        let (batch, spans) = (self.batch.take(), self.take_spans());
        self.shared.put_back(batch, spans);
    }
}

impl<M: Send + 'static> fmt::Debug for Context<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({}, incarnation {})", self.shared.core, self.incarnation())
    }
}
