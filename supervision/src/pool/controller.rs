//! The process that lets a pool grow and shrink. It looks, asks `elastic`, and does what that says.

use super::elastic::{Bounds, Calm, Elastic, Resize, Seen};
use super::hub::{Hub, Slot};
use crate::child::Child;
use crate::exit::Exit;
use crate::process::Context;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool,
    Ordering::{Relaxed, SeqCst},
    fence,
};
use std::task::Poll;
use std::time::Duration;

/// Describes the worker of a slot.
pub(super) type Hire<M> = Box<dyn Fn(&Arc<Hub<M>>, usize) -> Child<M> + Send + Sync>;

pub(super) struct Controller<M> {
    pub(super) hub: Arc<Hub<M>>,
    pub(super) elastic: Elastic,
    pub(super) bounds: Bounds,
    pub(super) hire: Hire<M>,
}

/// The body of the process.
pub(super) async fn control<M: Send + 'static>(
    mut cx: Context<()>,
    controller: Arc<Controller<M>>,
) -> Result<(), Exit> {
    let mut calm = Calm::default();
    loop {
        if matches!(cx.recv_timeout(controller.elastic.period).await, Ok(None)) {
            return Ok(());
        }
        let seen = controller.look();
        let now = cx.env().now();
        match controller.elastic.decide(controller.bounds, &mut calm, seen, now) {
            Resize::Stay => {}
            Resize::Grow(count) => controller.grow(&cx, count),
            Resize::Shrink(count) => controller.shrink(count),
        }
        if controller.has_nothing_to_do() {
            let sleeps = &controller.hub.sleeps;
            sleeps.store(true, SeqCst);
            // Pairs with the one after a push: a message that came before that has rung for nobody.
            fence(SeqCst);
            if controller.has_nothing_to_do() && !sleep(&mut cx, sleeps).await {
                return Ok(());
            }
            sleeps.store(false, SeqCst);
        }
    }
}

/// Waits until somebody rings. False: the process is asked to stop.
async fn sleep(cx: &mut Context<()>, sleeps: &AtomicBool) -> bool {
    let mut next = pin!(cx.recv());
    poll_fn(|task| match next.as_mut().poll(task) {
        // The waker was left before: who rings later finds it.
        Poll::Pending if sleeps.load(SeqCst) => Poll::Pending,
        Poll::Pending => Poll::Ready(true),
        Poll::Ready(message) => Poll::Ready(message.is_some()),
    })
    .await
}

impl<M: Send + 'static> Controller<M> {
    fn open(&self) -> impl DoubleEndedIterator<Item = (usize, &Slot<M>)> {
        self.hub.slots.iter().enumerate().filter(|(_, slot)| slot.is_open())
    }

    fn look(&self) -> Seen {
        let busy = self.open().filter(|(_, slot)| !slot.lane.has_waiting()).count();
        let longest_wait = Duration::from_nanos(self.hub.longest_wait.swap(0, Relaxed));
        let (size, waiting) = (self.hub.members.count(), self.hub.queued());
        Seen { size, busy, waiting, longest_wait }
    }

    /// The pool is as small as it may be, and not too small, and nothing waits.
    fn has_nothing_to_do(&self) -> bool {
        self.hub.members.count() == self.bounds.min && self.hub.queued() == 0
    }

    fn grow(&self, cx: &Context<()>, count: usize) {
        let bounds = self.bounds;
        // The first ones belong to the workers that the pool begins with, also when those have ended.
        let free = (bounds.min..bounds.max).filter(|slot| self.hub.slots[*slot].is_free());
        for slot in free.take(count) {
            let worker = (self.hire)(&self.hub, slot);
            self.hub.enter(slot);
            if cx.supervisor().spawn_child(worker).is_err() {
                // It frees the slot itself.
                break;
            }
        }
        self.hub.spread();
    }

    /// Those that have come last go first.
    fn shrink(&self, count: usize) {
        let last = self.open().rev().filter(|(slot, _)| *slot >= self.bounds.min);
        last.take(count).for_each(|(slot, _)| self.hub.leave(slot));
    }
}
