//! A clock that skips does not while somebody is due, wherever that one waits, and lets no time pass for nobody.
#![cfg(not(loom))]

use bastion_executor::{Clock, Executor, Sleep, now, run, sleep, spawn, spawn_blocking};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs the situation as a process on executors of several sizes with a clock that skips; it returns how much time it saw pass.
fn check<F>(workers: &[usize], expected: Duration, situation: fn() -> F)
where
    F: Future<Output = Duration> + Send + 'static,
{
    for workers in workers {
        let clock = Clock::skipping();
        let executor = Executor::builder().workers(*workers).clock(clock).build().unwrap();
        let passed = executor.run(executor.spawn(situation()));
        assert_eq!(passed, Some(expected), "{workers} workers");
    }
}

/// Puts timers on the calling worker.
fn set<const N: usize>(timers: [Duration; N], waker: &Waker) -> [Sleep; N] {
    timers.map(|time| {
        let mut timer = sleep(time);
        assert!(Pin::new(&mut timer).poll(&mut Context::from_waker(waker)).is_pending());
        timer
    })
}

/// The process is woken by a worker that waits inside another one, and lies in that worker's slot then.
#[test]
fn a_process_that_a_worker_in_run_has_woken_is_due() {
    check(&[2, 3], DAY, || async {
        let start = now();
        let [one, two] = set([DAY, 2 * DAY], Waker::noop());
        let child = spawn(async move {
            one.await;
            now() - start
        });
        run(two);
        child.await.expect("neither cancelled nor panicked")
    });
}

/// So long that a worker with nothing to do has gone to sleep, nearly always: if not, a test sees no defect where there is one.
fn rest() {
    let (_tell, told) = mpsc::channel::<()>();
    assert_eq!(told.recv_timeout(Duration::from_millis(20)), Err(RecvTimeoutError::Timeout));
}

/// Takes its time to wake.
struct Slow;

impl Wake for Slow {
    fn wake(self: Arc<Self>) {
        rest();
    }
}

/// A worker in `run` wakes the slow one first, and its own future after it. Meanwhile the other worker has gone to sleep again.
#[test]
fn one_whom_a_worker_in_run_is_about_to_wake_is_due() {
    check(&[2], DAY, || async {
        let start = now();
        let _slow = set([DAY], &Waker::from(Arc::new(Slow)));
        let (told, tells) = mpsc::channel();
        let other = spawn(async move {
            let [today, _tomorrow] = set([DAY, 2 * DAY], Waker::noop());
            told.send(()).unwrap();
            today.await;
            std::future::pending::<()>().await;
        });
        tells.recv().unwrap();
        run(sleep(DAY));
        other.cancel();
        now() - start
    });
}

#[test]
fn a_timer_that_is_taken_back_lets_no_time_pass() {
    check(&[1, 3], Duration::ZERO, || async {
        let start = now();
        drop(set([DAY], Waker::noop()));
        // It comes back when all workers have gone to sleep.
        assert_eq!(spawn_blocking(rest).await, Some(()));
        now() - start
    });
}
