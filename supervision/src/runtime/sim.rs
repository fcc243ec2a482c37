//! A simulation: all processes on the calling thread, in an order that a seed fixes, under a clock that jumps.
//!
//! When nothing can run, the time is the next timer's. An hour passes in no time, and a failure comes again with its seed.

use crate::process::guard;
use crate::sync::lock;
use crate::weak_list::WeakList;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// A runtime with virtual time and a seeded order of execution, for tests.
///
/// Cloning it gives another handle. When the last one is dropped, so are the processes that are in it, because nobody could run
/// them: they end as killed. One that has a handle itself keeps the simulation, and with that itself, until it has ended for good.
///
/// # Examples
/// ```
/// use bastion_supervision::Sim;
/// use std::time::Duration;
/// let sim = Sim::new(1);
/// let start = std::time::Instant::now();
/// sim.run(sim.sleep(Duration::from_secs(3600)));
/// assert_eq!(sim.now(), Duration::from_secs(3600));
/// assert!(start.elapsed() < Duration::from_secs(60));
/// ```
#[derive(Clone)]
pub struct Sim(Arc<Handle>);

/// The right to run a simulation. Dropped, it closes it.
struct Handle(Arc<Inner>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A simulation, as its processes see it.
pub(super) struct Inner {
    state: Mutex<State>,
}

struct State {
    /// Nobody can run it any more: nothing waits in it.
    closed: bool,
    ready: Vec<Arc<Task>>,
    /// All, ready or not: who waits is kept by its wakers only.
    tasks: WeakList<Task>,
    timers: BTreeMap<(Duration, u64), Waker>,
    last_timer: u64,
    now: Duration,
    order: fastrand::Rng,
}

struct Task {
    future: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
    is_ready: AtomicBool,
    sim: Weak<Inner>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if !self.is_ready.swap(true, SeqCst)
            && let Some(sim) = self.sim.upgrade()
        {
            let mut state = lock(&sim.state);
            if !state.closed {
                state.ready.push(self);
            }
        }
    }
}

struct MainWaker(AtomicBool);

impl Wake for MainWaker {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

impl Sim {
    /// Makes a simulation whose order of execution follows from `seed`.
    pub fn new(seed: u64) -> Sim {
        let state = State {
            closed: false,
            ready: Vec::new(),
            tasks: WeakList::new(),
            timers: BTreeMap::new(),
            last_timer: 0,
            now: Duration::ZERO,
            order: fastrand::Rng::with_seed(seed),
        };
        Sim(Arc::new(Handle(Arc::new(Inner { state: Mutex::new(state) }))))
    }

    /// Returns the virtual time since the simulation was made.
    pub fn now(&self) -> Duration {
        self.inner().now()
    }

    /// Waits for a virtual time.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        self.inner().timer(duration)
    }

    /// Runs a future and all processes on this thread until the future is ready.
    ///
    /// # Panics
    /// When nothing can ever run again and the future is not ready: a deadlock.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let main = Arc::new(MainWaker(AtomicBool::new(true)));
        let waker = Waker::from(main.clone());
        loop {
            if main.0.swap(false, SeqCst)
                && let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker))
            {
                return output;
            }
            if let Some(task) = self.inner().next_task() {
                task.poll();
            } else if !main.0.load(SeqCst) && !self.inner().advance() {
                panic!("the simulation is deadlocked: nothing is ready and no timer is set");
            }
        }
    }

    pub(super) fn inner(&self) -> &Arc<Inner> {
        &self.0.0
    }
}

impl Inner {
    pub(super) fn spawn(self: &Arc<Self>, future: impl Future<Output = ()> + Send + 'static) {
        let task = Arc::new(Task {
            future: Mutex::new(Some(Box::pin(future))),
            is_ready: AtomicBool::new(false),
            sim: Arc::downgrade(self),
        });
        lock(&self.state).tasks.push(&task);
        // If the simulation is closed, this drops it.
        task.wake();
    }

    pub(super) fn now(&self) -> Duration {
        lock(&self.state).now
    }

    pub(super) fn random(&self) -> u64 {
        lock(&self.state).order.u64(..)
    }

    pub(super) fn timer(self: &Arc<Self>, duration: Duration) -> SimTimer {
        let deadline = self.now().saturating_add(duration);
        SimTimer { sim: Arc::downgrade(self), deadline, key: None }
    }

    fn next_task(&self) -> Option<Arc<Task>> {
        let mut state = lock(&self.state);
        let count = state.ready.len();
        if count == 0 {
            return None;
        }
        let chosen = state.order.usize(..count);
        Some(state.ready.swap_remove(chosen))
    }

    /// Moves the clock to the next timers and wakes them. False: there is none.
    fn advance(&self) -> bool {
        let due = {
            let mut state = lock(&self.state);
            let Some((&(time, _), _)) = state.timers.first_key_value() else { return false };
            state.now = state.now.max(time);
            let later = state.timers.split_off(&(time, u64::MAX));
            std::mem::replace(&mut state.timers, later)
        };
        due.into_values().for_each(Waker::wake);
        true
    }

    /// Drops all processes, and what waits.
    fn close(&self) {
        let (tasks, waiting) = {
            let mut state = lock(&self.state);
            state.closed = true;
            let waiting = (std::mem::take(&mut state.ready), std::mem::take(&mut state.timers));
            (state.tasks.take(), waiting)
        };
        // What they drop is foreign code, which may look at the simulation.
        for task in tasks {
            let future = lock(&task.future).take();
            guard::contain(|| drop(future));
        }
        drop(waiting);
    }
}

impl Task {
    fn poll(self: Arc<Self>) {
        self.is_ready.store(false, SeqCst);
        let waker = Waker::from(self.clone());
        let mut slot = lock(&self.future);
        if let Some(future) = &mut *slot
            && future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()
        {
            let ended = slot.take();
            drop(slot);
            drop(ended);
        }
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim").field("now", &self.now()).finish_non_exhaustive()
    }
}

/// A timer on virtual time. It does not keep the simulation alive.
pub(crate) struct SimTimer {
    sim: Weak<Inner>,
    deadline: Duration,
    key: Option<(Duration, u64)>,
}

impl Future for SimTimer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(sim) = self.sim.upgrade() else { return Poll::Pending };
        let mut state = lock(&sim.state);
        if state.now >= self.deadline {
            return Poll::Ready(());
        }
        if state.closed {
            return Poll::Pending;
        }
        let key = self.key.unwrap_or_else(|| {
            state.last_timer += 1;
            (self.deadline, state.last_timer)
        });
        let replaced = state.timers.insert(key, cx.waker().clone());
        drop(state);
        drop(replaced);
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for SimTimer {
    fn drop(&mut self) {
        if let (Some(key), Some(sim)) = (self.key, self.sim.upgrade()) {
            let taken = lock(&sim.state).timers.remove(&key);
            drop(taken);
        }
    }
}
