//! Those who wait for something to become true of a state under a lock.

use crate::sync::lock;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

/// The wakers of those who wait; each takes its own back when it stops waiting. One word as long as nobody has waited.
#[derive(Default)]
pub(crate) struct Waiters(Option<Box<List>>);

/// Each waiter by the key that it was given.
#[derive(Default)]
struct List {
    /// Mostly one waits.
    first: Option<(u64, Waker)>,
    others: Vec<(u64, Waker)>,
    last: u64,
}

impl Waiters {
    /// Takes all wakers, to be woken when the lock is released.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Waker> + use<> {
        let list = self.0.as_mut();
        let wakers = list.map(|list| (list.first.take(), std::mem::take(&mut list.others)));
        let (first, others) = wakers.unwrap_or_default();
        first.into_iter().chain(others).map(|(_, waker)| waker)
    }

    fn remove(&mut self, key: u64) -> Option<Waker> {
        let list = self.0.as_mut()?;
        let others = |list: &mut List| {
            let place = list.others.iter().position(|(known, _)| *known == key)?;
            Some(list.others.swap_remove(place))
        };
        let first = list.first.take_if(|(known, _)| *known == key);
        first.or_else(|| others(list)).map(|(_, waker)| waker)
    }
}

impl List {
    fn waker(&mut self, key: u64) -> Option<&mut Waker> {
        let mut all = self.first.iter_mut().chain(&mut self.others);
        all.find(|(known, _)| *known == key).map(|(_, waker)| waker)
    }

    /// Adds a waker, and returns its key.
    fn add(&mut self, waker: Waker) -> u64 {
        self.last += 1;
        let waiter = (self.last, waker);
        match &self.first {
            None => self.first = Some(waiter),
            Some(_) => self.others.push(waiter),
        }
        self.last
    }
}

/// A future that is ready when `look` finds something in the state; until then it tells where those stand who wait for that. Whoever makes it
/// true takes their wakers under the same lock.
///
/// # Cancel safety
/// Nothing is lost, and nothing of it stays behind.
pub(crate) struct Wait<'a, S, T, L: Fn(&mut S) -> Result<T, &mut Waiters>> {
    state: &'a Mutex<S>,
    look: L,
    key: Option<u64>,
}

pub(crate) fn wait<S, T, L>(state: &Mutex<S>, look: L) -> Wait<'_, S, T, L>
where
    L: Fn(&mut S) -> Result<T, &mut Waiters>,
{
    Wait { state, look, key: None }
}

impl<S, T, L: Fn(&mut S) -> Result<T, &mut Waiters>> Unpin for Wait<'_, S, T, L> {}

impl<S, T, L: Fn(&mut S) -> Result<T, &mut Waiters>> Future for Wait<'_, S, T, L> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let waker = cx.waker().clone();
        let mut state = lock(self.state);
        let list = match (self.look)(&mut state) {
            Ok(found) => return Poll::Ready(found),
            Err(waiters) => waiters.0.get_or_insert_default(),
        };
        let replaced = match self.key.and_then(|key| list.waker(key)) {
            Some(left) => Some(std::mem::replace(left, waker)),
            None => {
                self.key = Some(list.add(waker));
                None
            }
        };
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

impl<S, T, L: Fn(&mut S) -> Result<T, &mut Waiters>> Drop for Wait<'_, S, T, L> {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let mut state = lock(self.state);
        let looked = (self.look)(&mut state).map_err(|waiters| waiters.remove(key));
        drop(state);
        drop(looked);
    }
}
