//! `wake`: what it costs to wake another process, through a channel that is the same for all.

use crate::bench::{Failure, Group, Measured, Workload};
use crate::latch::{Countdown, latch};
use crate::subjects::executors::Executor;
use crate::subjects::floor::{self, Boxed};
use async_channel::{Receiver, Sender, bounded};
use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

pub(super) const GROUP: Group = Group {
    name: "wake",
    about: "wake a process that waits, by async-channel (floor: one thread polls them in turn)",
    workloads: &[ROUND_TRIP, PING_PONG],
};

const ROUND_TRIP: Workload = on_executors!(
    "round-trip",
    "two processes hand a number to and fro, 100,000 times",
    100_000,
    round_trip,
    floor: round_trip_in_turn
);

const PING_PONG: Workload = on_executors!(
    "ping-pong",
    "20,000 processes start a partner each, ask it once and await the answer",
    20_000,
    ping_pong,
    floor: ping_pong_in_turn
);

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

/// Makes the two of a conversation, who do not start each other; the asker adds its right answers.
fn pair(count: u32, right: &Rc<Cell<u32>>) -> [Boxed; 2] {
    let (questions, asked) = bounded(1);
    let (answers, answered) = bounded(1);
    let right = right.clone();
    let asker = async move { right.set(right.get() + ask(count, questions, answered).await) };
    [Box::pin(asker), Box::pin(answer(asked, answers))]
}

fn in_turn(count: u32, conversations: u32, questions: u32) -> Measured {
    let right = Rc::new(Cell::new(0));
    let start = Instant::now();
    for _ in 0..conversations {
        floor::run(&mut VecDeque::from(pair(questions, &right)))?;
    }
    let took = start.elapsed();
    match right.get() {
        all if all == count => Ok(took.into()),
        some => Err(Failure::new(format!("{some} right answers of {count}"))),
    }
}

fn round_trip_in_turn(count: u32) -> Measured {
    in_turn(count, 1, count)
}

fn ping_pong_in_turn(count: u32) -> Measured {
    in_turn(count, count, 1)
}
