//! kameo. Its addresses and mailboxes survive a restart, as ours do.

use super::executors::Tokio;
use super::{LOAD, Tally};
use crate::bench::{Failure, Measured};
use crate::latch::latch;
use kameo::actor::{Actor, ActorRef, Spawn};
use kameo::error::{Infallible, SendError};
use kameo::mailbox;
use kameo::message::{Context, Message};
use std::time::{Duration, Instant};

#[derive(Clone)]
struct Worker;

impl Actor for Worker {
    type Args = Worker;
    type Error = Infallible;

    async fn on_start(worker: Worker, _: ActorRef<Worker>) -> Result<Worker, Infallible> {
        Ok(worker)
    }
}

struct Get;

impl Message<Get> for Worker {
    type Reply = u64;

    async fn handle(&mut self, _: Get, _: &mut Context<Self, u64>) -> u64 {
        LOAD
    }
}

struct Fail;

#[derive(Debug)]
struct Failed;

impl Message<Fail> for Worker {
    type Reply = Result<(), Failed>;

    async fn handle(&mut self, _: Fail, _: &mut Context<Self, Self::Reply>) -> Self::Reply {
        Err(Failed)
    }
}

struct Panic;

impl Message<Panic> for Worker {
    type Reply = ();

    async fn handle(&mut self, _: Panic, _: &mut Context<Self, ()>) {
        panic!("told to panic")
    }
}

struct Receiver(Tally);

impl Actor for Receiver {
    type Args = Receiver;
    type Error = Infallible;

    async fn on_start(receiver: Receiver, _: ActorRef<Receiver>) -> Result<Receiver, Infallible> {
        Ok(receiver)
    }
}

struct Add(u64);

impl Message<Add> for Receiver {
    type Reply = ();

    async fn handle(&mut self, Add(load): Add, cx: &mut Context<Self, ()>) {
        if self.0.add(load) {
            cx.stop();
        }
    }
}

fn tell(count: u32, senders: u32) -> Measured {
    let _entered = Tokio::runtime().enter();
    let (finish, mut wait) = latch();
    let receiver = Receiver(Tally::new(count, finish));
    let receiver = Receiver::spawn_with_mailbox(receiver, mailbox::unbounded());
    wait.start();
    for _ in 0..senders {
        let receiver = receiver.clone();
        Tokio::runtime().spawn(async move {
            for _ in 0..count / senders {
                if receiver.tell(Add(LOAD)).await.is_err() {
                    break;
                }
            }
        });
    }
    wait.measured()
}

/// `tell` from one task, to an unbounded mailbox.
pub(crate) fn tell_from_one(count: u32) -> Measured {
    tell(count, 1)
}

/// `tell` from eight tasks, to an unbounded mailbox.
pub(crate) fn tell_from_eight(count: u32) -> Measured {
    tell(count, 8)
}

/// Asks, and asks again if the actor gives the question back or loses it while it is being restarted: a failure right after
/// a start takes with it what has arrived before that start was complete.
async fn get(worker: &ActorRef<Worker>) -> Result<(), Failure> {
    loop {
        match worker.ask(Get).await {
            Ok(LOAD) => return Ok(()),
            Ok(_) => return Err(Failure::new("a wrong answer")),
            Err(SendError::ActorRestarting(_) | SendError::ActorStopped) => {}
            Err(error) => return Err(Failure::new(error.to_string())),
        }
    }
}

/// `ask` from a task, one after another.
pub(crate) fn ask(count: u32) -> Measured {
    let _entered = Tokio::runtime().enter();
    let (finish, wait) = latch();
    let worker = Worker::spawn_with_mailbox(Worker, mailbox::unbounded());
    Tokio::runtime().spawn(async move {
        let asked = async {
            let start = Instant::now();
            for _ in 0..count {
                get(&worker).await?;
            }
            Ok(start.elapsed().into())
        };
        finish.result(asked.await);
    });
    wait.measured()
}

/// Spawns an actor, asks it, stops it after what waits, and awaits its end.
pub(crate) fn spawn_ask_stop(count: u32) -> Measured {
    Tokio::in_task(async move {
        let start = Instant::now();
        for _ in 0..count {
            let worker = Worker::spawn_with_mailbox(Worker, mailbox::unbounded());
            get(&worker).await?;
            worker.stop_gracefully().await?;
            worker.wait_for_shutdown().await;
        }
        Ok(start.elapsed().into())
    })
}

struct Supervisor;

impl Actor for Supervisor {
    type Args = ();
    type Error = Infallible;

    async fn on_start((): (), _: ActorRef<Supervisor>) -> Result<Supervisor, Infallible> {
        Ok(Supervisor)
    }
}

fn restart<M: Send + 'static>(count: u32, fail: fn() -> M) -> Measured
where
    Worker: Message<M>,
{
    let _entered = Tokio::runtime().enter();
    let (finish, wait) = latch();
    let supervisor = Supervisor::spawn(());
    Tokio::runtime().spawn(async move {
        let worker = Worker::supervise(&supervisor, Worker)
            .restart_limit(u32::MAX, Duration::from_secs(1))
            .spawn_with_mailbox(mailbox::unbounded())
            .await;
        let restarted = async {
            let start = Instant::now();
            for _ in 0..count {
                let told = worker.tell(fail()).await;
                told.map_err(|error| Failure::new(error.to_string()))?;
                get(&worker).await?;
            }
            Ok(start.elapsed().into())
        };
        finish.result(restarted.await);
        supervisor.kill();
    });
    wait.measured()
}

/// A restart after an error.
pub(crate) fn restart_by_error(count: u32) -> Measured {
    restart(count, || Fail)
}

/// A restart after a panic.
pub(crate) fn restart_by_panic(count: u32) -> Measured {
    restart(count, || Panic)
}
