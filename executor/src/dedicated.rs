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
use crate::skip::Pause;
use crate::sync::{self, Mutex, MutexGuard, thread, thread_local};
use crate::topology::CpuSet;
use lightproc::{LightProc, Polled, RecoverableHandle};
use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::ptr;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker, ready};

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
    /// There is no process, and there will be none.
    vacant: bool,
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

    /// Has the thread end, which waits for its process in vain.
    fn vacate(&self) {
        let thread = {
            let mut place = self.place();
            place.vacant = true;
            place.thread.take()
        };
        if let Some(thread) = thread {
            thread.wake();
        }
    }

    fn take(&self, cx: &Context<'_>) -> Poll<Option<LightProc>> {
        let mut place = self.place();
        match place.process.take() {
            None if !place.vacant => {
                place.thread = Some(cx.waker().clone());
                Poll::Pending
            }
            process => Poll::Ready(process),
        }
    }

    /// Polls the process whenever it is due. Ready when it has ended, when the executor has closed and it was dropped, and when there is none.
    fn serve(&self, shared: &Shared, cx: &Context<'_>) -> Poll<()> {
        while let Some(process) = ready!(self.take(cx)) {
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
        Poll::Ready(())
    }
}

/// Vacates the seat, unless it is kept from that: the making of a future is foreign code, and may panic.
struct Vacates<'a>(&'a Seat);

impl Drop for Vacates<'_> {
    fn drop(&mut self) {
        self.0.vacate();
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
        // A thread has the PUs of the one that has started it, which may be bound.
        let cpus = cpus.or_else(|| self.blocking.unbinding().cloned());
        let (shared, own, pause) = (self.clone(), seat.clone(), self.pause());
        let thread = self.blocking.thread("own").spawn(move || work(&shared, &own, cpus, pause));
        let thread = match thread {
            Ok(thread) => thread,
            Err(error) => return Err((error, future)),
        };
        {
            let mut threads = lock(&self.dedicated);
            threads.retain(|thread| !sync::has_ended(thread));
            threads.push(thread);
        }
        let schedule = {
            let seat = seat.clone();
            move |process| seat.put(process)
        };
        let vacates = Vacates(&seat);
        let (process, handle) = self.make(future, schedule);
        mem::forget(vacates);
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

fn work(shared: &Arc<Shared>, seat: &Seat, cpus: Option<CpuSet>, pause: Pause) {
    if let Some(cpus) = cpus
        && let Err(error) = affinity::bind_current(cpus.as_slice())
    {
        tracing::warn!(%error, "the thread of a process runs unbound");
    }
    let _ = OWNER.try_with(|owner| owner.set(Arc::as_ptr(shared)));
    let _entered = local::enter(shared.clone());
    let mut pause = Some(pause);
    let serve = poll_fn(|cx| {
        // From the first poll on `block_on` sees to this.
        pause.take();
        seat.serve(shared, cx)
    });
    shared.end.bridge().within(|| park::block_on(serve));
}
