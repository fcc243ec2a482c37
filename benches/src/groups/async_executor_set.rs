//! `async-executor-set`: the workloads by which async-executor measures itself, with its parameters.
//!
//! Those that are rows elsewhere are not here again: `spawn_many_local` is `tokio-set/spawn-many-remote-idle`, `yield_now` is
//! `yield/yield-now`.

use super::outside;
use crate::bench::{Failure, Group, Measured, OURS, Subject, Unit, Workload};
use crate::subjects::executors::Executor;
use crate::subjects::{floor, fresh};
use async_channel::{Receiver, Sender, bounded};
use fastrand::Rng;
use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::time::Instant;

/// Its `TASKS` and its `STEPS`.
const TASKS: u32 = 300;
const STEPS: u32 = 300;

pub(super) const GROUP: Group = Group {
    name: "async-executor-set",
    about: "async-executor's own set (spawn_many_local, yield_now: see tokio-set and yield)",
    workloads: &[
        CREATE,
        on_executors!(
            "spawn-one",
            "outside, 2,000 times: start a process and await it",
            2_000,
            spawn_one,
            floor: floor::spawn_each
        ),
        on_executors!(
            "spawn-recursively",
            "300 processes, each starts and awaits one that does so, 300 deep",
            TASKS * STEPS,
            spawn_recursively
        ),
        on_executors!(
            "channels",
            "300 processes in a ring of channels hand a number round, 300 times",
            TASKS * STEPS,
            channels
        ),
        on_executors!(
            "web-server",
            "300 requests, half of them ask a process 150 to 300 times through channels",
            TASKS,
            web_server
        ),
    ],
};

const CREATE: Workload = Workload {
    name: "create",
    about: "make an executor with its threads, run one process, end it, 100 times",
    unit: Unit::Nanoseconds,
    operations: 100,
    subjects: &[
        Subject::here(OURS, fresh::bastion),
        Subject::here("tokio", fresh::tokio),
        Subject::here("async-executor", fresh::async_executor),
        Subject::not("bastion-executor-0.4", "its threads never end"),
    ],
};

fn spawn_one<E: Executor>(count: u32) -> Measured {
    outside::<E, _>(async move {
        let start = Instant::now();
        for _ in 0..count {
            E::spawn(async {}).await;
        }
        Ok(start.elapsed().into())
    })
}

fn spawn_recursively<E: Executor>(count: u32) -> Measured {
    fn deeper<E: Executor>(left: u32) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            if left > 0 {
                E::spawn(deeper::<E>(left - 1)).await;
            }
        })
    }
    outside::<E, _>(async move {
        let start = Instant::now();
        let depth = count / TASKS;
        let handles: Vec<E::Handle> = (0..TASKS).map(|_| E::spawn(deeper::<E>(depth))).collect();
        for handle in handles {
            handle.await;
        }
        Ok(start.elapsed().into())
    })
}

/// Hands on what it gets, so many times.
async fn link(rounds: u32, from: Receiver<u32>, to: Sender<u32>) {
    for _ in 0..rounds {
        let Ok(number) = from.recv().await else { return };
        if to.send(number + 1).await.is_err() {
            return;
        }
    }
}

fn channels<E: Executor>(count: u32) -> Measured {
    outside::<E, _>(async move {
        let start = Instant::now();
        let rounds = count / TASKS;
        let (first, mut last) = bounded(1);
        let mut handles = Vec::new();
        for _ in 0..TASKS {
            let (to, next) = bounded(1);
            let from = std::mem::replace(&mut last, next);
            handles.push(E::spawn(link(rounds, from, to)));
        }
        for round in 0..rounds {
            first.send(round).await?;
            if last.recv().await? != round + TASKS {
                return Err(Failure::new("a link was left out"));
            }
        }
        for handle in handles {
            handle.await;
        }
        Ok(start.elapsed().into())
    })
}

/// Answers with a random number, after a random number of yields, until nobody can ask any more.
async fn database<E: Executor>(questions: Receiver<Sender<usize>>, mut random: Rng) {
    while let Ok(answer) = questions.recv().await {
        for _ in 0..random.usize(..10) {
            E::yield_now().await;
        }
        let _ = answer.send(random.usize(..)).await;
    }
}

/// Answers a request: from a cache, or by asking the database many times.
async fn request<E: Executor>(database: Sender<Sender<usize>>, mut random: Rng) {
    if random.bool() {
        E::yield_now().await;
        return;
    }
    for _ in 0..random.u32(STEPS / 2..STEPS) {
        let (answer, answered) = bounded(1);
        if database.send(answer).await.is_err() {
            return;
        }
        let _ = black_box(answered.recv().await);
    }
    for _ in 0..random.usize(3..16) {
        E::yield_now().await;
    }
}

fn web_server<E: Executor>(count: u32) -> Measured {
    outside::<E, _>(async move {
        let start = Instant::now();
        let (ask, questions) = bounded(TASKS as usize / 5);
        let mut of_database = Rng::with_seed(0x1234_5678);
        let mut random = of_database.fork();
        let database = E::spawn(database::<E>(questions, of_database));
        let server = E::spawn(async move {
            for number in 0..count {
                if random.usize(..=16) == 16 {
                    E::yield_now().await;
                }
                E::spawn_detached(request::<E>(ask.clone(), random.fork()));
                if number & 16 == 0 {
                    E::yield_now().await;
                }
            }
        });
        server.await;
        database.await;
        Ok(start.elapsed().into())
    })
}
