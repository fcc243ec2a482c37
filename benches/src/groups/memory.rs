//! `memory`: what a process that waits costs on an executor, with all that the executor keeps for it.

use crate::bench::{Amount, FLOOR, Failure, Group, Measured, OURS, Subject, Unit, Workload};
use crate::latch::{Countdown, latch};
use crate::memory::resident_bytes;
use crate::subjects::executors::{AsyncExecutor, Bastion, Bastion04, Executor, Tokio};
use crate::subjects::process;
use std::hint::black_box;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

pub(super) const GROUP: Group = Group {
    name: "memory",
    about: "resident memory of processes that wait, on the executor",
    workloads: &[Workload {
        name: "parked-64",
        about: "100,000 processes of 64 bytes wait, no handle (floor: two words and the bytes)",
        unit: Unit::Bytes,
        operations: 100_000,
        subjects: &[
            Subject::alone(OURS, parked::<Bastion>),
            Subject::alone("tokio", parked::<Tokio>),
            Subject::alone("async-executor", parked::<AsyncExecutor>),
            Subject::alone("bastion-executor-0.4", parked::<Bastion04>),
            Subject::alone(FLOOR, process::bytes_of_floor::<64>),
        ],
    }],
};

/// How many processes are started before all are awaited.
const BATCH: u32 = 64;

/// The wakers of all that wait: a process that nobody can wake is dropped.
static KEPT: Mutex<Vec<Waker>> = Mutex::new(Vec::new());

/// Waits for ever, with so many bytes, once it has left its waker.
async fn wait_with_64_bytes(countdown: &'static Countdown) {
    let bytes = black_box([7_u8; 56]);
    let mut told = false;
    std::future::poll_fn(|cx| -> Poll<()> {
        black_box(&bytes);
        if !std::mem::replace(&mut told, true) {
            kept().push(cx.waker().clone());
            countdown.arrive();
        }
        Poll::Pending
    })
    .await;
}

pub(super) fn parked<E: Executor>(count: u32) -> Measured {
    E::start();
    *kept() = touched(count);
    let before = resident_bytes()?;
    let mut left = count;
    while left > 0 {
        // In batches, so that the queues stay small: what they hold is not the waiting ones' memory.
        let batch = left.min(BATCH);
        let (finish, mut wait) = latch();
        wait.start();
        let countdown = Countdown::leaked(batch, finish);
        for _ in 0..batch {
            E::spawn_detached(wait_with_64_bytes(countdown));
        }
        wait.measured()?;
        left -= batch;
    }
    let after = resident_bytes()?;
    let wakers = std::mem::take(&mut *kept());
    let waiting = wakers.len();
    // They wait for ever, so that the next measurement finds no freed memory.
    std::mem::forget(wakers);
    if waiting != count as usize {
        return Err(Failure::new(format!("{waiting} wait instead of {count}")));
    }
    Ok(Amount(after.saturating_sub(before)))
}

fn kept() -> MutexGuard<'static, Vec<Waker>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns an empty vector whose memory is resident.
fn touched(count: u32) -> Vec<Waker> {
    let mut wakers: Vec<Waker> = (0..count).map(|_| Waker::noop().clone()).collect();
    wakers.clear();
    wakers
}
