//! `spawn`: what it costs to start a process that does nothing, and to learn of its end.

use crate::bench::{Group, Measured, Workload};
use crate::latch::{Countdown, Finish, latch};
use crate::subjects::executors::Executor;
use crate::subjects::floor;
use std::time::Instant;

pub(super) const GROUP: Group = Group {
    name: "spawn",
    about: "start processes that do nothing (floor: one thread boxes, queues, polls, frees)",
    workloads: &[AWAIT_EACH, CHAINED, FROM_WORKER, FROM_OUTSIDE, AWAIT_ALL],
};

const AWAIT_EACH: Workload = on_executors!(
    "await-each",
    "inside a worker, 100,000 times: start a process and await it",
    100_000,
    await_each,
    floor: floor::spawn_each
);

const CHAINED: Workload = on_executors!(
    "chained",
    "100,000 processes, each started by the one before (tokio: chained_spawn)",
    100_000,
    chained,
    floor: floor::spawn_each
);

const FROM_WORKER: Workload = on_executors!(
    "from-worker",
    "inside a worker, 100,000 processes: start all, until all have run",
    100_000,
    from_worker,
    floor: floor::spawn_all
);

const FROM_OUTSIDE: Workload = on_executors!(
    "from-outside",
    "outside the workers, 50,000 processes, the same (tokio: spawn_many_local)",
    50_000,
    from_outside,
    floor: floor::spawn_all
);

const AWAIT_ALL: Workload = on_executors!(
    "await-all",
    "inside a worker, 50,000 processes: start all, then await all",
    50_000,
    await_all,
    floor: floor::spawn_all
);

pub(super) fn await_each<E: Executor>(count: u32) -> Measured {
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

pub(super) fn from_worker<E: Executor>(count: u32) -> Measured {
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
