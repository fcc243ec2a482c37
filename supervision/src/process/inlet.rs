//! [`Inlet`]: where a process has its messages from besides its mailbox, when it works for others' queues too.

use super::context::Context;
use super::trail::{Sent, Spans};
use std::collections::VecDeque;
use std::task::Waker;

/// Queues of others that an incarnation of a process takes messages from. It sees them as it sees those of its mailbox.
pub(crate) trait Inlet<M>: Send + Sync {
    /// Takes a message. None: there is none, and the next one wakes the waker, if one is given.
    fn take(&mut self, waker: Option<&Waker>) -> Option<Sent<M>>;
    /// The process does something else than to wait for a message from here: what comes is for others, if there are any.
    fn busy(&mut self);
}

/// The inlet of an incarnation, and whose turn it is: neither it nor the mailbox keeps the other waiting.
pub(super) struct Inflow<M> {
    inlet: Box<dyn Inlet<M>>,
    is_first: bool,
}

impl<M> Inflow<M> {
    /// Adds a message to the batch, or, by `mailbox`, what that has. False: there is none, and the waker is left in both.
    pub(super) fn fetch(
        &mut self,
        batch: &mut VecDeque<M>,
        mut spans: Option<&mut Spans>,
        waker: Option<&Waker>,
        mailbox: impl FnOnce(&mut VecDeque<M>, Option<&mut Spans>) -> bool,
    ) -> bool {
        self.is_first ^= true;
        let first = if self.is_first { self.inlet.take(None) } else { None };
        let sent = match first {
            None if mailbox(batch, spans.as_deref_mut()) => return true,
            None => self.inlet.take(waker),
            first => first,
        };
        let Some(Sent { message, span }) = sent else { return false };
        if let Some(spans) = spans {
            spans.resize_with(batch.len(), || None);
            spans.push_back(span);
        }
        batch.push_back(message);
        true
    }
}

impl<M: Send + 'static> Context<M> {
    /// Has the incarnation take messages from there too. The mailbox has the first turn: it may have what an earlier incarnation has put back.
    pub(crate) fn set_inlet(&mut self, inlet: impl Inlet<M> + 'static) {
        self.rare().inflow = Some(Inflow { inlet: Box::new(inlet), is_first: true });
    }

    /// The incarnation does something else than to wait for a message: what comes to the inlet is for others.
    pub(super) fn busy(&mut self) {
        if let Some(inflow) = self.rare.as_mut().and_then(|rare| rare.inflow.as_mut()) {
            inflow.inlet.busy();
        }
    }
}
