//! Spans of messages: the sender makes one, the handling happens in it. Only in systems that trace their messages.
//!
//! A span is in one place at a time: with its message in the mailbox, which is the sorted one, since that has room for more than the message; beside the
//! batch; in the thread's hand while the process that handles the message is polled; and in its trail between its polls. So the thread that enters it is the one
//! that leaves it, and nobody else pays for anything but a look whether there is a trail.

use super::context::Context;
use super::core::{Core, Shared};
use super::guard;
use super::letters::type_of;
use super::life::Life;
use crate::sync::lock;
use std::cell::Cell;
use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex};
use tracing::span::EnteredSpan;
use tracing::{Span, info_span};

/// A message on its way, in a sorted mailbox or a pool, with its span if it has one.
pub(crate) struct Sent<M> {
    pub(crate) message: M,
    pub(super) span: Option<Box<Span>>,
}

impl<M: 'static> Sent<M> {
    /// Makes the span of a message for a process, in the sender's code, if it is to have one. It is no child of the sender's, or that one would not end before it.
    pub(crate) fn new(message: M, to: &Core, is_traced: bool) -> Sent<M> {
        if !is_traced {
            return Sent { message, span: None };
        }
        let span = info_span!(
            target: "bastion::message",
            parent: None,
            "message",
            pid = to.pid().map(display),
            name = to.name().map(|name| &**name),
            message_type = type_of(&message),
        );
        let sender = Span::current();
        if !span.is_disabled() && !sender.is_disabled() {
            span.follows_from(sender);
        }
        let span = (!span.is_disabled()).then(|| Box::new(span));
        Sent { message, span }
    }
}

impl<M> Sent<M> {
    /// The message alone: nobody will handle it.
    pub(crate) fn into_message(self) -> M {
        guard::contain(|| drop(self.span));
        self.message
    }
}

/// The spans of the messages in a batch, at the same places.
pub(super) type Spans = VecDeque<Option<Box<Span>>>;

/// The spans of what a process has in its hands, between its polls. Several messages may have been received at once.
#[derive(Default)]
pub(super) struct Trail(Mutex<Vec<Span>>);

/// The same, while it is polled: the first one is entered.
#[derive(Default)]
struct Hand {
    entered: Option<EnteredSpan>,
    others: Vec<Span>,
}

thread_local! {
    static HAND: Cell<Hand> = const { Cell::new(Hand { entered: None, others: Vec::new() }) };
}

impl Hand {
    fn add(&mut self, span: Span) {
        match self.entered {
            None => self.entered = Some(span.entered()),
            Some(_) => self.others.push(span),
        }
    }

    fn leave(self) -> Vec<Span> {
        self.entered.map(EnteredSpan::exit).into_iter().chain(self.others).collect()
    }
}

/// A poll of a process that leaves a trail. Whatever it has in its hands at the end is dropped, unless it is [kept](Followed::keep).
pub(super) struct Followed {
    trail: Arc<Trail>,
    /// That of the process whose poll this one happens in.
    outer: Hand,
    keeps: bool,
}

impl Followed {
    /// It goes on with what it has in its hands at its next poll.
    pub(super) fn keep(&mut self) {
        self.keeps = true;
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        let hand = HAND.replace(mem::take(&mut self.outer));
        guard::contain(|| {
            let spans = hand.leave();
            if self.keeps {
                *lock(&self.trail.0) = spans;
            }
        });
    }
}

impl<M> Shared<M> {
    fn trail(&self) -> Option<&Arc<Trail>> {
        self.core.extras()?.trail.get()
    }

    pub(super) fn is_traced(&self) -> bool {
        self.trail().is_some()
    }

    /// Enters the span of what the process has in its hands, for one poll.
    pub(super) fn follow(&self) -> Option<Followed> {
        let trail = self.trail()?.clone();
        let spans = mem::take(&mut *lock(&trail.0));
        let outer = HAND.take();
        guard::contain(|| {
            let mut hand = Hand::default();
            spans.into_iter().for_each(|span| hand.add(span));
            HAND.set(hand);
        });
        Some(Followed { trail, outer, keeps: false })
    }

    /// Its incarnation is dropped without a poll.
    pub(super) fn unfollow(&self, life: &Life) {
        if let Some(trail) = self.trail().filter(|_| !life.has_left()) {
            let spans = mem::take(&mut *lock(&trail.0));
            guard::contain(|| drop(spans));
        }
    }
}

impl<M: Send + 'static> Shared<M> {
    /// Has messages traced that are sent from now on. Before the first incarnation; does nothing later, when one may wait at the bell.
    pub(super) fn leave_trail(&self) {
        if !self.is_traced() {
            self.sort();
            self.core.extras_or_new().trail.get_or_init(Arc::default);
        }
    }

    pub(super) fn sent(&self, message: M) -> Sent<M> {
        Sent::new(message, &self.core, self.is_traced())
    }
}

impl<M: Send + 'static> Context<M> {
    pub(super) fn take_spans(&mut self) -> Spans {
        let spans = self.rare.as_mut().and_then(|rare| rare.spans.as_mut());
        spans.map(mem::take).unwrap_or_default()
    }

    /// The body is given the message at this place of the batch.
    pub(super) fn follows(&mut self, place: usize) {
        let spans = self.rare.as_mut().and_then(|rare| rare.spans.as_mut());
        let span = spans.and_then(|spans| spans.remove(place)).flatten();
        // One that is received by another task is followed no further.
        if let Some(span) = span.filter(|_| self.is_own_code()) {
            let mut hand = HAND.take();
            hand.add(*span);
            HAND.set(hand);
        }
    }

    /// The body asks for the next message.
    pub(super) fn has_followed(&mut self) {
        if self.rare.as_ref().is_some_and(|rare| rare.spans.is_some()) && self.is_own_code() {
            drop(HAND.take());
        }
    }

    fn is_own_code(&self) -> bool {
        guard::with_current(|life| std::ptr::eq(life, &*self.life)).unwrap_or(false)
    }
}
