//! Time: a future that is ready at a deadline, on the timers of the worker that polls it first.
//!
//! `wheel` orders timers, `timers` are one worker's, `clock` says what time it is. Elsewhere: `work.rs` lets the time go on.

mod clock;
mod timers;
mod wheel;

pub use clock::Clock;
pub(crate) use clock::{tick_of, until};
pub(crate) use timers::{Lease, NEVER, Timers};

use crate::budget;
use crate::local;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use timers::Inserted;
use wheel::Key;

/// A future that is ready after a time.
///
/// It is never early, and late by a tick of 66 microseconds at most and by what the machine needs to run it.
///
/// # Cancel safety
/// Dropping it takes the timer back.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Sleep {
    /// `None`: beyond what the clock can tell.
    deadline: Option<Instant>,
    timer: Option<Timer>,
    /// Made a moment ago, with its deadline ahead.
    fresh: bool,
}

/// Where a timer is.
#[derive(Clone, Copy, Debug)]
struct Timer {
    timers: &'static Timers,
    key: Key,
}

/// Waits for `duration`. A duration that ends beyond what the clock can tell waits for ever.
///
/// The time is that of the executor where it is made and polled, see [`Clock`]; outside of all, of the global one.
///
/// # Panics
/// Polling it outside of every executor panics when the global one is needed for the first time and the machine refuses its
/// threads; see [`Executor::global`](crate::Executor::global).
///
/// # Examples
/// ```
/// use std::time::{Duration, Instant};
/// let start = Instant::now();
/// bastion_executor::run(bastion_executor::sleep(Duration::from_millis(10)));
/// assert!(start.elapsed() >= Duration::from_millis(10));
/// ```
pub fn sleep(duration: Duration) -> Sleep {
    let deadline = now().checked_add(duration);
    Sleep { deadline, timer: None, fresh: !duration.is_zero() }
}

/// Waits until `deadline`.
///
/// # Panics
/// As [`sleep`] does.
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep { deadline: Some(deadline), timer: None, fresh: false }
}

/// Returns what time it is for the timers of this thread's executor: by the machine's clock unless it was made with another
/// [`Clock`].
#[inline]
pub fn now() -> Instant {
    local::with_current(|current| match current {
        Some(shared) => shared.clock.now(),
        None => Instant::now(),
    })
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else { return Poll::Pending };
        // A look at the clock costs more than all the rest; what was just made is not over.
        if !std::mem::take(&mut self.fresh) && now() >= deadline {
            ready!(budget::poll_budget(cx));
            self.cancel();
            return Poll::Ready(());
        }
        if self.timer.is_some_and(|timer| timer.timers.replace(timer.key, cx.waker())) {
            return Poll::Pending;
        }
        self.timer = Some(local::with_timers(|shared, worker, own| {
            let timers = *shared.workers[worker].timers;
            match timers.insert(shared.clock.tick_after(deadline), cx.waker().clone()) {
                Inserted::In { key, first } => {
                    if first && !own {
                        shared.rouse(worker);
                    }
                    Some(Timer { timers, key })
                }
                Inserted::Closed => None,
            }
        }));
        Poll::Pending
    }
}

impl Sleep {
    fn cancel(&mut self) {
        if let Some(timer) = self.timer.take() {
            timer.timers.remove(timer.key);
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.cancel();
    }
}
