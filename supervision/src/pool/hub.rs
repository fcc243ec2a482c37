//! What all parts of a pool share: the slots of its workers with their queues, the members, and where a message is placed.

use super::discard::Discards;
use super::error::{Discarded, Refusal};
use super::fuse::Fuse;
use super::limit::Limit;
use super::members::Members;
use super::route::{self, Kind, Route};
use crate::env::Env;
use crate::plan::Time;
use crate::process::{Address, Process, Sent};
use crate::supervisor::SupervisorRef;
use crate::sync::lock;
use bastion_mailbox::{Lane, PushError};
use lightproc::Panic;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU64, AtomicUsize,
    Ordering::{Relaxed, SeqCst},
    fence,
};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// A message on its way to a worker.
pub(super) struct Job<M> {
    pub(super) sent: Sent<M>,
    /// When it was sent, if anybody wants to know.
    pub(super) since: Option<Time>,
    /// Somebody waits for the answer, and sees it when there is none.
    pub(super) is_question: bool,
    /// Every worker has one: it is of no use to another.
    pub(super) is_copy: bool,
}

/// Nobody has the slot; its queue is closed.
const FREE: u8 = 0;
/// A worker has it, and messages come.
const OPEN: u8 = 1;
/// Its queue is being closed.
const CLOSING: u8 = 2;
/// Its worker handles what is left, and is to go then.
const LEAVING: u8 = 3;
/// Its worker has ended while the queue was being closed: who closes it does the rest.
const GONE: u8 = 4;

/// The place of a worker.
pub(super) struct Slot<M> {
    pub(super) lane: Lane<Job<M>>,
    state: AtomicU8,
    /// What was in the queue when it was closed.
    left: Mutex<VecDeque<Job<M>>>,
    /// Whether what its worker took last is a question.
    pub(super) has_question: AtomicBool,
}

impl<M> Slot<M> {
    fn free(capacity: usize) -> Slot<M> {
        let lane = Lane::new(capacity);
        lane.close();
        let (state, left) = (AtomicU8::new(FREE), Mutex::default());
        Slot { lane, state, left, has_question: AtomicBool::new(false) }
    }

    pub(super) fn is_free(&self) -> bool {
        self.state.load(SeqCst) == FREE
    }

    pub(super) fn is_open(&self) -> bool {
        self.state.load(SeqCst) == OPEN
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.state.load(SeqCst) == LEAVING
    }

    fn turn(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, SeqCst, SeqCst).is_ok()
    }

    /// Takes the next message for its worker.
    pub(super) fn pop(&self) -> Option<Job<M>> {
        let job = self.lane.pop();
        if job.is_some() || !self.is_leaving() { job } else { lock(&self.left).pop_front() }
    }
}

/// What a pool's description says, and its parts have to know.
pub(super) struct Rules<M> {
    pub(super) route: Route<M>,
    pub(super) capacity: usize,
    pub(super) time_to_live: Option<Duration>,
    /// Whether it has to be known when messages were sent.
    pub(super) stamps: bool,
    pub(super) discards: Discards<M>,
    pub(super) fuse: Option<Arc<Fuse>>,
    pub(super) limit: Option<Limit>,
}

pub(super) struct Hub<M> {
    pub(super) slots: Box<[Slot<M>]>,
    pub(super) members: Members,
    /// The queue that all take from, if there is one. Never closed; without members it is emptied.
    pub(super) common: Option<Lane<Job<M>>>,
    pub(super) rules: Rules<M>,
    pub(super) supervisor: SupervisorRef,
    turn: AtomicUsize,
    /// The longest time that a message had waited, of those that were taken since somebody looked, in nanoseconds.
    pub(super) longest_wait: AtomicU64,
    /// Who decides about the size, and whether it sleeps until something happens.
    pub(super) controller: OnceLock<Address<()>>,
    pub(super) sleeps: AtomicBool,
}

impl<M: Send + 'static> Hub<M> {
    /// One with so many slots, of which the first `open` are open.
    pub(super) fn new(
        rules: Rules<M>,
        supervisor: SupervisorRef,
        slots: usize,
        open: usize,
    ) -> Self {
        let is_shared = matches!(rules.route.0, Kind::Shared);
        let hub = Hub {
            slots: (0..slots).map(|_| Slot::free(rules.capacity)).collect(),
            members: Members::new(slots),
            common: is_shared.then(|| Lane::new(rules.capacity)),
            rules,
            supervisor,
            turn: AtomicUsize::new(0),
            longest_wait: AtomicU64::new(0),
            controller: OnceLock::new(),
            sleeps: AtomicBool::new(false),
        };
        (0..open).for_each(|slot| hub.enter(slot));
        hub
    }

    /// Where the workers live; none before the pool was given to a system.
    pub(super) fn env(&self) -> Option<&Env> {
        self.supervisor.shared().core.env()
    }

    pub(super) fn now(&self) -> Option<Time> {
        self.env().map(Env::now)
    }

    pub(super) fn job(&self, message: M) -> Job<M> {
        let since = if self.rules.stamps { self.now() } else { None };
        let sent =
            Sent::new(message, &self.supervisor.shared().core, self.env().is_some_and(Env::traces));
        Job { sent, since, is_question: false, is_copy: false }
    }

    /// Opens a slot that is free; nothing happens if it is not.
    pub(super) fn enter(&self, slot: usize) {
        let this = &self.slots[slot];
        if this.turn(FREE, OPEN) {
            this.lane.open();
            // Last: who is in the list takes messages.
            self.members.add(slot);
        }
    }

    /// Closes a slot whose worker is to go when it has handled what is left.
    pub(super) fn leave(&self, slot: usize) {
        let this = &self.slots[slot];
        if !this.turn(OPEN, CLOSING) {
            return;
        }
        // First: a sender that finds the queue closed finds another one in the list.
        self.members.remove(slot);
        let left = this.lane.close();
        lock(&this.left).extend(left);
        if !this.turn(CLOSING, LEAVING) {
            self.clear(slot);
        }
        this.lane.wake_all();
        // Pairs with the one of a push to the common queue.
        fence(SeqCst);
        self.sweep();
    }

    /// Frees a slot whose worker has ended for good.
    pub(super) fn vacate(&self, slot: usize) {
        let this = &self.slots[slot];
        self.leave(slot);
        if !this.turn(CLOSING, GONE) && this.is_leaving() {
            self.clear(slot);
        }
        // There may be too few now.
        self.ring();
    }

    /// Gives others what was left in a slot, and frees it. What was meant for its worker alone is nobody's.
    fn clear(&self, slot: usize) {
        let this = &self.slots[slot];
        let left = std::mem::take(&mut *lock(&this.left));
        this.state.store(FREE, SeqCst);
        let (own, others) = left.into_iter().partition(|job| job.is_copy);
        self.discard_all(own);
        self.place_again(others);
    }

    /// Shares what waits among all members, after some have come.
    pub(super) fn spread(&self) {
        if self.common.is_some() {
            return;
        }
        for place in 0..self.members.count() {
            let lane = &self.member(place).lane;
            let waiting: Vec<_> = (0..lane.len()).map_while(|_| lane.pop()).collect();
            let (mut own, others): (VecDeque<_>, _) =
                waiting.into_iter().partition(|job| job.is_copy);
            if !own.is_empty() && !lane.put_back(&mut own) {
                self.discard_all(own);
            }
            self.place_again(others);
        }
    }

    /// Throws away what is in the common queue if nobody is there to take it.
    fn sweep(&self) {
        let Some(common) = self.common.as_ref().filter(|_| self.members.count() == 0) else {
            return;
        };
        self.discard_all(std::iter::from_fn(|| common.pop()).collect());
    }

    /// Queues a message for a worker.
    pub(super) fn place(&self, mut job: Job<M>) -> Result<(), (Job<M>, Refusal)> {
        crate::process::circles::sends();
        if let Some(common) = &self.common {
            return self.place_in_common(common, job);
        }
        loop {
            let count = self.members.count();
            if count == 0 {
                return Err((job, Refusal::NoWorker));
            }
            let first = self.choose(&job.sent.message, count);
            let is_keyed = matches!(self.rules.route.0, Kind::Key(_));
            let mut is_full = false;
            for step in 0..if is_keyed { 1 } else { count } {
                job = match self.member((first + step) % count).lane.push(job) {
                    Ok(()) => return Ok(()),
                    Err(PushError::Full(job)) => {
                        is_full = true;
                        job
                    }
                    // It has just left the list.
                    Err(PushError::Closed(job)) => job,
                };
            }
            if is_full {
                return Err((job, Refusal::Full));
            }
        }
    }

    fn place_in_common(&self, common: &Lane<Job<M>>, job: Job<M>) -> Result<(), (Job<M>, Refusal)> {
        if self.members.count() == 0 {
            return Err((job, Refusal::NoWorker));
        }
        common.push(job).map_err(|error| (error.into_message(), Refusal::Full))?;
        // After the fence of the push: if the last one left before it saw this, it is seen here.
        self.sweep();
        Ok(())
    }

    /// Queues a message, and waits for room before.
    pub(super) async fn place_in_time(&self, mut job: Job<M>) -> Result<(), (Job<M>, Refusal)> {
        loop {
            job = match self.place(job) {
                Err((job, Refusal::Full)) => job,
                placed => return placed,
            };
            let lane = match (&self.common, self.members.count()) {
                (Some(common), _) => common,
                (None, 0) => continue,
                (None, count) => &self.member(self.choose(&job.sent.message, count)).lane,
            };
            job = match lane.send(job).await {
                Ok(()) => {
                    self.sweep();
                    return Ok(());
                }
                Err(error) => error.into_message(),
            };
        }
    }

    /// Says which of so many members is to have a message, by its place in the list.
    fn choose(&self, message: &M, count: usize) -> usize {
        let turn = || self.turn.fetch_add(1, Relaxed);
        match &self.rules.route.0 {
            Kind::RoundRobin | Kind::Shared => turn() % count,
            Kind::Random => {
                let random = self.env().map_or_else(|| turn() as u64, |env| env.runtime().random());
                (random % count as u64) as usize
            }
            Kind::LeastLoaded => route::least_loaded(count, turn(), |place| self.load(place)),
            Kind::Key(key) => route::owner(count, key(message), |place| self.members.at(place)),
        }
    }

    pub(super) fn member(&self, place: usize) -> &Slot<M> {
        &self.slots[self.members.at(place)]
    }

    /// How many messages a member has, counting the one that it handles.
    fn load(&self, place: usize) -> usize {
        let lane = &self.member(place).lane;
        lane.len() + usize::from(!lane.has_waiting())
    }

    /// Gives messages to other members than before: in front of what they have, which is newer, and beyond their capacity.
    fn place_again(&self, mut jobs: VecDeque<Job<M>>) {
        while !jobs.is_empty() {
            let count = self.members.count();
            if count == 0 {
                return self.discard_all(jobs);
            }
            let mut shares = BTreeMap::<usize, VecDeque<Job<M>>>::new();
            for job in jobs.drain(..) {
                let place = match &self.rules.route.0 {
                    // A key is made by foreign code.
                    Kind::Key(_) => {
                        Panic::catch(|| self.choose(&job.sent.message, count)).unwrap_or(0)
                    }
                    _ => self.turn.fetch_add(1, Relaxed) % count,
                };
                shares.entry(self.members.at(place)).or_default().push_back(job);
            }
            for (slot, mut share) in shares {
                if !self.slots[slot].lane.put_back(&mut share) {
                    // It has just left the list.
                    jobs.append(&mut share);
                }
            }
        }
    }

    /// Throws away what nobody is there for.
    fn discard_all(&self, jobs: VecDeque<Job<M>>) {
        let (discards, pool) = (&self.rules.discards, self.supervisor.shared());
        for job in jobs {
            discards.discard(job.sent.into_message(), Discarded::Ended, pool);
        }
        discards.report(pool);
    }

    /// Throws away a message that has waited too long.
    pub(super) fn expire(&self, message: M) {
        self.rules.discards.discard(message, Discarded::Expired, self.supervisor.shared());
    }

    /// How many messages wait.
    pub(super) fn queued(&self) -> usize {
        let members = (0..self.members.count()).map(|place| self.member(place).lane.len());
        members.sum::<usize>() + self.common.as_ref().map_or(0, Lane::len)
    }

    /// Tells who decides about the size that there is something to look at.
    pub(super) fn ring(&self) {
        if self.sleeps.load(Relaxed)
            && self.sleeps.swap(false, SeqCst)
            && let Some(controller) = self.controller.get()
        {
            controller.shared.wake();
        }
    }
}
