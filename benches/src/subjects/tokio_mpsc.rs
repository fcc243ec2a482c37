//! tokio with what everybody writes by hand: a task, an unbounded channel, a oneshot channel for the answer. No supervision.

use super::executors::Tokio;
use super::{LOAD, Tally};
use crate::bench::{Failure, Measured};
use crate::latch::latch;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

enum Order {
    Add(u64),
    Get(oneshot::Sender<u64>),
}

fn tell(count: u32, senders: u32) -> Measured {
    let (finish, mut wait) = latch();
    let (sender, mut orders) = mpsc::unbounded_channel();
    let mut tally = Tally::new(count, finish);
    Tokio::runtime().spawn(async move {
        while let Some(order) = orders.recv().await {
            if let Order::Add(load) = order
                && tally.add(load)
            {
                break;
            }
        }
    });
    wait.start();
    for _ in 0..senders {
        let sender = sender.clone();
        Tokio::runtime().spawn(async move {
            for _ in 0..count / senders {
                if sender.send(Order::Add(LOAD)).is_err() {
                    break;
                }
            }
        });
    }
    wait.measured()
}

/// Sends from one task.
pub(crate) fn tell_from_one(count: u32) -> Measured {
    tell(count, 1)
}

/// Sends from eight tasks.
pub(crate) fn tell_from_eight(count: u32) -> Measured {
    tell(count, 8)
}

/// Sends a oneshot channel and awaits the answer, one after another.
pub(crate) fn ask(count: u32) -> Measured {
    let (finish, wait) = latch();
    let (sender, mut orders) = mpsc::unbounded_channel();
    Tokio::runtime().spawn(async move {
        while let Some(order) = orders.recv().await {
            if let Order::Get(reply) = order {
                let _ = reply.send(LOAD);
            }
        }
    });
    Tokio::runtime().spawn(async move {
        let asked = async {
            let start = Instant::now();
            for _ in 0..count {
                let (reply, answer) = oneshot::channel();
                sender.send(Order::Get(reply))?;
                if answer.await? != LOAD {
                    return Err(Failure::new("a wrong answer"));
                }
            }
            Ok(start.elapsed().into())
        };
        finish.result(asked.await);
    });
    wait.measured()
}
