//! Those who wait for something to become true of a state under a lock.

use crate::sync::lock;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

/// The wakers of those who wait; each takes its own back when it stops waiting.
#[derive(Default)]
pub(crate) struct Waiters {
    wakers: Vec<(u64, Waker)>,
    last: u64,
}

impl Waiters {
    /// Takes all wakers, to be woken when the lock is released.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.wakers).into_iter().map(|(_, waker)| waker)
    }

    fn place(&mut self, key: u64) -> Option<usize> {
        self.wakers.iter().position(|(known, _)| *known == key)
    }
}

/// A future that is ready when `look` finds something in the state.
///
/// # Cancel safety
/// Nothing is lost, and nothing of it stays behind.
pub(crate) struct Wait<'a, S, L> {
    state: &'a Mutex<S>,
    waiters: fn(&mut S) -> &mut Waiters,
    look: L,
    key: Option<u64>,
}

pub(crate) fn wait<S, T, L: Fn(&S) -> Option<T>>(
    state: &Mutex<S>,
    waiters: fn(&mut S) -> &mut Waiters,
    look: L,
) -> Wait<'_, S, L> {
    Wait { state, waiters, look, key: None }
}

impl<S, L> Unpin for Wait<'_, S, L> {}

impl<S, T, L: Fn(&S) -> Option<T>> Future for Wait<'_, S, L> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let waker = cx.waker().clone();
        let mut state = lock(self.state);
        if let Some(found) = (self.look)(&state) {
            return Poll::Ready(found);
        }
        let waiters = (self.waiters)(&mut state);
        let replaced = match self.key.and_then(|key| waiters.place(key)) {
            Some(place) => Some(std::mem::replace(&mut waiters.wakers[place].1, waker)),
            None => {
                waiters.last += 1;
                let key = waiters.last;
                waiters.wakers.push((key, waker));
                self.key = Some(key);
                None
            }
        };
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

impl<S, L> Drop for Wait<'_, S, L> {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let mut state = lock(self.state);
        let waiters = (self.waiters)(&mut state);
        let taken = waiters.place(key).map(|place| waiters.wakers.swap_remove(place));
        drop(state);
        drop(taken);
    }
}
