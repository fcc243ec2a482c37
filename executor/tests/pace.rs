//! Polls that become longer at once: what waits behind them is shared with the workers that sleep.
#![cfg(not(loom))]

use bastion_executor::{Executor, spawn, yield_now};
use std::hint::spin_loop;
use std::time::{Duration, Instant};

/// How long the long polls are: shorter than what the monitor takes for held up.
const LONG: Duration = Duration::from_millis(2);

/// How many of them wait: fewer than a worker with short polls takes for bearable.
const PROCESSES: usize = 50;

/// How often it is tried: something else may wake the worker that sleeps.
const ROUNDS: usize = 10;

/// Polls for long, and says on which thread.
async fn long() -> Option<String> {
    let start = Instant::now();
    while start.elapsed() < LONG {
        spin_loop();
    }
    std::thread::current().name().map(str::to_owned)
}

/// Has one of two workers do many short polls and then spawn the long ones; returns how many of these each worker did, fewest first.
async fn round() -> [usize; 2] {
    for _ in 0..20_000 {
        yield_now().await;
    }
    let processes: Vec<_> = (0..PROCESSES).map(|_| spawn(long())).collect();
    let mut first = 0;
    for process in processes {
        let name = process.await.expect("neither cancelled nor panicked");
        first += usize::from(name.is_some_and(|name| name.ends_with("-0")));
    }
    let mut counts = [first, PROCESSES - first];
    counts.sort_unstable();
    counts
}

#[test]
fn long_polls_after_short_ones_are_shared() {
    let executor = Executor::builder().workers(2).build().unwrap();
    let rounds = (0..ROUNDS).map(|_| executor.run(executor.spawn(round())).unwrap());
    let shared: Vec<_> = rounds.collect();
    println!("{shared:?}");
    // None: nobody has told the one that sleeps.
    assert!(shared.iter().all(|[fewest, _]| *fewest > 0), "{shared:?}");
}
