//! The mailbox of a process that looks at its messages before they are received: by priority, by key, by weight. One ordered structure under a lock, for
//! those who asked for it. `order` is that structure, and pure; `key` what messages are compared by; `room` senders that wait.
//!
//! The lock-free queue of the process is closed from the moment on when the first rule is set, with what waits moved here, so that all who send come here
//! because they were refused there: nobody else pays for the difference. It is still the bell: the receiver leaves its waker there, and whoever puts
//! something here wakes it there. Either the wake finds the waker, or the receiver, which looks here once more after it has left it, finds the message.
//!
//! The rules are foreign code. They are called before the lock is taken, and so are what destructors and wakers there are after it was given back.

mod key;
mod order;
mod room;

use self::key::Key;
use self::order::{Limits, Order, Tag};
use self::room::Senders;
use super::core::Shared;
use super::guard;
use super::overflow::Overflow;
use super::trail::{Sent, Spans};
use crate::mailbox::TellError;
use crate::sync::lock;
use std::collections::VecDeque;
use std::hash::Hash;
use std::sync::{Mutex, OnceLock};
use std::task::Waker;

/// What a rule says of a message.
type Rule<M, T> = Box<dyn Fn(&M) -> T + Send + Sync>;

/// A mailbox with rules for its messages.
pub(super) struct Sorted<M> {
    priority: OnceLock<Rule<M, u8>>,
    key: OnceLock<Rule<M, Option<Key>>>,
    weight: OnceLock<Rule<M, usize>>,
    state: Mutex<State<M>>,
}

struct State<M> {
    order: Order<Sent<M>>,
    limits: Limits,
    closed: bool,
    senders: Senders,
    /// How many messages gave way to newer ones of the same key.
    superseded: u64,
    /// How many of them were counted in the system's figures.
    counted: u64,
}

/// What came of a message, and what is to be done without the lock.
struct Accepted<M> {
    superseded: Option<Sent<M>>,
    /// How many messages were superseded that are to be counted now.
    count: u64,
    displaced: Vec<Sent<M>>,
    next: Option<Waker>,
}

impl<M> State<M> {
    /// Queues a message if there is room, or if it `displaces` others.
    fn accept(
        &mut self,
        tag: Tag,
        message: Sent<M>,
        displaces: bool,
        can_count: bool,
    ) -> Result<Accepted<M>, Refused<M>> {
        if self.closed {
            return Err(Refused::Closed(message));
        }
        if tag.weight > self.limits.weight {
            return Err(Refused::TooLarge(message));
        }
        let (mut displaced, mut queued) =
            (Vec::new(), self.order.accept(tag, message, self.limits));
        if displaces && let Err((tag, message)) = queued {
            displaced = self.order.make_room(&tag, self.limits).unwrap_or_default();
            queued = self.order.accept(tag, message, self.limits);
        }
        let superseded = queued.map_err(|(tag, message)| Refused::Full(tag, message))?;
        self.superseded += u64::from(superseded.is_some());
        // At each doubling, as dropped ones.
        let due = superseded.is_some() && can_count && self.superseded.is_power_of_two();
        let count = if due { self.count() } else { 0 };
        let next = self.next_sender();
        Ok(Accepted { superseded, count, displaced, next })
    }

    /// How many superseded messages were not counted yet; they are from now on.
    fn count(&mut self) -> u64 {
        let count = self.superseded - self.counted;
        self.counted = self.superseded;
        count
    }

    /// Takes the waker of the sender that has waited longest, if there may be room for it. One that is woken and does not use it passes it on.
    fn next_sender(&mut self) -> Option<Waker> {
        if self.order.has_room(self.limits) { self.senders.next() } else { None }
    }
}

/// Why a message was not queued.
enum Refused<M> {
    Closed(Sent<M>),
    TooLarge(Sent<M>),
    Full(Tag, Sent<M>),
}

impl<M> From<Refused<M>> for TellError<M> {
    fn from(refused: Refused<M>) -> Self {
        match refused {
            Refused::Closed(message) => TellError::Dead(message.into_message()),
            Refused::TooLarge(message) => TellError::TooLarge(message.into_message()),
            Refused::Full(_, message) => TellError::Full(message.into_message()),
        }
    }
}

impl<M> Sorted<M> {
    fn new(messages: usize) -> Sorted<M> {
        let state = State {
            order: Order::new(),
            limits: Limits { messages, weight: usize::MAX },
            closed: false,
            senders: Senders::default(),
            superseded: 0,
            counted: 0,
        };
        let (priority, key, weight) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Sorted { priority, key, weight, state: Mutex::new(state) }
    }

    /// Asks the rules. Foreign code.
    fn tag(&self, message: &M) -> Tag {
        Tag {
            priority: self.priority.get().map_or(0, |rule| rule(message)),
            weight: self.weight.get().map_or(0, |rule| rule(message)),
            key: self.key.get().and_then(|rule| rule(message)),
        }
    }

    fn set_limits(&self, change: impl FnOnce(&mut Limits)) {
        let mut state = lock(&self.state);
        change(&mut state.limits);
        let senders = state.senders.take();
        drop(state);
        senders.into_iter().for_each(guard::wake);
    }

    pub(super) fn len(&self) -> usize {
        lock(&self.state).order.len()
    }

    fn pop(&self) -> Option<Sent<M>> {
        let mut state = lock(&self.state);
        let message = state.order.pop();
        let sender = if message.is_some() { state.next_sender() } else { None };
        drop(state);
        if let Some(sender) = sender {
            guard::wake(sender);
        }
        message
    }

    /// Puts messages back. Those whose rules panic now come first, and weigh nothing. False: the mailbox is closed, and they are where they were.
    fn put_back(&self, messages: &mut VecDeque<M>, mut spans: Spans) -> bool {
        let mut tagged = Vec::with_capacity(messages.len());
        for message in messages.drain(..) {
            let mut tag = Tag { priority: u8::MAX, ..Tag::default() };
            guard::contain(|| tag = self.tag(&message));
            let span = spans.pop_front().flatten();
            tagged.push((tag, Sent { message, span }));
        }
        let mut state = lock(&self.state);
        if state.closed {
            drop(state);
            messages.extend(tagged.into_iter().map(|(_, message)| message.into_message()));
            return false;
        }
        state.order.put_back(tagged);
        true
    }

    /// Refuses messages from now on, and returns those that wait, and how many superseded ones were not counted yet.
    pub(super) fn close(&self) -> (Vec<M>, u64) {
        let mut state = lock(&self.state);
        state.closed = true;
        let (messages, count, senders) = (state.order.take(), state.count(), state.senders.take());
        drop(state);
        senders.into_iter().for_each(guard::wake);
        (messages.into_iter().map(Sent::into_message).collect(), count)
    }

    pub(super) fn open(&self) {
        lock(&self.state).closed = false;
    }

    pub(super) fn is_closed(&self) -> bool {
        lock(&self.state).closed
    }
}

impl<M> Shared<M> {
    /// Takes the next message to the batch. False: none waits, and the waker is left for it.
    pub(super) fn fetch_sorted(
        &self,
        sorted: &Sorted<M>,
        batch: &mut VecDeque<M>,
        spans: Option<&mut Spans>,
        waker: Option<&Waker>,
    ) -> bool {
        let mut message = sorted.pop();
        if message.is_none() && waker.is_some() {
            let _ = self.mailbox.fetch(batch, 1, waker);
            // What came before the waker was left.
            message = sorted.pop();
        }
        let Some(Sent { message, span }) = message else { return false };
        batch.push_back(message);
        if let Some(spans) = spans {
            spans.push_back(span);
        }
        true
    }

    /// Puts back what an incarnation has taken and not handled. False: the process has ended for good.
    pub(super) fn put_back_sorted(
        &self,
        sorted: &Sorted<M>,
        batch: &mut VecDeque<M>,
        spans: Spans,
    ) -> bool {
        let back = sorted.put_back(batch, spans);
        if back {
            self.mailbox.wake();
        }
        back
    }

    /// Counts messages that gave way to newer ones.
    pub(super) fn count_superseded(&self, count: u64) {
        if let Some(env) = self.core.env().filter(|_| count > 0) {
            env.reporter().count_superseded(count);
        }
    }
}

impl<M: Send + 'static> Shared<M> {
    /// The sorted mailbox, from now on.
    pub(super) fn sort(&self) -> &Sorted<M> {
        let sorted = self.sorted_or(|| Sorted::new(self.mailbox.capacity()));
        // Whoever finds the queue closed finds this.
        let mut early = self.mailbox.close();
        // It is not closed: the process is just being described.
        let _ = sorted.put_back(&mut early, Spans::new());
        sorted
    }

    /// Sets a rule for priorities. The first word stands, here and below.
    pub(crate) fn set_priority(&self, rule: impl Fn(&M) -> u8 + Send + Sync + 'static) {
        let _ = self.sort().priority.set(Box::new(rule));
    }

    pub(crate) fn set_key<K: Hash>(&self, rule: impl Fn(&M) -> Option<K> + Send + Sync + 'static) {
        let rule = move |message: &M| rule(message).as_ref().map(Key::of);
        let _ = self.sort().key.set(Box::new(rule));
    }

    pub(crate) fn set_weight(
        &self,
        limit: usize,
        rule: impl Fn(&M) -> usize + Send + Sync + 'static,
    ) {
        let sorted = self.sort();
        if sorted.weight.set(Box::new(rule)).is_ok() {
            sorted.set_limits(|limits| limits.weight = limit);
        }
    }

    /// Sets how many messages may wait.
    pub(crate) fn set_capacity(&self, messages: usize) {
        match self.sorted() {
            Some(sorted) => sorted.set_limits(|limits| limits.messages = messages),
            None => self.mailbox.set_capacity(messages),
        }
    }

    /// Queues a message, by the rule of the mailbox when there is no room.
    pub(super) fn tell_sorted(&self, sorted: &Sorted<M>, message: M) -> Result<(), TellError<M>> {
        let rule = self.overflow_rule();
        let tag = sorted.tag(&message);
        let can_count = self.core.env().is_some();
        let displaces = rule == Overflow::DropOldest;
        let sent = self.sent(message);
        let told = lock(&sorted.state).accept(tag, sent, displaces, can_count);
        match told {
            Ok(accepted) => {
                self.accepted(accepted);
                Ok(())
            }
            // All that waits is of a higher priority.
            Err(Refused::Full(_, message)) if displaces => {
                self.spilled(message.into_message());
                Ok(())
            }
            Err(Refused::Full(_, message)) => self.overflow(message.into_message()),
            Err(refused) => Err(refused.into()),
        }
    }

    /// Queues a message if there is room.
    pub(super) fn push_sorted(&self, sorted: &Sorted<M>, message: M) -> Result<(), TellError<M>> {
        let tag = sorted.tag(&message);
        let can_count = self.core.env().is_some();
        let sent = self.sent(message);
        let pushed = lock(&sorted.state).accept(tag, sent, false, can_count);
        self.accepted(pushed?);
        Ok(())
    }

    /// Does what is left to do after a message was queued.
    fn accepted(&self, accepted: Accepted<M>) {
        let Accepted { superseded, count, displaced, next } = accepted;
        guard::contain(|| drop(superseded));
        self.count_superseded(count);
        for message in displaced {
            self.spilled(message.into_message());
        }
        if let Some(next) = next {
            guard::wake(next);
        }
        self.mailbox.wake();
    }
}
