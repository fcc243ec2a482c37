//! A worker that is held up in one poll strands nobody: what waits behind that poll is taken over within 10 milliseconds.
#![cfg(not(loom))]

use bastion_executor::{Executor, run, sleep, spawn, yield_now};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// What is promised.
const PROMISED: Duration = Duration::from_millis(10);

/// Far more than the promise. The poll is over by itself then, so a process that nobody takes over is late by this.
const HELD_UP: Duration = Duration::from_millis(200);

/// How often each situation is tried. On a machine that is busy with something else a worker that never rests may have to wait for a
/// processor for longer than the promise, so the quickest counts, and that none had to wait for the end of the poll.
const ROUNDS: usize = 15;

/// Blocks this thread until the other side is dropped, or for long.
fn block(released: &Receiver<()>) {
    let _ = released.recv_timeout(HELD_UP);
}

/// Tries the situation several times: it returns how long something waited behind a poll. One worker is free.
fn check(situation: impl Fn(&Executor) -> Duration) {
    let executor = Executor::builder().workers(2).build().unwrap();
    let mut waited: Vec<Duration> = (0..ROUNDS).map(|_| situation(&executor)).collect();
    waited.sort();
    assert!(waited[0] < PROMISED && waited[ROUNDS - 1] < HELD_UP, "{waited:?}");
    assert!(executor.metrics().total().rescued >= 1, "{}", executor.metrics());
}

#[test]
fn a_process_that_a_long_poll_has_woken() {
    check(|executor| {
        let outer = executor.spawn(async {
            let (release, released) = mpsc::channel();
            let spawned = Instant::now();
            // It is in this worker's slot, where only this worker sees it.
            let inner = spawn(async move {
                drop(release);
                spawned.elapsed()
            });
            block(&released);
            inner.await.unwrap()
        });
        executor.run(outer).unwrap()
    });
}

#[test]
fn a_process_that_a_long_poll_has_woken_after_a_long_rest() {
    let executor = Executor::builder().workers(2).build().unwrap();
    // Until the monitor sleeps as well.
    let rests = || Some(executor.metrics()).filter(|metrics| metrics.sleeping == 2);
    while rests().is_none_or(|metrics| metrics.uptime < Duration::from_secs(1)) {
        run(sleep(Duration::from_millis(50)));
    }
    let outer = executor.spawn(async {
        let (release, released) = mpsc::channel();
        let inner = spawn(async move { drop(release) });
        let blocked = Instant::now();
        block(&released);
        (inner.await, blocked.elapsed() < HELD_UP)
    });
    assert_eq!(executor.run(outer), Some((Some(()), true)));
    assert!(executor.metrics().total().rescued >= 1, "{}", executor.metrics());
}

#[test]
fn a_process_behind_a_long_poll_while_the_other_worker_never_rests() {
    check(|executor| {
        let busy = executor.spawn(async {
            loop {
                yield_now().await;
            }
        });
        let outer = executor.spawn(async {
            let (release, released) = mpsc::channel();
            let spawned = Instant::now();
            let inner = spawn(async move {
                drop(release);
                spawned.elapsed()
            });
            block(&released);
            inner.await.unwrap()
        });
        let waited = executor.run(outer).unwrap();
        busy.cancel();
        executor.run(busy);
        waited
    });
}

#[test]
fn a_timer_of_a_worker_that_is_held_up() {
    let executor = Executor::builder().workers(2).build().unwrap();
    let mut late: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let (release, released) = mpsc::channel();
            let outer = executor.spawn(async move {
                let after = Duration::from_millis(5);
                let due = Instant::now() + after;
                let mut timer = Box::pin(sleep(after));
                // It is on this worker's timers.
                assert!(futures_lite::future::poll_once(&mut timer).await.is_none());
                let sleeper = spawn(async move {
                    timer.await;
                    drop(release);
                    due.elapsed()
                });
                yield_now().await;
                block(&released);
                sleeper.await.unwrap()
            });
            executor.run(outer).unwrap()
        })
        .collect();
    late.sort();
    assert!(late[0] < PROMISED && late[ROUNDS - 1] < HELD_UP, "{late:?}");
}

#[test]
fn a_worker_that_waits_in_run_fires_its_own_timers() {
    let executor = Executor::builder().workers(1).build().unwrap();
    let slept = executor.spawn(async { run(sleep(Duration::from_millis(5))) });
    assert_eq!(executor.run(slept), Some(()));
}

#[test]
fn a_worker_that_waits_in_run_fires_the_timers_of_others() {
    let executor = Executor::builder().workers(1).build().unwrap();
    let (release, released) = async_channel();
    let waits = executor.spawn(async move { run(released) });
    executor.run(sleep(Duration::from_millis(20)));
    drop(release);
    assert_eq!(executor.run(waits), Some(()));
}

/// A guard, and a future that is ready when it is dropped.
fn async_channel() -> (impl Sized, impl Future<Output = ()> + Send + 'static) {
    let (executor, handle) = {
        let (told, tells) = mpsc::channel::<()>();
        let helper = Executor::builder().workers(1).build().unwrap();
        let handle = helper.spawn(async move { tells.recv().is_err() });
        ((told, helper), handle)
    };
    (executor, async move { assert_eq!(handle.await, Some(true)) })
}
