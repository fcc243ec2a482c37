//! [`Timers`]: the timers of one worker, behind a lock that nearly always is its own alone.
//!
//! Who inserts: whoever polls a timer on that worker, or on a thread that is none. Who lets the time go on: the worker, when it
//! looks at the clock and before it sleeps; another one, when the worker is held up in a poll. Knows ticks, no clock.

use super::wheel::{Key, Wheel};
use crate::sync::{AtomicU64, Mutex, MutexGuard};
use std::ops::Deref;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::task::Waker;

/// No timer.
pub(crate) const NEVER: u64 = u64::MAX;

/// The timers of one worker.
#[derive(Debug)]
pub(crate) struct Timers {
    state: Mutex<State>,
    /// A tick that no timer is due before. Written under the lock.
    next: AtomicU64,
    /// The node that they lie on, as far as that is known.
    node: Option<u32>,
}

#[derive(Debug)]
struct State {
    wheel: Wheel<Waker>,
    /// Nobody lets the time go on any more.
    closed: bool,
}

/// What came of [`Timers::insert`].
pub(crate) enum Inserted {
    /// The timer is in. `first`: it is due before all others, which its worker may have to be told.
    In { key: Key, first: bool },
    /// The worker has gone.
    Closed,
}

/// Timers that no worker has now. They are never freed, so that whoever waits for one needs no count of references; there are as
/// many as there ever were workers of a node at once.
///
/// `std`'s lock, as nothing happens under it.
static FREE: std::sync::Mutex<Vec<&Timers>> = std::sync::Mutex::new(Vec::new());

fn free() -> std::sync::MutexGuard<'static, Vec<&'static Timers>> {
    FREE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Timers that one worker has. Dropped, they are another's.
pub(crate) struct Lease(&'static Timers);

impl Deref for Lease {
    type Target = &'static Timers;

    fn deref(&self) -> &&'static Timers {
        &self.0
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Open still if there never was an executor; then nobody waits.
        self.close(&mut Vec::new());
        // What shuttle knows of them is worth nothing in another schedule.
        if !cfg!(shuttle) {
            free().push(self.0);
        }
    }
}

impl Timers {
    /// Returns timers for a worker that starts: by a thread of the worker's node, if it has one.
    pub(crate) fn lease(node: Option<u32>) -> Lease {
        let known = {
            let mut free = free();
            let at = free.iter().rposition(|timers| timers.node == node);
            at.map(|at| free.swap_remove(at))
        };
        let timers = known.unwrap_or_else(|| {
            let state = Mutex::new(State { wheel: Wheel::new(), closed: true });
            Box::leak(Box::new(Timers { state, next: AtomicU64::new(NEVER), node }))
        });
        let mut state = timers.lock();
        state.wheel.restart();
        state.closed = false;
        drop(state);
        Lease(timers)
    }

    /// Returns a tick that no timer is due before; [`NEVER`] if there is none.
    #[inline]
    pub(crate) fn next(&self) -> u64 {
        self.next.load(Relaxed)
    }

    /// As [`next`](Timers::next), but none that was taken back meanwhile.
    pub(crate) fn settle(&self) -> u64 {
        let state = self.lock();
        let next = state.wheel.next().unwrap_or(NEVER);
        self.next.store(next, Release);
        next
    }

    pub(crate) fn insert(&self, deadline: u64, waker: Waker) -> Inserted {
        let mut state = self.lock();
        if state.closed {
            return Inserted::Closed;
        }
        let key = state.wheel.insert(deadline, waker);
        let first = deadline < self.next();
        if first {
            self.next.store(deadline, Release);
        }
        Inserted::In { key, first }
    }

    /// Lets a timer wake somebody else. False: the timer is not in any more.
    pub(crate) fn replace(&self, key: Key, waker: &Waker) -> bool {
        let mut state = self.lock();
        let Some(old) = state.wheel.get_mut(key) else { return false };
        if !old.will_wake(waker) {
            let old = std::mem::replace(old, waker.clone());
            // Outside the lock: a waker's destructor may drop a future, and that one its timers.
            drop(state);
            drop(old);
        }
        true
    }

    /// Takes a timer out, if it is in still.
    pub(crate) fn remove(&self, key: Key) {
        let waker = self.lock().wheel.remove(key);
        // Outside the lock, as above.
        drop(waker);
    }

    /// Lets the time go on, and appends to `due` who is to be woken.
    pub(crate) fn advance(&self, now: u64, due: &mut Vec<Waker>) {
        let mut state = self.lock();
        state.wheel.advance(now, |waker| due.push(waker));
        self.next.store(state.wheel.next().unwrap_or(NEVER), Release);
    }

    /// Takes no more timers, and hands out those that wait, to be woken: who is still there must go elsewhere.
    pub(crate) fn close(&self, out: &mut Vec<Waker>) {
        let mut state = self.lock();
        state.closed = true;
        state.wheel.clear(|waker| out.push(waker));
        self.next.store(NEVER, Release);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn those_of_a_worker_that_is_no_more_are_the_next_ones_of_its_node() {
        // Nobody else has these nodes here. No executor has closed them.
        let [one, other] = [70_001, 70_002].map(|node| Timers::lease(Some(node)));
        let [was, wasnt] = [&one, &other].map(|lease| std::ptr::from_ref(**lease));
        drop((one, other));
        let again = Timers::lease(Some(70_001));
        assert!(std::ptr::eq(*again, was) && !std::ptr::eq(*again, wasnt));
        assert!(matches!(again.insert(7, Waker::noop().clone()), Inserted::In { .. }));
    }
}
