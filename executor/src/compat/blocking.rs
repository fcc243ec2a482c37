//! Processes with a stack whose polls may block, on the executor's blocking pool.

use super::stacked;
use crate::jobs::{Place, with_executor};
use crate::local;
use crate::shared::Shared;
use crate::tokio_bridge::Bridge;
use lightproc::{LightProc, ProcStack, RecoverableHandle};
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Runs a future as a process with a stack, each of whose polls may block: on the threads that
/// [`spawn_blocking`](crate::spawn_blocking()) of a closure uses.
///
/// While it waits it holds no thread. Threads come when all are busy, up to
/// [`Builder::blocking_threads`](crate::Builder::blocking_threads). It counts among the pool's jobs until it ends: when there are too many
/// ([`Builder::blocking_queue`](crate::Builder::blocking_queue)) it is refused, and the handle says that it was cancelled. One that waits
/// when its executor is dropped is dropped when it is woken next.
///
/// # Panics
/// As [`spawn`](crate::spawn()) does.
///
/// # Examples
/// ```
/// use bastion_executor::blocking;
/// use bastion_executor::run::run;
/// use lightproc::proc_stack::ProcStack;
/// use std::{thread, time::Duration};
///
/// let output = run(
///     blocking::spawn_blocking(
///         async {
///             thread::sleep(Duration::from_millis(1));
///             42
///         },
///         ProcStack::default(),
///     ),
///     ProcStack::default(),
/// );
/// assert_eq!(output, Some(42));
/// ```
pub fn spawn_blocking<F, R>(future: F, stack: ProcStack) -> RecoverableHandle<R>
where
    F: Future<Output = R> + Send + 'static,
    R: Send + 'static,
{
    with_executor(|shared| spawn_on(shared, future, stack))
}

fn spawn_on<F, R>(shared: &Arc<Shared>, future: F, stack: ProcStack) -> RecoverableHandle<R>
where
    F: Future<Output = R> + Send + 'static,
    R: Send + 'static,
{
    let (future, data) = stacked::parts(shared, future, stack);
    let Ok(place) = shared.blocking.admit() else {
        // Dropped at once, which the handle tells of.
        let (_, handle) = LightProc::recoverable(future, drop, data);
        return handle;
    };
    let owner = shared.clone();
    let schedule = move |process| {
        // After the end it is dropped where the executor's other processes are, and not by whoever wakes it.
        if let Err(process) = owner.blocking.push(process) {
            owner.schedule(process);
        }
    };
    let job = Job { future, _place: place, origin: shared.clone(), bridge: Bridge::current() };
    let (process, handle) = LightProc::recoverable(job, schedule, data);
    process.schedule();
    handle
}

pin_project! {
    /// A future on the threads of a pool. What it spawns belongs where it came from.
    struct Job<F> {
        #[pin]
        future: F,
        origin: Arc<Shared>,
        bridge: Bridge,
        // Behind the future, which it is held for.
        _place: Place,
    }
}

impl<F: Future> Future for Job<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = local::enter(this.origin.clone());
        let future = this.future;
        this.bridge.within(|| future.poll(cx))
    }
}
