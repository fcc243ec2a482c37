//! This project by the API of bastion 0.4: the same work as `bastion`, in groups of children that take messages of any type.

use super::executors::{self, Executor};
use super::{LOAD, RING, Tally};
use crate::bench::{Amount, Failure, Measured};
use crate::latch::{Countdown, latch};
use crate::memory::resident_bytes;
use bastion_classic::platform::Platform;
use bastion_classic::prelude::*;
use bastion_supervision::Runtime;
use std::future::Future;
use std::mem;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

#[derive(Debug)]
struct Add(u64);

#[derive(Debug)]
struct Get;

#[derive(Debug)]
struct Stop;

/// How many hops are left.
#[derive(Debug)]
struct Token(u32);

/// Returns the platform of all rows.
fn platform() -> &'static Platform {
    static PLATFORM: OnceLock<Platform> = OnceLock::new();
    executors::Bastion::start();
    PLATFORM.get_or_init(|| {
        let platform = Platform::new(Runtime::executor());
        platform.start();
        platform
    })
}

fn group(describe: impl FnOnce(Children) -> Children) -> Result<ChildrenRef, Failure> {
    platform().children(describe).map_err(|()| Failure::new("the group was refused"))
}

/// Starts a group of one child and returns the child.
fn child<F>(exec: impl Fn(BastionContext) -> F + Send + 'static) -> Result<ChildRef, Failure>
where
    F: Future<Output = Result<(), ()>> + Send + 'static,
{
    Ok(group(|children| children.with_exec(exec))?.elems()[0].clone())
}

/// Runs a body in a child, and passes on how long it says that it took.
fn in_child<F>(body: impl Fn() -> F + Send + 'static) -> Measured
where
    F: Future<Output = Measured> + Send + 'static,
{
    let (finish, wait) = latch();
    child(move |_| {
        let (body, finish) = (body(), finish.clone());
        async move {
            finish.result(body.await);
            Ok(())
        }
    })?;
    wait.measured()
}

fn lost<E>(_: E) -> Failure {
    Failure::new("a message got lost")
}

fn tell(count: u32, senders: u32) -> Measured {
    let (finish, mut wait) = latch();
    let receiver = child(move |ctx| {
        let mut tally = Tally::new(count, finish.clone());
        async move {
            loop {
                let is_last = msg! { ctx.recv().await?,
                    add: Add => tally.add(add.0);
                    _: _ => false;
                };
                if is_last {
                    return Ok(());
                }
            }
        }
    })?;
    wait.start();
    for _ in 0..senders {
        let receiver = receiver.clone();
        child(move |_| {
            let receiver = receiver.clone();
            async move {
                for _ in 0..count / senders {
                    receiver.tell_anonymously(Add(LOAD)).map_err(drop)?;
                }
                Ok(())
            }
        })?;
    }
    wait.measured()
}

/// `tell_anonymously` from one child.
pub(crate) fn tell_from_one(count: u32) -> Measured {
    tell(count, 1)
}

/// `tell_anonymously` from eight children.
pub(crate) fn tell_from_eight(count: u32) -> Measured {
    tell(count, 8)
}

/// Answers, until it is told to stop.
async fn worker(ctx: BastionContext) -> Result<(), ()> {
    loop {
        msg! { ctx.recv().await?,
            _stop: Stop => return Ok(());
            _get: Get =!> {
                let _ = answer!(ctx, LOAD);
            };
            _: _ => ();
        }
    }
}

async fn get(worker: &ChildRef) -> Result<(), Failure> {
    let answer = worker.ask_anonymously(Get).map_err(lost)?.await.map_err(lost)?;
    let load = msg! { answer, load: u64 => load; _: _ => 0; };
    if load == LOAD { Ok(()) } else { Err(Failure::new("a wrong answer")) }
}

/// `ask_anonymously`, one question after another.
pub(crate) fn ask(count: u32) -> Measured {
    let worker = child(worker)?;
    let asked = worker.clone();
    let measured = in_child(move || {
        let worker = asked.clone();
        async move {
            let start = Instant::now();
            for _ in 0..count {
                get(&worker).await?;
            }
            Ok(start.elapsed().into())
        }
    });
    worker.tell_anonymously(Stop).map_err(lost)?;
    measured
}

/// A token that goes round a ring of groups of one child.
pub(crate) fn ring(hops: u32) -> Measured {
    let (finish, mut wait) = latch();
    let all: Arc<OnceLock<Vec<ChildRef>>> = Arc::default();
    let member = |index: usize| {
        let (all, finish) = (all.clone(), finish.clone());
        child(move |ctx| {
            let (all, finish) = (all.clone(), finish.clone());
            async move {
                loop {
                    msg! { ctx.recv().await?,
                        token: Token => match (token.0, all.get()) {
                            (0, _) => finish.now(),
                            (left, Some(all)) => {
                                let next = &all[(index + 1) % all.len()];
                                next.tell_anonymously(Token(left - 1)).map_err(drop)?;
                            }
                            (_, None) => {}
                        };
                        _stop: Stop => return Ok(());
                        _: _ => ();
                    }
                }
            }
        })
    };
    let members = (0..RING).map(member).collect::<Result<Vec<ChildRef>, Failure>>()?;
    let members = all.get_or_init(|| members);
    wait.start();
    members[0].tell_anonymously(Token(hops)).map_err(lost)?;
    let measured = wait.measured();
    members.iter().try_for_each(|member| member.tell_anonymously(Stop).map_err(lost))?;
    measured
}

/// Starts a group of one child, asks it, tells it to stop, and awaits the end of the group.
pub(crate) fn spawn_ask_stop(count: u32) -> Measured {
    in_child(move || async move {
        let (stopped, ends) = async_channel::bounded::<()>(1);
        let start = Instant::now();
        for _ in 0..count {
            let stopped = stopped.clone();
            let tells = Callbacks::new().with_after_stop(move || {
                let _ = stopped.try_send(());
            });
            let group = group(|children| children.with_exec(worker).with_callbacks(tells))?;
            get(&group.elems()[0]).await?;
            group.elems()[0].tell_anonymously(Stop).map_err(lost)?;
            ends.recv().await?;
        }
        Ok(start.elapsed().into())
    })
}

/// What one of `count` children of a group takes that waits for its first message.
pub(crate) fn idle(count: u32) -> Measured {
    let start = |count: u32| {
        let (finish, mut wait) = latch();
        wait.start();
        let started = Countdown::leaked(count, finish);
        let group = group(|children| {
            children.with_redundancy(count as usize).with_exec(move |ctx: BastionContext| {
                started.arrive();
                async move { ctx.recv().await.map(drop) }
            })
        })?;
        // They wait for ever, so that the next measurement finds no freed memory.
        mem::forget(group);
        wait.measured()
    };
    start(64)?;
    let before = resident_bytes()?;
    start(count)?;
    Ok(Amount(resident_bytes()?.saturating_sub(before)))
}
