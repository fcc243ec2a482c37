//! [`Inbox`]: how a child receives, in whatever task and in several at once. It knows no message.
//!
//! The engine's context receives for one at a time. So it is behind a lock, which is held for a poll and not for a wait; one of those who wait has its waker
//! in the mailbox, the others stand behind it. Whoever stops waiting, with a message or without one, wakes the next, which takes its place.

use crate::sync::lock;
use bastion_supervision::Context;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Mutex;
use std::task::{self, Poll, Waker};

/// Names one who waits.
type Seat = u64;

/// What a child receives from.
pub(crate) struct Inbox<M: Send + 'static>(Mutex<State<M>>);

struct State<M: Send + 'static> {
    context: Context<M>,
    /// Who has its waker in the mailbox.
    waiting: Option<Seat>,
    behind: VecDeque<(Seat, Waker)>,
    last_seat: Seat,
}

impl<M: Send + 'static> Inbox<M> {
    pub(crate) fn new(context: Context<M>) -> Inbox<M> {
        Inbox(Mutex::new(State { context, waiting: None, behind: VecDeque::new(), last_seat: 0 }))
    }

    /// Waits for the next message, and puts it in a place of the caller's; none: the child is asked to stop. It is not returned,
    /// because a message that is passed on in an option that is looked at on the way is moved in parts, and slowly.
    ///
    /// # Cancel safety
    /// No message is lost when the future is dropped.
    pub(crate) fn recv<'a>(&'a self, place: &'a mut Option<M>) -> Recv<'a, M> {
        Recv { inbox: self, place, seat: None }
    }

    /// Returns the next message, if one waits that nobody else waits for.
    pub(crate) fn try_recv(&self) -> Option<M> {
        let mut state = lock(&self.0);
        if state.waiting.is_some() { None } else { state.context.try_recv() }
    }

    /// How many messages were taken from the mailbox that nobody has received yet.
    pub(crate) fn in_hands(&self) -> usize {
        lock(&self.0).context.in_hands()
    }
}

impl<M: Send + 'static> State<M> {
    fn new_seat(&mut self) -> Seat {
        self.last_seat += 1;
        self.last_seat
    }

    /// Takes the waker of one that stands behind others. It is to be dropped without the lock: it is foreign.
    fn take_from_behind(&mut self, seat: Seat) -> Option<Waker> {
        let place = self.behind.iter().position(|(behind, _)| *behind == seat)?;
        self.behind.remove(place).map(|(_, waker)| waker)
    }

    /// Ends a wait.
    fn leave(&mut self, seat: Seat) -> Left {
        let own = self.take_from_behind(seat);
        if own.is_some() {
            return Left { own, next: None };
        }
        self.waiting.take_if(|waiting| *waiting == seat);
        // Otherwise it was woken to take the place, and another has come before it.
        let next = if self.waiting.is_none() { self.behind.pop_front() } else { None };
        Left { own, next: next.map(|(_, waker)| waker) }
    }
}

/// Wakers of which the lock has been given back.
struct Left {
    /// Its own, that nobody needs.
    own: Option<Waker>,
    /// That of who is to take the place.
    next: Option<Waker>,
}

impl Left {
    fn pass_on(self) {
        drop(self.own);
        if let Some(next) = self.next {
            next.wake();
        }
    }
}

/// The future of a receive.
pub(crate) struct Recv<'a, M: Send + 'static> {
    inbox: &'a Inbox<M>,
    place: &'a mut Option<M>,
    /// It waits, or was woken to take the place of who has waited.
    seat: Option<Seat>,
}

impl<M: Send + 'static> Future for Recv<'_, M> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let mut state = lock(&this.inbox.0);
        if state.waiting.is_some() && state.waiting != this.seat {
            let seat = *this.seat.get_or_insert_with(|| state.new_seat());
            let replaced = state.take_from_behind(seat);
            state.behind.push_back((seat, task.waker().clone()));
            drop(state);
            drop(replaced);
            return Poll::Pending;
        }
        let Poll::Ready(message) = pin!(state.context.recv()).poll(task) else {
            let seat = *this.seat.get_or_insert_with(|| state.new_seat());
            let replaced = state.take_from_behind(seat);
            state.waiting = Some(seat);
            drop(state);
            drop(replaced);
            return Poll::Pending;
        };
        *this.place = message;
        if let Some(seat) = this.seat.take() {
            let left = state.leave(seat);
            drop(state);
            left.pass_on();
        }
        Poll::Ready(())
    }
}

impl<M: Send + 'static> Drop for Recv<'_, M> {
    fn drop(&mut self) {
        if let Some(seat) = self.seat {
            let left = lock(&self.inbox.0).leave(seat);
            left.pass_on();
        }
    }
}
