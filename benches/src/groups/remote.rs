//! `remote`: what it costs to start processes from several threads that are no workers (tokio's `remote_spawn`).

use crate::bench::{Failure, Group, Measured};
use crate::latch::latch;
use crate::subjects::executors::Executor;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

/// How many processes all threads start together.
const PROCESSES: u32 = 12_800;

pub(super) const GROUP: Group = Group {
    name: "remote",
    about: "threads outside start 12,800 processes together; with the threads' own start and end",
    workloads: &[
        on_executors!("threads-1", "one thread (awaited off the clock)", PROCESSES, one),
        on_executors!("threads-2", "two threads", PROCESSES, two),
        on_executors!("threads-4", "four threads", PROCESSES, four),
        on_executors!("threads-8", "eight threads", PROCESSES, eight),
    ],
};

fn one<E: Executor>(count: u32) -> Measured {
    from_threads::<E>(count, 1)
}

fn two<E: Executor>(count: u32) -> Measured {
    from_threads::<E>(count, 2)
}

fn four<E: Executor>(count: u32) -> Measured {
    from_threads::<E>(count, 4)
}

fn eight<E: Executor>(count: u32) -> Measured {
    from_threads::<E>(count, 8)
}

fn from_threads<E: Executor>(count: u32, threads: u32) -> Measured {
    E::start();
    let barrier = Barrier::new(threads as usize);
    let start = Instant::now();
    let spawned: Vec<thread::Result<Vec<E::Handle>>> = thread::scope(|scope| {
        let starter = || {
            barrier.wait();
            (0..count / threads).map(|_| E::spawn(async {})).collect()
        };
        let starters: Vec<_> = (0..threads).map(|_| scope.spawn(starter)).collect();
        starters.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    let took = start.elapsed();
    let (finish, wait) = latch();
    thread::spawn(move || {
        for handles in spawned {
            let Ok(handles) = handles else {
                return finish.result(Err(Failure::new("a starting thread has panicked")));
            };
            for handle in handles {
                E::block_on(handle);
            }
        }
        finish.result(Ok(took.into()));
    });
    wait.measured()
}
