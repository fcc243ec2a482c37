//! What a local executor keeps: its queue, the list of its processes, and the door through which other threads reach it.
//!
//! The thread's own wakes take the short way, into a queue that only this thread sees. All other wakes go through the door.

use crate::local::Local;
use lightproc::{LightProc, Polled};
use slab::Slab;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread::{self, Thread};

/// How many processes run before the main future and the door are looked at again.
const TURN: usize = 64;

thread_local! {
    /// The local executor that runs on this thread, or is being dropped on it.
    static CURRENT: RefCell<Option<Rc<Own>>> = const { RefCell::new(None) };
}

/// Returns the local executor that runs on this thread.
pub(super) fn current() -> Option<Rc<Own>> {
    // During the destruction of the thread's locals none runs.
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// Makes `own` the current one until the guard is dropped.
pub(super) fn enter(own: &Rc<Own>) -> Entered {
    let before = CURRENT.try_with(|current| current.replace(Some(own.clone())));
    Entered { before: before.ok().flatten() }
}

/// Goes back to the local executor that was current before.
pub(super) struct Entered {
    before: Option<Rc<Own>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let left = CURRENT.try_with(|current| current.replace(self.before.take()));
        drop(left);
    }
}

/// What wakers hold, on whatever thread: it owns nothing that must stay on the executor's, as soon as the executor is dropped.
pub(super) struct Door {
    /// The processes that were woken elsewhere, or while the executor did not run.
    woken: Mutex<Vec<LightProc>>,
    /// Somebody has called since the thread looked last.
    called: AtomicBool,
    thread: Thread,
}

impl Door {
    /// Queues a process that is due.
    pub(super) fn schedule(self: &Arc<Self>, process: LightProc) {
        // The executor is the current one only on its own thread.
        match current().filter(|own| Arc::ptr_eq(&own.door, self)) {
            Some(own) => own.push(process),
            None => {
                self.woken().push(process);
                self.call();
            }
        }
    }

    /// Has the thread look again, if it parks or is about to.
    pub(super) fn call(&self) {
        // Release pairs with the Acquire of the thread's look: it sees what the call is about.
        if !self.called.swap(true, Ordering::AcqRel) {
            self.thread.unpark();
        }
    }

    fn woken(&self) -> MutexGuard<'_, Vec<LightProc>> {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether somebody has called since the last time.
    fn was_called(&self) -> bool {
        self.called.load(Ordering::Relaxed) && self.called.swap(false, Ordering::AcqRel)
    }
}

/// A local executor, as its thread sees it.
pub(super) struct Own {
    pub(super) door: Arc<Door>,
    queue: RefCell<VecDeque<LightProc>>,
    /// A waker of each process whose future is there: what waits can be made due, and so be dropped.
    processes: RefCell<Slab<Waker>>,
}

impl Own {
    pub(super) fn new() -> Own {
        let (woken, called) = (Mutex::default(), AtomicBool::new(false));
        Own {
            door: Arc::new(Door { woken, called, thread: thread::current() }),
            queue: RefCell::default(),
            processes: RefCell::default(),
        }
    }

    /// Queues a process behind all others.
    pub(super) fn push(&self, process: LightProc) {
        self.queue.borrow_mut().push_back(process);
    }

    fn pop(&self) -> Option<LightProc> {
        self.queue.borrow_mut().pop_front()
    }

    /// Takes in what came through the door, and runs some of what is due.
    pub(super) fn turn(&self) {
        if self.door.was_called() {
            self.take_in();
        }
        // What becomes due meanwhile has its turn after the main future's.
        let due = self.queue.borrow().len().min(TURN);
        for process in (0..due).map_while(|_| self.pop()) {
            match process.poll() {
                Polled::Woken(process) => self.push(process),
                Polled::Waiting | Polled::Ended => {}
            }
        }
    }

    fn take_in(&self) {
        self.queue.borrow_mut().extend(self.door.woken().drain(..));
    }

    /// Says that no process is due that this thread knows of.
    pub(super) fn is_idle(&self) -> bool {
        self.queue.borrow().is_empty()
    }

    /// Parks the thread until somebody calls, and takes in what came.
    pub(super) fn wait(&self) {
        // A worker that waits here must not sit on a process that others could run.
        Local::with(|local| local.map(Local::flush));
        while !self.door.was_called() {
            thread::park();
        }
        self.take_in();
    }

    /// Drops the futures of all processes.
    ///
    /// The queue first, and the waiting ones are woken into it; then whatever destructors spawn. It ends when the last future has
    /// left: a process that another thread has woken a moment ago and not yet brought to the door is waited for, since its
    /// future must be dropped here.
    pub(super) fn drop_all(&self) {
        // A list of its own: a destructor may end and spawn processes.
        let wakers: Vec<Waker> = self.processes.borrow().iter().map(|(_, w)| w.clone()).collect();
        wakers.into_iter().for_each(Waker::wake);
        while self.count() > 0 {
            match self.pop() {
                Some(process) => drop(process),
                None => self.wait(),
            }
        }
    }

    /// Returns how many processes there are.
    pub(super) fn count(&self) -> usize {
        self.processes.borrow().len()
    }

    /// Adds a process to the list, without its waker, which can be had only when it is made.
    pub(super) fn admit(self: &Rc<Self>) -> Entry {
        let key = self.processes.borrow_mut().insert(Waker::noop().clone());
        Entry { own: self.clone(), key }
    }

    /// Adds the waker of a process that was admitted.
    pub(super) fn complete(&self, key: usize, waker: Waker) {
        self.processes.borrow_mut()[key] = waker;
    }
}

/// A process's place in the list. It goes with the process's future, which it is dropped behind.
pub(super) struct Entry {
    own: Rc<Own>,
    pub(super) key: usize,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let waker = self.own.processes.borrow_mut().remove(self.key);
        // After the borrow: it may be the last that holds the process's memory.
        drop(waker);
    }
}
