//! Receiving: one message, several, with a limit of time, or the next one that is wanted.
//!
//! What overtakes messages, the stop request first and then the control lane, is looked at before every one of them. Messages are taken from the mailbox in
//! batches; what is in the batch is what the incarnation has in its hands, and goes back when it ends.

use super::context::Context;
use super::core::Process;
use super::notice::Monitor;
use super::sources::Source;
use lightproc::Panic;
use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

/// After so many messages in a row the process lets others run.
const MESSAGES_IN_A_ROW: u32 = 128;

/// No message has come in this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut(pub Duration);

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no message within {:?}", self.0)
    }
}

impl Error for TimedOut {}

/// Where a message comes from that did not come by the mailbox.
pub(super) enum Origin {
    Monitor(Monitor),
    /// A signal, maybe by the link with a process.
    Exit(Option<Arc<dyn Process>>),
    Source(Source),
}

impl<M: Send + 'static> Context<M> {
    /// Waits for the next message. `None`: the process is asked to stop, or is killed; messages that wait stay in the mailbox.
    ///
    /// The stop request overtakes messages, and so do exit signals and the ends of watched processes. After 128 messages without a
    /// wait, others run first.
    ///
    /// # Cancel safety
    /// No message is lost when the future is dropped.
    pub fn recv(&mut self) -> impl Future<Output = Option<M>> + Send + '_ {
        self.receive(|context, waker, taken| context.take(Some(waker), taken))
    }

    /// Waits for the next message, at most for `limit` from now, real or virtual. Otherwise as [`Context::recv`].
    ///
    /// # Errors
    /// [`TimedOut`]: none has come.
    ///
    /// # Cancel safety
    /// That of [`Context::recv`].
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Exit, child};
    /// use std::time::Duration;
    /// async fn flush_when_idle(mut cx: Context<String>) -> Result<(), Exit> {
    ///     let mut lines = Vec::new();
    ///     loop {
    ///         match cx.recv_timeout(Duration::from_millis(50)).await {
    ///             Ok(Some(line)) => lines.push(line),
    ///             Ok(None) => return Ok(()),
    ///             Err(_idle) => println!("{}", lines.drain(..).collect::<String>()),
    ///         }
    ///     }
    /// }
    /// let log = child(flush_when_idle);
    /// ```
    pub fn recv_timeout(
        &mut self,
        limit: Duration,
    ) -> impl Future<Output = Result<Option<M>, TimedOut>> + Send + '_ {
        let mut timer = self.life.env().runtime().timer_after(limit);
        let mut receive = self.receive(|context, waker, taken| context.take(Some(waker), taken));
        poll_fn(move |task| match Pin::new(&mut receive).poll(task) {
            Poll::Ready(message) => Poll::Ready(Ok(message)),
            Poll::Pending => Pin::new(&mut timer).poll(task).map(|()| Err(TimedOut(limit))),
        })
    }

    /// Waits for messages, and takes up to `max` that are there, at least one. Empty: the process is asked to stop, or is killed.
    ///
    /// # Panics
    /// When `max` is 0. What panics in the code of a stream or timer after messages were taken does so at the next receive: those are handled first.
    ///
    /// # Cancel safety
    /// No message is lost when the future is dropped.
    pub fn recv_many(&mut self, max: usize) -> impl Future<Output = Vec<M>> + Send + '_ {
        assert!(max > 0, "at least one message is received");
        let mut receive =
            self.receive(move |context, waker, taken| *taken = context.take_many(max, waker));
        poll_fn(move |task| Pin::new(&mut receive).poll(task).map(Option::unwrap_or_default))
    }

    /// Waits for the next message for which `wanted` says so: selective receive. Those that it passes over are received later, in their
    /// order; until then they are in the hands of the process, and do not count for the capacity of its mailbox.
    ///
    /// A panic in `wanted` leaves the message where it is, for the next incarnation. It looks at every message that waits, so a process that lets many wait makes it slow. What comes by the control lane is looked at first, and
    /// passed over like other messages.
    ///
    /// # Cancel safety
    /// No message is lost when the future is dropped.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Exit, child};
    /// enum Order { Work(u32), Resume, Pause }
    /// async fn work(mut cx: Context<Order>) -> Result<(), Exit> {
    ///     while let Some(order) = cx.recv().await {
    ///         match order {
    ///             Order::Work(number) => println!("{number}"),
    ///             // Work that comes meanwhile waits.
    ///             Order::Pause => drop(cx.recv_matching(|order| matches!(order, Order::Resume)).await),
    ///             Order::Resume => {}
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// let worker = child(work);
    /// ```
    pub fn recv_matching<'a>(
        &'a mut self,
        mut wanted: impl FnMut(&M) -> bool + Send + 'a,
    ) -> impl Future<Output = Option<M>> + Send + 'a {
        let mut seen = Seen::default();
        self.receive(move |context, waker, taken| {
            *taken = context.take_matching(&mut seen, &mut wanted, waker);
        })
    }

    /// Returns the next message, if one waits.
    pub fn try_recv(&mut self) -> Option<M> {
        if self.life.is_killed() {
            return None;
        }
        self.asks_for_more();
        let mut taken = None;
        self.take(None, &mut taken);
        self.handles(usize::from(taken.is_some()));
        taken
    }

    /// Returns how many messages this incarnation has in its hands: taken from the mailbox, at up to 64 a time, and not received yet.
    /// [`Address::queued`](crate::Address::queued) does not count them.
    pub fn in_hands(&self) -> usize {
        self.batch.len()
    }

    /// Waits for the next message, stopping or not.
    pub(crate) fn poll_message(&mut self, task: &mut Task<'_>) -> Poll<M> {
        let mut taken = None;
        self.next(Some(task.waker()), &mut taken);
        taken.map_or(Poll::Pending, Poll::Ready)
    }

    /// Puts a message back that was received last: the next one.
    pub(crate) fn unreceive(&mut self, message: M) {
        self.batch.push_front(message);
    }

    /// The body asks for a message.
    fn asks_for_more(&mut self) {
        self.has_handled();
        if let Some(panic) = self.rare.as_mut().and_then(|rare| rare.panic.take()) {
            panic.resume();
        }
    }

    /// Says whether this incarnation has nothing to receive any more: what waits is the next one's.
    fn is_over(&self) -> bool {
        self.life.is_over()
    }

    /// Takes the next message, of most processes from their mailbox, where alone it can be.
    ///
    /// What is taken is put in a place of the caller's, here and below: a message that is returned, in an option that is looked at on the
    /// way, is moved in parts, and the processor waits for them when they are moved on together.
    #[inline]
    fn take(&mut self, waker: Option<&Waker>, taken: &mut Option<M>) {
        if self.rare.is_none() && !self.life.is_noticed() {
            self.next(waker, taken);
        } else {
            self.take_from_any(waker, taken);
        }
    }

    /// Takes the next message from wherever the process may have one.
    fn take_from_any(&mut self, waker: Option<&Waker>, taken: &mut Option<M>) {
        let passed = self.rare.as_mut().and_then(|rare| rare.passed.pop_front());
        *taken = passed.or_else(|| self.urgent()).map(|(_, message)| message);
        if taken.is_some() {
            return;
        }
        let Some(rare) = self.rare.as_mut().filter(|rare| rare.sources.is_some()) else {
            return self.next(waker, taken);
        };
        // In turns, so that neither a stream nor the mailbox keeps the other waiting.
        rare.sources_first ^= true;
        let sources_first = rare.sources_first;
        if !sources_first {
            self.next(waker, taken);
        }
        if taken.is_none() {
            *taken = self.sourced().map(|sourced| sourced.1);
        }
        if sources_first && taken.is_none() {
            self.next(waker, taken);
        }
    }

    /// Takes what overtakes messages.
    fn urgent(&mut self) -> Option<(Origin, M)> {
        let message = self.noticed();
        if message.is_some() {
            self.life.progress(false);
        }
        message
    }

    fn next(&mut self, waker: Option<&Waker>, taken: &mut Option<M>) {
        self.reorder();
        if self.batch.is_empty() {
            if self.rare.is_none() {
                let found = self.batch.fill(|batch| self.shared.take(batch, waker, taken));
                return self.life.progress(!found && waker.is_some());
            }
            if !self.fetch(waker) {
                return;
            }
        }
        self.life.progress(false);
        self.follows(0);
        *taken = self.batch.pop_front();
    }

    /// Gives a mailbox that is sorted back what a selective receive has passed over: something may have come that goes before it.
    fn reorder(&mut self) {
        if !self.batch.is_empty() && self.shared.sorted().is_some() {
            let (batch, spans) = (self.batch.take(), self.take_spans());
            self.shared.put_back(batch, spans);
        }
    }

    /// Takes messages from the mailbox. False: none waits, and the waker is left there.
    fn fetch(&mut self, waker: Option<&Waker>) -> bool {
        let (batch, shared) = (&mut self.batch, &self.shared);
        let (inflow, mut spans) = match self.rare.as_mut() {
            None => (None, None),
            Some(rare) => (rare.inflow.as_mut(), rare.spans.as_mut()),
        };
        let fetch = |batch: &mut _, spans: Option<&mut _>| shared.fetch(batch, spans, waker);
        let fetched = batch.fill(|batch| match inflow {
            None => fetch(batch, spans.as_deref_mut()),
            Some(inflow) => inflow.fetch(batch, spans.as_deref_mut(), waker, fetch),
        });
        if let Some(spans) = spans {
            // What did not come by the mailbox has none.
            spans.resize_with(batch.len(), || None);
        }
        self.life.progress(!fetched && waker.is_some());
        fetched
    }

    fn take_many(&mut self, max: usize, waker: &Waker) -> Option<Vec<M>> {
        let mut taken = None;
        self.take(Some(waker), &mut taken);
        let mut messages = vec![taken?];
        // What comes meanwhile is for the next time: a stream may have more without end.
        let there = self.batch.len() + self.shared.queued() + MESSAGES_IN_A_ROW as usize;
        while messages.len() < max.min(there) {
            let mut taken = None;
            // What a stream or timer does is foreign code.
            if let Err(panic) = Panic::catch(|| self.take(None, &mut taken)) {
                self.rare().panic = Some(panic);
            }
            let Some(message) = taken else { break };
            messages.push(message);
        }
        // The first one is counted as others are.
        self.handles(messages.len() - 1);
        Some(messages)
    }

    /// Takes the first message that is wanted, of those that were not yet `seen`.
    fn take_matching(
        &mut self,
        seen: &mut Seen,
        wanted: &mut impl FnMut(&M) -> bool,
        waker: &Waker,
    ) -> Option<M> {
        if seen.batch == 0 {
            self.reorder();
        }
        for _ in 0..MESSAGES_IN_A_ROW {
            while let Some(urgent) = self.urgent() {
                self.rare().passed.push_back(urgent);
            }
            let sourced = self.sourced();
            let is_sourced = sourced.is_some();
            if let Some(rare) = &mut self.rare {
                rare.passed.extend(sourced);
                while let Some((_, message)) = rare.passed.get(seen.passed) {
                    if wanted(message) {
                        return rare.passed.remove(seen.passed).map(|passed| passed.1);
                    }
                    seen.passed += 1;
                }
            }
            while let Some(message) = self.batch.get(seen.batch) {
                if wanted(message) {
                    self.life.progress(false);
                    self.follows(seen.batch);
                    return self.batch.remove(seen.batch);
                }
                seen.batch += 1;
            }
            if !self.fetch(Some(waker)) && !is_sourced {
                return None;
            }
        }
        // There is more to look at. Others first.
        waker.wake_by_ref();
        None
    }

    fn receive<T, F>(&mut self, take: F) -> Receive<'_, M, T, F>
    where
        F: FnMut(&mut Context<M>, &Waker, &mut Option<T>),
    {
        Receive { context: self, take, waits: false, taken: PhantomData }
    }
}

/// How far a selective receive has looked.
#[derive(Default)]
struct Seen {
    passed: usize,
    batch: usize,
}

/// The future of everything that receives.
struct Receive<'a, M: Send + 'static, T, F> {
    context: &'a mut Context<M>,
    /// Takes what is wanted, or leaves the waker in the mailbox.
    take: F,
    taken: PhantomData<fn() -> T>,
    waits: bool,
}

impl<M: Send + 'static, T, F> Unpin for Receive<'_, M, T, F> {}

impl<M, T, F> Receive<'_, M, T, F>
where
    M: Send + 'static,
    F: FnMut(&mut Context<M>, &Waker, &mut Option<T>),
{
    fn poll_take(&mut self, task: &mut Task<'_>) -> Poll<Option<T>> {
        self.context.asks_for_more();
        if self.context.is_over() {
            return Poll::Ready(None);
        }
        if self.context.in_a_row >= MESSAGES_IN_A_ROW {
            self.context.in_a_row = 0;
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        let mut taken = None;
        (self.take)(self.context, task.waker(), &mut taken);
        // What came before the waker was left in the mailbox.
        if taken.is_none() {
            if self.context.is_over() {
                return Poll::Ready(None);
            }
            let rung = self.context.sources().is_some_and(|sources| sources.is_rung());
            if rung || self.context.life.is_noticed() {
                (self.take)(self.context, task.waker(), &mut taken);
            }
        }
        if taken.is_none() {
            self.context.in_a_row = 0;
            return Poll::Pending;
        }
        self.context.in_a_row += 1;
        if self.context.rare.is_some() {
            self.context.busy();
            self.context.handles(1);
        }
        Poll::Ready(taken)
    }
}

impl<M, T, F> Future for Receive<'_, M, T, F>
where
    M: Send + 'static,
    F: FnMut(&mut Context<M>, &Waker, &mut Option<T>),
{
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<T>> {
        let polled = self.poll_take(task);
        self.waits = polled.is_pending();
        if self.waits
            && let Some(asks) = self.context.life.has_asked()
        {
            asks.oneself.receives();
        }
        polled
    }
}

/// Dropped while it waits, it gives the body back the time that its watchdog measures.
impl<M: Send + 'static, T, F> Drop for Receive<'_, M, T, F> {
    fn drop(&mut self) {
        if self.waits {
            self.context.life.progress(false);
            self.context.busy();
        }
    }
}
