//! What the tests of the local executor share: futures that tell how often, and where, they were dropped.

use bastion_executor::{LocalExecutor, LocalHandle, Panic};
use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::thread::{self, ThreadId};

/// Panics are noted, and not printed. All tests set the same hook, for they run at once.
pub(crate) fn quiet() {
    std::panic::set_hook(Box::new(Panic::note));
}

/// Counts its drops, and says on which thread they must be.
pub(crate) struct Guard {
    dropped: Rc<Cell<usize>>,
    thread: ThreadId,
}

impl Guard {
    /// Expects to be dropped on the calling thread.
    pub(crate) fn new(dropped: &Rc<Cell<usize>>) -> Guard {
        Guard { dropped: dropped.clone(), thread: thread::current().id() }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // A panic here would be swallowed: the count tells.
        if thread::current().id() == self.thread {
            self.dropped.set(self.dropped.get() + 1);
        }
    }
}

/// A process that never ends by itself: it gives its waker away at each poll.
pub(crate) fn waiting(
    executor: &LocalExecutor,
    guard: Guard,
    wakers: mpsc::Sender<Waker>,
) -> LocalHandle<()> {
    executor.spawn_local(async move {
        let _guard = guard;
        poll_fn(|cx| {
            let _ = wakers.send(cx.waker().clone());
            Poll::<()>::Pending
        })
        .await;
    })
}
