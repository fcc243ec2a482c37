//! [`Registry`]: a waker of each process of an owned executor that waits, so that the executor's end reaches it.
//!
//! A process enters when its first poll leaves it waiting, on the thread that polled it, and leaves when its future is dropped. So one that
//! is ready at its first poll never enters; one that has not been polled is in a queue, where the end finds it too. One list for each
//! worker, on its own cache lines: its lock is hardly ever contended, and no two workers write one line unless a process moves. Knows no
//! queue.

use crate::dedicated;
use crate::local::{self, Local};
use crate::shared::{Shared, own_turn};
use crate::sync::{AtomicBool, Condvar, Mutex, MutexGuard};
use crossbeam_utils::CachePadded;
use pin_project_lite::pin_project;
use slab::Slab;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

/// The processes of one executor that have waited, in one list a worker.
pub(crate) struct Registry {
    lists: Box<[Arc<CachePadded<List>>]>,
    bell: Arc<Bell>,
}

/// The processes that have waited on one worker first.
pub(crate) struct List {
    wakers: Mutex<Slab<Waker>>,
    bell: Arc<Bell>,
}

impl List {
    pub(crate) fn new(bell: Arc<Bell>) -> List {
        List { wakers: Mutex::default(), bell }
    }

    fn wakers(&self) -> MutexGuard<'_, Slab<Waker>> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    /// Of each worker's list, which all ring this bell.
    pub(crate) fn new(lists: Box<[Arc<CachePadded<List>>]>, bell: Arc<Bell>) -> Registry {
        Registry { lists, bell }
    }

    fn enter(&self, worker: usize, waker: Waker) -> Entry {
        let list = self.lists[worker].clone();
        let key = list.wakers().insert(waker);
        Entry { list, key }
    }

    /// Returns how many processes are in it.
    pub(crate) fn count(&self) -> usize {
        self.lists.iter().map(|list| list.wakers().len()).sum()
    }

    /// Makes all processes due that are in it.
    pub(crate) fn wake_all(&self) {
        for list in &self.lists {
            // A list of its own: whatever a wake leads to may have a process leave.
            let wakers: Vec<Waker> = list.wakers().iter().map(|(_, w)| w.clone()).collect();
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    /// Rung when a process leaves.
    pub(crate) fn bell(&self) -> &Bell {
        &self.bell
    }
}

/// A process's place in the registry. It goes with the process's future, which it is dropped behind.
struct Entry {
    list: Arc<CachePadded<List>>,
    key: usize,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let waker = self.list.wakers().remove(self.key);
        // After the lock: it may be the last that holds the process's memory.
        drop(waker);
        self.list.bell.ring();
    }
}

pin_project! {
    /// The future of a process of an owned executor.
    pub(crate) struct Listed<F> {
        #[pin]
        future: F,
        // Dropped behind the future: who is not in the registry, and not in a queue, has no future left.
        entry: Option<Entry>,
    }
}

impl<F: Future> Future for Listed<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let polled = this.future.poll(cx);
        if polled.is_pending() && this.entry.is_none() {
            *this.entry = enter(cx.waker());
        }
        polled
    }
}

/// Has the process enter that this thread polls: a worker, or its own.
#[cold]
fn enter(waker: &Waker) -> Option<Entry> {
    let enter = |shared: &Shared, worker: usize| {
        let entry = shared.registry.enter(worker, waker.clone());
        // Pairs with the look into the list after the close: either that finds the process, or this sees the close.
        if shared.is_closed() {
            waker.wake_by_ref();
        }
        entry
    };
    let here = Local::with(|local| local.map(|local| enter(&local.shared, local.index)));
    here.or_else(|| {
        let lists = |shared: &Shared| shared.workers.len();
        local::with_current(|current| {
            let own = current.filter(|shared| dedicated::is_of(shared))?;
            Some(enter(own, own_turn() % lists(own)))
        })
    })
}

/// Becomes a listed future, in the place where it will live, as [`InPlace`](crate::InPlace) does.
pub(crate) struct Listing<F>(pub(crate) F);

impl<F: IntoFuture> IntoFuture for Listing<F> {
    type Output = F::Output;
    type IntoFuture = Listed<F::IntoFuture>;

    #[inline(always)]
    fn into_future(self) -> Self::IntoFuture {
        Listed { future: self.0.into_future(), entry: None }
    }
}

/// Where one thread waits for what others do, who pay a look for it while nobody waits.
#[derive(Default)]
pub(crate) struct Bell {
    waiting: AtomicBool,
    lock: Mutex<()>,
    rung: Condvar,
}

impl Bell {
    /// Waits until `is_so`, which is asked again after each ring. By one thread at a time.
    pub(crate) fn wait(&self, is_so: impl Fn() -> bool) {
        // Before the look: who changes something after it rings.
        self.waiting.store(true, SeqCst);
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        while !is_so() {
            guard = self.rung.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        drop(guard);
        self.waiting.store(false, SeqCst);
    }

    /// Has the one who waits look again. After the change that it is about.
    pub(crate) fn ring(&self) {
        if self.waiting.load(SeqCst) {
            // Not between the look and the wait.
            drop(self.lock.lock());
            self.rung.notify_all();
        }
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("processes", &self.count()).finish_non_exhaustive()
    }
}
