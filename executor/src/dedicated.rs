//! Processes with a thread of their own, which may block: no worker waits behind them.
//!
//! The thread waits in `block_on` for its [`Seat`], where whoever wakes the process puts it. It enters the executor as a thread in
//! [`run`](crate::Executor::run) does: timers and what is spawned go to the workers. When the executor closes, the process is woken by
//! the registry, as every one that waits, and dropped by its own thread.

use crate::affinity;
use crate::budget;
use crate::local;
use crate::park;
use crate::shared::Shared;
use crate::sync::{Mutex, MutexGuard, thread, thread_local};
use crate::topology::CpuSet;
use lightproc::{LightProc, Polled, RecoverableHandle};
use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::ptr;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

thread_local! {
    /// The executor that this thread is one process's own of; only told from others.
    static OWNER: Cell<*const Shared> = const { Cell::new(ptr::null()) };
}

/// Says whether the calling thread is the own one of a process of this executor.
pub(crate) fn is_of(shared: &Shared) -> bool {
    OWNER.try_with(|owner| ptr::eq(owner.get(), shared)).unwrap_or(false)
}

/// The threads of an executor that are one process's own each.
pub(crate) type Threads = Mutex<Vec<thread::JoinHandle<()>>>;

/// Where a process that is due waits for its thread.
#[derive(Default)]
struct Seat(Mutex<Place>);

#[derive(Default)]
struct Place {
    process: Option<LightProc>,
    thread: Option<Waker>,
}

impl Seat {
    fn place(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the process polled. It is in one place at a time, so there is no other one.
    fn put(&self, process: LightProc) {
        let thread = {
            let mut place = self.place();
            place.process = Some(process);
            place.thread.take()
        };
        if let Some(thread) = thread {
            thread.wake();
        }
    }

    fn take(&self, cx: &Context<'_>) -> Option<LightProc> {
        let mut place = self.place();
        let process = place.process.take();
        if process.is_none() {
            place.thread = Some(cx.waker().clone());
        }
        process
    }

    /// Polls the process whenever it is due. Ready when it has ended, or when the executor has closed and it was dropped.
    fn serve(&self, shared: &Shared, cx: &Context<'_>) -> Poll<()> {
        while let Some(process) = self.take(cx) {
            if shared.is_closed() {
                drop(process);
                return Poll::Ready(());
            }
            budget::refill();
            match process.poll() {
                Polled::Woken(process) => self.put(process),
                Polled::Waiting => {}
                Polled::Ended => return Poll::Ready(()),
            }
        }
        Poll::Pending
    }
}

impl Shared {
    /// Runs a future as a process on a thread of its own, bound to these PUs, else free to use all that the program may.
    ///
    /// # Errors
    /// When the system refuses the thread; the future comes back.
    pub(crate) fn spawn_dedicated<F>(
        self: &Arc<Self>,
        cpus: Option<CpuSet>,
        future: F,
    ) -> Result<RecoverableHandle<F::Output>, (io::Error, F)>
    where
        F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
    {
        let seat = Arc::<Seat>::default();
        // A thread has the PUs of the one that has started it, which may be a worker.
        let cpus = cpus.or_else(|| self.blocking.cpus().cloned());
        let (shared, own) = (self.clone(), seat.clone());
        let thread = self.blocking.thread("own").spawn(move || work(&shared, &own, cpus));
        let thread = match thread {
            Ok(thread) => thread,
            Err(error) => return Err((error, future)),
        };
        {
            let mut threads = lock(&self.dedicated);
            threads.retain(|thread| !thread.is_finished());
            threads.push(thread);
        }
        let schedule = {
            let seat = seat.clone();
            move |process| seat.put(process)
        };
        let (process, handle) = self.make(future, schedule);
        seat.put(process);
        Ok(handle)
    }

    /// Waits for the threads of processes that have one of their own. After the close, by the thread that drops the executor.
    pub(crate) fn join_dedicated(&self) {
        let threads = std::mem::take(&mut *lock(&self.dedicated));
        for thread in threads {
            // The process on it may be who drops the executor.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

fn lock(threads: &Threads) -> MutexGuard<'_, Vec<thread::JoinHandle<()>>> {
    threads.lock().unwrap_or_else(PoisonError::into_inner)
}

fn work(shared: &Arc<Shared>, seat: &Seat, cpus: Option<CpuSet>) {
    if let Some(cpus) = cpus
        && let Err(error) = affinity::bind_current(cpus.as_slice())
    {
        tracing::warn!(%error, "the thread of a process runs unbound");
    }
    let _ = OWNER.try_with(|owner| owner.set(Arc::as_ptr(shared)));
    let _entered = local::enter(shared.clone());
    shared.end.bridge().within(|| park::block_on(poll_fn(|cx| seat.serve(shared, cx))));
}
