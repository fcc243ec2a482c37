//! [`Clock`]: what time it is for an executor's timers.

use crate::shared::Shared;
use crate::sync::{AtomicU64, Mutex};
use std::fmt;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::{Arc, LazyLock, PoisonError, Weak};
use std::time::{Duration, Instant};

/// A tick of the timers, 65.5 microseconds: about what the system is late by when it wakes a thread. Virtual time is exact: there a tick
/// is a nanosecond.
const TICK_NS: u64 = 1 << 16;

/// A virtual clock goes no further, about two centuries from its origin: the system's clocks can tell that time.
const END_NS: u64 = u64::MAX / 3;

/// Somebody has made a clock that skips. Whoever uses one has heard of its making.
static SKIPS: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// What all ticks count from.
static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The clock of an executor's timers: the machine's, or one that stands still until it is set, for tests.
///
/// Clones are the same clock. Several executors may share one.
///
/// # Examples
/// A day passes in no time:
/// ```
/// use bastion_executor::{Clock, Executor, now, sleep};
/// use std::time::Duration;
///
/// let executor = Executor::builder().workers(2).clock(Clock::skipping()).build()?;
/// let day = Duration::from_secs(24 * 60 * 60);
/// let slept = executor.run(executor.spawn(async move {
///     let start = now();
///     sleep(day).await;
///     now() - start
/// }));
/// assert_eq!(slept, Some(day));
/// # Ok::<(), bastion_executor::BuildError>(())
/// ```
#[derive(Clone, Default)]
pub struct Clock(Option<Arc<Virtual>>);

/// A clock that does not go by itself.
struct Virtual {
    /// What time it is, in nanoseconds since the origin.
    now_ns: AtomicU64,
    /// It goes on to the next deadline when there is nothing else to do.
    skips: bool,
    /// Held by who lets it.
    skipping: Mutex<()>,
    /// Those whose timers may be due when it is set.
    executors: Mutex<Vec<Weak<Shared>>>,
}

impl Virtual {
    /// Has those look whose timers may be due.
    fn rouse(&self) {
        let executors = self.executors.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for executor in executors.iter().filter_map(Weak::upgrade) {
            executor.rouse_due();
        }
    }
}

impl Clock {
    /// The machine's monotonic clock, which is the default.
    pub fn machine() -> Clock {
        Clock(None)
    }

    /// A clock that stands still until it is [set forward](Clock::advance).
    pub fn manual() -> Clock {
        Clock::virtual_time(false)
    }

    /// A clock that stands still while there is something to do, and goes on to the next deadline when all workers of its
    /// executor sleep.
    ///
    /// A thread in [`Executor::run`](crate::Executor::run) counts like a worker, and one that waits in [`run`](crate::run()) like one that sleeps. It does not know of blocking jobs, sockets, or other threads
    /// that are about to come back with something to do: time may pass meanwhile. Of several executors that share such a clock, each decides for itself.
    pub fn skipping() -> Clock {
        SKIPS.store(true, Relaxed);
        Clock::virtual_time(true)
    }

    fn virtual_time(skips: bool) -> Clock {
        let now_ns = AtomicU64::new(since_origin(Instant::now()));
        Clock(Some(Arc::new(Virtual {
            now_ns,
            skips,
            skipping: Mutex::default(),
            executors: Mutex::default(),
        })))
    }

    /// Returns what time it is.
    pub fn now(&self) -> Instant {
        match &self.0 {
            None => Instant::now(),
            Some(clock) => *ORIGIN + Duration::from_nanos(clock.now_ns.load(Acquire)),
        }
    }

    /// Sets a clock that stands still forward; the timers that become due fire. It ends some centuries from now.
    ///
    /// # Panics
    /// When it is the machine's clock, which nobody can set.
    pub fn advance(&self, by: Duration) {
        let clock = self.0.as_ref().expect("the machine's clock cannot be set");
        let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        let later = |now: u64| Some(now.saturating_add(by).min(END_NS));
        let _ = clock.now_ns.fetch_update(AcqRel, Acquire, later);
        clock.rouse();
    }

    /// Registers an executor that goes by this clock.
    pub(crate) fn register(&self, executor: &Arc<Shared>) {
        if let Some(clock) = &self.0 {
            let mut executors = clock.executors.lock().unwrap_or_else(PoisonError::into_inner);
            executors.retain(|executor| executor.strong_count() > 0);
            executors.push(Arc::downgrade(executor));
        }
    }

    /// Says whether there ever was a clock that skips: most programs have none, and need not look for it.
    pub(crate) fn any_skips() -> bool {
        SKIPS.load(Relaxed)
    }

    pub(crate) fn is_machine(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn skips(&self) -> bool {
        self.0.as_ref().is_some_and(|clock| clock.skips)
    }

    /// Sets a clock that skips to the tick that `next` returns, if it returns one; the timers that become due fire. One at a time: what
    /// `next` sees is not changed by another's skip.
    pub(crate) fn skip(&self, next: impl FnOnce() -> Option<u64>) {
        let Some(clock) = self.0.as_ref().filter(|clock| clock.skips) else { return };
        let _turn = clock.skipping.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tick) = next() {
            clock.now_ns.fetch_max(tick.min(END_NS), AcqRel);
            clock.rouse();
        }
    }

    /// Returns the last tick that is over.
    pub(crate) fn tick(&self) -> u64 {
        match &self.0 {
            None => tick_of(Instant::now()),
            Some(clock) => clock.now_ns.load(Acquire),
        }
    }

    /// Returns the first tick that is not over before a deadline: who waits for it is never early.
    pub(crate) fn tick_after(&self, deadline: Instant) -> u64 {
        let tick_ns = if self.is_machine() { TICK_NS } else { 1 };
        since_origin(deadline).div_ceil(tick_ns)
    }
}

/// Returns the last tick that is over at a time, by the machine's clock.
pub(crate) fn tick_of(now: Instant) -> u64 {
    since_origin(now) / TICK_NS
}

/// Returns how long it is from now to a tick, by the machine's clock.
pub(crate) fn until(tick: u64, now: Instant) -> Duration {
    Duration::from_nanos(tick.saturating_mul(TICK_NS).saturating_sub(since_origin(now)))
}

fn since_origin(time: Instant) -> u64 {
    let passed = time.saturating_duration_since(*ORIGIN).as_nanos();
    u64::try_from(passed).unwrap_or(u64::MAX)
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            None => "Clock::machine",
            Some(clock) if clock.skips => "Clock::skipping",
            Some(_) => "Clock::manual",
        })
    }
}
