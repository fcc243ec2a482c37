//! `yield`: what it costs to let another process run.

use crate::bench::{Group, Measured, OURS, Subject, Unit, Workload};
use crate::latch::{Countdown, latch};
use crate::subjects::executors::{AsyncExecutor, Bastion, Bastion04, Executor, Tokio};

/// How many processes yield to each other.
const PROCESSES: u32 = 200;

pub(super) const GROUP: Group =
    Group { name: "yield", about: "let another process run", workloads: &[YIELD_NOW] };

const YIELD_NOW: Workload = Workload {
    name: "yield-now",
    about: "200 processes yield 1,000 times each (tokio defers it: see --help)",
    unit: Unit::Nanoseconds,
    operations: 200_000,
    subjects: &[
        Subject::here(OURS, yield_now::<Bastion>),
        Subject::here("tokio", yield_now::<Tokio>),
        Subject::here("async-executor", yield_now::<AsyncExecutor>),
        Subject::alone("bastion-executor-0.4", yield_now::<Bastion04>),
    ],
};

fn yield_now<E: Executor>(count: u32) -> Measured {
    E::start();
    let (finish, mut wait) = latch();
    let countdown = Countdown::leaked(PROCESSES, finish);
    wait.start();
    for _ in 0..PROCESSES {
        E::detach(E::spawn(async move {
            for _ in 0..count / PROCESSES {
                E::yield_now().await;
            }
            countdown.arrive();
        }));
    }
    wait.measured()
}
