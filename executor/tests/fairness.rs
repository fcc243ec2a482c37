//! Processes that yield: whoever is free takes one, so that none waits behind another while a worker sleeps.
#![cfg(not(loom))]

use bastion_executor::{Executor, RecoverableHandle, run, sleep, spawn, timeout, yield_now};
use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;

/// Far more than any of these takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

/// Runs the future on one of two workers while the other one sleeps; fails when it hangs.
///
/// Nothing here depends on how fast the machine is: a process that is not spread stays where it is for ever.
fn check<F>(future: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let executor = Executor::builder().workers(2).build().unwrap();
    let process: RecoverableHandle<()> = executor.spawn(async {
        // The workers come to rest; the timer wakes one of them.
        sleep(Duration::from_millis(50)).await;
        future.await;
    });
    let ended = run(timeout(LIMIT, process));
    if ended != Ok(Some(())) {
        // Its drop would wait for workers that never come back.
        std::mem::forget(executor);
        panic!("two processes shared one worker while the other slept: {ended:?}");
    }
}

/// In each round, waits inside a poll for the other one, which must be inside a poll too.
async fn meet(barrier: Arc<Barrier>) {
    for _ in 0..20 {
        barrier.wait();
        yield_now().await;
    }
}

#[test]
fn two_that_yield_are_spread_over_two_workers() {
    let barrier = Arc::new(Barrier::new(2));
    check(async move {
        let other = spawn(meet(barrier.clone()));
        // The other one is in this worker's LIFO slot, this one goes behind it.
        yield_now().await;
        meet(barrier).await;
        other.await.unwrap();
    });
}

#[test]
fn a_yielder_does_not_wait_for_a_long_poll() {
    let (release, released) = mpsc::channel::<()>();
    check(async move {
        let long = spawn(async move { released.recv().unwrap() });
        yield_now().await;
        // The long poll has this worker, and ends only after this.
        release.send(()).unwrap();
        long.await.unwrap();
    });
}

/// However short the polls before were: of processes that have just been spawned nobody knows how long they take.
#[test]
fn what_is_spawned_together_begins_together() {
    // The monitor would bring them together too, later; on a busy machine it may be first.
    let at_once = (0..10).any(|_| {
        let executor = Executor::builder().workers(2).build().unwrap();
        let process = executor.spawn(async move {
            // The other worker goes to sleep over that.
            for _ in 0..20_000 {
                yield_now().await;
            }
            let barrier = Arc::new(Barrier::new(2));
            let meets = [barrier.clone(), barrier].map(|barrier| {
                spawn(async move {
                    barrier.wait();
                })
            });
            for meet in meets {
                meet.await.unwrap();
            }
        });
        assert_eq!(run(timeout(LIMIT, process)), Ok(Some(())));
        executor.metrics().total().rescued == 0
    });
    assert!(at_once, "they wait for each other until the monitor comes");
}
