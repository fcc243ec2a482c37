//! One direction of one source: whether an operation is worth a try, and who waits until it is.
//!
//! Knows no descriptor and no poller. The rule, in words: try the operation; if it would block, take the readiness back, but
//! only if no event has come since before the operation; leave the waker; look again. An event first says "ready", then takes the
//! wakers. So of an event and a waiter, one sees the other:
//!
//! - An event before the readiness is taken back changes the tick, and taking it back fails: the operation is tried again.
//! - One after that says "ready" first. Its look at the wakers comes after the waiter has left its own, and takes it; or it
//!   comes before, and the waiter, who takes the lock later, finds "ready" when it looks again.
//!
//! Everybody who waits is woken by an event, so a waiter that goes away owes nothing to the others.

mod sync;

use std::sync::PoisonError;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::task::Waker;
use sync::{AtomicUsize, Mutex, MutexGuard};

/// An operation may succeed.
const READY: usize = 1;
/// One event. The count is above the bit; that it begins anew some day harms only whoever sleeps through all of it.
const EVENT: usize = 2;

/// One direction of a source.
#[derive(Debug)]
pub(crate) struct Readiness {
    word: AtomicUsize,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    last: u64,
    /// In the order of their numbers, which only grow.
    wakers: Vec<(u64, Waker)>,
}

/// A state that said "ready".
#[derive(Clone, Copy, Debug)]
#[must_use]
pub(crate) struct Seen(usize);

/// The place of one that waits again and again: a later waker replaces the earlier one.
#[derive(Debug, Default)]
pub(crate) struct Token(u64);

impl Readiness {
    /// A new source may be ready: the first operation is tried, which costs less than to ask.
    pub(crate) fn new() -> Readiness {
        Readiness { word: AtomicUsize::new(READY), waiting: Mutex::new(Waiting::default()) }
    }

    /// Looks whether an operation is worth a try.
    pub(crate) fn look(&self) -> Option<Seen> {
        // Pairs with the Release in `set`: what the system said before the event was reported is true for the operation.
        let word = self.word.load(Acquire);
        (word & READY != 0).then_some(Seen(word))
    }

    /// Takes the readiness back after an operation that would have blocked. Says no when an event has come since `seen`.
    #[must_use]
    pub(crate) fn take_back(&self, seen: Seen) -> bool {
        // Relaxed: it publishes nothing. What it must not miss, the same word's history tells.
        self.word.compare_exchange(seen.0, seen.0 & !READY, Relaxed, Relaxed).is_ok()
            // Another waiter has taken the same readiness back.
            || self.word.load(Relaxed) == seen.0 & !READY
    }

    /// Notes an event, and hands out whoever waits.
    pub(crate) fn set(&self, woken: &mut Vec<Waker>) {
        let add = |word: usize| Some(word.wrapping_add(EVENT) | READY);
        // Release pairs with the Acquire in `look`.
        let _ = self.word.fetch_update(Release, Relaxed, add);
        woken.extend(self.lock().wakers.drain(..).map(|(_, waker)| waker));
    }

    /// Leaves a waker for the next event. Look again after it.
    ///
    /// Without a token it stays until the next event, once for each task, however often it is left.
    pub(crate) fn leave(&self, token: Option<&mut Token>, waker: &Waker) {
        // Cloned and dropped outside the lock: both may be foreign code.
        let waker = waker.clone();
        let unneeded = self.lock().leave(token, waker);
        drop(unneeded);
    }

    /// Takes a waker back that was left under this token.
    pub(crate) fn forget(&self, token: &mut Token) {
        let number = std::mem::take(&mut token.0);
        if number == 0 {
            return;
        }
        let mut waiting = self.lock();
        let found = waiting.place(number).ok().map(|place| waiting.wakers.remove(place));
        drop(waiting);
        drop(found);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn place(&self, number: u64) -> Result<usize, usize> {
        self.wakers.binary_search_by_key(&number, |(number, _)| *number)
    }

    /// Returns what is not needed, or no longer.
    fn leave(&mut self, token: Option<&mut Token>, waker: Waker) -> Option<Waker> {
        match token {
            Some(token) => {
                if let Ok(place) = self.place(token.0) {
                    return Some(std::mem::replace(&mut self.wakers[place].1, waker));
                }
                token.0 = self.push(waker);
            }
            None if self.wakers.iter().any(|(_, left)| left.will_wake(&waker)) => {
                return Some(waker);
            }
            None => {
                self.push(waker);
            }
        }
        None
    }

    fn push(&mut self, waker: Waker) -> u64 {
        self.last += 1;
        self.wakers.push((self.last, waker));
        self.last
    }
}
