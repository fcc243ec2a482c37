//! Who sleeps, who searches, and who is to be woken: the idle protocol.
//!
//! Knows worker numbers only; no queues, no processes. States, steps, the race and its proof: `README.md` beside this file.

mod sync;

use crate::parker::Parker;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use sync::{AtomicBool, AtomicUsize, Mutex, fence};

/// One worker that searches for work.
const SEARCHING: usize = 1;
/// One worker that sleeps, or has announced that it will.
const SLEEPING: usize = 1 << (usize::BITS / 2);

fn searching(word: usize) -> usize {
    word & (SLEEPING - 1)
}

fn sleeping(word: usize) -> usize {
    word / SLEEPING
}

/// The idle state of one executor.
#[derive(Debug)]
pub(crate) struct Idle {
    /// How many workers search and how many sleep.
    word: AtomicUsize,
    /// Who sleeps, the latest at the end: it is woken first, its caches are warmest.
    sleepers: Mutex<Vec<usize>>,
    places: Box<[Place]>,
}

/// Where one worker sleeps.
#[derive(Debug)]
struct Place {
    woken: AtomicBool,
    parker: Mutex<Option<Arc<Parker>>>,
}

impl Idle {
    pub(crate) fn new(workers: usize) -> Idle {
        let place = |_| Place { woken: AtomicBool::new(false), parker: Mutex::new(None) };
        Idle {
            word: AtomicUsize::new(0),
            sleepers: Mutex::new(Vec::with_capacity(workers)),
            places: (0..workers).map(place).collect(),
        }
    }

    /// Says where the worker waits. Called by the worker before it does anything else.
    pub(crate) fn register(&self, worker: usize, parker: Arc<Parker>) {
        *lock(&self.places[worker].parker) = Some(parker);
    }

    /// Makes sure that somebody will look at work that the caller has just made visible.
    ///
    /// Costs a fence and a load when somebody searches already or nobody sleeps. Says whether it has woken a worker.
    pub(crate) fn notify(&self) -> bool {
        // Pairs with the fence in `sleep`: of the two, one is first, so either this load sees the sleeper or the
        // sleeper's scan sees the work.
        fence(SeqCst);
        let word = self.word.load(Relaxed);
        searching(word) == 0 && sleeping(word) != 0 && self.wake_one()
    }

    #[cold]
    fn wake_one(&self) -> bool {
        let woken = {
            let mut sleepers = lock(&self.sleepers);
            // Two notifiers came here at once: one woken searcher is enough for both.
            if searching(self.word.load(Relaxed)) != 0 {
                return false;
            }
            let Some(worker) = sleepers.pop() else { return false };
            // The waker counts, not the sleeper: a second notifier sees the searcher before it has woken up.
            self.word.fetch_add(SEARCHING.wrapping_sub(SLEEPING), AcqRel);
            worker
        };
        self.unpark(woken);
        true
    }

    fn unpark(&self, worker: usize) {
        let place = &self.places[worker];
        // Release pairs with the Acquire in `is_woken`.
        place.woken.swap(true, Release);
        if let Some(parker) = &*lock(&place.parker) {
            parker.unpark();
        }
    }

    /// Makes one worker look at what is its alone, its timers: if it sleeps, it wakes up; if it waits for something else in a
    /// poll, that wait returns for once.
    pub(crate) fn rouse(&self, worker: usize) {
        // Pairs with the fence in `sleep`, as the one in `notify` does.
        fence(SeqCst);
        if self.get_up(worker) {
            self.unpark(worker);
        } else if let Some(parker) = &*lock(&self.places[worker].parker) {
            parker.unpark();
        }
    }

    /// Wakes every sleeper, for shutdown.
    pub(crate) fn wake_all(&self) {
        let woken: Vec<usize> = {
            let mut sleepers = lock(&self.sleepers);
            let woken = std::mem::take(&mut *sleepers);
            for _ in &woken {
                self.word.fetch_add(SEARCHING.wrapping_sub(SLEEPING), AcqRel);
            }
            woken
        };
        woken.into_iter().for_each(|worker| self.unpark(worker));
    }

    /// Asks to become a searcher. At most half of the workers search at once: more would only disturb each other.
    #[must_use]
    pub(crate) fn start_searching(&self) -> bool {
        let word = self.word.load(Relaxed);
        if 2 * searching(word) >= self.places.len().max(2) {
            return false;
        }
        self.word.fetch_add(SEARCHING, AcqRel);
        true
    }

    /// Ends a search that has found work. True: the caller was the last searcher, and must look whether there is more
    /// work, and then [`notify`](Idle::notify): pushes during its search have relied on it.
    #[must_use]
    pub(crate) fn stop_searching(&self) -> bool {
        let last = searching(self.word.fetch_sub(SEARCHING, SeqCst)) == 1;
        // Pairs with the fence in `notify`, for the caller's look.
        fence(SeqCst);
        last
    }

    /// Sleeps until woken. The caller is a searcher afterwards.
    ///
    /// `is_searcher` says whether the caller is one now. `has_work` scans all queues; when it finds something after the
    /// sleeper has announced itself, the worker does not sleep. `wait` parks once; true: there is something to do that nobody
    /// else knows of, and the worker gets up by itself.
    pub(crate) fn sleep(
        &self,
        worker: usize,
        is_searcher: bool,
        has_work: impl FnOnce() -> bool,
        mut wait: impl FnMut() -> bool,
    ) {
        {
            let mut sleepers = lock(&self.sleepers);
            sleepers.push(worker);
            let left = if is_searcher { SEARCHING } else { 0 };
            self.word.fetch_add(SLEEPING - left, SeqCst);
        }
        // Pairs with the fence in `notify`.
        fence(SeqCst);
        let mut gets_up = has_work();
        while !self.is_woken(worker) {
            if !gets_up {
                gets_up = wait();
            } else if self.get_up(worker) {
                return;
            } else {
                // Somebody has taken it off the list, and is about to wake it.
                self.park(worker);
            }
        }
    }

    /// Waits until the worker is unparked.
    fn park(&self, worker: usize) {
        let parker = lock(&self.places[worker].parker).clone();
        if let Some(parker) = parker {
            parker.park(None);
        }
    }

    /// Returns how many workers sleep or have announced that they will, for whom it may be outdated at once.
    pub(crate) fn sleeping(&self) -> usize {
        sleeping(self.word.load(Relaxed))
    }

    /// Takes back the announcement to sleep. False: somebody has woken the worker meanwhile.
    fn get_up(&self, worker: usize) -> bool {
        let mut sleepers = lock(&self.sleepers);
        let Some(at) = sleepers.iter().position(|sleeper| *sleeper == worker) else { return false };
        sleepers.remove(at);
        self.word.fetch_add(SEARCHING.wrapping_sub(SLEEPING), AcqRel);
        true
    }

    /// Says whether somebody has taken the worker off the list, once.
    fn is_woken(&self, worker: usize) -> bool {
        let woken = &self.places[worker].woken;
        woken.load(Relaxed) && woken.swap(false, Acquire)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
