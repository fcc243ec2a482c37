//! The groups, a file each: their workloads and who is asked. And the names of sets of groups.

/// A workload that every executor runs by the same generic function. A macro, since a function cannot return a borrow of what it
/// makes.
macro_rules! on_executors {
    ($name:literal, $about:expr, $operations:expr, $function:ident $(, floor: $floor:expr)?) => {
        $crate::bench::Workload {
            name: $name,
            about: $about,
            unit: $crate::bench::Unit::Nanoseconds,
            operations: $operations,
            subjects: &[
                $crate::bench::Subject::here(
                    $crate::bench::OURS,
                    $function::<$crate::subjects::executors::Bastion>,
                ),
                $crate::bench::Subject::here(
                    "tokio",
                    $function::<$crate::subjects::executors::Tokio>,
                ),
                $crate::bench::Subject::here(
                    "async-executor",
                    $function::<$crate::subjects::executors::AsyncExecutor>,
                ),
                $crate::bench::Subject::alone(
                    "bastion-executor-0.4",
                    $function::<$crate::subjects::executors::Bastion04>,
                ),
                $($crate::bench::Subject::here($crate::bench::FLOOR, $floor),)?
            ],
        }
    };
}

mod actor_memory;
mod ask;
mod async_executor_set;
mod blocking;
mod classic;
mod dynamic;
mod lifecycle;
mod lightproc;
mod mailbox;
mod memory;
mod million;
mod options;
mod remote;
mod restart;
mod ring;
mod savina;
mod socket;
mod spawn;
mod storm;
mod supervise;
mod supervised_memory;
mod tell;
mod timer;
mod tokio_set;
mod wake;
mod yields;

use crate::bench::{Group, Measured, Set};
use crate::latch::latch;
use crate::subjects::executors::Executor;
use std::thread;

/// Every group, in the order in which they are measured.
pub(crate) const GROUPS: &[Group] = &[
    lightproc::GROUP,
    spawn::GROUP,
    yields::GROUP,
    wake::GROUP,
    remote::GROUP,
    tokio_set::GROUP,
    async_executor_set::GROUP,
    timer::GROUP,
    blocking::GROUP,
    socket::GROUP,
    memory::GROUP,
    mailbox::GROUP,
    tell::GROUP,
    ask::GROUP,
    dynamic::GROUP,
    classic::GROUP,
    options::GROUP,
    ring::GROUP,
    lifecycle::GROUP,
    actor_memory::GROUP,
    savina::GROUP,
    restart::GROUP,
    storm::GROUP,
    supervise::GROUP,
    supervised_memory::GROUP,
    million::GROUP,
];

/// Names for several groups.
pub(crate) const SETS: &[Set] = &[
    Set {
        name: "executor",
        groups: &[
            "spawn",
            "yield",
            "wake",
            "remote",
            "tokio-set",
            "async-executor-set",
            "timer",
            "blocking",
            "socket",
            "memory",
        ],
    },
    Set {
        name: "actors",
        groups: &[
            "tell",
            "ask",
            "dynamic",
            "classic",
            "options",
            "ring",
            "lifecycle",
            "actor-memory",
            "savina",
            "million",
        ],
    },
    Set { name: "supervision", groups: &["restart", "storm", "supervise", "supervised-memory"] },
];

/// Does the work on a thread that is no worker, in the executor's `block_on`.
fn outside<E: Executor, F>(work: F) -> Measured
where
    F: Future<Output = Measured> + Send + 'static,
{
    E::start();
    let (finish, wait) = latch();
    // Not on the main thread, which gives up on who never ends.
    thread::spawn(move || finish.result(E::block_on(work)));
    wait.measured()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_of_a_set_is_there_and_no_name_means_two_things() {
        let is_group = |name: &&str| GROUPS.iter().any(|group| group.name == *name);
        for set in SETS {
            assert!(set.groups.iter().all(is_group), "{}", set.name);
            assert!(!is_group(&set.name), "{}", set.name);
        }
    }
}
