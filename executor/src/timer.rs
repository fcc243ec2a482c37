//! Timers: one thread that sleeps until the earliest deadline, and wakes whoever waits for it.
//!
//! The thread starts with the first timer and is woken only by a deadline, or by a timer that comes before all others.

use lightproc::Panic;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// A deadline, and a number that tells equal deadlines apart.
type Key = (Instant, u64);

struct Timers {
    waiting: BTreeMap<Key, Waker>,
    last: u64,
    /// The thread has been started.
    running: bool,
    /// When the thread wakes up by itself; `None`: not before it is told.
    alarm: Option<Instant>,
}

static TIMERS: Mutex<Timers> =
    Mutex::new(Timers { waiting: BTreeMap::new(), last: 0, running: false, alarm: None });
static EARLIER: Condvar = Condvar::new();

fn lock() -> MutexGuard<'static, Timers> {
    TIMERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A future that is ready after a time.
///
/// # Cancel safety
/// Dropping it takes the timer back.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Sleep {
    /// `None`: beyond what the clock can tell.
    deadline: Option<Instant>,
    key: Option<Key>,
    /// Made a moment ago, with its deadline ahead.
    fresh: bool,
}

/// Waits for `duration`. A duration that ends beyond what the clock can tell waits for ever.
///
/// # Panics
/// Polling it panics when the machine refuses the timer thread.
///
/// # Examples
/// ```
/// use std::time::{Duration, Instant};
/// let start = Instant::now();
/// bastion_executor::run(bastion_executor::sleep(Duration::from_millis(10)));
/// assert!(start.elapsed() >= Duration::from_millis(10));
/// ```
pub fn sleep(duration: Duration) -> Sleep {
    let deadline = Instant::now().checked_add(duration);
    Sleep { deadline, key: None, fresh: !duration.is_zero() }
}

/// Waits until `deadline`.
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep { deadline: Some(deadline), key: None, fresh: false }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else { return Poll::Pending };
        // A look at the clock costs more than all the rest; what was just made is not over.
        if !std::mem::take(&mut self.fresh) && Instant::now() >= deadline {
            self.cancel();
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        let mut timers = lock();
        if !timers.running {
            let started = thread::Builder::new().name("timer".into()).spawn(run);
            if let Err(error) = started {
                drop(timers);
                panic!("the machine refuses the timer thread: {error}");
            }
            timers.running = true;
        }
        let key = self.key.unwrap_or_else(|| timers.next_key(deadline));
        // Replaces the waker, or arms the timer again if it has just fired.
        let replaced = timers.waiting.insert(key, waker);
        let earliest = timers.alarm.is_none_or(|alarm| deadline < alarm);
        if earliest {
            timers.alarm = Some(deadline);
        }
        drop(timers);
        self.key = Some(key);
        // Outside the lock: a waker's destructor may drop a future, and that one its timers.
        drop(replaced);
        if earliest {
            EARLIER.notify_one();
        }
        Poll::Pending
    }
}

impl Timers {
    fn next_key(&mut self, deadline: Instant) -> Key {
        self.last += 1;
        (deadline, self.last)
    }
}

impl Sleep {
    fn cancel(&mut self) {
        if let Some(key) = self.key.take() {
            // Dropped outside the lock, as in `poll`.
            let waker = lock().waiting.remove(&key);
            drop(waker);
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.cancel();
    }
}

fn run() {
    let mut due = Vec::new();
    let mut timers = lock();
    loop {
        let now = Instant::now();
        while let Some(first) = timers.waiting.first_entry()
            && first.key().0 <= now
        {
            due.push(first.remove());
        }
        timers.alarm = timers.waiting.first_key_value().map(|(key, _)| key.0);
        if !due.is_empty() {
            drop(timers);
            for waker in due.drain(..) {
                wake(waker);
            }
            timers = lock();
            continue;
        }
        timers = match timers.alarm {
            Some(alarm) => {
                let waited = EARLIER.wait_timeout(timers, alarm.saturating_duration_since(now));
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => EARLIER.wait(timers).unwrap_or_else(PoisonError::into_inner),
        };
    }
}

/// Wakes. A foreign waker that panics, or a panic whose payload does, must not stop the clock.
fn wake(waker: Waker) {
    drop(Panic::catch(|| waker.wake()));
}
