//! Running a future on a thread that waits: the thread parks, its waker unparks it.

use crate::local::Local;
use pin_utils::pin_mut;
use std::cell::RefCell;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

struct Unpark {
    thread: Thread,
    /// Tells a wake of ours from one that was meant for somebody else on this thread.
    woken: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release pairs with the Acquire in `block_on`.
        if !self.woken.swap(true, Ordering::AcqRel) {
            self.thread.unpark();
        }
    }
}

impl Unpark {
    fn new() -> (Arc<Unpark>, Waker) {
        let unpark =
            Arc::new(Unpark { thread: std::thread::current(), woken: AtomicBool::new(false) });
        let waker = Waker::from(unpark.clone());
        (unpark, waker)
    }
}

thread_local! {
    /// The thread's own, taken while it is in use: a `block_on` inside a `block_on` makes another.
    static CACHED: RefCell<Option<(Arc<Unpark>, Waker)>> = const { RefCell::new(None) };
}

/// Polls the future on this thread until it is ready.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let cached = CACHED.try_with(RefCell::take).unwrap_or_default();
    let (unpark, waker) = cached.unwrap_or_else(Unpark::new);
    let mut cx = Context::from_waker(&waker);
    pin_mut!(future);
    let output = loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            break output;
        }
        // A worker that waits here must not sit on a process that others could run.
        Local::with(|local| local.map(Local::flush));
        while !unpark.woken.swap(false, Ordering::Acquire) {
            std::thread::park();
        }
    };
    let _ = CACHED.try_with(|cached| cached.replace(Some((unpark, waker))));
    output
}
