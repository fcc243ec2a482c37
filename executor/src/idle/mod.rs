//! Who sleeps, who searches, and who is to be woken: the idle protocol.
//!
//! Knows numbers of workers and domains only; no queues, no processes. States, steps, the race and its proof: `README.md` beside this file.

mod sync;

use crate::parker::Parker;
use crossbeam_utils::CachePadded;
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
    domains: Box<[CachePadded<Domain>]>,
    places: Box<[Place]>,
    /// How many workers sleep in all domains together. The words of several cannot be read at one moment.
    asleep: AtomicUsize,
}

/// The idle state of the workers that share a node, on its own cache lines.
#[derive(Debug)]
struct Domain {
    /// How many of its workers search and how many sleep. 0: all are busy, and it needs help for more.
    word: AtomicUsize,
    /// Who sleeps, the latest at the end: its caches are warmest.
    sleepers: Mutex<Vec<usize>>,
    workers: usize,
    /// The other domains, nearest first.
    others: Box<[usize]>,
}

/// Where one worker sleeps.
#[derive(Debug)]
struct Place {
    woken: AtomicBool,
    parker: Mutex<Option<Arc<Parker>>>,
    seat: Seat,
}

/// Where a worker is, as far as that matters to who wakes it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seat {
    pub(crate) domain: usize,
    /// Core and last level cache, where the worker has a PU of its own.
    pub(crate) core: Option<(usize, usize)>,
}

impl Seat {
    /// How gladly one at this seat wakes a worker at the other: best is a core of its own under the same cache; the other thread of its
    /// own core is slower by what the waker does there.
    fn welcomes(&self, other: &Seat) -> u8 {
        match (self.core, other.core) {
            (Some((core, llc)), Some(other)) if llc == other.1 => 1 + u8::from(core != other.0),
            _ => 0,
        }
    }
}

impl Idle {
    /// For workers at these seats, and for each domain the others, nearest first.
    pub(crate) fn new(seats: &[Seat], others: &[Vec<usize>]) -> Idle {
        let place = |seat: &Seat| Place {
            woken: AtomicBool::new(false),
            parker: Mutex::new(None),
            seat: *seat,
        };
        let domain = |(number, others): (usize, &Vec<usize>)| {
            let workers = seats.iter().filter(|seat| seat.domain == number).count();
            CachePadded::new(Domain {
                word: AtomicUsize::new(0),
                sleepers: Mutex::new(Vec::with_capacity(workers)),
                workers,
                others: others.clone().into(),
            })
        };
        Idle {
            domains: others.iter().enumerate().map(domain).collect(),
            places: seats.iter().map(place).collect(),
            asleep: AtomicUsize::new(0),
        }
    }

    /// Says where the worker waits. Called by the worker before it does anything else.
    pub(crate) fn register(&self, worker: usize, parker: Arc<Parker>) {
        *lock(&self.places[worker].parker) = Some(parker);
    }

    /// Makes sure that somebody will look at work that the caller, a worker or not, has just made visible in this domain, where so much is
    /// `waiting`.
    ///
    /// Costs a fence and a load when somebody of the domain searches already, or the executor has but one domain and nobody sleeps. Says
    /// whether it has woken a worker.
    pub(crate) fn notify(
        &self,
        domain: usize,
        waker: Option<usize>,
        waiting: impl FnOnce() -> usize,
    ) -> bool {
        // Pairs with the fence in `sleep`: of the two, one is first, so either this load sees the sleeper or the
        // sleeper's scan sees the work.
        fence(SeqCst);
        match self.domains[domain].word.load(Relaxed) {
            0 => self.domains.len() > 1 && self.notify_others(domain, waiting()),
            word => searching(word) == 0 && self.wake_one(domain, waker),
        }
    }

    /// As [`notify`](Idle::notify), for work that no other domain may do.
    pub(crate) fn notify_only(&self, domain: usize, waker: Option<usize>) -> bool {
        // As there.
        fence(SeqCst);
        let word = self.domains[domain].word.load(Relaxed);
        word != 0 && searching(word) == 0 && self.wake_one(domain, waker)
    }

    /// Has another domain help, the nearest where somebody sleeps. Where somebody searches already, it is enough if those who are idle
    /// there are as many as wait; else the next domain is asked.
    #[cold]
    fn notify_others(&self, domain: usize, mut waiting: usize) -> bool {
        // Pairs with the fences of those who stop searching elsewhere: a searcher that a load below still sees looks later, and then sees
        // that this domain is busy, as the caller has.
        fence(SeqCst);
        for other in &self.domains[domain].others {
            let word = self.domains[*other].word.load(Relaxed);
            match (searching(word), sleeping(word)) {
                (0, 0) => {}
                (0, _) => return self.wake_one(*other, None),
                (searching, sleeping) if waiting <= searching + sleeping => return false,
                (searching, sleeping) => waiting -= searching + sleeping,
            }
        }
        false
    }

    #[cold]
    fn wake_one(&self, domain: usize, waker: Option<usize>) -> bool {
        let domain = &*self.domains[domain];
        let woken = {
            let mut sleepers = lock(&domain.sleepers);
            // Two notifiers came here at once: one woken searcher is enough for both.
            if searching(domain.word.load(Relaxed)) != 0 {
                return false;
            }
            // Of equally welcome ones the one that slept last.
            let seat = waker.map(|waker| self.places[waker].seat).unwrap_or_default();
            let welcome = |at: &usize| seat.welcomes(&self.places[sleepers[*at]].seat);
            let Some(at) = (0..sleepers.len()).max_by_key(welcome) else { return false };
            self.strike_off(domain, &mut sleepers, at)
        };
        self.unpark(woken);
        true
    }

    /// Takes a worker off the list of those who sleep, and counts it as a searcher. The waker counts, not the sleeper: a second notifier sees
    /// the searcher before it has woken up.
    fn strike_off(&self, domain: &Domain, sleepers: &mut Vec<usize>, at: usize) -> usize {
        self.asleep.fetch_sub(1, SeqCst);
        domain.word.fetch_add(SEARCHING.wrapping_sub(SLEEPING), AcqRel);
        sleepers.remove(at)
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
        for domain in &self.domains {
            let mut sleepers = lock(&domain.sleepers);
            let woken: Vec<usize> = (0..sleepers.len())
                .rev()
                .map(|at| self.strike_off(domain, &mut sleepers, at))
                .collect();
            drop(sleepers);
            woken.into_iter().for_each(|worker| self.unpark(worker));
        }
    }

    /// Asks to become a searcher. At most half of the workers of a domain search at once: more would only disturb each other.
    #[must_use]
    pub(crate) fn start_searching(&self, worker: usize) -> bool {
        let domain = self.domain_of(worker);
        let word = domain.word.load(Relaxed);
        if 2 * searching(word) >= domain.workers.max(2) {
            return false;
        }
        domain.word.fetch_add(SEARCHING, AcqRel);
        true
    }

    /// Ends a search that has found work. True: the caller was the last searcher of its domain, and must look whether there is more
    /// work, and then [`notify`](Idle::notify): pushes during its search have relied on it.
    #[must_use]
    pub(crate) fn stop_searching(&self, worker: usize) -> bool {
        let word = &self.domain_of(worker).word;
        let last = searching(word.fetch_sub(SEARCHING, SeqCst)) == 1;
        // Pairs with the fences in `notify` and `notify_others`, for the caller's look.
        fence(SeqCst);
        last
    }

    /// Says whether nobody of a domain is idle: then, and only then, others help with what waits there.
    pub(crate) fn needs_help(&self, domain: usize) -> bool {
        self.domains[domain].word.load(Relaxed) == 0
    }

    fn domain_of(&self, worker: usize) -> &Domain {
        &self.domains[self.places[worker].seat.domain]
    }

    /// Sleeps until woken. The caller is a searcher afterwards.
    ///
    /// `is_searcher` says whether the caller is one now. `has_work` scans the queues of its domain, and of those that need help; when it finds
    /// something after the sleeper has announced itself, the worker does not sleep. `wait` parks once; true: there is something to do
    /// that nobody else knows of, and the worker gets up by itself.
    pub(crate) fn sleep(
        &self,
        worker: usize,
        is_searcher: bool,
        has_work: impl FnOnce() -> bool,
        mut wait: impl FnMut() -> bool,
    ) {
        {
            let domain = self.domain_of(worker);
            let mut sleepers = lock(&domain.sleepers);
            sleepers.push(worker);
            let left = if is_searcher { SEARCHING } else { 0 };
            domain.word.fetch_add(SLEEPING - left, SeqCst);
            self.asleep.fetch_add(1, SeqCst);
        }
        // Pairs with the fences in `notify` and `notify_others`.
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
        self.asleep.load(SeqCst)
    }

    /// Takes back the announcement to sleep. False: somebody has woken the worker meanwhile.
    fn get_up(&self, worker: usize) -> bool {
        let domain = self.domain_of(worker);
        let mut sleepers = lock(&domain.sleepers);
        let Some(at) = sleepers.iter().position(|sleeper| *sleeper == worker) else { return false };
        self.strike_off(domain, &mut sleepers, at);
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

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests;
