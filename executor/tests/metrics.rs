//! What the executor says about itself: counts that are exact, times that enclose what happened, and silence when nothing does.
#![cfg(not(loom))]

use bastion_executor::{Executor, Metrics, WorkerMetrics, run, sleep, spawn, yield_now};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

const NOTHING: Duration = Duration::ZERO;

/// An executor all of whose workers have gone to sleep.
fn rested(workers: usize) -> Executor {
    let executor = Executor::builder().workers(workers).build().unwrap();
    reached(&executor, "rest", |metrics| {
        metrics.workers.iter().all(|worker| worker.parks == 1) && metrics.sleeping == workers
    });
    executor
}

/// Waits until the figures are as they should be.
fn reached(executor: &Executor, what: &str, is: impl Fn(&Metrics) -> bool) -> Metrics {
    let begin = Instant::now();
    loop {
        let metrics = executor.metrics();
        if is(&metrics) {
            return metrics;
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "never came to {what}:\n{metrics}");
        run(sleep(Duration::from_millis(1)));
    }
}

#[test]
fn polls_are_counted_to_the_last() {
    let executor = rested(1);
    let processes: Vec<_> = (0..50)
        .map(|times| {
            executor.spawn(async move {
                for _ in 0..times {
                    yield_now().await;
                }
            })
        })
        .collect();
    for process in processes {
        executor.run(process).unwrap();
    }
    // Each once more than it has yielded.
    assert_eq!(executor.metrics().workers[0].polls, (1..=50).sum::<u64>());
}

#[test]
fn the_polls_of_all_workers_are_all_polls() {
    let executor = rested(3);
    let polls = Arc::new(AtomicU64::new(0));
    let processes: Vec<_> = (0..300)
        .map(|_| {
            let polls = polls.clone();
            executor.spawn(async move {
                let mut future = pin!(async {
                    for _ in 0..20 {
                        spawn(async {}).await.unwrap();
                        yield_now().await;
                    }
                });
                poll_fn(|cx| {
                    polls.fetch_add(1, SeqCst);
                    future.as_mut().poll(cx)
                })
                .await;
            })
        })
        .collect();
    for process in processes {
        executor.run(process).unwrap();
    }
    // And the processes that they have spawned, with one poll each.
    assert_eq!(executor.metrics().total().polls, polls.load(SeqCst) + 300 * 20);
}

#[test]
fn each_sleep_and_each_wake_up_from_outside_is_counted() {
    let executor = rested(1);
    for round in 1..=10 {
        executor.run(executor.spawn(async {})).unwrap();
        let asleep = |metrics: &Metrics| metrics.workers[0].parks == round + 1;
        let metrics = reached(&executor, "one more sleep", asleep);
        assert_eq!(metrics.outside_unparks, round);
        assert_eq!((metrics.workers[0].unparks, metrics.sleeping), (0, 1));
    }
}

#[test]
fn what_one_worker_gives_away_another_has_stolen() {
    let executor = rested(2);
    let (told, tells) = mpsc::channel();
    let (open, gate) = mpsc::channel::<()>();
    let first = executor.spawn(async move {
        let tell = told.clone();
        // The other worker is woken for this one, and held until there is enough for a batch.
        let held = async move {
            tell.send(()).unwrap();
            gate.recv().unwrap();
        };
        spawn(held).detach();
        spawn(async {}).detach();
        tells.recv().unwrap();
        for _ in 0..16 {
            let tell = told.clone();
            spawn(async move { tell.send(()).unwrap() }).detach();
        }
        open.send(()).unwrap();
        // Of the seventeen the last one stays in this worker's LIFO slot, and does not tell before this has ended.
        (0..15).for_each(|_| tells.recv().unwrap());
    });
    executor.run(first).unwrap();
    let metrics = executor.metrics();
    let is_thief = |worker: &&WorkerMetrics| worker.steals > 0;
    let (thieves, givers): (Vec<_>, Vec<_>) = metrics.workers.iter().partition(is_thief);
    assert_eq!((thieves.len(), givers.len()), (1, 1), "{metrics}");
    assert_eq!(thieves[0].stolen, 1 + 1 + 15, "{metrics}");
    assert!(thieves[0].steals < 10, "the batches count as single ones:\n{metrics}");
    assert_eq!((givers[0].unparks, givers[0].stolen), (1, 0), "{metrics}");
    assert_eq!(metrics.outside_unparks, 1);
}

#[test]
fn a_long_poll_shows_while_it_goes_on_and_afterwards() {
    let executor = rested(1);
    assert_eq!(executor.metrics().total().busy, NOTHING);
    let (release, released) = mpsc::channel::<()>();
    let process = executor.spawn(async move { released.recv().unwrap() });
    let least = Duration::from_millis(50);
    let long = |worker: &WorkerMetrics| worker.busy >= least && worker.longest_poll >= least;
    let before = reached(&executor, "a long poll", |metrics| long(&metrics.workers[0]));
    release.send(()).unwrap();
    executor.run(process).unwrap();
    let after =
        reached(&executor, "rest", |metrics| metrics.workers[0].parks == 2).workers[0].clone();
    assert!(after.busy >= before.workers[0].busy, "{before}\n{after:?}");
    assert!(after.longest_poll >= before.workers[0].longest_poll, "{before}\n{after:?}");
    // What comes after does not hide it, nor does rest count.
    run(sleep(least));
    executor.run(executor.spawn(async {})).unwrap();
    let metrics = reached(&executor, "rest", |metrics| metrics.workers[0].parks == 3);
    let last = &metrics.workers[0];
    assert!(last.longest_poll >= after.longest_poll && last.busy >= after.busy, "{metrics}");
    assert!(last.busy + least <= metrics.uptime, "{metrics}");
}

#[test]
fn a_long_poll_that_nobody_watched_is_kept() {
    let executor = rested(1);
    let least = Duration::from_millis(50);
    let long = executor.spawn(async move {
        let begin = Instant::now();
        while begin.elapsed() < least {
            std::hint::spin_loop();
        }
    });
    executor.run(long).unwrap();
    // Not by the figures, whose readers remember them: time for the worker to rest, and a short stretch more.
    for _ in 0..2 {
        run(sleep(Duration::from_millis(20)));
        executor.run(executor.spawn(async {})).unwrap();
    }
    let metrics = executor.metrics();
    let worker = &metrics.workers[0];
    assert!(worker.busy >= least && worker.longest_poll >= least, "{metrics}");
}

#[test]
fn many_short_polls_are_no_long_one() {
    let executor = rested(1);
    let forever = executor.spawn(async {
        loop {
            yield_now().await;
        }
    });
    // A machine that is busy elsewhere may keep the worker from running: then this takes longer.
    reached(&executor, "many stretches", |metrics| {
        let worker = &metrics.workers[0];
        worker.busy >= Duration::from_millis(50) && worker.busy >= 3 * worker.longest_poll
    });
    forever.cancel();
}

#[test]
fn busy_time_never_falls_and_never_exceeds_the_uptime() {
    let executor = rested(1);
    let mut last = executor.metrics();
    for _ in 0..2_000 {
        executor.spawn_detached(async {});
        let next = executor.metrics();
        let (before, now) = (&last.workers[0], &next.workers[0]);
        assert!(
            now.busy >= before.busy && now.longest_poll >= before.longest_poll,
            "{last}\n{next}"
        );
        assert!(now.busy <= next.uptime, "{next}");
        last = next;
    }
}

#[test]
fn nothing_is_counted_while_nothing_happens() {
    let executor = rested(2);
    executor.run(executor.spawn(async { spawn(yield_now()).await })).unwrap();
    reached(&executor, "rest", |metrics| metrics.sleeping == 2);
    let settled = (0..200).any(|_| {
        let before = executor.metrics().workers;
        run(sleep(Duration::from_millis(20)));
        before == executor.metrics().workers
    });
    assert!(settled, "the figures do not come to rest:\n{}", executor.metrics());
    let before = executor.metrics();
    run(sleep(Duration::from_millis(200)));
    let after = executor.metrics();
    assert_eq!(after.workers, before.workers);
    assert_eq!(after.outside_unparks, before.outside_unparks);
    assert!(after.uptime >= before.uptime + Duration::from_millis(200));
}

#[test]
fn what_waits_is_counted_where_it_waits() {
    let executor = rested(1);
    let (release, released) = mpsc::channel::<()>();
    let (told, tells) = mpsc::channel();
    let blocked = executor.spawn(async move {
        // One of the four is in the LIFO slot.
        (0..4).for_each(|_| spawn(async {}).detach());
        told.send(()).unwrap();
        released.recv().unwrap();
    });
    tells.recv().unwrap();
    let outside: Vec<_> = (0..5).map(|_| executor.spawn(async {})).collect();
    let metrics = executor.metrics();
    assert_eq!((metrics.workers[0].queued, metrics.injected, metrics.sleeping), (3, 5, 0));
    assert_eq!(metrics.total().queued, 3);
    release.send(()).unwrap();
    executor.run(blocked).unwrap();
    for process in outside {
        executor.run(process).unwrap();
    }
    let empty = |metrics: &Metrics| metrics.total().queued + metrics.injected == 0;
    assert_eq!(reached(&executor, "empty queues", empty).total().polls, 1 + 4 + 5);
}

#[test]
fn the_blocking_pool_is_seen() {
    let executor = rested(1);
    let (releases, jobs): (Vec<_>, Vec<_>) = (0..4)
        .map(|_| {
            let (release, released) = mpsc::channel::<()>();
            let (told, tells) = mpsc::channel();
            let job = executor.spawn_blocking(move || {
                told.send(()).unwrap();
                released.recv().unwrap();
            });
            tells.recv().unwrap();
            (release, job)
        })
        .unzip();
    let blocking = executor.metrics().blocking;
    assert_eq!((blocking.threads - blocking.idle, blocking.queued, blocking.rejected), (4, 0, 0));
    assert!(blocking.longest_wait > NOTHING);
    releases.iter().for_each(|release| release.send(()).unwrap());
    jobs.into_iter().for_each(|job| run(job).unwrap());
    reached(&executor, "idle threads", |metrics| metrics.blocking.idle == metrics.blocking.threads);
}

/// Two workers that differ in everything.
fn example() -> Metrics {
    let mut metrics = Metrics::default();
    for factor in [1, 10] {
        let mut worker = WorkerMetrics::default();
        (worker.polls, worker.steals, worker.stolen) = (factor, 2 * factor, 3 * factor);
        (worker.parks, worker.unparks, worker.queued) = (4 * factor, 5 * factor, 6);
        (worker.rescued, worker.abroad) = (7 * factor, 8 * factor);
        worker.busy = Duration::from_micros(1_500 * factor);
        worker.longest_poll = Duration::from_millis(20 / factor);
        metrics.workers.push(worker);
    }
    (metrics.sleeping, metrics.injected, metrics.outside_unparks) = (1, 7, 8);
    metrics.uptime = Duration::from_secs(2);
    let blocking = &mut metrics.blocking;
    (blocking.threads, blocking.idle, blocking.queued) = (9, 5, 4);
    (blocking.rejected, blocking.longest_wait) = (3, Duration::from_millis(2));
    metrics
}

#[test]
fn the_table_has_a_row_for_each_worker_and_one_for_all() {
    let table = "
worker        polls   steals     stolen   abroad rescued      parks    unparks       busy    longest queued
     0            1        2          3        8       7          4          5    1.500ms   20.000ms      6
     1           10       20         30       80      70         40         50   15.000ms    2.000ms      6
   all           11       22         33       88      77         44         55   16.500ms   20.000ms     12
1 sleep; 7 injected, 8 woken from outside; up 2.000s
blocking: 9 threads, 5 idle; 4 jobs queued, 3 refused, longest wait 2.000ms";
    assert_eq!(format!("\n{}", example()), table);
}
