//! [`Alarm`]: one timer for all the answers that a process waits for in its own code.
//!
//! Nearly every answer comes long before its time is over, so a timer for each would be set and taken back for nothing. This one stays
//! set when the answer has come: who waits later, mostly until later, finds that it rings in time. If it rings too early for those who
//! wait by then, they set it anew. So a process that asks all the time is polled once in vain for each time limit that passes.

use super::life::Life;
use crate::plan::Time;
use crate::runtime::Timer;
use crate::sync::lock;
use std::pin::Pin;
use std::ptr::null;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed};
use std::task::{Context, RawWakerVTable, Waker};

/// The alarm of one incarnation. Only its own code sets it and asks it, so nothing happens between a load and a store.
pub(crate) struct Alarm {
    /// Whom it wakes: the incarnation's task, by the two words of its waker. Nobody, if that was to end already.
    task: (AtomicPtr<()>, AtomicPtr<RawWakerVTable>),
    /// When it rings; not set, or gone off, if that is over.
    at: AtomicU64,
    timer: Mutex<Option<Box<Timer>>>,
}

impl Alarm {
    pub(super) fn of(task: Option<&Waker>) -> Alarm {
        let (data, vtable) =
            task.map_or((null(), null()), |task| (task.data(), std::ptr::from_ref(task.vtable())));
        let task = (AtomicPtr::new(data.cast_mut()), AtomicPtr::new(vtable.cast_mut()));
        Alarm { task, at: AtomicU64::new(0), timer: Mutex::new(None) }
    }

    /// Says whether it wakes whom this waker does. That of a future which polls others by wakers of its own is another one.
    pub(super) fn is_of(&self, waker: &Waker) -> bool {
        self.task.0.load(Relaxed).cast_const() == waker.data()
            && std::ptr::eq(self.task.1.load(Relaxed), waker.vtable())
    }

    /// Has the task of `life` woken at `deadline`, which lies ahead, or before.
    pub(super) fn ring_by(&self, deadline: Time, now: Time, life: &Life) {
        let at = self.at.load(Relaxed);
        if at <= now.as_nanos() || deadline.as_nanos() < at {
            self.set(deadline, now, life);
        }
    }

    #[cold]
    fn set(&self, deadline: Time, now: Time, life: &Life) {
        // One without a task is about to be polled for the last time.
        let Some(task) = life.task() else { return };
        let mut timer = Box::new(life.env().runtime().timer_after(deadline.since(now)));
        if Pin::new(&mut *timer).poll(&mut Context::from_waker(&task)).is_ready() {
            task.wake();
        }
        self.at.store(deadline.as_nanos(), Relaxed);
        let replaced = lock(&self.timer).replace(timer);
        drop(replaced);
    }

    /// Takes it back: the incarnation does not run any more.
    pub(super) fn stop(&self) {
        let timer = lock(&self.timer).take();
        drop(timer);
    }
}
