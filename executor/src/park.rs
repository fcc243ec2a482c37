//! Running a future on a thread that waits: the thread parks, its waker unparks it.

use crate::budget;
use crate::local::Local;
use crate::parker::Parker;
use crate::shared::Shared;
use crate::worker;
use pin_utils::pin_mut;
use std::cell::RefCell;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

struct Unpark {
    parker: Arc<Parker>,
    /// Tells a wake of ours from one that was meant for somebody else on this thread.
    woken: AtomicBool,
    /// Whose clock stands still while this thread does something, or has been woken to.
    counted_by: Option<Arc<Shared>>,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release pairs with the Acquire in `is_woken`.
        if !self.woken.swap(true, Ordering::AcqRel) {
            self.count(true);
            self.parker.unpark();
        }
    }
}

impl Unpark {
    fn new(counted_by: Option<Arc<Shared>>) -> (Arc<Unpark>, Waker) {
        let worker = Local::with(|local| local.map(|local| local.parker.clone()));
        let parker = worker.unwrap_or_else(|| Arc::new(Parker::new()));
        let unpark = Arc::new(Unpark { parker, woken: AtomicBool::new(false), counted_by });
        let waker = Waker::from(unpark.clone());
        (unpark, waker)
    }

    /// Waits until it is woken.
    fn wait(&self) {
        // Who wakes counts the thread again before it runs.
        self.count(false);
        let is_woken = || self.woken.swap(false, Ordering::Acquire);
        Local::with(|local| match local {
            Some(local) => worker::wait_inside(local, is_woken),
            None => {
                while !is_woken() {
                    self.parker.park(None);
                }
            }
        });
    }

    fn count(&self, busy: bool) {
        if let Some(shared) = &self.counted_by {
            shared.count_runner(busy);
        }
    }
}

thread_local! {
    /// The thread's own, taken while it is in use: a `block_on` inside a `block_on` makes another.
    static CACHED: RefCell<Option<(Arc<Unpark>, Waker)>> = const { RefCell::new(None) };
}

/// Polls the future on this thread until it is ready.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let cached = CACHED.try_with(RefCell::take).unwrap_or_default();
    let cached = cached.unwrap_or_else(|| Unpark::new(None));
    let output = poll_until_ready(future, &cached.0, &cached.1);
    let _ = CACHED.try_with(|place| place.replace(Some(cached)));
    output
}

/// Polls the future on this thread until it is ready. The executor's clock, which is one that skips, does not while the thread has something
/// to do.
pub(crate) fn block_on_counted<F: Future>(future: F, shared: &Arc<Shared>) -> F::Output {
    struct End(Arc<Unpark>);
    impl Drop for End {
        fn drop(&mut self) {
            self.0.count(false);
            // A wake that came too late has counted the thread as well; none will after this.
            if self.0.woken.swap(true, Ordering::AcqRel) {
                self.0.count(false);
            }
        }
    }
    let (unpark, waker) = Unpark::new(Some(shared.clone()));
    unpark.count(true);
    let end = End(unpark);
    poll_until_ready(future, &end.0, &waker)
}

fn poll_until_ready<F: Future>(future: F, unpark: &Unpark, waker: &Waker) -> F::Output {
    let mut cx = Context::from_waker(waker);
    pin_mut!(future);
    loop {
        // Nobody else would poll it again when its budget is spent.
        if let Poll::Ready(output) = budget::unlimited(|| future.as_mut().poll(&mut cx)) {
            return output;
        }
        unpark.wait();
    }
}
