//! A pool's worker: an ordinary child that also receives from the pool's queues, and whose end for good frees its slot.

use super::hub::{Hub, Job};
use crate::child::{Child, Start, child};
use crate::env::Env;
use crate::exit::Exit;
use crate::names::NameError;
use crate::pid::Pid;
use crate::place::Place;
use crate::plan::ExitReason;
use crate::process::{Context, Inlet, Life, Process, Sent, Shared};
use crate::supervisor::{Command, SupervisorRef};
use bastion_mailbox::{Lane, Seat};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Waker;
use std::thread;

/// Describes the worker of a slot.
pub(super) fn worker<M, F, Fut>(hub: Arc<Hub<M>>, slot: usize, start: Arc<F>) -> Child<M>
where
    M: Send + 'static,
    F: Fn(Context<M>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Exit>> + Send + 'static,
{
    let workplace = hub.clone();
    let mut worker = child(move |mut cx: Context<M>| {
        workplace.enter(slot);
        cx.set_inlet(Desk::new(workplace.clone(), slot, &cx));
        let (body, watch) = (start(cx), CrashWatch { hub: workplace.clone(), slot });
        async move {
            // Moved here, so that it is dropped while a panic of the body unwinds.
            let watch = watch;
            let result = body.await;
            if result.is_err() {
                watch.crashed();
            }
            result
        }
    });
    let given = worker.given.child_mut();
    given.start = Arc::new(Occupant { start: given.start.clone(), hub, slot });
    worker
}

/// Tells the circuit breaker when the body panics.
struct CrashWatch<M: Send + 'static> {
    hub: Arc<Hub<M>>,
    slot: usize,
}

impl<M: Send + 'static> CrashWatch<M> {
    fn crashed(&self) {
        // Of a question its asker tells.
        if let Some(fuse) = &self.hub.rules.fuse
            && !self.hub.slots[self.slot].has_question.load(Relaxed)
        {
            fuse.crashed();
        }
    }
}

impl<M: Send + 'static> Drop for CrashWatch<M> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.crashed();
        }
    }
}

/// Where one incarnation of a worker takes its messages from: the queue of its slot, then the common one.
struct Desk<M: Send + 'static> {
    hub: Arc<Hub<M>>,
    slot: usize,
    seat: Seat,
    pid: Pid,
    supervisor: SupervisorRef,
    /// Its wakers are in the queues.
    waits: bool,
    /// It has asked to be stopped, since the slot was closed.
    leaves: bool,
}

impl<M: Send + 'static> Desk<M> {
    fn new(hub: Arc<Hub<M>>, slot: usize, cx: &Context<M>) -> Self {
        // No other incarnation's, also not that of one that was abandoned.
        let seat = (slot as u64) << 32 | u64::from(cx.incarnation());
        let (pid, supervisor) = (cx.pid(), cx.supervisor());
        Desk { hub, slot, seat, pid, supervisor, waits: false, leaves: false }
    }

    fn lanes(&self) -> impl Iterator<Item = &Lane<Job<M>>> {
        std::iter::once(&self.hub.slots[self.slot].lane).chain(&self.hub.common)
    }

    /// Takes a message that has not waited too long. One who is to leave takes none from the common queue.
    fn look(&self) -> Option<Sent<M>> {
        let slot = &self.hub.slots[self.slot];
        let rules = &self.hub.rules;
        loop {
            let common = || self.hub.common.as_ref().filter(|_| slot.is_open())?.pop();
            let job = slot.pop().or_else(common)?;
            if let Some(since) = job.since {
                let waited = self.hub.now().map(|now| now.since(since)).unwrap_or_default();
                let nanos = u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX);
                self.hub.longest_wait.fetch_max(nanos, Relaxed);
                if rules.time_to_live.is_some_and(|limit| waited > limit) {
                    self.hub.expire(job.sent.into_message());
                    continue;
                }
            }
            if rules.fuse.is_some() {
                slot.has_question.store(job.is_question, Relaxed);
            }
            return Some(job.sent);
        }
    }
}

impl<M: Send + 'static> Inlet<M> for Desk<M> {
    fn take(&mut self, waker: Option<&Waker>) -> Option<Sent<M>> {
        let found = self.look();
        self.busy();
        let Some(waker) = waker.filter(|_| found.is_none()) else { return found };
        self.waits = true;
        self.lanes().for_each(|lane| lane.wait(self.seat, waker));
        // What came before.
        let found = self.look();
        if found.is_some() {
            self.busy();
        } else if self.hub.slots[self.slot].is_leaving() && !self.leaves {
            // It has handled all that it had.
            self.leaves = true;
            self.supervisor.ask_to_stop_child(self.pid);
        }
        found
    }

    fn busy(&mut self) {
        if self.waits {
            self.waits = false;
            self.lanes().for_each(|lane| lane.leave(self.seat));
        }
    }
}

impl<M: Send + 'static> Drop for Desk<M> {
    fn drop(&mut self) {
        self.busy();
    }
}

/// A worker, whose end for good frees its slot.
struct Occupant<M> {
    start: Arc<dyn Start>,
    hub: Arc<Hub<M>>,
    slot: usize,
}

impl<M: Send + 'static> Start for Occupant<M> {
    fn process(&self) -> &dyn Process {
        self.start.process()
    }

    fn settle(&self, env: &Env) -> Pid {
        self.start.settle(env)
    }

    fn set_place(&self, place: Place) {
        self.start.set_place(place);
    }

    fn set_above(&self, above: &Shared<Command>) {
        self.start.set_above(above);
    }

    fn claim(&self, names: &[Arc<str>]) -> Result<(), NameError> {
        self.start.claim(names)
    }

    fn spawn(self: Arc<Self>, life: Arc<Life>, gated: bool, place: Place) {
        self.start.clone().spawn(life, gated, place);
    }

    fn end(&self, reason: ExitReason) {
        // First: whoever waits for this end finds the messages with others.
        self.hub.vacate(self.slot);
        self.start.end(reason);
    }

    fn rest(&self, finally: bool) {
        self.start.rest(finally);
    }

    fn set_closed_at_rest(&self) {
        self.start.set_closed_at_rest();
    }

    fn supervisor(&self) -> Option<SupervisorRef> {
        self.start.supervisor()
    }
}
