//! ractor. It has no restarts: its supervisors are told of a failure and start another actor by hand.

use super::executors::Tokio;
use super::{LOAD, Tally};
use crate::bench::{Failure, Measured};
use crate::latch::latch;
use ractor::rpc::CallResult;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use std::time::Instant;
use tokio::sync::mpsc;

enum Order {
    Add(u64),
    Get(RpcReplyPort<u64>),
    Fail,
    Panic,
}

struct Worker;

impl Actor for Worker {
    type Msg = Order;
    type State = Option<Tally>;
    type Arguments = Option<Tally>;

    async fn pre_start(
        &self,
        _: ActorRef<Order>,
        tally: Option<Tally>,
    ) -> Result<Option<Tally>, ActorProcessingErr> {
        Ok(tally)
    }

    async fn handle(
        &self,
        myself: ActorRef<Order>,
        order: Order,
        tally: &mut Option<Tally>,
    ) -> Result<(), ActorProcessingErr> {
        match order {
            Order::Add(load) => {
                if tally.as_mut().is_some_and(|tally| tally.add(load)) {
                    myself.stop(None);
                }
            }
            Order::Get(reply) => reply.send(LOAD)?,
            Order::Fail => return Err("told to fail".into()),
            Order::Panic => panic!("told to panic"),
        }
        Ok(())
    }
}

fn tell(count: u32, senders: u32) -> Measured {
    let (finish, mut wait) = latch();
    let tally = Tally::new(count, finish);
    let (receiver, _) = Tokio::runtime().block_on(Worker::spawn(None, Worker, Some(tally)))?;
    wait.start();
    for _ in 0..senders {
        let receiver = receiver.clone();
        Tokio::runtime().spawn(async move {
            for _ in 0..count / senders {
                if receiver.cast(Order::Add(LOAD)).is_err() {
                    break;
                }
            }
        });
    }
    wait.measured()
}

/// `cast` from one task.
pub(crate) fn tell_from_one(count: u32) -> Measured {
    tell(count, 1)
}

/// `cast` from eight tasks.
pub(crate) fn tell_from_eight(count: u32) -> Measured {
    tell(count, 8)
}

async fn get(worker: &ActorRef<Order>) -> Result<(), Failure> {
    match worker.call(Order::Get, None).await? {
        CallResult::Success(LOAD) => Ok(()),
        other => Err(Failure::new(format!("a wrong answer: {other:?}"))),
    }
}

/// `call` from a task, one after another.
pub(crate) fn ask(count: u32) -> Measured {
    let (finish, wait) = latch();
    let (worker, _) = Tokio::runtime().block_on(Worker::spawn(None, Worker, None))?;
    Tokio::runtime().spawn(async move {
        let asked = async {
            let start = Instant::now();
            for _ in 0..count {
                get(&worker).await?;
            }
            Ok(start.elapsed().into())
        };
        finish.result(asked.await);
        worker.stop(None);
    });
    wait.measured()
}

/// Spawns an actor, calls it, stops it, and awaits its end.
pub(crate) fn spawn_ask_stop(count: u32) -> Measured {
    Tokio::in_task(async move {
        let start = Instant::now();
        for _ in 0..count {
            let (worker, task) = Worker::spawn(None, Worker, None).await?;
            get(&worker).await?;
            worker.stop(None);
            task.await?;
        }
        Ok(start.elapsed().into())
    })
}

/// Starts a worker, and another one for each that fails; passes each one's address on.
struct Supervisor;

impl Supervisor {
    async fn start(
        myself: ActorRef<()>,
        workers: &mpsc::UnboundedSender<ActorRef<Order>>,
    ) -> Result<(), ActorProcessingErr> {
        let (worker, _) = Worker::spawn_linked(None, Worker, None, myself.into()).await?;
        workers.send(worker)?;
        Ok(())
    }
}

impl Actor for Supervisor {
    type Msg = ();
    type State = mpsc::UnboundedSender<ActorRef<Order>>;
    type Arguments = mpsc::UnboundedSender<ActorRef<Order>>;

    async fn pre_start(
        &self,
        myself: ActorRef<()>,
        workers: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        Supervisor::start(myself, &workers).await?;
        Ok(workers)
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<()>,
        event: SupervisionEvent,
        workers: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(..) = event {
            Supervisor::start(myself, workers).await?;
        }
        Ok(())
    }
}

fn restart(count: u32, fail: fn() -> Order) -> Measured {
    let (finish, wait) = latch();
    let (sender, mut workers) = mpsc::unbounded_channel();
    let supervisor = Supervisor::spawn(None, Supervisor, sender);
    let (supervisor, _) = Tokio::runtime().block_on(supervisor)?;
    Tokio::runtime().spawn(async move {
        let restarted = async {
            let gone = || Failure::new("the supervisor has ended");
            let mut worker = workers.recv().await.ok_or_else(gone)?;
            let start = Instant::now();
            for _ in 0..count {
                worker.cast(fail())?;
                worker = workers.recv().await.ok_or_else(gone)?;
                get(&worker).await?;
            }
            Ok(start.elapsed().into())
        };
        finish.result(restarted.await);
        supervisor.stop(None);
    });
    wait.measured()
}

/// A restart by hand after an error.
pub(crate) fn restart_by_error(count: u32) -> Measured {
    restart(count, || Order::Fail)
}

/// A restart by hand after a panic.
pub(crate) fn restart_by_panic(count: u32) -> Measured {
    restart(count, || Order::Panic)
}
