//! `socket`: what it costs to wait for a socket, and to be woken by it.

use crate::bench::{Failure, Group, Measured, OURS, Subject, Unit, Workload};
use crate::latch::{Finish, latch};
use crate::subjects::executors::{AsyncExecutor, Bastion};
use crate::subjects::sockets::{Sockets, TokioNet};
use std::io;
use std::time::Instant;

/// How long a message is, in bytes.
const MESSAGE: usize = 64;

const NO_SOCKETS: &str = "it has no sockets";

pub(super) const GROUP: Group = Group {
    name: "socket",
    about: "messages of 64 bytes over TCP on the loopback, there and back (async-executor: async-net)",
    workloads: &[ONE, FIFTY],
};

/// A workload for those who have sockets.
macro_rules! on_sockets {
    ($name:literal, $about:literal, $operations:literal, $function:ident) => {
        Workload {
            name: $name,
            about: $about,
            unit: Unit::Nanoseconds,
            operations: $operations,
            subjects: &[
                Subject::here(OURS, $function::<Bastion>),
                Subject::here("tokio", $function::<TokioNet>),
                Subject::here("async-executor", $function::<AsyncExecutor>),
                Subject::not("bastion-executor-0.4", NO_SOCKETS),
            ],
        }
    };
}

const ONE: Workload = on_sockets!("echo-1", "one connection, 5,000 messages", 5_000, one);

const FIFTY: Workload =
    on_sockets!("echo-50", "fifty connections, 1,000 messages each", 50_000, fifty);

/// Sends back what comes, until the other end is closed.
async fn answer<E: Sockets>(mut stream: E::Stream) {
    let mut buffer = [0; MESSAGE];
    while E::read(&mut stream, &mut buffer).await.is_ok() {
        if E::write(&mut stream, &buffer).await.is_err() {
            return;
        }
    }
}

/// Sends so many messages, one after the other, and looks at the answers.
async fn ask<E: Sockets>(mut stream: E::Stream, messages: u32) -> io::Result<()> {
    for number in 0..messages {
        let message = [number as u8; MESSAGE];
        E::write(&mut stream, &message).await?;
        let mut answer = [0; MESSAGE];
        E::read(&mut stream, &mut answer).await?;
        if answer != message {
            return Err(io::Error::other("another answer than the message"));
        }
    }
    Ok(())
}

async fn measure<E: Sockets>(connections: u32, messages: u32) -> Measured {
    let mut ends = Vec::new();
    for _ in 0..connections {
        let (here, there) = E::connection().await?;
        E::detach(E::spawn(answer::<E>(here)));
        ends.push(there);
    }
    let start = Instant::now();
    let (results, done) = async_channel::unbounded();
    for end in ends {
        let results = results.clone();
        E::detach(E::spawn(async move {
            let _ = results.send(ask::<E>(end, messages).await).await;
        }));
    }
    drop(results);
    for _ in 0..connections {
        done.recv().await.map_err(|_| Failure::new("a process is gone"))??;
    }
    Ok(start.elapsed().into())
}

fn run<E: Sockets>(connections: u32, messages: u32) -> Measured {
    E::start();
    let (finish, wait) = latch();
    let finish: Finish = finish;
    E::detach(E::spawn(async move { finish.result(measure::<E>(connections, messages).await) }));
    wait.measured()
}

fn one<E: Sockets>(count: u32) -> Measured {
    run::<E>(1, count)
}

fn fifty<E: Sockets>(count: u32) -> Measured {
    run::<E>(50, count / 50)
}
