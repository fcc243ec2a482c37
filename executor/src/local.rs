//! What a worker thread keeps to itself: its run queue and its LIFO slot, reached through thread-local storage.

use crate::metrics::Meter;
use crate::parker::Parker;
use crate::runtime::global_or_panic;
use crate::shared::{Own, Shared, own_turn};
use crate::sync::thread_local;
use crossbeam_deque::Worker as Queue;
use crossbeam_utils::CachePadded;
use lightproc::LightProc;
use std::cell::{Cell, OnceCell, RefCell};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

thread_local! {
    static LOCAL: OnceCell<Local> = const { OnceCell::new() };
    /// The executor that `Executor::run` was called on, for threads that are not its workers.
    static ENTERED: RefCell<Vec<Arc<Shared>>> = const { RefCell::new(Vec::new()) };
}

/// A worker's own part of the executor.
pub(crate) struct Local {
    pub(crate) shared: Arc<Shared>,
    pub(crate) index: usize,
    pub(crate) queue: Queue<LightProc>,
    own: Arc<CachePadded<Own>>,
    /// How many processes in a row have come out of the slot.
    chain: Cell<u32>,
    /// The process in the slot has not been polled yet.
    fresh: Cell<bool>,
    pub(crate) parker: Arc<Parker>,
}

impl Local {
    /// Makes the calling thread's, for [`install`](Local::install).
    pub(crate) fn new(shared: Arc<Shared>, index: usize, queue: Queue<LightProc>) -> Local {
        let parker = Arc::new(Parker::new());
        shared.idle.register(index, parker.clone());
        let own = shared.workers[index].own.clone();
        Local { shared, index, queue, own, chain: Cell::new(0), fresh: Cell::new(false), parker }
    }

    /// Makes this thread the worker. A thread is one worker at most, for all its life.
    pub(crate) fn install(self) {
        let installed = LOCAL.with(|local| local.set(self).is_ok());
        assert!(installed, "a thread is one worker at most");
    }

    /// Calls `f` with this thread's worker, if it is one.
    #[inline]
    pub(crate) fn with<R>(f: impl FnOnce(Option<&Local>) -> R) -> R {
        // During the destruction of the thread's locals there is no worker any more.
        let mut f = Some(f);
        let result = LOCAL.try_with(|local| f.take().map(|f| f(local.get())));
        match result {
            Ok(Some(result)) => result,
            _ => f.take().map(|f| f(None)).expect("called once"),
        }
    }

    /// Returns the number of the domain that the worker belongs to.
    pub(crate) fn domain(&self) -> usize {
        self.shared.workers[self.index].domain
    }

    /// Returns what this worker counts in: this thread is its one writer.
    pub(crate) fn meter(&self) -> &Meter {
        &self.own.meter
    }

    /// Makes sure that somebody will look at work that this worker has made visible.
    pub(crate) fn notify(&self) {
        if self.shared.idle.notify(self.domain(), Some(self.index), || self.queue.len()) {
            self.meter().unparks.add(1);
        }
    }

    /// As [`notify`](Local::notify), for work that only one domain may do.
    pub(crate) fn notify_only(&self, domain: usize) {
        if self.shared.idle.notify_only(domain, Some(self.index)) {
            self.meter().unparks.add(1);
        }
    }

    /// Makes sure that somebody looks at what only this worker's domain may do, unless this worker will have done that, and its own, before
    /// another one is awake. As in [`push`](Local::push): of several first polls others may want to begin one at once.
    pub(crate) fn notify_of_kept(&self, kept: usize, fresh: bool) {
        let waiting = (self.queue.len() + kept).saturating_sub(1);
        if (fresh && kept > 1) || waiting > self.own.bearable.load(Relaxed) {
            self.notify_only(self.domain());
        }
    }

    /// Queues a process that was woken here, or spawned, which is `fresh` then. What it displaces from the slot is for everybody.
    #[inline]
    pub(crate) fn push(&self, process: LightProc, fresh: bool) {
        let displaced = self.own.slot.put(process);
        let displaced_fresh = self.fresh.replace(fresh);
        if let Some(displaced) = displaced {
            self.queue.push(displaced);
            // Nothing is known of how long a first poll takes: others may want to begin at once.
            if displaced_fresh {
                self.notify();
            } else {
                self.notify_of_queue();
            }
        }
    }

    /// Queues a process behind all others: one that has yielded. If others wait here too, somebody else may take one.
    pub(crate) fn push_back(&self, process: LightProc) {
        let others = !self.own.slot.is_empty() || !self.queue.is_empty();
        self.queue.push(process);
        if others {
            self.notify_of_queue();
        }
    }

    /// Makes sure that somebody looks at this worker's queue, unless it will have done what is there before another worker is awake.
    ///
    /// It may err, when its polls become longer at once: then the monitor finds what waits.
    #[inline]
    pub(crate) fn notify_of_queue(&self) {
        if self.queue.len() > self.own.bearable.load(Relaxed) {
            self.notify();
        }
    }

    /// Notes how many processes may wait in the queue before it is worth waking another worker.
    pub(crate) fn bear(&self, processes: usize) {
        self.own.bearable.store(processes, Relaxed);
    }

    /// Takes the next process of this worker's own. What stays is visible to the others: the slot is empty afterwards.
    #[inline]
    pub(crate) fn pop(&self) -> Option<LightProc> {
        let woken = self.own.slot.take();
        let chain = self.chain.get();
        if woken.is_some() && (chain < self.shared.settings.lifo_chain || self.queue.is_empty()) {
            self.chain.set(chain.saturating_add(1));
            return woken;
        }
        self.chain.set(0);
        if let Some(woken) = woken {
            self.queue.push(woken);
            self.notify_of_queue();
        }
        self.queue.pop()
    }

    /// Makes the process in the slot visible to the other workers, before this thread blocks.
    pub(crate) fn flush(&self) {
        if !self.own.slot.is_empty() {
            // On its way nobody sees it, and this worker may be counted as one that waits.
            self.shared.without_skips(|| {
                if let Some(process) = self.own.slot.take() {
                    self.queue.push(process);
                }
            });
        }
        let kept = &self.shared.domains[self.domain()].kept;
        if !kept.is_empty() {
            self.notify_only(self.domain());
        }
        if !self.queue.is_empty() {
            // This thread will have done none of it when another worker is awake.
            self.bear(0);
            self.notify();
            if self.shared.is_closed() {
                // The others have stopped, or may have before they saw it.
                self.shared.drain();
            }
        }
    }
}

/// Calls `f` with the executor of this thread, the one that it has entered last, else its worker's; and with its worker, if that is one of
/// this executor.
fn with_place<R>(f: impl FnOnce(Option<(&Arc<Shared>, Option<&Local>)>) -> R) -> R {
    // During the destruction of the thread's locals nothing is entered any more.
    let entered = ENTERED.try_with(|entered| entered.borrow().last().cloned()).unwrap_or_default();
    match entered {
        Some(shared) => f(Some((&shared, None))),
        None => Local::with(|local| f(local.map(|local| (&local.shared, Some(local))))),
    }
}

/// Calls `f` with the executor of this thread: the one that it has entered last, else its worker's.
#[inline]
pub(crate) fn with_current<R>(f: impl FnOnce(Option<&Arc<Shared>>) -> R) -> R {
    with_place(|place| f(place.map(|(shared, _)| shared)))
}

/// Calls `f` with the executor whose timers this thread uses, the number of the worker that has them, and whether that is the calling one.
/// If `f` finds them closed, calls it again with the global one's.
pub(crate) fn with_timers<R>(f: impl Fn(&Arc<Shared>, usize, bool) -> Option<R>) -> R {
    let outside = |shared: &Arc<Shared>| f(shared, own_turn() % shared.workers.len(), false);
    let found = with_place(|place| {
        let (shared, local) = place?;
        local.map_or_else(|| outside(shared), |local| f(shared, local.index, true))
    });
    found
        .or_else(|| outside(global_or_panic().shared()))
        .expect("the global executor is never taken down")
}

/// Says whether this thread is the one worker that there is of `shared`: what it waits for there never runs.
pub(crate) fn is_only_worker(shared: &Arc<Shared>) -> bool {
    let is_worker = |local: &Local| Arc::ptr_eq(&local.shared, shared);
    shared.workers.len() == 1 && Local::with(|local| local.is_some_and(is_worker))
}

/// Makes `shared` this thread's executor until the guard is dropped.
pub(crate) fn enter(shared: Arc<Shared>) -> Entered {
    let _ = ENTERED.try_with(|entered| entered.borrow_mut().push(shared));
    Entered
}

/// Leaves the executor that was entered last.
pub(crate) struct Entered;

impl Drop for Entered {
    fn drop(&mut self) {
        // The executor may be dropped by this: not while the list is borrowed.
        let left = ENTERED.try_with(|entered| entered.borrow_mut().pop());
        drop(left);
    }
}
