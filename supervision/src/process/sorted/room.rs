//! Senders that wait for room in a sorted mailbox, in the order in which they came.

use super::{Refused, Sorted, Tag};
use crate::mailbox::TellError;
use crate::process::core::Shared;
use crate::process::guard;
use crate::process::trail::Sent;
use crate::sync::lock;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// The wakers of those who wait, by their tickets.
#[derive(Default)]
pub(super) struct Senders {
    waiting: BTreeMap<u64, Waker>,
    tickets: u64,
}

impl Senders {
    /// Leaves a waker, at its old place if there is a ticket. None is there.
    fn wait(&mut self, ticket: &mut Option<u64>, waker: Waker) {
        let ticket = *ticket.get_or_insert_with(|| {
            self.tickets += 1;
            self.tickets
        });
        self.waiting.insert(ticket, waker);
    }

    /// Says whether somebody waits before the one with this ticket.
    fn waits_before(&self, ticket: Option<u64>) -> bool {
        self.waiting.keys().next().is_some_and(|first| ticket.is_none_or(|ticket| *first < ticket))
    }

    /// Takes the waker of the one who has waited longest.
    pub(super) fn next(&mut self) -> Option<Waker> {
        Some(self.waiting.pop_first()?.1)
    }

    pub(super) fn take(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }
}

/// The future of a message that waits for room.
pub(in crate::process) struct Sending<'a, M: Send + 'static> {
    shared: &'a Shared<M>,
    sorted: &'a Sorted<M>,
    /// `None`: it is queued, or came back.
    message: Option<(Tag, Sent<M>)>,
    ticket: Option<u64>,
}

// The message is moved out, never pinned.
impl<M: Send + 'static> Unpin for Sending<'_, M> {}

impl<M: Send + 'static> Shared<M> {
    /// Queues a message as soon as there is room.
    pub(in crate::process) fn send_sorted<'a>(
        &'a self,
        sorted: &'a Sorted<M>,
        message: M,
    ) -> Sending<'a, M> {
        let message = Some((sorted.tag(&message), self.sent(message)));
        Sending { shared: self, sorted, message, ticket: None }
    }
}

impl<M: Send + 'static> Future for Sending<'_, M> {
    type Output = Result<(), TellError<M>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let waker = cx.waker().clone();
        let can_count = this.shared.core.env().is_some();
        let (tag, message) = this.message.take().expect("polled after it was ready");
        let mut state = lock(&this.sorted.state);
        let own = this.ticket.and_then(|ticket| state.senders.waiting.remove(&ticket));
        let sent = match state.closed || !state.senders.waits_before(this.ticket) {
            true => state.accept(tag, message, false, can_count),
            false => Err(Refused::Full(tag, message)),
        };
        if let Err(Refused::Full(tag, message)) = sent {
            state.senders.wait(&mut this.ticket, waker);
            drop(state);
            drop(own);
            this.message = Some((tag, message));
            return Poll::Pending;
        }
        drop(state);
        drop(own);
        // When it came back, the turn is the next one's: see the drop.
        Poll::Ready(match sent {
            Ok(accepted) => {
                this.ticket = None;
                this.shared.accepted(accepted);
                Ok(())
            }
            Err(refused) => Err(refused.into()),
        })
    }
}

/// Leaves the turn to the next one.
impl<M: Send + 'static> Drop for Sending<'_, M> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut state = lock(&self.sorted.state);
        let own = state.senders.waiting.remove(&ticket);
        let next = state.next_sender();
        drop(state);
        drop(own);
        if let Some(next) = next {
            guard::wake(next);
        }
    }
}
