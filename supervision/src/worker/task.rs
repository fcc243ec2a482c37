//! [`Task`]: a future as a supervised process whose result somebody waits for; and many of them, in order.

use super::plain::{Worker, one_shot};
use crate::exit::Exit;
use crate::plan::ExitReason;
use crate::process::{Address, Context};
use crate::supervisor::{Gone, SupervisorRef};
use crate::sync::lock;
use futures_core::Stream;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as Poller, Poll, ready};

/// A future that runs as a process of its own, and is ready with its result, or with the reason for which there is none.
///
/// The process is a temporary child: it runs once. When this is ready the process has ended, and is gone. Dropping it changes nothing: the process runs
/// on; [`Task::kill`] ends it.
///
/// # Cancel safety
/// Nothing is lost: it can be awaited by reference, with a time limit for example, and again.
///
/// # Examples
/// ```
/// use bastion_supervision::{Exit, Runtime, Sim, Supervisor, System};
/// let sim = Sim::new(1);
/// sim.run(async {
///     let system = System::new(Runtime::sim(&sim));
///     let jobs = system.supervise(Supervisor::dynamic("jobs")).await.unwrap();
///     let sum = jobs.spawn_task(async { Ok((1..=10).sum::<u32>()) }).unwrap();
///     assert_eq!(sum.await.unwrap(), 55);
///     let fails = jobs.spawn_task(async { Err::<(), _>(Exit::error("no disk")) }).unwrap();
///     assert_eq!(fails.await.unwrap_err().to_string(), "error: no disk");
/// });
/// ```
#[must_use = "a task whose result nobody wants is a worker: see `one_shot`"]
pub struct Task<T> {
    address: Address<Infallible>,
    result: Arc<Mutex<Option<T>>>,
    ended: Pin<Box<dyn Future<Output = ExitReason> + Send + Sync>>,
}

impl<T: Send + 'static> Task<T> {
    /// Describes the process of a future, and what waits for it.
    fn of<F>(future: F) -> (Worker, Task<T>)
    where
        F: Future<Output = Result<T, Exit>> + Send + 'static,
    {
        let result = Arc::new(Mutex::new(None));
        let place = result.clone();
        let worker = one_shot(async move {
            let value = future.await?;
            *lock(&place) = Some(value);
            // Asked to stop or not: whoever is linked with it does not end by this.
            Err(Exit::with(ExitReason::Normal))
        });
        let address = worker.address();
        let waits = address.clone();
        let ended = Box::pin(async move { waits.ended().await });
        (worker, Task { address, result, ended })
    }

    /// Kills the process, if it still runs: then this is ready with [`ExitReason::Killed`].
    pub fn kill(&self) {
        self.address.exit(ExitReason::Killed);
    }

    /// Returns the address of the process, to watch it or to link with it.
    pub fn address(&self) -> &Address<Infallible> {
        &self.address
    }
}

// The value is moved out, never pinned.
impl<T> Unpin for Task<T> {}

impl<T> Future for Task<T> {
    type Output = Result<T, ExitReason>;

    /// # Panics
    /// When it was ready before.
    fn poll(mut self: Pin<&mut Self>, task: &mut Poller<'_>) -> Poll<Self::Output> {
        let reason = ready!(self.ended.as_mut().poll(task));
        let result = lock(&self.result).take();
        Poll::Ready(match (result, reason) {
            (Some(value), ExitReason::Normal) => Ok(value),
            (_, reason) => Err(reason),
        })
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("address", &self.address).finish_non_exhaustive()
    }
}

impl SupervisorRef {
    /// Runs a future as a process under this supervisor, and does not wait. Whoever waits for its result is told when it fails, and does not
    /// fail with it; in a process, [`Context::spawn_task`] makes one that is linked.
    ///
    /// If the supervisor cannot take it, it is killed again.
    ///
    /// # Errors
    /// [`Gone`] when the supervisor has ended.
    pub fn spawn_task<T, F>(&self, future: F) -> Result<Task<T>, Gone>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Exit>> + Send + 'static,
    {
        let (worker, task) = Task::of(future);
        self.spawn_child(worker)?;
        Ok(task)
    }

    /// Runs futures as processes under this supervisor, `max` of them at most at the same time, and has their results in the order of the futures, each
    /// its value or the reason for which there is none. A future is started when its turn comes and somebody polls the stream.
    ///
    /// When the stream is dropped, the processes that still run are killed.
    ///
    /// # Panics
    /// When `max` is 0.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Runtime, Sim, Supervisor, System};
    /// use futures_core::Stream;
    /// use std::{future::poll_fn, pin::pin};
    /// let sim = Sim::new(1);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     let jobs = system.supervise(Supervisor::dynamic("jobs")).await.unwrap();
    ///     let squares = (0..5).map(|number| async move { Ok(number * number) });
    ///     let mut squares = pin!(jobs.run_tasks(2, squares));
    ///     let mut seen = Vec::new();
    ///     while let Some(square) = poll_fn(|cx| squares.as_mut().poll_next(cx)).await {
    ///         seen.push(square.unwrap());
    ///     }
    ///     assert_eq!(seen, [0, 1, 4, 9, 16]);
    /// });
    /// ```
    pub fn run_tasks<I, T, F>(&self, max: usize, futures: I) -> Tasks<I::IntoIter, T>
    where
        I: IntoIterator<Item = F>,
        T: Send + 'static,
        F: Future<Output = Result<T, Exit>> + Send + 'static,
    {
        assert!(max > 0, "at least one task runs at a time");
        let (supervisor, futures) = (self.clone(), futures.into_iter());
        Tasks { supervisor, max, futures, running: VecDeque::new(), over: false }
    }
}

impl<M: Send + 'static> Context<M> {
    /// Runs a future as a process beside this one, under the same supervisor, linked with it: if it fails, this process ends for the same
    /// reason, unless it [traps](Context::trap_exit) exits, and the other way round. A supervisor that is stopping, or has as many children as it may, kills
    /// it again, which is a failure too.
    ///
    /// # Errors
    /// [`Gone`] when the supervisor has ended, and this process with it.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Exit, child};
    /// async fn fetch(cx: Context<()>) -> Result<(), Exit> {
    ///     let left = cx.spawn_task(async { Ok(20) })?;
    ///     let right = cx.spawn_task(async { Ok(22) })?;
    ///     // Neither can fail without this process.
    ///     let sum = left.await.map_err(Exit::with)? + right.await.map_err(Exit::with)?;
    ///     assert_eq!(sum, 42);
    ///     Ok(())
    /// }
    /// let fetcher = child(fetch);
    /// ```
    pub fn spawn_task<T, F>(&self, future: F) -> Result<Task<T>, Gone>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Exit>> + Send + 'static,
    {
        let (worker, task) = Task::of(future);
        // Before it runs: it cannot end unnoticed.
        self.link(&task.address);
        self.supervisor().spawn_child(worker)?;
        Ok(task)
    }
}

/// The results of many futures, in order: see [`SupervisorRef::run_tasks`].
#[must_use = "streams do nothing unless polled"]
pub struct Tasks<I, T> {
    supervisor: SupervisorRef,
    max: usize,
    futures: I,
    running: VecDeque<Task<T>>,
    /// No future is left.
    over: bool,
}

// Nothing in it is ever pinned in place.
impl<I, T> Unpin for Tasks<I, T> {}

impl<I, T, F> Stream for Tasks<I, T>
where
    I: Iterator<Item = F>,
    T: Send + 'static,
    F: Future<Output = Result<T, Exit>> + Send + 'static,
{
    type Item = Result<T, ExitReason>;

    fn poll_next(mut self: Pin<&mut Self>, poller: &mut Poller<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        while !this.over && this.running.len() < this.max {
            match this.futures.next() {
                Some(future) => {
                    let (worker, task) = Task::of(future);
                    // If nobody takes it, it has ended: that is its result.
                    let _ = this.supervisor.spawn_child(worker);
                    this.running.push_back(task);
                }
                None => this.over = true,
            }
        }
        let Some(first) = this.running.front_mut() else { return Poll::Ready(None) };
        let result = ready!(Pin::new(first).poll(poller));
        this.running.pop_front();
        Poll::Ready(Some(result))
    }
}

impl<I, T> Drop for Tasks<I, T> {
    fn drop(&mut self) {
        for task in &self.running {
            task.address.exit(ExitReason::Killed);
        }
    }
}

impl<I, T> fmt::Debug for Tasks<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("running", &self.running.len()).finish_non_exhaustive()
    }
}
