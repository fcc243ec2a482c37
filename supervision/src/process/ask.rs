//! Questions and replies: a slot for one value, between the one who asks and the one who replies, and a limit of time.
//!
//! The slot is the mailbox crate's. The time is kept by the [`Alarm`](super::alarm::Alarm) of the process that waits, or by a timer where that is
//! not a process's own code.

use super::circles::{self, Asker, Replier};
use super::core::Core;
use super::guard;
use super::life::{Asks, Life};
use crate::mailbox::TellError;
use crate::pid::Pid;
use crate::plan::Time;
use crate::runtime::{Runtime, Timer};
use bastion_mailbox::oneshot;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// Why a question has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AskError {
    /// The process has ended for good, or has not been given to a supervisor yet.
    Dead,
    /// The process's mailbox is full.
    Full,
    /// The question is larger than the process's mailbox: see [`Child::mailbox_bytes`](crate::Child::mailbox_bytes).
    TooLarge,
    /// The question was dropped without a reply: its handler crashed, or chose not to.
    NoReply,
    /// The process does not understand such a question: see [`Context::refuse`](crate::Context::refuse).
    NotUnderstood,
    /// No reply came in this time.
    Timeout(Duration),
    /// No reply could come: who was asked waits, directly or not, for an answer of the asker, or is the asker. See
    /// [`Address::ask`](crate::Address::ask).
    Circle,
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AskError::Dead => f.write_str("the process has ended, or was not started yet"),
            AskError::Full => f.write_str("the mailbox is full"),
            AskError::TooLarge => f.write_str("the question is too large for the mailbox"),
            AskError::NoReply => f.write_str("the question was dropped without a reply"),
            AskError::NotUnderstood => f.write_str("the process does not understand the question"),
            AskError::Timeout(limit) => write!(f, "no reply within {limit:?}"),
            AskError::Circle => f.write_str("who was asked waits for an answer of the asker"),
        }
    }
}

impl std::error::Error for AskError {}

/// The right to answer one question.
///
/// Dropping it tells the asker at once that there will be no answer. To answer twice is impossible: an answer uses it up.
pub struct Reply<T> {
    slot: Option<oneshot::Sender<Result<T, AskError>>>,
    replier: Option<Replier>,
}

impl<T> Reply<T> {
    /// One that nobody waits for.
    pub(crate) fn unread() -> Reply<T> {
        Reply { slot: None, replier: None }
    }

    /// Answers. An asker who has stopped waiting misses nothing: the value is dropped.
    pub fn send(self, value: T) {
        let _ = self.try_send(value);
    }

    /// Answers.
    ///
    /// # Errors
    /// Gives the value back when the asker has stopped waiting. One who stops just now may have it dropped.
    pub fn try_send(mut self, value: T) -> Result<(), T> {
        let Some(slot) = self.take() else { return Err(value) };
        answer(slot, Ok(value)).map_err(|back| back.expect("the value was sent"))
    }

    /// Tells the asker why there will be no answer.
    pub(crate) fn refuse(mut self, error: AskError) {
        if let Some(slot) = self.take() {
            let _ = answer(slot, Err(error));
        }
    }

    /// Takes the slot, to fill or to drop it.
    fn take(&mut self) -> Option<oneshot::Sender<Result<T, AskError>>> {
        if let Some(replier) = self.replier.take() {
            replier.answers();
        }
        self.slot.take()
    }

    /// Says whether somebody still waits for the answer.
    pub fn is_wanted(&self) -> bool {
        self.slot.as_ref().is_some_and(oneshot::Sender::is_wanted)
    }
}

/// Fills the slot, or gives back what was to be in it.
fn answer<A>(slot: oneshot::Sender<A>, answer: A) -> Result<(), A> {
    let mut sent = Ok(());
    // The asker's waker may be foreign. It runs last, so a panic of it is none of the answer's.
    guard::contain(|| sent = slot.send(answer));
    sent
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        if let Some(slot) = self.take() {
            guard::contain(|| drop(slot));
        }
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("is_wanted", &self.is_wanted()).finish()
    }
}

/// The future of a question: the reply, or why there is none.
///
/// The time runs from the first poll that finds no reply. It is never over early, and late by what a timer of the runtime is.
#[must_use = "futures do nothing unless polled"]
pub struct Ask<T> {
    state: State<T>,
}

enum State<T> {
    Waiting {
        slot: oneshot::Receiver<Result<T, AskError>>,
        limit: Limit,
        asker: Option<Asker>,
    },
    /// It cannot be answered; or, after the future was ready, not again.
    Refused(AskError),
}

// Nothing in it is pinned in place: the timer is `Unpin`, the reply is moved out.
impl<T> Unpin for Ask<T> {}

impl<T> Ask<T> {
    /// Asks somebody; nobody knows whom.
    pub(crate) fn new(runtime: Runtime, limit: Duration) -> (Reply<T>, Ask<T>) {
        let (sender, slot) = oneshot::channel();
        let limit = Limit { runtime, asked: None, limit, kept: Kept::NotYet };
        let reply = Reply { slot: Some(sender), replier: None };
        (reply, Ask { state: State::Waiting { slot, limit, asker: None } })
    }

    /// Asks a process, by sending a question with the reply in it.
    pub(super) fn by<M>(
        process: &Core,
        limit: Duration,
        tell: impl FnOnce(Reply<T>) -> Result<(), TellError<M>>,
    ) -> Ask<T> {
        let Some(env) = process.env() else { return Ask::refused() };
        let (mut reply, mut ask) = Ask::new(env.runtime().clone(), limit);
        if let State::Waiting { limit, asker, .. } = &mut ask.state {
            limit.asked = process.pid();
            (reply.replier, *asker) = circles::ask(env, process).unzip();
        }
        match tell(reply) {
            Ok(()) => ask,
            Err(error) => ask.not_sent(&error),
        }
    }

    pub(crate) fn refused() -> Ask<T> {
        Ask { state: State::Refused(AskError::Dead) }
    }

    pub(crate) fn not_sent<M>(self, error: &TellError<M>) -> Ask<T> {
        let error = match error {
            TellError::Dead(_) => AskError::Dead,
            TellError::Full(_) => AskError::Full,
            TellError::TooLarge(_) => AskError::TooLarge,
        };
        Ask { state: State::Refused(error) }
    }
}

impl<T> Future for Ask<T> {
    type Output = Result<T, AskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (slot, limit, asker) = match &mut self.state {
            State::Refused(error) => return Poll::Ready(Err(*error)),
            State::Waiting { slot, limit, asker } => (slot, limit, asker),
        };
        if let Poll::Ready(reply) = Pin::new(slot).poll(cx) {
            self.state = State::Refused(AskError::NoReply);
            return Poll::Ready(reply.unwrap_or(Err(AskError::NoReply)));
        }
        let in_vain = asker.as_mut().is_some_and(|asker| asker.waits(cx.waker()));
        let error = if in_vain { AskError::Circle } else { ready!(limit.poll(cx)) };
        // From now on nobody waits. A reply that came in between is in time.
        let last = match std::mem::replace(&mut self.state, State::Refused(error)) {
            State::Waiting { slot, .. } => slot.close(),
            State::Refused(_) => None,
        };
        Poll::Ready(last.unwrap_or(Err(error)))
    }
}

impl<T> fmt::Debug for Ask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask").finish_non_exhaustive()
    }
}

/// How long a question waits.
struct Limit {
    /// That of who is asked.
    runtime: Runtime,
    asked: Option<Pid>,
    limit: Duration,
    kept: Kept,
}

/// What keeps the time.
enum Kept {
    /// Nothing, before the first poll that finds no reply.
    NotYet,
    /// The alarm of the process that waits, until then.
    Alarm(Time),
    Timer(Timer),
}

impl Limit {
    /// Ready: nobody waits any longer.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<AskError> {
        let own = guard::with_current(|life| self.poll_own(life, cx)).flatten();
        own.unwrap_or_else(|| self.poll_elsewhere(cx))
    }

    /// In a process's own code its alarm keeps the time, if that wakes whom this is to wake.
    fn poll_own(&mut self, life: &Life, cx: &mut Context<'_>) -> Option<Poll<AskError>> {
        let (runtime, Asks { alarm, oneself }) = (life.env().runtime(), life.asks());
        if !alarm.is_of(cx.waker()) || !runtime.has_clock_of(&self.runtime) {
            return None;
        }
        if Some(life.pid()) == self.asked && oneself.asks() {
            return Some(Poll::Ready(AskError::Circle));
        }
        let deadline = match self.kept {
            _ if self.limit == Duration::MAX => return Some(Poll::Pending),
            Kept::Timer(_) => return None,
            Kept::Alarm(deadline) => Some(deadline),
            Kept::NotYet => None,
        };
        let now = runtime.now();
        let deadline = deadline.unwrap_or_else(|| now + self.limit);
        self.kept = Kept::Alarm(deadline);
        if now >= deadline {
            return Some(Poll::Ready(AskError::Timeout(self.limit)));
        }
        alarm.ring_by(deadline, now, life);
        Some(Poll::Pending)
    }

    fn poll_elsewhere(&mut self, cx: &mut Context<'_>) -> Poll<AskError> {
        let left = match &self.kept {
            _ if self.limit == Duration::MAX => return Poll::Pending,
            Kept::Alarm(deadline) => deadline.since(self.runtime.now()),
            Kept::NotYet | Kept::Timer(_) => self.limit,
        };
        if !matches!(self.kept, Kept::Timer(_)) {
            self.kept = Kept::Timer(self.runtime.callers_timer(left));
        }
        match &mut self.kept {
            Kept::Timer(timer) => Pin::new(timer).poll(cx).map(|()| AskError::Timeout(self.limit)),
            Kept::NotYet | Kept::Alarm(_) => Poll::Pending,
        }
    }
}
