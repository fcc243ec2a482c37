//! `yield`: what it costs to let another process run.

use crate::bench::{Group, Measured};
use crate::latch::{Countdown, latch};
use crate::subjects::executors::Executor;
use crate::subjects::floor::{self, Boxed};
use std::time::Instant;

/// How many processes yield to each other.
const PROCESSES: u32 = 200;

pub(super) const GROUP: Group = Group {
    name: "yield",
    about: "let another process run (floor: one thread polls them in turn)",
    workloads: &[
        on_executors!(
            "yield-now",
            "200 processes yield 1,000 times each (tokio defers it: see --help)",
            200_000,
            yield_now,
            floor: in_turn
        ),
        on_executors!(
            "yield-by-waking",
            "the same, but all use one yield, which wakes its own process",
            200_000,
            yield_by_waking,
            floor: in_turn
        ),
    ],
};

fn yield_now<E: Executor>(count: u32) -> Measured {
    yields::<E, _>(count, E::yield_now)
}

fn yield_by_waking<E: Executor>(count: u32) -> Measured {
    yields::<E, _>(count, futures_lite::future::yield_now)
}

fn yields<E, Y>(count: u32, once: impl Fn() -> Y + Copy + Send + 'static) -> Measured
where
    E: Executor,
    Y: Future + Send,
{
    E::start();
    let (finish, mut wait) = latch();
    let countdown = Countdown::leaked(PROCESSES, finish);
    wait.start();
    for _ in 0..PROCESSES {
        E::detach(E::spawn(async move {
            for _ in 0..count / PROCESSES {
                once().await;
            }
            countdown.arrive();
        }));
    }
    wait.measured()
}

fn in_turn(count: u32) -> Measured {
    let start = Instant::now();
    let yielding = || async move {
        for _ in 0..count / PROCESSES {
            futures_lite::future::yield_now().await;
        }
    };
    let mut queue = (0..PROCESSES).map(|_| Box::pin(yielding()) as Boxed).collect();
    floor::run(&mut queue)?;
    Ok(start.elapsed().into())
}
