//! [`LocalExecutor`]: the processes of one thread, whose futures and outputs need not be `Send`.
//!
//! `own` has the queues and the list of all processes, `body` is what a process runs, `handle` what awaits it. Knows nothing of
//! the workers, but that a thread that blocks may be one.

mod body;
mod handle;
mod own;

pub use self::handle::LocalHandle;

use self::own::Own;
use crate::tokio_bridge::Bridge;
use pin_utils::pin_mut;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// An executor for the thread that made it. What it runs need not be `Send`: `Rc` and `RefCell` may live across an await.
///
/// Its processes run only inside [`run`](LocalExecutor::run), between the polls of the future that is given there; what is
/// left when that future is ready goes on in the next `run`. They may be woken from any thread. The functions of the
/// global executor ([`spawn`](crate::spawn) and the others) work inside as they do elsewhere.
///
/// Dropping it drops the futures of all its processes, on this thread, also of those that wait: their handles say that they
/// were cancelled. What a destructor spawns meanwhile is dropped unpolled. A wake that comes later does nothing. A process that
/// owns its own executor, through an `Rc`, keeps it from ever being dropped.
///
/// Unlike a process of the workers, one that nobody can wake any more stays until it is cancelled or the executor is dropped.
///
/// # Examples
/// ```
/// use bastion_executor::{LocalExecutor, spawn, spawn_local};
/// use std::cell::RefCell;
/// use std::rc::Rc;
///
/// let seen = Rc::new(RefCell::new(Vec::new()));
/// let sum = LocalExecutor::new().run(async {
///     let handles: Vec<_> = (1..=3)
///         .map(|n| {
///             let seen = seen.clone();
///             spawn_local(async move {
///                 let square = spawn(async move { n * n }).await; // On a worker.
///                 seen.borrow_mut().push(n);
///                 square.expect("neither cancelled nor panicked")
///             })
///         })
///         .collect();
///     let mut sum = 0;
///     for handle in handles {
///         sum += handle.await.expect("neither cancelled nor panicked");
///     }
///     sum
/// });
/// assert_eq!(sum, 14);
/// assert_eq!(seen.borrow().len(), 3);
/// ```
pub struct LocalExecutor {
    own: Rc<Own>,
}

impl LocalExecutor {
    /// Makes an executor for the calling thread. It starts no thread.
    pub fn new() -> LocalExecutor {
        LocalExecutor { own: Rc::new(Own::new()) }
    }

    /// Adds a process, which runs inside [`run`](LocalExecutor::run).
    ///
    /// A panic ends the process only; the handle tells of it. Dropping the handle detaches the process.
    ///
    /// # Examples
    /// ```
    /// let executor = bastion_executor::LocalExecutor::new();
    /// let handle = executor.spawn_local(async { std::rc::Rc::new(7) });
    /// assert_eq!(executor.run(handle).as_deref(), Some(&7));
    /// ```
    pub fn spawn_local<F>(&self, future: F) -> LocalHandle<F::Output>
    where
        F: IntoFuture<IntoFuture: 'static, Output: 'static>,
    {
        body::spawn(&self.own, future)
    }

    /// Runs a future on this thread until it is ready, and the processes between its polls. The thread parks when nothing is due.
    ///
    /// It is fair: the future is polled, if it was woken, after 64 polls of processes at most, and each process that is due has
    /// its turn. Called by one of the processes it works too, and runs the others meanwhile; the process that called waits for
    /// it. Inside the `run` of another local executor, that one's processes wait. On a worker it keeps that worker busy,
    /// as [`run`](crate::run()) does.
    ///
    /// # Panics
    /// With the future's panic, if it panics; the executor can be used on.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        let _current = own::enter(&self.own);
        Bridge::current().within(|| self.run_here(future))
    }

    fn run_here<F: Future>(&self, future: F) -> F::Output {
        let main = Arc::new(Main { woken: AtomicBool::new(true), door: self.own.door.clone() });
        let waker = Waker::from(main.clone());
        let mut cx = Context::from_waker(&waker);
        // Dropped before the executor ceases to be the current one: its destructor may spawn.
        pin_mut!(future);
        loop {
            if main.was_woken()
                && let Poll::Ready(output) = future.as_mut().poll(&mut cx)
            {
                return output;
            }
            self.own.turn();
            // A wake after this look is heard at the door.
            if self.own.is_idle() && !main.is_woken() {
                self.own.wait();
            }
        }
    }
}

impl Default for LocalExecutor {
    fn default() -> Self {
        LocalExecutor::new()
    }
}

impl Drop for LocalExecutor {
    fn drop(&mut self) {
        // Current, so that destructors may spawn, and so that what they wake comes here directly.
        let _current = own::enter(&self.own);
        self.own.drop_all();
    }
}

impl fmt::Debug for LocalExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalExecutor").field("processes", &self.own.count()).finish()
    }
}

/// The waker of the future that is given to `run`.
struct Main {
    woken: AtomicBool,
    door: Arc<own::Door>,
}

impl Main {
    fn is_woken(&self) -> bool {
        self.woken.load(Ordering::Relaxed)
    }

    /// Says whether it was woken since the last time. The look before the exchange is for the many rounds in which it was not.
    fn was_woken(&self) -> bool {
        // Acquire pairs with the Release of the wake.
        self.is_woken() && self.woken.swap(false, Ordering::Acquire)
    }
}

impl Wake for Main {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.door.call();
    }
}

/// Adds a process to the local executor that runs on this thread: to the innermost, if one runs inside another.
///
/// # Panics
/// When none runs on this thread. [`try_spawn_local`] returns the future instead.
///
/// # Examples
/// ```
/// use bastion_executor::{LocalExecutor, spawn_local};
/// use std::rc::Rc;
/// let shared = Rc::new(6);
/// let answer = LocalExecutor::new().run(spawn_later(shared));
/// assert_eq!(answer, Some(42));
///
/// async fn spawn_later(shared: Rc<u32>) -> Option<u32> {
///     spawn_local(async move { *shared * 7 }).await
/// }
/// ```
pub fn spawn_local<F>(future: F) -> LocalHandle<F::Output>
where
    F: IntoFuture<IntoFuture: 'static, Output: 'static>,
{
    match try_spawn_local(future) {
        Ok(handle) => handle,
        Err(error) => panic!("spawn_local: {error}"),
    }
}

/// Adds a process to the local executor that runs on this thread, if one does.
///
/// # Errors
/// [`NoLocalExecutor`], with the future, when none runs on this thread.
///
/// # Examples
/// ```
/// let refused = bastion_executor::try_spawn_local(std::future::ready(1)).unwrap_err();
/// assert_eq!(bastion_executor::run(refused.0), 1);
/// ```
pub fn try_spawn_local<F>(future: F) -> Result<LocalHandle<F::Output>, NoLocalExecutor<F>>
where
    F: IntoFuture<IntoFuture: 'static, Output: 'static>,
{
    match own::current() {
        Some(own) => Ok(body::spawn(&own, future)),
        None => Err(NoLocalExecutor(future)),
    }
}

/// The error of [`try_spawn_local`]: no local executor runs on this thread. Gives the future back.
pub struct NoLocalExecutor<F>(
    /// What was to become a process.
    pub F,
);

impl<F> fmt::Debug for NoLocalExecutor<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NoLocalExecutor").finish_non_exhaustive()
    }
}

impl<F> fmt::Display for NoLocalExecutor<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no LocalExecutor runs on this thread; call it inside LocalExecutor::run")
    }
}

impl<F> std::error::Error for NoLocalExecutor<F> {}
