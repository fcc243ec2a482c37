//! actix. An actor stays on the thread of its arbiter; the arbiters are the workers.

use super::{LOAD, Tally, workers};
use crate::bench::{Failure, Measured};
use crate::latch::latch;
use actix::{Actor, ActorContext, Addr, Arbiter, ArbiterHandle, Context, Handler, Message, System};
use std::sync::OnceLock;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Instant;
use tokio::sync::oneshot;

/// Returns the arbiters, on their threads. The system's own thread only keeps them.
fn arbiters() -> &'static [ArbiterHandle] {
    static ARBITERS: OnceLock<Vec<ArbiterHandle>> = OnceLock::new();
    ARBITERS.get_or_init(|| {
        let (sender, handles) = sync_channel(workers());
        thread::spawn(move || {
            let system = System::new();
            let arbiters: Vec<Arbiter> =
                system.block_on(async { (0..workers()).map(|_| Arbiter::new()).collect() });
            arbiters.iter().for_each(|arbiter| {
                let _ = sender.send(arbiter.handle());
            });
            system.run()
        });
        handles.iter().take(workers()).collect()
    })
}

pub(crate) fn arbiter(index: u32) -> &'static ArbiterHandle {
    let arbiters = arbiters();
    &arbiters[index as usize % arbiters.len()]
}

struct Receiver(Tally);

impl Actor for Receiver {
    type Context = Context<Receiver>;
}

struct Add(u64);

impl Message for Add {
    type Result = ();
}

impl Handler<Add> for Receiver {
    type Result = ();

    fn handle(&mut self, Add(load): Add, cx: &mut Context<Receiver>) {
        if self.0.add(load) {
            cx.stop();
        }
    }
}

fn tell(count: u32, senders: u32) -> Measured {
    let (finish, mut wait) = latch();
    let tally = Tally::new(count, finish);
    let receiver = Receiver::start_in_arbiter(arbiter(0), |_| Receiver(tally));
    wait.start();
    for index in 0..senders {
        let receiver: Addr<Receiver> = receiver.clone();
        // The first one is not on the receiver's thread.
        arbiter(index + 1).spawn(async move {
            for _ in 0..count / senders {
                receiver.do_send(Add(LOAD));
            }
        });
    }
    wait.measured()
}

/// `do_send` from a future on the other arbiter.
pub(crate) fn tell_from_one(count: u32) -> Measured {
    tell(count, 1)
}

/// `do_send` from eight futures, half of them on the receiver's arbiter.
pub(crate) fn tell_from_eight(count: u32) -> Measured {
    tell(count, 8)
}

struct Worker;

impl Actor for Worker {
    type Context = Context<Worker>;
}

struct Get;

impl Message for Get {
    type Result = u64;
}

impl Handler<Get> for Worker {
    type Result = u64;

    fn handle(&mut self, _: Get, _: &mut Context<Worker>) -> u64 {
        LOAD
    }
}

/// `send` from a future on the actor's own arbiter, one after another.
pub(crate) fn ask(count: u32) -> Measured {
    let (finish, wait) = latch();
    let worker = Worker::start_in_arbiter(arbiter(0), |_| Worker);
    arbiter(0).spawn(async move {
        let asked = async {
            let start = Instant::now();
            for _ in 0..count {
                if worker.send(Get).await? != LOAD {
                    return Err(Failure::new("a wrong answer"));
                }
            }
            Ok(start.elapsed().into())
        };
        finish.result(asked.await);
    });
    wait.measured()
}

/// Ends when it is told to, and says so.
struct Mortal(Option<oneshot::Sender<()>>);

impl Actor for Mortal {
    type Context = Context<Mortal>;

    fn stopped(&mut self, _: &mut Context<Mortal>) {
        let _ = self.0.take().map(|ended| ended.send(()));
    }
}

impl Handler<Get> for Mortal {
    type Result = u64;

    fn handle(&mut self, _: Get, _: &mut Context<Mortal>) -> u64 {
        LOAD
    }
}

struct Stop;

impl Message for Stop {
    type Result = ();
}

impl Handler<Stop> for Mortal {
    type Result = ();

    fn handle(&mut self, _: Stop, cx: &mut Context<Mortal>) {
        cx.stop();
    }
}

/// Starts an actor on the arbiter of the future that asks it, tells it to stop, and awaits its end.
pub(crate) fn spawn_ask_stop(count: u32) -> Measured {
    let (finish, wait) = latch();
    arbiter(0).spawn(async move {
        let lived = async {
            let start = Instant::now();
            for _ in 0..count {
                let (sender, ended) = oneshot::channel();
                let mortal = Mortal(Some(sender)).start();
                if mortal.send(Get).await? != LOAD {
                    return Err(Failure::new("a wrong answer"));
                }
                mortal.do_send(Stop);
                ended.await?;
            }
            Ok(start.elapsed().into())
        };
        finish.result(lived.await);
    });
    wait.measured()
}
