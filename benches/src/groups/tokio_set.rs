//! `tokio-set`: the workloads by which tokio measures its multi-threaded runtime, with its parameters.
//!
//! Those that are rows elsewhere are not here again: `spawn_many_local` is `spawn/from-outside`, `chained_spawn` is
//! `spawn/chained`, `yield_many` is `yield/yield-now`.

use super::outside;
use crate::bench::{Amount, Group, Measured};
use crate::latch::{Countdown, latch};
use crate::subjects::executors::Executor;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How many processes start their successor, in the row where some do.
const BUSY: usize = 4;

/// How long a busy process keeps its worker.
const STALL: Duration = Duration::from_micros(10);

pub(super) const GROUP: Group = Group {
    name: "tokio-set",
    about: "tokio's own set (spawn_many_local, chained_spawn, yield_many: see spawn and yield)",
    workloads: &[
        on_executors!(
            "spawn-many-remote-idle",
            "outside, 10,000 processes: start all, await all (async-executor's spawn_many_local)",
            10_000,
            remote_idle,
            floor: crate::subjects::floor::spawn_all
        ),
        on_executors!(
            "spawn-many-remote-busy1",
            "the same beside 8 processes that yield, then keep their worker for 10 us, for ever",
            10_000,
            remote_busy_yield
        ),
        on_executors!(
            "spawn-many-remote-busy2",
            "1,000 beside 4 processes that keep their worker for 10 us and start their successor",
            1_000,
            remote_busy_respawn
        ),
        on_executors!(
            "ping-pong",
            "inside, 1,000 processes start a partner each; two oneshot channels, there and back",
            1_000,
            ping_pong
        ),
    ],
};

/// Keeps the worker, as tokio's own does it.
fn stall() {
    let start = Instant::now();
    while start.elapsed() < STALL {
        thread::yield_now();
    }
}

async fn start_and_await<E: Executor>(count: u32) -> Amount {
    let start = Instant::now();
    let handles: Vec<E::Handle> = (0..count).map(|_| E::spawn(async {})).collect();
    for handle in handles {
        handle.await;
    }
    start.elapsed().into()
}

fn remote_idle<E: Executor>(count: u32) -> Measured {
    outside::<E, _>(async move { Ok(start_and_await::<E>(count).await) })
}

fn remote_busy_yield<E: Executor>(count: u32) -> Measured {
    outside::<E, _>(async move {
        let over = Arc::new(AtomicBool::new(false));
        let busy = |over: Arc<AtomicBool>| async move {
            while !over.load(Relaxed) {
                E::yield_now().await;
                stall();
            }
        };
        let beside: Vec<E::Handle> = (0..8).map(|_| E::spawn(busy(over.clone()))).collect();
        let took = start_and_await::<E>(count).await;
        over.store(true, Relaxed);
        for handle in beside {
            handle.await;
        }
        Ok(took)
    })
}

fn remote_busy_respawn<E: Executor>(count: u32) -> Measured {
    /// Starts the next one, until it is over; the last one says so.
    fn busy<E: Executor>(over: Arc<AtomicBool>, end: async_channel::Sender<()>) {
        E::spawn_detached(async move {
            stall();
            if over.load(Relaxed) {
                let _ = end.send(()).await;
            } else {
                busy::<E>(over, end);
            }
        });
    }
    outside::<E, _>(async move {
        let over = Arc::new(AtomicBool::new(false));
        let (end, ended) = async_channel::bounded(BUSY);
        for _ in 0..BUSY {
            busy::<E>(over.clone(), end.clone());
        }
        let took = start_and_await::<E>(count).await;
        over.store(true, Relaxed);
        for _ in 0..BUSY {
            ended.recv().await?;
        }
        Ok(took)
    })
}

fn ping_pong<E: Executor>(count: u32) -> Measured {
    E::start();
    let (finish, mut wait) = latch();
    let countdown = Countdown::leaked(count, finish);
    wait.start();
    E::spawn_detached(async move {
        for _ in 0..count {
            E::spawn_detached(async {
                let (question, asked) = oneshot::channel();
                let (answer, answered) = oneshot::channel();
                E::spawn_detached(async {
                    if asked.await.is_ok() {
                        let _ = answer.send(());
                    }
                });
                if question.send(()).is_ok() && answered.await.is_ok() {
                    countdown.arrive();
                }
            });
        }
    });
    wait.measured()
}
