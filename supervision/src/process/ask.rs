//! Questions and replies: a slot for one value, between the one who asks and the one who replies, and a limit of time.
//!
//! The slot is the mailbox crate's. The time is kept by the [`Alarm`](super::alarm::Alarm) of the process that waits, or by a timer where that is
//! not a process's own code.

use super::core::Core;
use super::guard;
use crate::mailbox::TellError;
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
    /// The question was dropped without a reply: its handler crashed, or chose not to.
    NoReply,
    /// The process does not understand such a question: see [`Context::refuse`](crate::Context::refuse).
    NotUnderstood,
    /// No reply came in this time.
    Timeout(Duration),
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AskError::Dead => f.write_str("the process has ended, or was not started yet"),
            AskError::Full => f.write_str("the mailbox is full"),
            AskError::NoReply => f.write_str("the question was dropped without a reply"),
            AskError::NotUnderstood => f.write_str("the process does not understand the question"),
            AskError::Timeout(limit) => write!(f, "no reply within {limit:?}"),
        }
    }
}

impl std::error::Error for AskError {}

/// The right to answer one question.
///
/// Dropping it tells the asker at once that there will be no answer. To answer twice is impossible: an answer uses it up.
pub struct Reply<T> {
    slot: Option<oneshot::Sender<Result<T, AskError>>>,
}

impl<T> Reply<T> {
    /// One that nobody waits for.
    pub(crate) fn unread() -> Reply<T> {
        Reply { slot: None }
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
        let Some(slot) = self.slot.take() else { return Err(value) };
        answer(slot, Ok(value)).map_err(|back| back.expect("the value was sent"))
    }

    /// Tells the asker why there will be no answer.
    pub(crate) fn refuse(mut self, error: AskError) {
        if let Some(slot) = self.slot.take() {
            let _ = answer(slot, Err(error));
        }
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
        if let Some(slot) = self.slot.take() {
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
    },
    /// It cannot be answered; or, after the future was ready, not again.
    Refused(AskError),
}

// Nothing in it is pinned in place: the timer is `Unpin`, the reply is moved out.
impl<T> Unpin for Ask<T> {}

impl<T> Ask<T> {
    pub(crate) fn new(runtime: Runtime, limit: Duration) -> (Reply<T>, Ask<T>) {
        let (sender, slot) = oneshot::channel();
        let limit = Limit { runtime, limit, kept: Kept::NotYet };
        (Reply { slot: Some(sender) }, Ask { state: State::Waiting { slot, limit } })
    }

    /// Asks a process, by sending a question with the reply in it.
    pub(super) fn by<M>(
        process: &Core,
        limit: Duration,
        tell: impl FnOnce(Reply<T>) -> Result<(), TellError<M>>,
    ) -> Ask<T> {
        let Some(env) = process.env() else { return Ask::refused() };
        let (reply, ask) = Ask::new(env.runtime().clone(), limit);
        match tell(reply) {
            Ok(()) => ask,
            Err(error) => ask.not_sent(&error),
        }
    }

    pub(crate) fn refused() -> Ask<T> {
        Ask { state: State::Refused(AskError::Dead) }
    }

    pub(crate) fn not_sent<M>(self, error: &TellError<M>) -> Ask<T> {
        let error = if error.is_dead() { AskError::Dead } else { AskError::Full };
        Ask { state: State::Refused(error) }
    }
}

impl<T> Future for Ask<T> {
    type Output = Result<T, AskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (slot, limit) = match &mut self.state {
            State::Refused(error) => return Poll::Ready(Err(*error)),
            State::Waiting { slot, limit } => (slot, limit),
        };
        if let Poll::Ready(reply) = Pin::new(slot).poll(cx) {
            self.state = State::Refused(AskError::NoReply);
            return Poll::Ready(reply.unwrap_or(Err(AskError::NoReply)));
        }
        ready!(limit.poll(cx));
        let error = AskError::Timeout(limit.limit);
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
    /// Ready: the time is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = match &mut self.kept {
            _ if self.limit == Duration::MAX => return Poll::Pending,
            Kept::Timer(timer) => return Pin::new(timer).poll(cx),
            Kept::Alarm(deadline) => Some(*deadline),
            Kept::NotYet => None,
        };
        // In a process's own code its alarm does, if that wakes whom this is to wake.
        let own = guard::with_current(|life| {
            let runtime = life.env().runtime();
            if !life.alarm().is_of(cx.waker()) || !runtime.has_clock_of(&self.runtime) {
                return None;
            }
            let now = runtime.now();
            let deadline = deadline.unwrap_or_else(|| now + self.limit);
            if now < deadline {
                life.alarm().ring_by(deadline, now, life);
            }
            Some((deadline, now < deadline))
        });
        if let Some((deadline, waits)) = own.flatten() {
            self.kept = Kept::Alarm(deadline);
            return if waits { Poll::Pending } else { Poll::Ready(()) };
        }
        let left = deadline.map_or(self.limit, |deadline| deadline.since(self.runtime.now()));
        let mut timer = self.runtime.callers_timer(left);
        let polled = Pin::new(&mut timer).poll(cx);
        self.kept = Kept::Timer(timer);
        polled
    }
}
