//! What the processes do: next to nothing, and they note it.

use super::{BATCH, note};
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

thread_local! {
    /// Where waiting futures leave a waker for whoever wakes them.
    static SLOTS: RefCell<[Option<Waker>; BATCH as usize]> =
        const { RefCell::new([const { None }; BATCH as usize]) };
}

#[inline]
fn leave(slot: usize, waker: Waker) {
    SLOTS.with_borrow_mut(|slots| slots[slot] = Some(waker));
}

/// Takes the waker that the future of a slot has left.
#[inline]
pub(super) fn take(slot: usize) -> Option<Waker> {
    SLOTS.with_borrow_mut(|slots| slots[slot].take())
}

/// Is ready with its number, and notes it.
pub(super) struct Once(pub(super) u64);

impl Future for Once {
    type Output = u64;

    #[inline]
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u64> {
        note(self.0);
        Poll::Ready(self.0)
    }
}

/// Notes its number when it is dropped.
pub(super) struct Dropped(pub(super) u64);

impl Future for Dropped {
    type Output = u64;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u64> {
        Poll::Ready(0)
    }
}

impl Drop for Dropped {
    #[inline]
    fn drop(&mut self) {
        note(self.0);
    }
}

/// Waits to be woken so many times, and keeps its waker as long as it is the same.
pub(super) struct Keeps {
    slot: usize,
    wakes: u32,
    waker: Option<Waker>,
}

impl Keeps {
    pub(super) fn new(slot: usize, wakes: u32) -> Keeps {
        Keeps { slot, wakes, waker: None }
    }
}

impl Future for Keeps {
    type Output = u64;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u64> {
        note(1);
        if self.wakes == 0 {
            return Poll::Ready(1);
        }
        self.wakes -= 1;
        if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.waker = Some(cx.waker().clone());
            leave(self.slot, cx.waker().clone());
        }
        Poll::Pending
    }
}

/// Waits to be woken so many times, and leaves a new waker at each poll.
pub(super) struct Leaves {
    slot: usize,
    wakes: u32,
}

impl Leaves {
    pub(super) fn new(slot: usize, wakes: u32) -> Leaves {
        Leaves { slot, wakes }
    }
}

impl Future for Leaves {
    type Output = u64;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u64> {
        note(1);
        if self.wakes == 0 {
            return Poll::Ready(1);
        }
        self.wakes -= 1;
        leave(self.slot, cx.waker().clone());
        Poll::Pending
    }
}

/// Wakes itself so many times.
pub(super) struct Yields(pub(super) u32);

impl Future for Yields {
    type Output = u64;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u64> {
        note(1);
        if self.0 == 0 {
            return Poll::Ready(1);
        }
        self.0 -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Waits for ever; notes each poll, and when it is dropped.
pub(super) struct Waits;

impl Future for Waits {
    type Output = u64;

    #[inline]
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u64> {
        note(1);
        Poll::Pending
    }
}

impl Drop for Waits {
    #[inline]
    fn drop(&mut self) {
        note(1);
    }
}
