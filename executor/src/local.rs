//! What a worker thread keeps to itself: its run queue and its LIFO slot, reached through thread-local storage.

use crate::metrics::Meter;
use crate::shared::Shared;
use crossbeam_deque::Worker as Queue;
use lightproc::LightProc;
use std::cell::{Cell, OnceCell, RefCell};
use std::sync::Arc;

thread_local! {
    static LOCAL: OnceCell<Local> = const { OnceCell::new() };
    /// The executor that `Executor::run` was called on, for threads that are not its workers.
    static ENTERED: RefCell<Vec<Arc<Shared>>> = const { RefCell::new(Vec::new()) };
}

/// How many processes in a row may come out of the LIFO slot before the queue has its turn.
const LIFO_CHAIN: u32 = 3;

/// A worker's own part of the executor.
pub(crate) struct Local {
    pub(crate) shared: Arc<Shared>,
    pub(crate) index: usize,
    pub(crate) queue: Queue<LightProc>,
    /// The process that was woken last: it runs next, its data are still in the cache.
    lifo: Cell<Option<LightProc>>,
    chain: Cell<u32>,
}

impl Local {
    pub(crate) fn new(shared: Arc<Shared>, index: usize, queue: Queue<LightProc>) -> Local {
        Local { shared, index, queue, lifo: Cell::new(None), chain: Cell::new(0) }
    }

    /// Makes this thread the worker. A thread is one worker at most, for all its life.
    pub(crate) fn install(self) {
        let installed = LOCAL.with(|local| local.set(self).is_ok());
        assert!(installed, "a thread is one worker at most");
    }

    /// Calls `f` with this thread's worker, if it is one.
    pub(crate) fn with<R>(f: impl FnOnce(Option<&Local>) -> R) -> R {
        // During the destruction of the thread's locals there is no worker any more.
        let mut f = Some(f);
        let result = LOCAL.try_with(|local| f.take().map(|f| f(local.get())));
        match result {
            Ok(Some(result)) => result,
            _ => f.take().map(|f| f(None)).expect("called once"),
        }
    }

    /// Returns what this worker counts in: this thread is its one writer.
    pub(crate) fn meter(&self) -> &Meter {
        &self.shared.workers[self.index].meter
    }

    /// Makes sure that somebody will look at work that this worker has made visible.
    pub(crate) fn notify(&self) {
        if self.shared.idle.notify() {
            self.meter().unparks.add(1);
        }
    }

    /// Queues a process that was woken or spawned here. What it displaces from the slot is for everybody.
    pub(crate) fn push(&self, process: LightProc) {
        if let Some(displaced) = self.lifo.replace(Some(process)) {
            self.queue.push(displaced);
            self.notify();
        }
    }

    /// Queues a process behind all others: one that has yielded. If others wait here too, somebody else may take one.
    pub(crate) fn push_back(&self, process: LightProc) {
        let lifo = self.lifo.take();
        let others = lifo.is_some() || !self.queue.is_empty();
        self.lifo.set(lifo);
        self.queue.push(process);
        if others {
            self.notify();
        }
    }

    /// Takes the next process of this worker's own. What stays is visible to the others: the slot is empty afterwards.
    pub(crate) fn pop(&self) -> Option<LightProc> {
        let woken = self.lifo.take();
        if woken.is_some() && (self.chain.get() < LIFO_CHAIN || self.queue.is_empty()) {
            self.chain.set(self.chain.get() + 1);
            return woken;
        }
        self.chain.set(0);
        if let Some(woken) = woken {
            self.queue.push(woken);
            self.notify();
        }
        self.queue.pop()
    }

    /// Makes the process in the slot visible to the other workers, before this thread blocks.
    pub(crate) fn flush(&self) {
        if let Some(process) = self.lifo.take() {
            self.queue.push(process);
        }
        if !self.queue.is_empty() {
            self.notify();
            if self.shared.is_closed() {
                // The others have stopped, or may have before they saw it.
                self.shared.drain();
            }
        }
    }
}

/// Calls `f` with the executor of this thread: the one that it has entered last, else its worker's.
pub(crate) fn with_current<R>(f: impl FnOnce(Option<&Arc<Shared>>) -> R) -> R {
    // During the destruction of the thread's locals nothing is entered any more.
    let entered = ENTERED.try_with(|entered| entered.borrow().last().cloned()).unwrap_or_default();
    match entered {
        Some(shared) => f(Some(&shared)),
        None => Local::with(|local| f(local.map(|local| &local.shared))),
    }
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
