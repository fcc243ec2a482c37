//! Running a future on a thread that waits: the thread parks, its waker unparks it.

use crate::budget;
use crate::local::{self, Local};
use crate::parker::Parker;
use crate::shared::Shared;
use crate::sync::{AtomicBool, thread_local};
use crate::timer::Clock;
use crate::work;
use pin_utils::pin_mut;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
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
            Some(local) => work::wait_inside(local, is_woken),
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
    /// The executor whose clock this thread is counted for; only told from others.
    static COUNTED: Cell<*const Shared> = const { Cell::new(std::ptr::null()) };
}

/// Polls the future on this thread until it is ready. A clock that skips, of the executor that this thread is in, does not while the
/// thread has something to do.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    if Clock::any_skips() {
        let current = local::with_current(|current| current.cloned());
        if let Some(shared) = current.filter(|shared| shared.clock.skips()) {
            return block_on_counted(future, &shared);
        }
    }
    let cached = CACHED.try_with(RefCell::take).unwrap_or_default();
    let cached = cached.unwrap_or_else(|| Unpark::new(None));
    let output = poll_until_ready(future, &cached.0, &cached.1);
    let _ = CACHED.try_with(|place| place.replace(Some(cached)));
    output
}

fn block_on_counted<F: Future>(future: F, shared: &Arc<Shared>) -> F::Output {
    let (unpark, waker) = Unpark::new(Some(shared.clone()));
    let _counted = Counted::new(shared);
    let end = End(unpark);
    poll_until_ready(future, &end.0, &waker)
}

/// The thread is counted as one that does something, unless it was so before, by a `block_on` around this one.
struct Counted<'a> {
    shared: &'a Shared,
    around: *const Shared,
    inside: bool,
}

impl<'a> Counted<'a> {
    fn new(shared: &'a Arc<Shared>) -> Counted<'a> {
        let around = COUNTED.with(|counted| counted.replace(Arc::as_ptr(shared)));
        let is_new = around != Arc::as_ptr(shared);
        let is_worker = |local: &Local| Arc::ptr_eq(&local.shared, shared);
        let inside = is_new && Local::with(|local| local.is_some_and(is_worker));
        if is_new {
            shared.count_runner(true);
        }
        if inside {
            shared.count_inside(true);
        }
        Counted { shared, around, inside }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        COUNTED.with(|counted| counted.set(self.around));
        if self.inside {
            self.shared.count_inside(false);
        }
        if !std::ptr::eq(self.around, self.shared) {
            self.shared.count_runner(false);
        }
    }
}

/// Ends the counting of wakes: one that comes later must not count the thread.
struct End(Arc<Unpark>);

impl Drop for End {
    fn drop(&mut self) {
        if self.0.woken.swap(true, Ordering::AcqRel) {
            self.0.count(false);
        }
    }
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
