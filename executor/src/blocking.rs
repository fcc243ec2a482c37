//! The blocking pool: threads for calls that block, so that the workers need not.
//!
//! One pool a program. It grows at once when all its threads are busy, up to a limit; a thread that has been idle for a while
//! ends. The same process type as everywhere: the job is a process whose schedule function is the pool's queue.

use crate::local;
use crate::metrics::BlockingMetrics;
use crate::tokio_bridge::Bridge;
use lightproc::{LightProc, RecoverableHandle};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How many threads there are at most. Jobs beyond wait in the queue.
const MAX_THREADS: usize = 512;
/// How long an idle thread stays.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

#[derive(Default)]
struct State {
    queue: VecDeque<LightProc>,
    threads: usize,
    idle: usize,
}

impl State {
    fn metrics(&self) -> BlockingMetrics {
        let State { queue, threads, idle } = self;
        BlockingMetrics { threads: *threads, idle: *idle, queued: queue.len() }
    }
}

static POOL: Mutex<State> = Mutex::new(State { queue: VecDeque::new(), threads: 0, idle: 0 });
static WORK: Condvar = Condvar::new();

fn lock() -> MutexGuard<'static, State> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads how many threads and jobs there are.
pub(crate) fn metrics() -> BlockingMetrics {
    lock().metrics()
}

/// Runs a closure that may block on a thread made for that.
///
/// At most 512 run at once; the others wait in order. Cancelling the handle before the closure has begun drops it; one that has
/// begun cannot be stopped. A panic ends the job only; the handle tells of it.
///
/// # Examples
/// ```
/// use bastion_executor::{run, spawn_blocking};
/// let text = run(spawn_blocking(|| std::fs::read_to_string("Cargo.toml")));
/// assert!(text.unwrap().unwrap().contains("[package]"));
/// ```
pub fn spawn_blocking<F, T>(f: F) -> RecoverableHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    // What the job spawns belongs where the job came from.
    let origin = local::with_current(|current| current.cloned());
    let bridge = Bridge::current();
    let run = async move {
        let _entered = origin.map(local::enter);
        bridge.within(f)
    };
    let (job, handle) = LightProc::recoverable(run, schedule, ());
    schedule(job);
    handle
}

fn schedule(job: LightProc) {
    let mut pool = lock();
    pool.queue.push_back(job);
    if pool.idle >= pool.queue.len() {
        WORK.notify_one();
    } else if pool.threads < MAX_THREADS {
        pool.threads += 1;
        let number = pool.threads;
        drop(pool);
        start_thread(number);
    }
}

fn start_thread(number: usize) {
    let started = thread::Builder::new().name(format!("blocking-{number}")).spawn(work);
    if let Err(error) = started {
        let mut pool = lock();
        pool.threads -= 1;
        let stranded =
            if pool.threads == 0 { std::mem::take(&mut pool.queue) } else { VecDeque::new() };
        drop(pool);
        tracing::warn!(%error, "the machine refuses a thread for a blocking job");
        // Nobody is left who would run them: their handles are told that they were cancelled.
        drop(stranded);
    }
}

fn work() {
    let mut pool = lock();
    loop {
        while let Some(job) = pool.queue.pop_front() {
            drop(pool);
            job.run();
            pool = lock();
        }
        pool.idle += 1;
        let (next, waited) =
            WORK.wait_timeout(pool, KEEP_ALIVE).unwrap_or_else(PoisonError::into_inner);
        pool = next;
        pool.idle -= 1;
        if waited.timed_out() && pool.queue.is_empty() {
            pool.threads -= 1;
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metrics_tell_threads_idle_ones_and_jobs_apart() {
        let (job, _handle) = LightProc::recoverable(async {}, drop, ());
        let state = State { queue: VecDeque::from([job]), threads: 3, idle: 2 };
        assert_eq!(state.metrics(), BlockingMetrics { threads: 3, idle: 2, queued: 1 });
    }
}
