//! Executors that are made, run one process, and end. The executor of the Bastion 0.4 line cannot end.

use super::{settings, workers};
use crate::bench::{Failure, Measured};
use futures_lite::future::block_on;
use std::thread;
use std::time::Instant;

/// Makes and ends executors, one after another.
fn each(count: u32, mut one: impl FnMut() -> Result<(), Failure>) -> Measured {
    let start = Instant::now();
    for _ in 0..count {
        one()?;
    }
    Ok(start.elapsed().into())
}

/// Ours, each with its threads.
pub(crate) fn bastion(count: u32) -> Measured {
    each(count, || {
        let executor = settings::builder().build()?;
        let answer = executor.run(executor.spawn(async { 7 }));
        (answer == Some(7)).then_some(()).ok_or_else(|| Failure::new("the process is lost"))
    })
}

/// tokio's runtimes, each with its threads.
pub(crate) fn tokio(count: u32) -> Measured {
    each(count, || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(workers()).enable_time().build()?;
        runtime.block_on(runtime.spawn(async {}))?;
        Ok(())
    })
}

/// async-executors, each with threads that run it until its end.
pub(crate) fn async_executor(count: u32) -> Measured {
    each(count, || {
        let executor = async_executor::Executor::new();
        let (end, ended) = async_channel::bounded::<()>(1);
        thread::scope(|scope| {
            for _ in 0..workers() {
                scope.spawn(|| block_on(executor.run(ended.recv())));
            }
            block_on(executor.spawn(async {}));
            drop(end);
        });
        Ok(())
    })
}
