//! A simulation: all processes on the calling thread, in an order that a seed fixes, under a clock that jumps.
//!
//! When nothing can run, the time is the next timer's. An hour passes in no time, and a failure comes again with its seed.

use crate::sync::lock;
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
pub struct Sim(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
}

struct State {
    ready: Vec<Arc<Task>>,
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
            lock(&sim.state).ready.push(self);
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
            ready: Vec::new(),
            timers: BTreeMap::new(),
            last_timer: 0,
            now: Duration::ZERO,
            order: fastrand::Rng::with_seed(seed),
        };
        Sim(Arc::new(Inner { state: Mutex::new(state) }))
    }

    /// Returns the virtual time since the simulation was made.
    pub fn now(&self) -> Duration {
        lock(&self.0.state).now
    }

    /// Waits for a virtual time.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        self.timer(duration)
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
            if let Some(task) = self.next_task() {
                Sim::poll(task);
            } else if !main.0.load(SeqCst) && !self.advance() {
                panic!("the simulation is deadlocked: nothing is ready and no timer is set");
            }
        }
    }

    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let task = Task {
            future: Mutex::new(Some(Box::pin(future))),
            is_ready: AtomicBool::new(false),
            sim: Arc::downgrade(&self.0),
        };
        Arc::new(task).wake();
    }

    pub(crate) fn timer(&self, duration: Duration) -> SimTimer {
        let deadline = self.now().saturating_add(duration);
        SimTimer { sim: Arc::downgrade(&self.0), deadline, key: None }
    }

    fn next_task(&self) -> Option<Arc<Task>> {
        let mut state = lock(&self.0.state);
        let count = state.ready.len();
        if count == 0 {
            return None;
        }
        let chosen = state.order.usize(..count);
        Some(state.ready.swap_remove(chosen))
    }

    fn poll(task: Arc<Task>) {
        task.is_ready.store(false, SeqCst);
        let waker = Waker::from(task.clone());
        let mut slot = lock(&task.future);
        if let Some(future) = &mut *slot
            && future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()
        {
            let ended = slot.take();
            drop(slot);
            drop(ended);
        }
    }

    /// Moves the clock to the next timers and wakes them. False: there is none.
    fn advance(&self) -> bool {
        let due = {
            let mut state = lock(&self.0.state);
            let Some((&(time, _), _)) = state.timers.first_key_value() else { return false };
            state.now = state.now.max(time);
            let later = state.timers.split_off(&(time, u64::MAX));
            std::mem::replace(&mut state.timers, later)
        };
        due.into_values().for_each(Waker::wake);
        true
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
