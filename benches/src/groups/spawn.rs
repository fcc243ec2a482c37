//! `spawn`: what it costs to start a process that does nothing, and to learn of its end.

use crate::bench::{Group, Measured, OURS, Subject, Unit, Workload};
use crate::latch::{Countdown, Finish, latch};
use crate::subjects::executors::{AsyncExecutor, Bastion, Bastion04, Executor, Tokio};
use std::time::Instant;

pub(super) const GROUP: Group = Group {
    name: "spawn",
    about: "start processes that do nothing",
    workloads: &[AWAIT_EACH, CHAINED, FROM_WORKER, FROM_OUTSIDE, AWAIT_ALL],
};

const AWAIT_EACH: Workload = Workload {
    name: "await-each",
    about: "inside a worker, 100,000 times: start a process and await it",
    unit: Unit::Nanoseconds,
    operations: 100_000,
    subjects: &[
        Subject::here(OURS, await_each::<Bastion>),
        Subject::here("tokio", await_each::<Tokio>),
        Subject::here("async-executor", await_each::<AsyncExecutor>),
        Subject::alone("bastion-executor-0.4", await_each::<Bastion04>),
    ],
};

const CHAINED: Workload = Workload {
    name: "chained",
    about: "100,000 processes, each started by the one before",
    unit: Unit::Nanoseconds,
    operations: 100_000,
    subjects: &[
        Subject::here(OURS, chained::<Bastion>),
        Subject::here("tokio", chained::<Tokio>),
        Subject::here("async-executor", chained::<AsyncExecutor>),
        Subject::alone("bastion-executor-0.4", chained::<Bastion04>),
    ],
};

const FROM_WORKER: Workload = Workload {
    name: "from-worker",
    about: "inside a worker, 100,000 processes: start all, until all have run",
    unit: Unit::Nanoseconds,
    operations: 100_000,
    subjects: &[
        Subject::here(OURS, from_worker::<Bastion>),
        Subject::here("tokio", from_worker::<Tokio>),
        Subject::here("async-executor", from_worker::<AsyncExecutor>),
        Subject::alone("bastion-executor-0.4", from_worker::<Bastion04>),
    ],
};

const FROM_OUTSIDE: Workload = Workload {
    name: "from-outside",
    about: "outside the workers, 50,000 processes: start all, until all have run",
    unit: Unit::Nanoseconds,
    operations: 50_000,
    subjects: &[
        Subject::here(OURS, from_outside::<Bastion>),
        Subject::here("tokio", from_outside::<Tokio>),
        Subject::here("async-executor", from_outside::<AsyncExecutor>),
        Subject::alone("bastion-executor-0.4", from_outside::<Bastion04>),
    ],
};

const AWAIT_ALL: Workload = Workload {
    name: "await-all",
    about: "inside a worker, 50,000 processes: start all, then await all",
    unit: Unit::Nanoseconds,
    operations: 50_000,
    subjects: &[
        Subject::here(OURS, await_all::<Bastion>),
        Subject::here("tokio", await_all::<Tokio>),
        Subject::here("async-executor", await_all::<AsyncExecutor>),
        Subject::alone("bastion-executor-0.4", await_all::<Bastion04>),
    ],
};

fn await_each<E: Executor>(count: u32) -> Measured {
    E::start();
    let (finish, wait) = latch();
    E::detach(E::spawn(async move {
        let start = Instant::now();
        for _ in 0..count {
            E::spawn(async {}).await;
        }
        finish.took(start);
    }));
    wait.measured()
}

fn chained<E: Executor>(count: u32) -> Measured {
    fn link<E: Executor>(left: u32, finish: Finish) {
        E::spawn_detached(async move {
            match left {
                0 => finish.now(),
                _ => link::<E>(left - 1, finish),
            }
        });
    }
    E::start();
    let (finish, mut wait) = latch();
    wait.start();
    link::<E>(count, finish);
    wait.measured()
}

fn from_worker<E: Executor>(count: u32) -> Measured {
    E::start();
    let (finish, mut wait) = latch();
    let countdown = Countdown::leaked(count, finish);
    wait.start();
    E::detach(E::spawn(async move {
        for _ in 0..count {
            E::spawn_detached(async { countdown.arrive() });
        }
    }));
    wait.measured()
}

fn from_outside<E: Executor>(count: u32) -> Measured {
    E::start();
    let (finish, mut wait) = latch();
    let countdown = Countdown::leaked(count, finish);
    wait.start();
    for _ in 0..count {
        E::spawn_detached(async { countdown.arrive() });
    }
    wait.measured()
}

fn await_all<E: Executor>(count: u32) -> Measured {
    E::start();
    let (finish, wait) = latch();
    E::detach(E::spawn(async move {
        let start = Instant::now();
        let handles: Vec<E::Handle> = (0..count).map(|_| E::spawn(async {})).collect();
        for handle in handles {
            handle.await;
        }
        finish.took(start);
    }));
    wait.measured()
}
