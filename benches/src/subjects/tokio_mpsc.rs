//! tokio with what everybody writes by hand: a task, an unbounded channel, a oneshot channel for the answer. No supervision.

use super::executors::Tokio;
use super::{LOAD, Tally};
use crate::bench::{Failure, Measured};
use crate::latch::latch;
use std::time::Instant;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
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

/// Answers until nobody can ask.
async fn worker(mut orders: UnboundedReceiver<Order>) {
    while let Some(order) = orders.recv().await {
        if let Order::Get(reply) = order {
            let _ = reply.send(LOAD);
        }
    }
}

async fn get(worker: &UnboundedSender<Order>) -> Result<(), Failure> {
    let (reply, answer) = oneshot::channel();
    worker.send(Order::Get(reply))?;
    if answer.await? == LOAD { Ok(()) } else { Err(Failure::new("a wrong answer")) }
}

/// Sends a oneshot channel and awaits the answer, one after another.
pub(crate) fn ask(count: u32) -> Measured {
    Tokio::in_task(async move {
        let (sender, orders) = mpsc::unbounded_channel();
        tokio::spawn(worker(orders));
        let start = Instant::now();
        for _ in 0..count {
            get(&sender).await?;
        }
        Ok(start.elapsed().into())
    })
}

/// Starts a task with a channel, asks it, lets go of the channel, and awaits the task.
pub(crate) fn spawn_ask_stop(count: u32) -> Measured {
    Tokio::in_task(async move {
        let start = Instant::now();
        for _ in 0..count {
            let (sender, orders) = mpsc::unbounded_channel();
            let task = tokio::spawn(worker(orders));
            get(&sender).await?;
            drop(sender);
            task.await?;
        }
        Ok(start.elapsed().into())
    })
}
