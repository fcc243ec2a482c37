//! Clocks that do not go by themselves: nothing here waits for the machine's.
#![cfg(not(loom))]

use bastion_executor::{Clock, Executor, MissedTicks, interval, now, run, sleep, spawn, timeout};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn executor(workers: usize, clock: &Clock) -> Executor {
    Executor::builder().workers(workers).clock(clock.clone()).build().unwrap()
}

/// Runs the situation on executors of one and of three workers with a clock that skips; returns how much time passes in it.
fn check(expected: Duration, situation: impl AsyncFn()) {
    for workers in [1, 3] {
        let executor = executor(workers, &Clock::skipping());
        let begin = Instant::now();
        let passed = executor.run(async {
            let start = now();
            situation().await;
            now() - start
        });
        assert_eq!(passed, expected);
        assert!(begin.elapsed() < Duration::from_secs(30), "it has waited for the machine's clock");
    }
}

#[test]
fn a_sleep_of_a_day_takes_no_time() {
    check(DAY, async || sleep(DAY).await);
}

#[test]
fn sleeps_end_in_the_order_of_their_deadlines() {
    check(DAY * 50, async || {
        let (told, tells) = mpsc::channel();
        let sleepers: Vec<_> = (1..=50)
            .rev()
            .map(|days| {
                let told = told.clone();
                spawn(async move {
                    sleep(DAY * days).await;
                    told.send(days).unwrap();
                })
            })
            .collect();
        for sleeper in sleepers {
            sleeper.await.unwrap();
        }
        assert_eq!(tells.try_iter().collect::<Vec<_>>(), (1..=50).collect::<Vec<_>>());
    });
}

#[test]
fn a_timeout_and_an_interval_go_by_it() {
    check(DAY * 5, async || {
        assert!(timeout(DAY, sleep(DAY * 10)).await.is_err());
        let mut ticks = interval(DAY).missed_ticks(MissedTicks::Skip);
        for _ in 0..5 {
            ticks.tick().await;
        }
    });
}

#[test]
fn a_clock_that_is_set_fires_what_becomes_due_and_nothing_else() {
    for workers in [1, 3] {
        let clock = Clock::manual();
        let executor = executor(workers, &clock);
        let (told, tells) = mpsc::channel();
        for days in 1..=3 {
            let told = told.clone();
            executor.spawn_detached(async move {
                told.send(0).unwrap();
                sleep(DAY * days).await;
                told.send(days).unwrap();
            });
        }
        assert_eq!(tells.iter().take(3).collect::<Vec<_>>(), [0; 3]);
        // A barrier: each has been polled to its timer when all workers are idle again.
        while executor.metrics().sleeping < workers {
            std::thread::yield_now();
        }
        for days in 1..=3 {
            clock.advance(DAY - Duration::from_millis(1));
            while executor.metrics().sleeping < workers {
                std::thread::yield_now();
            }
            assert!(tells.try_recv().is_err(), "early");
            clock.advance(Duration::from_millis(1));
            assert_eq!(tells.recv(), Ok(days));
        }
    }
}

#[test]
fn executors_with_one_clock_both_hear_of_it() {
    let clock = Clock::manual();
    let (one, other) = (executor(1, &clock), executor(2, &clock));
    let start = clock.now();
    let sleepers = [&one, &other].map(|executor| executor.spawn(sleep(DAY)));
    while one.metrics().sleeping < 1 || other.metrics().sleeping < 2 {
        std::thread::yield_now();
    }
    clock.advance(DAY * 2);
    assert_eq!(clock.now() - start, DAY * 2);
    for sleeper in sleepers {
        assert_eq!(run(sleeper), Some(()));
    }
}

#[test]
fn a_clock_that_is_set_beyond_its_end_stands_there() {
    let clock = Clock::manual();
    let executor = executor(1, &clock);
    let (century, ages) = (DAY * 36_525, Duration::from_secs(u64::MAX / 4));
    let sleeper = executor.spawn(sleep(century));
    let never = executor.spawn(sleep(ages));
    while executor.metrics().sleeping < 1 {
        std::thread::yield_now();
    }
    clock.advance(Duration::MAX);
    let end = clock.now();
    assert_eq!(run(sleeper), Some(()));
    clock.advance(Duration::MAX);
    assert_eq!(clock.now(), end);
    assert!(!never.is_finished());
}

#[test]
fn a_clock_that_skips_does_not_go_beyond_its_end() {
    check(DAY, async || {
        let never = spawn(sleep(Duration::from_secs(u64::MAX / 4)));
        sleep(DAY).await;
        assert!(!never.is_finished());
        never.detach();
    });
}

#[test]
#[should_panic(expected = "the machine's clock cannot be set")]
fn nobody_sets_the_clock_of_the_machine() {
    Clock::machine().advance(DAY);
}
