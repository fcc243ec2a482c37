//! `blocking`: what it costs to have a call made on a thread that may block.

use super::outside;
use crate::bench::{Group, Measured};
use crate::subjects::services::Blocking;
use std::thread;
use std::time::{Duration, Instant};

/// How many jobs a process starts before it awaits them.
const BATCH: u32 = 16;

pub(super) const GROUP: Group = Group {
    name: "blocking",
    about: "calls on threads that may block (async-executor: the pool of the crate blocking)",
    workloads: &[
        on_executors!(
            "no-op-1",
            "one process, 100 times: start 16 calls that do nothing, await them",
            1_600,
            no_op_from_one
        ),
        on_executors!(
            "no-op-16",
            "sixteen processes, each 100 times: start 16 calls that do nothing, await them",
            25_600,
            no_op_from_sixteen
        ),
        on_executors!(
            "sleep-1ms",
            "outside, 300 calls that sleep 1 ms: start all, await all",
            300,
            sleep
        ),
    ],
};

/// Starts batches of jobs, each when the one before has ended.
fn batches<E: Blocking>(count: u32, processes: u32) -> Measured {
    outside::<E, _>(async move {
        let start = Instant::now();
        let process = || async move {
            for _ in 0..count / processes / BATCH {
                let jobs: Vec<_> = (0..BATCH).map(|_| E::spawn_blocking(|| ())).collect();
                for job in jobs {
                    job.await;
                }
            }
        };
        let handles: Vec<E::Handle> = (0..processes).map(|_| E::spawn(process())).collect();
        for handle in handles {
            handle.await;
        }
        Ok(start.elapsed().into())
    })
}

fn no_op_from_one<E: Blocking>(count: u32) -> Measured {
    batches::<E>(count, 1)
}

fn no_op_from_sixteen<E: Blocking>(count: u32) -> Measured {
    batches::<E>(count, 16)
}

fn sleep<E: Blocking>(count: u32) -> Measured {
    outside::<E, _>(async move {
        let start = Instant::now();
        let job = || E::spawn_blocking(|| thread::sleep(Duration::from_millis(1)));
        let jobs: Vec<_> = (0..count).map(|_| job()).collect();
        for job in jobs {
            job.await;
        }
        Ok(start.elapsed().into())
    })
}
