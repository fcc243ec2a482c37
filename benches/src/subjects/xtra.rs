//! xtra on tokio. Idle since 2024; it is here because it is small and known as fast.

use super::executors::Tokio;
use super::{LOAD, Tally};
use crate::bench::{Failure, Measured};
use crate::latch::latch;
use std::time::Instant;
use xtra::{Actor, Address, Context, Handler, Mailbox};

struct Receiver(Tally);

impl Actor for Receiver {
    type Stop = ();

    async fn stopped(self) {}
}

struct Add(u64);

impl Handler<Add> for Receiver {
    type Return = ();

    async fn handle(&mut self, Add(load): Add, cx: &mut Context<Self>) {
        if self.0.add(load) {
            cx.stop_self();
        }
    }
}

fn tell(count: u32, senders: u32) -> Measured {
    let _entered = Tokio::runtime().enter();
    let (finish, mut wait) = latch();
    let tally = Tally::new(count, finish);
    let receiver = xtra::spawn_tokio(Receiver(tally), Mailbox::unbounded());
    wait.start();
    for _ in 0..senders {
        let receiver = receiver.clone();
        Tokio::runtime().spawn(async move {
            for _ in 0..count / senders {
                if receiver.send(Add(LOAD)).detach().await.is_err() {
                    break;
                }
            }
        });
    }
    wait.measured()
}

/// `send`, detached, from one task.
pub(crate) fn tell_from_one(count: u32) -> Measured {
    tell(count, 1)
}

/// `send`, detached, from eight tasks.
pub(crate) fn tell_from_eight(count: u32) -> Measured {
    tell(count, 8)
}

struct Worker;

impl Actor for Worker {
    type Stop = ();

    async fn stopped(self) {}
}

struct Get;

impl Handler<Get> for Worker {
    type Return = u64;

    async fn handle(&mut self, _: Get, _: &mut Context<Self>) -> u64 {
        LOAD
    }
}

async fn get(worker: &Address<Worker>) -> Result<(), Failure> {
    match worker.send(Get).await? {
        LOAD => Ok(()),
        _ => Err(Failure::new("a wrong answer")),
    }
}

/// Starts one. Tasks of the runtime may do that.
fn start() -> Address<Worker> {
    xtra::spawn_tokio(Worker, Mailbox::unbounded())
}

/// `send`, and its answer, from a task, one after another.
pub(crate) fn ask(count: u32) -> Measured {
    Tokio::in_task(async move {
        let worker = start();
        let start = Instant::now();
        for _ in 0..count {
            get(&worker).await?;
        }
        Ok(start.elapsed().into())
    })
}

/// Starts an actor, asks it, and lets go of its only address; its end is awaited by a weak one.
pub(crate) fn spawn_ask_stop(count: u32) -> Measured {
    Tokio::in_task(async move {
        let begin = Instant::now();
        for _ in 0..count {
            let worker = start();
            get(&worker).await?;
            let ended = worker.join();
            drop(worker);
            ended.await;
        }
        Ok(begin.elapsed().into())
    })
}
