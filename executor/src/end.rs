//! The end of an executor: every process of it is dropped, wherever it is.
//!
//! After the close no worker begins a poll. What is queued, becomes due or is spawned then is dropped by whoever sweeps: the thread that drops
//! the executor, or, while that waits for the workers and after it has left, a thread made for it. Not by whoever wakes or spawns: dropping
//! a future runs foreign code, and that thread may be under a lock which the code wants. Processes that wait are in the
//! [registry](crate::registry), and are made due.
//!
//! One sweeps at a time. `asked` counts what has come since, so that the role is given back only when nothing has: a sweep that ends
//! and a process that comes cannot miss each other.

use crate::dedicated;
use crate::local::{self, Local};
use crate::shared::Shared;
use crate::sync::{AtomicUsize, thread};
use crate::tokio_bridge::Bridge;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

/// Who drops what is left when an executor has closed.
#[derive(Debug)]
pub(crate) struct End {
    /// 0: nobody sweeps. Else it grows whenever there may be something new.
    asked: AtomicUsize,
    /// What destructors may need, too, and threads that processes have of their own.
    bridge: Bridge,
}

impl End {
    pub(crate) fn new(bridge: Bridge) -> End {
        End { asked: AtomicUsize::new(0), bridge }
    }

    pub(crate) fn bridge(&self) -> &Bridge {
        &self.bridge
    }
}

impl Shared {
    /// Has what is queued dropped: by whoever sweeps, else on a thread of its own.
    #[cold]
    pub(crate) fn sweep_elsewhere(self: &Arc<Self>) {
        if self.end.asked.fetch_add(1, SeqCst) > 0 {
            self.registry.bell().ring();
            return;
        }
        let shared = self.clone();
        let sweep = move || shared.end.bridge.within(|| shared.sweep());
        if let Err(error) = thread::Builder::new().name("executor-end".into()).spawn(sweep) {
            tracing::warn!(%error, "the machine refuses a thread: futures are dropped where they are woken");
            self.sweep();
        }
    }

    /// Drops the processes that wait now, and what is queued, on this thread unless another sweeps. A worker that waits, in its poll, for one
    /// of them goes on then. After the close, and by each worker that stops.
    pub(crate) fn sweep_waiting(self: &Arc<Self>) {
        let is_mine = self.end.asked.fetch_add(1, SeqCst) == 0;
        self.registry.wake_all();
        if is_mine {
            self.sweep();
        }
    }

    /// Drops what there is until nothing has come since, and gives the role back.
    fn sweep(self: &Arc<Self>) {
        // What destructors spawn belongs here, and is dropped as well.
        let _entered = local::enter(self.clone());
        loop {
            let asked = self.end.asked.load(SeqCst);
            self.drain();
            if self.end.asked.compare_exchange(asked, 0, SeqCst, SeqCst).is_ok() {
                return self.registry.bell().ring();
            }
        }
    }

    /// Drops all processes, and waits for those that another thread is just bringing here, or dropping. After the workers have stopped,
    /// by the thread that drops the executor, and has entered it.
    ///
    /// If that is one of its workers, or a process's own thread, the process that it polls stays until the end of the poll.
    pub(crate) fn finish(self: &Arc<Self>) {
        let (asked, bell) = (&self.end.asked, self.registry.bell());
        let is_worker = |local: Option<&Local>| local.is_some_and(|l| Arc::ptr_eq(&l.shared, self));
        let mine = usize::from(Local::with(is_worker) || dedicated::is_of(self));
        bell.wait(|| asked.compare_exchange(0, 1, SeqCst, SeqCst).is_ok());
        self.registry.wake_all();
        loop {
            let seen = asked.load(SeqCst);
            self.drain();
            let is_over = || self.registry.count() <= mine;
            if is_over() && asked.compare_exchange(seen, 0, SeqCst, SeqCst).is_ok() {
                return;
            }
            bell.wait(|| asked.load(SeqCst) != seen || is_over());
        }
    }
}
