//! `wake`: what it costs to wake another process, through a channel that is the same for all.

use crate::bench::{Failure, Group, Measured, OURS, Subject, Unit, Workload};
use crate::latch::{Countdown, latch};
use crate::subjects::executors::{AsyncExecutor, Bastion, Bastion04, Executor, Tokio};
use async_channel::{Receiver, Sender, bounded};
use std::time::Instant;

pub(super) const GROUP: Group = Group {
    name: "wake",
    about: "wake a process that waits (all use the channel of async-channel)",
    workloads: &[ROUND_TRIP, PING_PONG],
};

const ROUND_TRIP: Workload = Workload {
    name: "round-trip",
    about: "two processes hand a number to and fro, 100,000 times",
    unit: Unit::Nanoseconds,
    operations: 100_000,
    subjects: &[
        Subject::here(OURS, round_trip::<Bastion>),
        Subject::here("tokio", round_trip::<Tokio>),
        Subject::here("async-executor", round_trip::<AsyncExecutor>),
        Subject::alone("bastion-executor-0.4", round_trip::<Bastion04>),
    ],
};

const PING_PONG: Workload = Workload {
    name: "ping-pong",
    about: "20,000 processes start a partner each, ask it once and await the answer",
    unit: Unit::Nanoseconds,
    operations: 20_000,
    subjects: &[
        Subject::here(OURS, ping_pong::<Bastion>),
        Subject::here("tokio", ping_pong::<Tokio>),
        Subject::here("async-executor", ping_pong::<AsyncExecutor>),
        Subject::alone("bastion-executor-0.4", ping_pong::<Bastion04>),
    ],
};

/// Adds one to each number and gives it back, until nobody asks any more.
async fn answer(questions: Receiver<u32>, answers: Sender<u32>) {
    while let Ok(number) = questions.recv().await {
        if answers.send(number + 1).await.is_err() {
            return;
        }
    }
}

/// Asks so many times; returns how many answers were right.
async fn ask(count: u32, questions: Sender<u32>, answers: Receiver<u32>) -> u32 {
    let mut right = 0;
    for number in 0..count {
        if questions.send(number).await.is_ok() && answers.recv().await == Ok(number + 1) {
            right += 1;
        }
    }
    right
}

fn round_trip<E: Executor>(count: u32) -> Measured {
    E::start();
    let (finish, wait) = latch();
    let (questions, asked) = bounded(1);
    let (answers, answered) = bounded(1);
    E::spawn_detached(answer(asked, answers));
    E::spawn_detached(async move {
        let start = Instant::now();
        match ask(count, questions, answered).await {
            right if right == count => finish.took(start),
            right => finish.result(Err(Failure::new(format!("{right} right answers of {count}")))),
        }
    });
    wait.measured()
}

fn ping_pong<E: Executor>(count: u32) -> Measured {
    E::start();
    let (finish, mut wait) = latch();
    let countdown = Countdown::leaked(count, finish);
    wait.start();
    E::spawn_detached(async move {
        for _ in 0..count {
            E::spawn_detached(async {
                let (questions, asked) = bounded(1);
                let (answers, answered) = bounded(1);
                E::spawn_detached(answer(asked, answers));
                if ask(1, questions, answered).await == 1 {
                    countdown.arrive();
                }
            });
        }
    });
    wait.measured()
}
