//! One process without an executor: its allocation, its state, its wakers, its handle. One thread, one queue.
//!
//! `tasks` has ours and async-task behind one trait, and `rows` what both do; `on_tokio` does the same as far as tokio can,
//! which only comes with its scheduler; `floor` does what nobody can avoid. `bytes` has the memory of all four.

mod bytes;
mod floor;
mod futures;
mod on_tokio;
mod rows;
mod tasks;
mod watch;

pub(crate) use bytes::{bytes, bytes_of_floor, bytes_on_tokio, bytes_with_handle};
pub(crate) use floor::{Floor, create_drop as create_drop_of_floor};
pub(crate) use on_tokio::Tokio;
pub(crate) use rows::{Without, create_drop};
pub(crate) use tasks::{AsyncTask, Ours};

use crate::bench::{Failure, Measured};
use std::cell::Cell;
use watch::Watch;

/// How many processes wait or yield at the same time, in the rows where some do.
pub(crate) const BATCH: u32 = 64;

/// What can be measured of a process. Each does so many operations, and checks that they were done.
pub(crate) trait Rows {
    /// Makes processes without a handle and runs each to its end.
    fn create_run(count: u32) -> Measured;
    /// Makes processes with a handle, runs each to its end, drops the handle.
    fn create_run_handle(count: u32) -> Measured;
    /// Wakes waiting processes by reference and polls them.
    fn wake_poll(count: u32) -> Measured;
    /// Wakes waiting processes by value and polls them; each poll makes a new waker.
    fn wake_by_value(count: u32) -> Measured;
    /// Polls processes that wake themselves.
    fn yields(count: u32) -> Measured;
    /// Makes processes, polls their handles, runs them, polls the handles again.
    fn await_before(count: u32) -> Measured;
    /// Makes processes, runs them, polls their handles.
    fn await_after(count: u32) -> Measured;
    /// Makes processes that wait, cancels each through its handle until its future was dropped.
    fn cancel(count: u32) -> Measured;
}

thread_local! {
    /// What all futures of this thread have noted.
    static TALLY: Cell<u64> = const { Cell::new(0) };
}

/// Notes what a future has done, so that it must do it.
#[inline]
fn note(number: u64) {
    TALLY.set(TALLY.get().wrapping_add(number));
}

/// Returns what was noted so far.
#[inline]
fn noted() -> u64 {
    TALLY.get()
}

/// Returns the sum of the numbers below `count`.
fn sum_below(count: u32) -> u64 {
    u64::from(count) * u64::from(count).saturating_sub(1) / 2
}

/// Measures the time of some work that must note so much.
fn watched(expected: u64, work: impl FnOnce()) -> Measured {
    let before = noted();
    let watch = Watch::start();
    work();
    let took = watch.elapsed();
    check(noted().wrapping_sub(before), expected)?;
    Ok(took.into())
}

/// Compares what was done with what was to be done.
fn check(done: u64, expected: u64) -> Result<(), Failure> {
    if done == expected {
        return Ok(());
    }
    Err(Failure::new(format!("it noted {done} instead of {expected}")))
}
