//! Ours and async-task behind one trait: each runs the very same code, over the very same queue.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::LocalKey;

/// A queue of one thread.
pub(super) type Queue<T> = RefCell<VecDeque<T>>;

/// An implementation of processes that leaves the queue to its user.
pub(crate) trait Tasks {
    /// A process that is due to run.
    type Task: 'static;

    /// What awaits a process whose output is a number.
    type Handle;

    /// The queue into which its schedule function puts what is due.
    fn queue() -> &'static LocalKey<Queue<Self::Task>>;

    /// Makes a process that nobody awaits.
    fn detached(future: impl Future<Output = u64> + Send + 'static) -> Self::Task;

    /// Makes a process and its handle.
    fn awaited(future: impl Future<Output = u64> + Send + 'static) -> (Self::Task, Self::Handle);

    /// Polls a process once.
    fn run(task: Self::Task);

    /// Polls a handle. `None`: the process has no output.
    fn poll(handle: &mut Self::Handle, cx: &mut Context<'_>) -> Poll<Option<u64>>;

    /// Lets go of a handle.
    fn detach(handle: Self::Handle);

    /// Cancels a process and lets go of its handle.
    fn cancel(handle: Self::Handle);
}

/// Runs what is due until nothing is.
#[inline]
pub(super) fn drain<T: Tasks>() {
    while let Some(task) = T::queue().with_borrow_mut(VecDeque::pop_front) {
        T::run(task);
    }
}

/// This project's processes.
pub(crate) struct Ours;

thread_local! {
    static OURS: Queue<lightproc::LightProc> = const { RefCell::new(VecDeque::new()) };
    static ASYNC_TASK: Queue<async_task::Runnable> = const { RefCell::new(VecDeque::new()) };
}

fn push_ours(process: lightproc::LightProc) {
    OURS.with_borrow_mut(|queue| queue.push_back(process));
}

impl Tasks for Ours {
    type Task = lightproc::LightProc;
    type Handle = lightproc::ProcHandle<u64>;

    #[inline]
    fn queue() -> &'static LocalKey<Queue<Self::Task>> {
        &OURS
    }

    #[inline]
    fn detached(future: impl Future<Output = u64> + Send + 'static) -> Self::Task {
        lightproc::LightProc::detached(future, push_ours, ())
    }

    #[inline]
    fn awaited(future: impl Future<Output = u64> + Send + 'static) -> (Self::Task, Self::Handle) {
        lightproc::LightProc::build(future, push_ours, ())
    }

    #[inline]
    fn run(task: Self::Task) {
        task.run();
    }

    #[inline]
    fn poll(handle: &mut Self::Handle, cx: &mut Context<'_>) -> Poll<Option<u64>> {
        Pin::new(handle).poll(cx)
    }

    #[inline]
    fn detach(handle: Self::Handle) {
        handle.detach();
    }

    #[inline]
    fn cancel(handle: Self::Handle) {
        handle.cancel();
        handle.detach();
    }
}

/// async-task as it is fastest: a panic is not caught, but goes through the runner.
pub(crate) struct AsyncTask;

fn push_async_task(task: async_task::Runnable) {
    ASYNC_TASK.with_borrow_mut(|queue| queue.push_back(task));
}

impl Tasks for AsyncTask {
    type Task = async_task::Runnable;
    type Handle = async_task::Task<u64>;

    #[inline]
    fn queue() -> &'static LocalKey<Queue<Self::Task>> {
        &ASYNC_TASK
    }

    #[inline]
    fn detached(future: impl Future<Output = u64> + Send + 'static) -> Self::Task {
        let (task, handle) = async_task::spawn(future, push_async_task);
        handle.detach();
        task
    }

    #[inline]
    fn awaited(future: impl Future<Output = u64> + Send + 'static) -> (Self::Task, Self::Handle) {
        async_task::spawn(future, push_async_task)
    }

    #[inline]
    fn run(task: Self::Task) {
        task.run();
    }

    #[inline]
    fn poll(handle: &mut Self::Handle, cx: &mut Context<'_>) -> Poll<Option<u64>> {
        Pin::new(handle).poll(cx).map(Some)
    }

    #[inline]
    fn detach(handle: Self::Handle) {
        handle.detach();
    }

    #[inline]
    fn cancel(handle: Self::Handle) {
        // Dropping is what cancels here.
        drop(handle);
    }
}
