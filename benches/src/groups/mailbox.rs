//! `mailbox`: what a queue of messages costs, without actors and without an executor.

use crate::bench::{Group, OURS, Subject, Unit, Workload};
use crate::subjects::mailbox::{
    AsyncChannel, Lock, Ours, TokioMpsc, batches, from_threads, one_by_one,
};

/// A workload that every queue runs by the same generic function. A macro, since a function cannot return a borrow of what it
/// makes.
macro_rules! row {
    ($name:literal, $about:literal, $function:ident $(, $number:literal)?) => {
        Workload {
            name: $name,
            about: $about,
            unit: Unit::Nanoseconds,
            operations: 400_000,
            subjects: &[
                Subject::here(OURS, $function::<Ours $(, $number)?>),
                Subject::here("lock", $function::<Lock $(, $number)?>),
                Subject::here("tokio-mpsc", $function::<TokioMpsc $(, $number)?>),
                Subject::here("async-channel", $function::<AsyncChannel $(, $number)?>),
            ],
        }
    };
}

pub(super) const GROUP: Group = Group {
    name: "mailbox",
    about: "queues of messages with a receiver that waits; lock: a mutex around a VecDeque, swapped",
    workloads: &[
        row!("one-by-one", "one thread: wait for a message, send it, take it", one_by_one),
        row!("batches", "one thread: send 64 messages, take them all", batches),
        row!("one-sender", "a thread sends 400,000 messages to another", from_threads, 1),
        row!(
            "eight-senders",
            "eight threads send 50,000 messages each to a ninth",
            from_threads,
            8
        ),
    ],
};
