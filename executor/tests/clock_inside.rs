//! Virtual time, and a worker that waits in `run`.
#![cfg(not(loom))]

use bastion_executor::{Clock, Executor, run, sleep};
use std::sync::mpsc;
use std::time::Duration;

/// Far more than it takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn a_clock_skips_while_a_worker_waits_for_it_in_run() {
    let executor = Executor::builder().workers(2).clock(Clock::skipping()).build().unwrap();
    let (tell, told) = mpsc::channel();
    executor.spawn_detached(async move {
        run(sleep(Duration::from_secs(3_600)));
        tell.send(()).unwrap();
    });
    let told = told.recv_timeout(LIMIT);
    // Its drop would wait for an hour of the machine's, where the worker's timer goes when its own are closed.
    if told.is_err() {
        std::mem::forget(executor);
    }
    assert_eq!(told, Ok(()), "the time stands still");
}
