//! Timers: one thread that sleeps until the earliest deadline, and wakes whoever waits for it.
//!
//! The thread starts with the first timer and is woken only by a deadline, or by a timer that comes before all others.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// A deadline, and a number that tells equal deadlines apart.
type Key = (Instant, u64);

struct Timers {
    waiting: BTreeMap<Key, Waker>,
    last: u64,
    /// When the thread wakes up by itself; `None`: not before it is told.
    alarm: Option<Instant>,
}

static TIMERS: Mutex<Timers> =
    Mutex::new(Timers { waiting: BTreeMap::new(), last: 0, alarm: None });
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
    deadline: Option<Instant>,
    key: Option<Key>,
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
    Sleep { deadline: Instant::now().checked_add(duration), key: None }
}

/// Waits until `deadline`.
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep { deadline: Some(deadline), key: None }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else { return Poll::Pending };
        if Instant::now() >= deadline {
            self.cancel();
            return Poll::Ready(());
        }
        let mut timers = lock();
        let known = self.key;
        let key = known.unwrap_or_else(|| timers.next_key(deadline));
        // Replaces the waker, or arms the timer again if it has just fired.
        let replaced = timers.waiting.insert(key, cx.waker().clone());
        let earliest = known.is_none() && timers.alarm.is_none_or(|alarm| deadline < alarm);
        if earliest {
            timers.alarm = Some(deadline);
        }
        drop(timers);
        self.key = Some(key);
        // Outside the lock: a waker's destructor may drop a future, and that one its timers.
        drop(replaced);
        if earliest {
            start_thread();
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

fn start_thread() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let started = thread::Builder::new().name("timer".into()).spawn(run);
        started.expect("the machine refuses the timer thread");
    });
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
                // A foreign waker that panics must not stop the clock.
                let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
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
