//! Queues of messages behind one trait, so that they run the very same workload: ours, a mutex around a `VecDeque`, tokio's and
//! async-channel's.

use super::LOAD;
use crate::bench::{Failure, Measured};
use futures_lite::future::block_on;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Instant;
use tokio::sync::mpsc;

/// As many messages as a receiver takes at once, where it can say so.
const BATCH: usize = 64;

/// A queue.
pub(crate) trait Queue {
    type Sender: Clone + Send + 'static;
    type Receiver: Send + 'static;

    /// Makes its two sides.
    fn pair() -> (Self::Sender, Self::Receiver);

    /// Sends a message that is not refused.
    fn send(sender: &Self::Sender, message: u64);

    /// Takes what waits, or some of it, and gives each message to `handle`; waits if there is nothing.
    fn poll(
        receiver: &mut Self::Receiver,
        cx: &mut Context<'_>,
        handle: impl FnMut(u64),
    ) -> Poll<()>;
}

/// This project's.
pub(crate) struct Ours;

impl Queue for Ours {
    type Sender = Arc<bastion_mailbox::Queue<u64>>;
    type Receiver = (Self::Sender, VecDeque<u64>);

    fn pair() -> (Self::Sender, Self::Receiver) {
        let queue = Arc::new(bastion_mailbox::Queue::new());
        (queue.clone(), (queue, VecDeque::new()))
    }

    fn send(sender: &Self::Sender, message: u64) {
        let _ = sender.push(message);
    }

    fn poll(
        (queue, batch): &mut Self::Receiver,
        cx: &mut Context<'_>,
        handle: impl FnMut(u64),
    ) -> Poll<()> {
        if !queue.fetch(batch, BATCH, Some(cx.waker())) {
            return Poll::Pending;
        }
        batch.drain(..).for_each(handle);
        Poll::Ready(())
    }
}

/// A mutex around a `VecDeque`, which the receiver swaps for its own empty one.
pub(crate) struct Lock;

#[derive(Default)]
pub(crate) struct Locked {
    queue: VecDeque<u64>,
    receiver: Option<Waker>,
}

impl Queue for Lock {
    type Sender = Arc<Mutex<Locked>>;
    type Receiver = (Self::Sender, VecDeque<u64>);

    fn pair() -> (Self::Sender, Self::Receiver) {
        let queue = Arc::new(Mutex::new(Locked::default()));
        (queue.clone(), (queue, VecDeque::new()))
    }

    fn send(sender: &Self::Sender, message: u64) {
        let mut locked = sender.lock().unwrap_or_else(PoisonError::into_inner);
        locked.queue.push_back(message);
        let receiver = locked.receiver.take();
        drop(locked);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
    }

    fn poll(
        (queue, batch): &mut Self::Receiver,
        cx: &mut Context<'_>,
        handle: impl FnMut(u64),
    ) -> Poll<()> {
        let mut locked = queue.lock().unwrap_or_else(PoisonError::into_inner);
        if locked.queue.is_empty() {
            match &locked.receiver {
                Some(known) if known.will_wake(cx.waker()) => {}
                _ => locked.receiver = Some(cx.waker().clone()),
            }
            return Poll::Pending;
        }
        std::mem::swap(&mut locked.queue, batch);
        drop(locked);
        batch.drain(..).for_each(handle);
        Poll::Ready(())
    }
}

/// tokio's unbounded channel.
pub(crate) struct TokioMpsc;

impl Queue for TokioMpsc {
    type Sender = mpsc::UnboundedSender<u64>;
    type Receiver = (mpsc::UnboundedReceiver<u64>, Vec<u64>);

    fn pair() -> (Self::Sender, Self::Receiver) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (sender, (receiver, Vec::new()))
    }

    fn send(sender: &Self::Sender, message: u64) {
        let _ = sender.send(message);
    }

    fn poll(
        (receiver, batch): &mut Self::Receiver,
        cx: &mut Context<'_>,
        handle: impl FnMut(u64),
    ) -> Poll<()> {
        receiver.poll_recv_many(cx, batch, BATCH).map(|_| batch.drain(..).for_each(handle))
    }
}

/// async-channel's unbounded one.
pub(crate) struct AsyncChannel;

impl Queue for AsyncChannel {
    type Sender = async_channel::Sender<u64>;
    type Receiver = Pin<Box<async_channel::Receiver<u64>>>;

    fn pair() -> (Self::Sender, Self::Receiver) {
        let (sender, receiver) = async_channel::unbounded();
        (sender, Box::pin(receiver))
    }

    fn send(sender: &Self::Sender, message: u64) {
        let _ = sender.try_send(message);
    }

    fn poll(
        receiver: &mut Self::Receiver,
        cx: &mut Context<'_>,
        mut handle: impl FnMut(u64),
    ) -> Poll<()> {
        let mut any = false;
        for _ in 0..BATCH {
            let Ok(message) = receiver.try_recv() else { break };
            any = true;
            handle(message);
        }
        if any {
            return Poll::Ready(());
        }
        futures_lite::Stream::poll_next(receiver.as_mut(), cx)
            .map(|next| next.into_iter().for_each(handle))
    }
}

/// Waits for each message before it is sent.
pub(crate) fn one_by_one<Q: Queue>(count: u32) -> Measured {
    one_thread::<Q>(count, 1, true)
}

/// Sends so many, then takes them.
pub(crate) fn batches<Q: Queue>(count: u32) -> Measured {
    one_thread::<Q>(count, 64, false)
}

fn one_thread<Q: Queue>(count: u32, batch: u32, waits: bool) -> Measured {
    let (sender, mut receiver) = Q::pair();
    let mut cx = Context::from_waker(Waker::noop());
    let mut total = 0;
    let start = Instant::now();
    for _ in 0..count / batch {
        if waits && Q::poll(&mut receiver, &mut cx, |_| {}).is_ready() {
            return Err(Failure::new("a message came before it was sent"));
        }
        (0..batch).for_each(|_| Q::send(&sender, black_box(LOAD)));
        let expected = total + u64::from(batch) * LOAD;
        while total < expected {
            if Q::poll(&mut receiver, &mut cx, |load| total += load).is_pending() {
                return Err(Failure::new("a message is lost"));
            }
        }
    }
    Ok(start.elapsed().into())
}

/// Sends from so many threads to this one.
pub(crate) fn from_threads<Q: Queue, const SENDERS: u32>(count: u32) -> Measured {
    let (sender, mut receiver) = Q::pair();
    let expected = u64::from(count / SENDERS * SENDERS) * LOAD;
    let mut total = 0;
    thread::scope(|scope| {
        let start = Instant::now();
        for _ in 0..SENDERS {
            let sender = sender.clone();
            scope.spawn(move || {
                (0..count / SENDERS).for_each(|_| Q::send(&sender, black_box(LOAD)));
            });
        }
        while total < expected {
            block_on(poll_fn(|cx| Q::poll(&mut receiver, cx, |load| total += load)));
        }
        Ok(start.elapsed().into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<Q: Queue>() {
        one_by_one::<Q>(100).unwrap();
        batches::<Q>(1000).unwrap();
        from_threads::<Q, 2>(1000).unwrap();
    }

    #[test]
    fn every_queue_does_what_it_says() {
        check::<Ours>();
        check::<Lock>();
        check::<TokioMpsc>();
        check::<AsyncChannel>();
    }
}
