//! The executors behind one trait: each runs the very same workload.

use super::{settings, workers};
use crate::bench::Measured;
use crate::latch::latch;
use std::future::Future;
use std::sync::{Once, OnceLock};
use std::thread;

/// An executor as a workload sees it. It has [`workers`] workers.
pub(crate) trait Executor: 'static {
    /// Awaits a process; it has no output that anybody needs.
    type Handle: Future + Send + 'static;

    /// Starts the workers, if they do not run yet.
    fn start();

    /// Starts a process, from a worker or from outside.
    fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Self::Handle;

    /// Lets a process go on without its handle.
    fn detach(handle: Self::Handle);

    /// Starts a process that nobody awaits, in the way that is best for it.
    fn spawn_detached(future: impl Future<Output = ()> + Send + 'static) {
        Self::detach(Self::spawn(future));
    }

    /// Lets the other processes of this worker run first.
    fn yield_now() -> impl Future + Send;

    /// Runs a future on the calling thread, which is no worker, in the executor's own way.
    fn block_on<F: Future>(future: F) -> F::Output;
}

/// This project's executor, as the global one: only that has the fast path.
pub(crate) struct Bastion;

impl Executor for Bastion {
    type Handle = bastion_executor::RecoverableHandle<()>;

    fn start() {
        static STARTED: Once = Once::new();
        STARTED.call_once(|| {
            let executor = settings::builder().build().expect("the worker threads can be started");
            executor.into_global().expect("nobody has made a global executor before");
        });
    }

    fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Self::Handle {
        bastion_executor::spawn(future)
    }

    fn detach(handle: Self::Handle) {
        handle.detach();
    }

    fn spawn_detached(future: impl Future<Output = ()> + Send + 'static) {
        bastion_executor::spawn_detached(future);
    }

    fn yield_now() -> impl Future + Send {
        bastion_executor::yield_now()
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        bastion_executor::run(future)
    }
}

/// tokio's multi-threaded runtime.
pub(crate) struct Tokio;

impl Tokio {
    /// Returns the runtime of all subjects that run on tokio.
    pub(crate) fn runtime() -> &'static tokio::runtime::Runtime {
        static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
        RUNTIME.get_or_init(|| {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            let runtime = builder.worker_threads(workers()).enable_time().build();
            runtime.expect("the worker threads can be started")
        })
    }

    /// Runs a fallible task on the runtime, and passes its result on.
    pub(crate) fn in_task(task: impl Future<Output = Measured> + Send + 'static) -> Measured {
        let (finish, wait) = latch();
        Tokio::runtime().spawn(async move { finish.result(task.await) });
        wait.measured()
    }
}

impl Executor for Tokio {
    type Handle = tokio::task::JoinHandle<()>;

    fn start() {
        Self::runtime();
    }

    fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Self::Handle {
        Self::runtime().spawn(future)
    }

    fn detach(handle: Self::Handle) {
        drop(handle);
    }

    fn yield_now() -> impl Future + Send {
        tokio::task::yield_now()
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        Self::runtime().block_on(future)
    }
}

/// async-executor, with as many threads that run it.
pub(crate) struct AsyncExecutor;

static ASYNC_EXECUTOR: async_executor::Executor<'static> = async_executor::Executor::new();

impl Executor for AsyncExecutor {
    type Handle = async_executor::Task<()>;

    fn start() {
        static STARTED: Once = Once::new();
        STARTED.call_once(|| {
            for _ in 0..workers() {
                let run = || ASYNC_EXECUTOR.run(std::future::pending::<()>());
                thread::spawn(move || futures_lite::future::block_on(run()));
            }
        });
    }

    fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Self::Handle {
        ASYNC_EXECUTOR.spawn(future)
    }

    fn detach(handle: Self::Handle) {
        handle.detach();
    }

    fn yield_now() -> impl Future + Send {
        futures_lite::future::yield_now()
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        futures_lite::future::block_on(future)
    }
}

/// The executor of the Bastion 0.4 line. It takes as many threads as the process may use processors.
pub(crate) struct Bastion04;

impl Executor for Bastion04 {
    type Handle = lightproc_03::recoverable_handle::RecoverableHandle<()>;

    fn start() {
        // Its pool starts with the first process.
        Self::detach(Self::spawn(async {}));
    }

    fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Self::Handle {
        let stack = lightproc_03::proc_stack::ProcStack::default();
        bastion_executor_04::pool::spawn(future, stack)
    }

    fn detach(handle: Self::Handle) {
        drop(handle);
    }

    fn yield_now() -> impl Future + Send {
        futures_lite::future::yield_now()
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        futures_lite::future::block_on(future)
    }
}
