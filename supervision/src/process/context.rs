//! [`Context`]: what the body of a process is given: its mailbox, its stop signal, itself.

use super::address::Address;
use super::core::{Process, Shared};
use super::link::Link;
use crate::env::Env;
use crate::mailbox::Fetch;
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
    shared: Arc<Shared<M>>,
    link: Arc<Link>,
    /// Messages taken from the mailbox and not yet handed to the body.
    batch: VecDeque<M>,
}

impl<M: Send + 'static> Context<M> {
    pub(super) fn new(shared: Arc<Shared<M>>, link: Arc<Link>) -> Self {
        Context { shared, link, batch: VecDeque::new() }
    }

    /// Waits for the next message. `None`: the process is asked to stop; messages that wait stay in the mailbox.
    ///
    /// The stop request overtakes messages.
    ///
    /// # Cancel safety
    /// No message is lost when the future is dropped.
    pub fn recv(&mut self) -> impl Future<Output = Option<M>> + Send + '_ {
        poll_fn(|task| {
            if self.shared.core.is_stopping() {
                return Poll::Ready(None);
            }
            let message = self.poll_message(task);
            // A request that came before the waker was left in the mailbox.
            if message.is_pending() && self.shared.core.is_stopping() {
                return Poll::Ready(None);
            }
            message.map(Some)
        })
    }

    /// Returns the next message, if one waits.
    pub fn try_recv(&mut self) -> Option<M> {
        self.next(None)
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
            return None;
        }
        self.batch.pop_front()
    }

    /// Returns the signal that tells when the process is asked to stop.
    pub fn stop_signal(&self) -> StopSignal {
        StopSignal { process: self.shared.clone() }
    }

    /// Tells the supervisor that the initialisation is complete, for a child that said it would:
    /// see [`Child::gated`](crate::Child::gated). Does nothing otherwise, or a second time.
    pub fn ready(&self) {
        self.link.ready();
    }

    /// Waits for a time: real, or virtual in a simulation.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<M> {
        self.link.env().runtime().timer_after(duration)
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
        let mut timer = self.link.env().runtime().timer_after(limit);
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
        self.link.pid()
    }

    /// Returns which incarnation this is: 1 is the first.
    pub fn incarnation(&self) -> u32 {
        self.link.incarnation()
    }

    /// Returns the supervisor of the process.
    pub fn supervisor(&self) -> SupervisorRef {
        self.link.supervisor()
    }

    pub(crate) fn env(&self) -> &Env {
        self.link.env()
    }

    pub(crate) fn stop_request(&self) -> Option<Option<Time>> {
        self.shared.core.stop_request()
    }
}

impl<M: Send + 'static> Drop for Context<M> {
    fn drop(&mut self) {
        // What this incarnation has taken and not handled is the next one's.
        self.shared.mailbox.put_back(&mut self.batch);
    }
}

impl<M: Send + 'static> fmt::Debug for Context<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({}, incarnation {})", self.shared.core, self.incarnation())
    }
}

/// Tells when a process is asked to stop. Can be cloned, and given to whatever works for the process.
#[derive(Clone)]
pub struct StopSignal {
    process: Arc<dyn Process>,
}

impl StopSignal {
    /// Waits until the process is asked to stop.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn requested(&self) {
        poll_fn(|task| self.process.core().poll_stopping(task)).await;
    }

    /// Says whether the process is asked to stop.
    pub fn is_requested(&self) -> bool {
        self.process.core().is_stopping()
    }
}

impl fmt::Debug for StopSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopSignal").field("is_requested", &self.is_requested()).finish()
    }
}
