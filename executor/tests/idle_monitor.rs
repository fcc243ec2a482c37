//! The monitor sleeps when nobody has anything to do, also while a worker waits in `run`. A program of its own: there is one monitor for
//! all executors of the program.
#![cfg(all(target_os = "linux", not(loom)))]

use bastion_executor::{Executor, run, spawn_blocking};
use std::fs;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How often the monitor's thread was put on a processor and taken off it again; none before it has given itself its name.
fn switches() -> Option<u64> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let mut status =
        tasks.map(|task| fs::read_to_string(task.unwrap().path().join("status")).unwrap());
    let monitor = |status: &String| status.lines().any(|line| line == "Name:\texecutor-monito");
    let status = status.find(monitor)?;
    let counts = status.lines().filter_map(|line| line.split_once("ctxt_switches:"));
    Some(counts.map(|(_, count)| count.trim().parse::<u64>().unwrap()).sum())
}

/// Waits, on this thread alone, and says whether the monitor has slept meanwhile.
fn sleeps_for(time: Duration) -> bool {
    let (before, _never) = (switches(), mpsc::channel::<()>());
    let _ = _never.1.recv_timeout(time);
    before.is_some() && switches() == before
}

#[test]
fn it_sleeps_while_a_worker_waits_in_run() {
    let executor = Executor::builder().workers(2).build().unwrap();
    let (release, released) = mpsc::channel::<()>();
    // A thread of the pool waits as well, but that is none of the workers.
    let process = executor.spawn(async { run(spawn_blocking(move || released.recv().is_err())) });
    let start = Instant::now();
    let mut sleeps = false;
    while !sleeps && start.elapsed() < Duration::from_secs(20) {
        sleeps = sleeps_for(Duration::from_millis(500));
        thread::yield_now();
    }
    drop(release);
    assert_eq!(run(process), Some(Some(true)));
    assert!(sleeps, "it goes on making rounds");
}
