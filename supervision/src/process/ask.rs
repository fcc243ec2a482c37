//! Questions and replies: a slot for one value, between the one who asks and the one who replies.

use super::core::Core;
use super::guard;
use crate::mailbox::TellError;
use crate::runtime::{Runtime, Timer};
use crate::sync::lock;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
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

enum Slot<T> {
    /// Nobody waits yet, or the asker between two polls.
    Open(Option<Waker>),
    Replied(T),
    /// There will be no reply.
    Refused(AskError),
    /// The asker has gone, or has its reply.
    Gone,
}

/// The right to answer one question.
///
/// Dropping it tells the asker at once that there will be no answer.
pub struct Reply<T> {
    slot: Option<Arc<Mutex<Slot<T>>>>,
}

impl<T> Reply<T> {
    /// Answers. An asker who has stopped waiting misses nothing: the value is dropped.
    pub fn send(self, value: T) {
        let _ = self.try_send(value);
    }

    /// Answers.
    ///
    /// # Errors
    /// Gives the value back when the asker has stopped waiting.
    pub fn try_send(mut self, value: T) -> Result<(), T> {
        let Some(slot) = self.slot.take() else { return Err(value) };
        fill(&slot, value)
    }

    /// Tells the asker why there will be no answer.
    pub(crate) fn refuse(mut self, error: AskError) {
        self.close(error);
    }

    fn close(&mut self, error: AskError) {
        let Some(slot) = self.slot.take() else { return };
        let mut state = lock(&slot);
        if matches!(*state, Slot::Open(_)) {
            let before = std::mem::replace(&mut *state, Slot::Refused(error));
            drop(state);
            if let Slot::Open(Some(asker)) = before {
                guard::wake(asker);
            }
        }
    }

    /// Says whether somebody still waits for the answer.
    pub fn is_wanted(&self) -> bool {
        self.slot.as_ref().is_some_and(|slot| matches!(*lock(slot), Slot::Open(_)))
    }
}

fn fill<T>(slot: &Mutex<Slot<T>>, value: T) -> Result<(), T> {
    let mut state = lock(slot);
    if !matches!(*state, Slot::Open(_)) {
        return Err(value);
    }
    let before = std::mem::replace(&mut *state, Slot::Replied(value));
    drop(state);
    if let Slot::Open(Some(asker)) = before {
        guard::wake(asker);
    }
    Ok(())
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        self.close(AskError::NoReply);
    }
}

impl<T> fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("is_wanted", &self.is_wanted()).finish()
    }
}

/// The future of a question: the reply, or why there is none.
///
/// The time runs from the first poll that finds no reply.
#[must_use = "futures do nothing unless polled"]
pub struct Ask<T> {
    state: State<T>,
}

enum State<T> {
    Waiting {
        slot: Arc<Mutex<Slot<T>>>,
        runtime: Runtime,
        limit: Duration,
        timer: Option<Timer>,
    },
    /// It cannot be answered; or, after the future was ready, not again.
    Refused(AskError),
}

// Nothing in it is pinned in place: the timer is `Unpin`, the reply is moved out.
impl<T> Unpin for Ask<T> {}

impl<T> Ask<T> {
    pub(crate) fn new(runtime: Runtime, limit: Duration) -> (Reply<T>, Ask<T>) {
        let slot = Arc::new(Mutex::new(Slot::Open(None)));
        let reply = Reply { slot: Some(slot.clone()) };
        (reply, Ask { state: State::Waiting { slot, runtime, limit, timer: None } })
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
        let (slot, runtime, limit, timer) = match &mut self.state {
            State::Refused(error) => return Poll::Ready(Err(*error)),
            State::Waiting { slot, runtime, limit, timer } => (slot, runtime, *limit, timer),
        };
        if let Some(answer) = look(slot, cx.waker()) {
            self.state = State::Refused(AskError::NoReply);
            return Poll::Ready(answer);
        }
        let timer = timer.get_or_insert_with(|| runtime.callers_timer(limit));
        Pin::new(timer).poll(cx).map(|()| {
            // From now on nobody waits. A reply that came in between is in time.
            let last = std::mem::replace(&mut *lock(slot), Slot::Gone);
            match last {
                Slot::Replied(value) => Ok(value),
                Slot::Refused(error) => Err(error),
                Slot::Open(_) | Slot::Gone => Err(AskError::Timeout(limit)),
            }
        })
    }
}

/// Takes the reply, or leaves the waker for it.
fn look<T>(slot: &Mutex<Slot<T>>, waker: &Waker) -> Option<Result<T, AskError>> {
    let mut state = lock(slot);
    if let Slot::Open(asker) = &mut *state {
        let replaced = match asker {
            Some(known) if known.will_wake(waker) => None,
            _ => asker.replace(waker.clone()),
        };
        drop(state);
        drop(replaced);
        return None;
    }
    Some(match std::mem::replace(&mut *state, Slot::Gone) {
        Slot::Replied(value) => Ok(value),
        Slot::Refused(error) => Err(error),
        Slot::Gone | Slot::Open(_) => Err(AskError::NoReply),
    })
}

impl<T> Drop for Ask<T> {
    fn drop(&mut self) {
        if let State::Waiting { slot, .. } = &self.state {
            let before = std::mem::replace(&mut *lock(slot), Slot::Gone);
            drop(before);
        }
    }
}

impl<T> fmt::Debug for Ask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask").finish_non_exhaustive()
    }
}
