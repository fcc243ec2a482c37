//! [`Context`]: what the body of a process is given: its mailbox, its stop signal, itself.

use super::address::Address;
use super::core::Shared;
use super::life::Life;
use super::shutdown::ProcessShutdown;
use super::watching::Watching;
use crate::env::Env;
use crate::mailbox::Fetch;
use crate::names::Names;
use crate::pid::Pid;
use crate::plan::Time;
use crate::supervisor::SupervisorRef;
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

/// What the body of a process is given. Each incarnation has its own.
pub struct Context<M: Send + 'static> {
    pub(super) shared: Arc<Shared<M>>,
    pub(super) life: Arc<Life>,
    /// Messages taken from the mailbox and not yet handed to the body.
    batch: VecDeque<M>,
    in_a_row: u32,
    /// Most processes watch nobody.
    pub(super) watching: Option<Box<Watching<M>>>,
}

/// After so many messages in a row `recv` lets others run.
const MESSAGES_IN_A_ROW: u32 = 128;

impl<M: Send + 'static> Context<M> {
    pub(super) fn new(shared: Arc<Shared<M>>, life: Arc<Life>) -> Self {
        Context { shared, life, batch: VecDeque::new(), in_a_row: 0, watching: None }
    }

    /// Waits for the next message. `None`: the process is asked to stop, or is killed; messages that wait stay in the mailbox.
    ///
    /// The stop request overtakes messages, and so do exit signals and the ends of watched processes. After 128 messages without a wait, others run first.
    ///
    /// # Cancel safety
    /// No message is lost when the future is dropped.
    pub fn recv(&mut self) -> impl Future<Output = Option<M>> + Send + '_ {
        Recv { context: self, waits: false }
    }

    fn poll_recv(&mut self, task: &mut Task<'_>) -> Poll<Option<M>> {
        if self.is_over() {
            return Poll::Ready(None);
        }
        if self.in_a_row >= MESSAGES_IN_A_ROW {
            self.in_a_row = 0;
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(message) = self.urgent().or_else(|| self.next(Some(task.waker()))) {
            self.in_a_row += 1;
            return Poll::Ready(Some(message));
        }
        // What came before the waker was left in the mailbox.
        if self.is_over() {
            return Poll::Ready(None);
        }
        if let Some(message) = self.urgent() {
            return Poll::Ready(Some(message));
        }
        self.in_a_row = 0;
        Poll::Pending
    }

    /// Takes what overtakes messages.
    fn urgent(&mut self) -> Option<M> {
        let message = self.noticed();
        if message.is_some() {
            self.life.progress(false);
        }
        message
    }

    /// Says whether this incarnation has nothing to receive any more: what waits is the next one's.
    fn is_over(&self) -> bool {
        self.life.is_stopping() || self.life.is_killed()
    }

    /// Returns the next message, if one waits.
    pub fn try_recv(&mut self) -> Option<M> {
        if self.life.is_killed() {
            return None;
        }
        self.urgent().or_else(|| self.next(None))
    }

    /// Waits for the next message, stopping or not.
    pub(crate) fn poll_message(&mut self, task: &mut Task<'_>) -> Poll<M> {
        match self.next(Some(task.waker())) {
            Some(message) => Poll::Ready(message),
            None => Poll::Pending,
        }
    }

    fn next(&mut self, waker: Option<&Waker>) -> Option<M> {
        if self.batch.is_empty()
            && let Fetch::Empty = self.shared.mailbox.fetch(&mut self.batch, waker)
        {
            self.life.progress(waker.is_some());
            return None;
        }
        self.life.progress(false);
        self.batch.pop_front()
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

    pub(crate) fn env(&self) -> &Env {
        self.life.env()
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.life.is_killed()
    }

    pub(crate) fn stop_request(&self) -> Option<Option<Time>> {
        self.life.stop_request()
    }
}

/// The future of [`Context::recv`].
struct Recv<'a, M: Send + 'static> {
    context: &'a mut Context<M>,
    waits: bool,
}

impl<M: Send + 'static> Future for Recv<'_, M> {
    type Output = Option<M>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<M>> {
        let polled = self.context.poll_recv(task);
        self.waits = polled.is_pending();
        polled
    }
}

/// Dropped while it waits, it gives the body back the time that its watchdog measures.
impl<M: Send + 'static> Drop for Recv<'_, M> {
    fn drop(&mut self) {
        if self.waits {
            self.context.life.progress(false);
        }
    }
}

impl<M: Send + 'static> Drop for Context<M> {
    fn drop(&mut self) {
        self.shared.put_back(std::mem::take(&mut self.batch));
    }
}

impl<M: Send + 'static> fmt::Debug for Context<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({}, incarnation {})", self.shared.core, self.incarnation())
    }
}
