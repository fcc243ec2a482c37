//! The Bastion 0.4 line, which this project succeeds. Its system is global, so it is measured in a process of its own.

use super::{LOAD, RING, Tally};
use crate::bench::{Failure, Measured};
use crate::latch::latch;
use bastion_04::Bastion;
use bastion_04::child_ref::ChildRef;
use bastion_04::context::BastionContext;
use bastion_04::message::MessageHandler;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;
use tokio::sync::mpsc;

#[derive(Debug)]
struct Add(u64);

#[derive(Debug)]
struct Get;

#[derive(Debug)]
enum End {
    Error,
    Panic,
}

/// Starts a group of one child and returns the child's address.
fn child<F>(exec: impl Fn(BastionContext) -> F + Send + Sync + 'static) -> Result<ChildRef, Failure>
where
    F: Future<Output = Result<(), ()>> + Send + 'static,
{
    Bastion::init();
    Bastion::start();
    add(exec)
}

/// Starts a group of one child in the system that runs.
fn add<F>(exec: impl Fn(BastionContext) -> F + Send + Sync + 'static) -> Result<ChildRef, Failure>
where
    F: Future<Output = Result<(), ()>> + Send + 'static,
{
    let refused = || Failure::new("the child was refused");
    let group = Bastion::children(|group| group.with_exec(exec)).map_err(|()| refused())?;
    group.elems().first().cloned().ok_or_else(refused)
}

fn tell(count: u32, senders: u32) -> Measured {
    let (finish, mut wait) = latch();
    let receiver = child(move |cx| {
        let mut tally = Tally::new(count, finish.clone());
        async move {
            let mut ended = false;
            while !ended {
                ended = MessageHandler::new(cx.recv().await?)
                    .on_tell(|Add(load), _| tally.add(load))
                    .on_fallback(|_, _| false);
            }
            Ok(())
        }
    })?;
    wait.start();
    for _ in 0..senders {
        let receiver = receiver.clone();
        child(move |_| {
            let receiver = receiver.clone();
            async move {
                for _ in 0..count / senders {
                    receiver.tell_anonymously(Add(LOAD)).map_err(|_| ())?;
                }
                Ok(())
            }
        })?;
    }
    wait.measured()
}

/// `tell` from one child.
pub(crate) fn tell_from_one(count: u32) -> Measured {
    tell(count, 1)
}

/// `tell` from eight children.
pub(crate) fn tell_from_eight(count: u32) -> Measured {
    tell(count, 8)
}

/// Answers, and fails when told to.
async fn worker(cx: BastionContext) -> Result<(), ()> {
    loop {
        MessageHandler::new(cx.recv().await?)
            .on_question(|_: Get, sender| sender.reply(LOAD).map_err(|_| ()))
            .on_tell(|end: End, _| match end {
                End::Error => Err(()),
                End::Panic => panic!("told to panic"),
            })
            .on_fallback(|_, _| Ok(()))?;
    }
}

async fn get(worker: &ChildRef) -> Result<(), Failure> {
    let lost = || Failure::new("the question got lost");
    let answer = worker.ask_anonymously(Get).map_err(|_| lost())?;
    let answer = answer.await.map_err(|()| lost())?;
    MessageHandler::new(answer)
        .on_tell(|load: u64, _| load == LOAD)
        .on_fallback(|_, _| false)
        .then_some(())
        .ok_or_else(|| Failure::new("a wrong answer"))
}

/// `ask` from a child, one after another.
pub(crate) fn ask(count: u32) -> Measured {
    let (finish, wait) = latch();
    let worker = child(worker)?;
    child(move |_| {
        let (worker, finish) = (worker.clone(), finish.clone());
        async move {
            let asked = async {
                let start = Instant::now();
                for _ in 0..count {
                    get(&worker).await?;
                }
                Ok(start.elapsed().into())
            };
            finish.result(asked.await);
            Ok(())
        }
    })?;
    wait.measured()
}

/// Starts a child, asks it, and stops it. Nobody can await its end.
///
/// Each takes longer than the one before (20,000: a millisecond, 1,000: 30 microseconds), so it does a twentieth.
pub(crate) fn spawn_ask_stop(count: u32) -> Measured {
    let (finish, wait) = latch();
    let share = count / 20;
    child(move |_| {
        let finish = finish.clone();
        async move {
            let lived = async {
                let start = Instant::now();
                for _ in 0..share {
                    let worker = add(worker)?;
                    get(&worker).await?;
                    worker.stop().map_err(|()| Failure::new("it cannot be stopped"))?;
                }
                Ok((start.elapsed() * 20).into())
            };
            finish.result(lived.await);
            Ok(())
        }
    })?;
    wait.measured()
}

/// How many hops are left.
#[derive(Debug)]
struct Token(u32);

/// A token that goes round a ring of children.
pub(crate) fn ring(hops: u32) -> Measured {
    let (finish, mut wait) = latch();
    let all: Arc<OnceLock<Vec<ChildRef>>> = Arc::default();
    let member = |index: usize| {
        let (all, finish) = (all.clone(), finish.clone());
        child(move |cx| {
            let (all, finish) = (all.clone(), finish.clone());
            async move {
                loop {
                    let hop = |Token(left): Token, _| match (left, all.get()) {
                        (0, _) => finish.now(),
                        (_, Some(all)) => {
                            let _ = all[(index + 1) % all.len()].tell_anonymously(Token(left - 1));
                        }
                        (_, None) => {}
                    };
                    MessageHandler::new(cx.recv().await?).on_tell(hop).on_fallback(|_, _| ());
                }
            }
        })
    };
    let members = (0..RING).map(member).collect::<Result<Vec<ChildRef>, Failure>>()?;
    let first = members[0].clone();
    let _ = all.set(members);
    wait.start();
    first.tell_anonymously(Token(hops)).map_err(|_| Failure::new("the token got lost"))?;
    wait.measured()
}

/// The restarted child has a new address, which it tells by hand.
fn restart(count: u32, end: fn() -> End) -> Measured {
    let (finish, wait) = latch();
    let (sender, workers) = mpsc::unbounded_channel();
    child(move |cx| {
        let sender = sender.clone();
        async move {
            let _ = sender.send(cx.current().clone());
            worker(cx).await
        }
    })?;
    let workers = Mutex::new(Some(workers));
    child(move |_| {
        let finish = finish.clone();
        let workers = workers.lock().ok().and_then(|mut workers| workers.take());
        async move {
            let restarted = async {
                let gone = || Failure::new("the child was not restarted");
                let mut workers = workers.ok_or_else(gone)?;
                let mut worker = workers.recv().await.ok_or_else(gone)?;
                let start = Instant::now();
                for _ in 0..count {
                    worker.tell_anonymously(end()).map_err(|_| gone())?;
                    worker = workers.recv().await.ok_or_else(gone)?;
                    get(&worker).await?;
                }
                Ok(start.elapsed().into())
            };
            finish.result(restarted.await);
            Ok(())
        }
    })?;
    wait.measured()
}

/// A restart after an error.
pub(crate) fn restart_by_error(count: u32) -> Measured {
    restart(count, || End::Error)
}

/// A restart after a panic.
pub(crate) fn restart_by_panic(count: u32) -> Measured {
    restart(count, || End::Panic)
}
