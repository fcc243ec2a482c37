//! [`PoolAddress`]: one address for all workers of a pool, and the future of a question to them.

use super::error::{PoolAskError, PoolTellError, Refusal};
use super::fuse::Admission;
use super::hub::{Hub, Job};
use crate::names::Published;
use crate::process::{ASK_TIMEOUT, Ask, AskError, Reply};
use crate::supervisor::SupervisorRef;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// The address of a [`Pool`](crate::Pool): a message to it goes to one of the workers, as the pool's [`Route`](crate::Route) says.
///
/// The sender itself puts it into the worker's queue; no process stands between them. Valid from the moment the pool is described, over all
/// restarts, like an [`Address`](crate::Address): a message that is told before the start waits. What a worker has not taken when it
/// crashes waits for its next incarnation; when it ends for good, or leaves because the pool shrinks, the other workers get it.
pub struct PoolAddress<M> {
    pub(super) hub: Arc<Hub<M>>,
}

impl<M: Send + 'static> PoolAddress<M> {
    /// Sends a message to a worker: at most once. Never waits.
    ///
    /// Messages of one sender that go to the same worker are in order, as long as the pool keeps its size.
    ///
    /// # Errors
    /// [`PoolTellError`], with the message: there is no worker, the queues are full, or a limit that was set refuses it.
    pub fn tell(&self, message: M) -> Result<(), PoolTellError<M>> {
        let admission = match self.admit(None) {
            Ok(admission) => admission,
            Err(refusal) => return Err(PoolTellError { refusal, message }),
        };
        match self.hub.place(self.hub.job(message)) {
            Ok(()) => self.hub.ring(),
            Err((job, refusal)) => {
                return Err(PoolTellError { refusal, message: job.sent.into_message() });
            }
        }
        if let Some(admission) = admission {
            admission.sent();
        }
        Ok(())
    }

    /// Sends a message to a worker, and waits as long as the queues are full, or the rate limit says: back-pressure. Those who wait for one
    /// queue have their turn in the order in which they came.
    ///
    /// A worker that sends to its own pool may wait for itself.
    ///
    /// # Errors
    /// [`PoolTellError`], with the message: there is no worker, or the circuit breaker is open.
    ///
    /// # Cancel safety
    /// A future that is dropped before it is ready has not sent its message.
    pub async fn send(&self, message: M) -> Result<(), PoolTellError<M>> {
        let admission = loop {
            match self.admit(None) {
                Ok(admission) => break admission,
                Err(Refusal::RateLimited { retry_after }) => self.wait(retry_after).await,
                Err(refusal) => return Err(PoolTellError { refusal, message }),
            }
        };
        if let Err((job, refusal)) = self.hub.place_in_time(self.hub.job(message)).await {
            return Err(PoolTellError { refusal, message: job.sent.into_message() });
        }
        self.hub.ring();
        if let Some(admission) = admission {
            admission.sent();
        }
        Ok(())
    }

    /// Sends a message made from a [`Reply`] to a worker, and waits for what is replied, for at most [`ASK_TIMEOUT`].
    ///
    /// # Errors
    /// The future's: see [`PoolAskError`].
    ///
    /// # Cancel safety
    /// Dropping the future drops the question's reply; the question itself may be handled all the same.
    pub fn ask<T: Send + 'static>(&self, question: impl FnOnce(Reply<T>) -> M) -> PoolAsk<T> {
        self.ask_timeout(ASK_TIMEOUT, question)
    }

    /// Asks, and waits for at most `limit`. Otherwise as [`PoolAddress::ask`].
    pub fn ask_timeout<T: Send + 'static>(
        &self,
        limit: Duration,
        question: impl FnOnce(Reply<T>) -> M,
    ) -> PoolAsk<T> {
        let Some(env) = self.hub.env() else { return PoolAsk::refused(Refusal::NoWorker) };
        let admission = match self.admit(Some(limit)) {
            Ok(admission) => admission,
            Err(refusal) => return PoolAsk::refused(refusal),
        };
        let (reply, ask) = Ask::new(env.runtime().clone(), limit);
        let job = Job { is_question: true, ..self.hub.job(question(reply)) };
        match self.hub.place(job) {
            Ok(()) => {
                self.hub.ring();
                PoolAsk { state: State::Asked { ask, admission } }
            }
            Err((_, refusal)) => PoolAsk::refused(refusal),
        }
    }

    /// Sends a message to every worker, whatever the route: each has its own copy, the last one the original. Never waits: a worker whose queue is
    /// full is left out, and counted.
    ///
    /// # Errors
    /// [`PoolTellError`], with the message: there is no worker, or a limit that was set refuses it. It counts as one message.
    pub fn broadcast(&self, message: M) -> Result<Published, PoolTellError<M>>
    where
        M: Clone,
    {
        let admission = match self.admit(None) {
            Ok(admission) => admission,
            Err(refusal) => return Err(PoolTellError { refusal, message }),
        };
        let members = self.hub.members.all();
        let Some((last, others)) = members.split_last() else {
            return Err(PoolTellError { refusal: Refusal::NoWorker, message });
        };
        let mut published = Published::default();
        let mut give = |slot: &usize, message| {
            let copy = Job { is_copy: true, ..self.hub.job(message) };
            let pushed = self.hub.slots[*slot].lane.push(copy);
            published.accepted += usize::from(pushed.is_ok());
            published.refused += usize::from(pushed.is_err());
        };
        others.iter().for_each(|slot| give(slot, message.clone()));
        give(last, message);
        self.hub.ring();
        if let Some(admission) = admission {
            admission.sent();
        }
        Ok(published)
    }

    /// How many workers there are that messages go to: not those that are just leaving, because the pool shrinks, or have ended for good.
    pub fn size(&self) -> usize {
        self.hub.members.count()
    }

    /// How many messages wait that no worker has taken yet.
    pub fn queued(&self) -> usize {
        self.hub.queued()
    }

    /// Returns the supervisor of the workers.
    pub fn supervisor(&self) -> &SupervisorRef {
        &self.hub.supervisor
    }

    /// Asks the limits that were set: the circuit breaker first, so that a message that it refuses uses up no share. A question has its
    /// time limit.
    fn admit(&self, question: Option<Duration>) -> Result<Option<Admission>, Refusal> {
        let rules = &self.hub.rules;
        let admission = match &rules.fuse {
            None => None,
            Some(fuse) => Some(
                fuse.admit(question).map_err(|retry_after| Refusal::BreakerOpen { retry_after })?,
            ),
        };
        if let (Some(limit), Some(env)) = (&rules.limit, self.hub.env()) {
            limit
                .admit(env.runtime())
                .map_err(|retry_after| Refusal::RateLimited { retry_after })?;
        }
        Ok(admission)
    }

    async fn wait(&self, time: Duration) {
        if let Some(env) = self.hub.env() {
            env.runtime().callers_timer(time).await;
        }
    }
}

impl<M> Clone for PoolAddress<M> {
    fn clone(&self) -> Self {
        PoolAddress { hub: self.hub.clone() }
    }
}

/// Addresses are equal when they are of one pool.
impl<M> PartialEq for PoolAddress<M> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.hub, &other.hub)
    }
}

impl<M> Eq for PoolAddress<M> {}

impl<M> fmt::Debug for PoolAddress<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PoolAddress({})", self.hub.supervisor.name())
    }
}

/// The future of a question to a pool: the reply, or why there is none.
///
/// The time runs from the first poll that finds no reply.
#[must_use = "futures do nothing unless polled"]
pub struct PoolAsk<T> {
    state: State<T>,
}

enum State<T> {
    Asked { ask: Ask<T>, admission: Option<Admission> },
    Refused(Refusal),
}

impl<T> PoolAsk<T> {
    fn refused(refusal: Refusal) -> PoolAsk<T> {
        PoolAsk { state: State::Refused(refusal) }
    }
}

impl<T> Future for PoolAsk<T> {
    type Output = Result<T, PoolAskError>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let (ask, admission) = match &mut self.state {
            State::Refused(refusal) => return Poll::Ready(Err(PoolAskError::Refused(*refusal))),
            State::Asked { ask, admission } => (ask, admission),
        };
        Pin::new(ask).poll(task).map(|answer| {
            if let Some(admission) = admission.take() {
                let failed = matches!(answer, Err(AskError::NoReply | AskError::Timeout(_)));
                admission.answered(!failed);
            }
            answer.map_err(PoolAskError::Failed)
        })
    }
}

impl<T> fmt::Debug for PoolAsk<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolAsk").finish_non_exhaustive()
    }
}
