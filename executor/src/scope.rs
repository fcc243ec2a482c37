//! Scopes: processes that borrow from the frame that waits for them, as [`std::thread::scope`] has it for threads.
//!
//! The call blocks its thread until the futures of all its processes are dropped. What is unsafe about that is one step, in
//! [`erase`]: an executor's processes live as long as they like, so for it the borrow is made to look endless. Why the borrow is
//! not used after its end:
//!
//! - *What borrows is the [`Body`] alone*: the future, and the slot for its output. It is one box. The memory of the process around
//!   it may live on, by wakers and handles that somebody keeps, but then the box is gone from it: a process that has ended has
//!   no future, and the output that the process itself keeps is `()`.
//! - *The count is taken before the step and given back behind the body's last use*: [`Ended`] is the body's last field, and fields
//!   are dropped in their order, also when one before panics. After it only the box's memory is freed, which looks at no borrow.
//! - *The call leaves the frame only when the count is nought*, whether the closure returns or panics: its panic is caught first.
//!   Between the first step and that look no unwinding leaves it: [`AbortOnUnwind`] sees to that.
//! - *What is leaked hangs, and breaks nothing*: who forgets the body, or an executor that never drops it, has the call wait for
//!   ever. A forgotten handle has no part in the count. It holds the slot, which nobody touches any more.
//! - *A new process cannot come when the count was nought*: `Scope` is reachable from the closure, which has ended by then, and from
//!   the scoped futures, each of which counts. It cannot be carried elsewhere, because `'scope` is too short for anything else.
//! - *Nobody else can reach into the frame*: lifetimes are checked up to the step, exactly as with `std`'s threads: futures and
//!   outputs outlive `'scope`, which is invariant and chosen by the call.
//! - *An executor that shuts down* drops the future of what is queued, and of what is woken later; or never, and the call waits.

use crate::local;
use crate::park;
use crate::runtime::{self, Executor};
use crate::shared::Shared;
use futures_core::future::FusedFuture;
use lightproc::{Outcome, Panic, RecoverableHandle};
use pin_project_lite::pin_project;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Calls `f` with a scope, and waits, blocking the thread, until all processes that are spawned in it have ended. They run where
/// [`spawn`](crate::spawn) would run them, and may borrow what outlives the call.
///
/// A process that waits for what never comes is waited for as long: cancel it, or have a [`timeout`](crate::timeout) inside. (If
/// nobody has a waker of it any more, nor its handle, it is dropped.) On a worker thread the call keeps that worker from its
/// processes: as many scopes at once as there are workers wait for ever.
///
/// # Panics
/// With the panic of `f`, after the wait. If a scoped process panicked and no handle told anybody of it. When the thread is the only
/// worker of the executor that would run the processes: it would wait for itself. As [`spawn`](crate::spawn) does.
///
/// # Examples
/// ```
/// let mut numbers = vec![1, 2, 3, 4];
/// let (low, high) = numbers.split_at_mut(2);
/// let sum: i32 = bastion_executor::scope(|s| {
///     s.spawn(async { low.iter_mut().for_each(|n| *n *= 10) });
///     let high = s.spawn(async { high.iter().sum::<i32>() });
///     high.join().completed().expect("neither cancelled nor panicked")
/// });
/// assert_eq!(sum, 7);
/// assert_eq!(numbers, [10, 20, 3, 4]);
/// ```
///
/// What a process borrows must outlive the scope:
/// ```compile_fail,E0373
/// bastion_executor::scope(|s| {
///     let inside = vec![1];
///     s.spawn(async { println!("{inside:?}") });
/// });
/// ```
/// and is borrowed for all of it:
/// ```compile_fail,E0499
/// let mut count = 0;
/// bastion_executor::scope(|s| {
///     s.spawn(async { count += 1 });
///     s.spawn(async { count += 1 });
/// });
/// ```
/// It may run on other threads:
/// ```compile_fail,E0277
/// let count = std::cell::Cell::new(0);
/// bastion_executor::scope(|s| {
///     s.spawn(async { count.set(1) });
/// });
/// ```
/// No handle leaves the scope:
/// ```compile_fail
/// let handle = bastion_executor::scope(|s| s.spawn(async { 1 }));
/// ```
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let current = local::with_current(|current| current.cloned());
    enter(current.unwrap_or_else(runtime::global_shared), f)
}

impl Executor {
    /// Calls `f` with a scope whose processes run on this executor: see [`scope`].
    ///
    /// # Panics
    /// As [`scope`] does.
    ///
    /// # Examples
    /// ```
    /// let executor = bastion_executor::Executor::builder().workers(2).build()?;
    /// let text = String::from("borrowed");
    /// let lengths: Vec<usize> = executor.scope(|s| {
    ///     let handles: Vec<_> = (0..3).map(|_| s.spawn(async { text.len() })).collect();
    ///     handles.into_iter().filter_map(|handle| handle.join().completed()).collect()
    /// });
    /// assert_eq!(lengths, [8, 8, 8]);
    /// # Ok::<(), bastion_executor::BuildError>(())
    /// ```
    pub fn scope<'env, F, T>(&self, f: F) -> T
    where
        F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
    {
        enter(self.shared.clone(), f)
    }
}

fn enter<'env, F, T>(shared: Arc<Shared>, f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    assert!(
        !local::is_only_worker(&shared),
        "a scope on the only worker of its executor waits for itself"
    );
    let tally = Arc::new(Tally::default());
    let scope = Scope { shared, tally, scope: PhantomData, env: PhantomData };
    let bomb = AbortOnUnwind;
    let result = Panic::catch(|| f(&scope));
    scope.tally.wait();
    mem::forget(bomb);
    match result {
        Err(panic) => panic.resume(),
        Ok(_) if scope.tally.lock().unheard > 0 => panic!("a scoped process panicked"),
        Ok(result) => result,
    }
}

/// Ends the program if the frame that others borrow from were to be left too early. Nothing in there is known to unwind.
struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        std::process::abort();
    }
}

/// Spawns processes that borrow: see [`scope`]. Its processes may use it too.
pub struct Scope<'scope, 'env: 'scope> {
    shared: Arc<Shared>,
    tally: Arc<Tally>,
    /// Invariant, as in `std`: a scope must not be taken for one that ends earlier, whose processes could borrow less.
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

impl<'scope> Scope<'scope, '_> {
    /// Runs a future as a process of the scope.
    ///
    /// Dropping the handle detaches the process, which the scope still waits for. Costs one allocation more than
    /// [`spawn`](crate::spawn), and one for the output.
    ///
    /// # Examples
    /// ```
    /// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    /// let count = AtomicUsize::new(0);
    /// bastion_executor::scope(|s| {
    ///     s.spawn(async {
    ///         count.fetch_add(1, Relaxed);
    ///         // By a process of the scope, in the same scope.
    ///         s.spawn(async { count.fetch_add(1, Relaxed) });
    ///     });
    /// });
    /// assert_eq!(count.into_inner(), 2);
    /// ```
    pub fn spawn<F>(&'scope self, future: F) -> ScopedHandle<'scope, F::Output>
    where
        F: IntoFuture<IntoFuture: Send + 'scope, Output: Send + 'scope>,
    {
        let ended = Tally::begin(&self.tally);
        let slot = Arc::new(Slot::default());
        let future = Some(future.into_future());
        let body = Box::pin(Body { future, slot: slot.clone(), ended });
        // SAFETY: `body` is a `Body` whose `ended` is of the tally that the call waits for before it leaves `'scope`.
        let body = unsafe { erase(body) };
        // Not in the registry, whose waker would keep a process that nobody else can wake, and with it the scope.
        let process = runtime::spawn_unlisted(&self.shared, body);
        ScopedHandle { process, slot, tally: self.tally.clone(), scope: PhantomData }
    }
}

/// A future as the executor takes it, with or without a lie about how long it may live.
type Erased<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Makes a body look as if it could live for ever.
///
/// # Safety
/// The frame that `'scope` is the borrow of is not left before the body has dropped the [`Ended`] that it holds as its last field.
unsafe fn erase<'scope>(body: Erased<'scope>) -> Erased<'static> {
    // SAFETY: the two types differ in a lifetime only, which is not there at run time. What the type says too much, namely that
    // the borrows in it are good after `'scope`, nobody relies on: see the head of this file, and the contract.
    unsafe { mem::transmute::<Erased<'scope>, Erased<'static>>(body) }
}

/// Where a process leaves its output, or its panic. Empty again when the handle has taken it.
struct Slot<T>(Mutex<Option<Result<T, Panic>>>);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Slot(Mutex::new(None))
    }
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, Option<Result<T, Panic>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        // By the handle or by the process, whichever is later: so neither must unwind from it.
        let left = self.lock().take();
        drop(Panic::catch(|| drop(left)));
    }
}

pin_project! {
    /// All that a scoped process has of the frame that it borrows from.
    struct Body<F: Future> {
        // `None` once it has returned.
        #[pin]
        future: Option<F>,
        slot: Arc<Slot<F::Output>>,
        // The last field: dropped behind all that may borrow.
        ended: Ended,
    }
}

impl<F: Future> Future for Body<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let polled = Panic::catch(|| match this.future.as_mut().as_pin_mut() {
            Some(future) => future.poll(cx),
            None => unreachable!("a process that has ended is not polled"),
        });
        let result = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(panic) => Err(panic),
        };
        // Before anybody hears of the end. Its destructor's panic counts, unless there was one already.
        let result = match Panic::catch(|| this.future.set(None)) {
            Err(panic) if result.is_ok() => {
                drop(Panic::catch(|| drop(result)));
                Err(panic)
            }
            Ok(()) | Err(_) => result,
        };
        if result.is_err() {
            this.ended.tally.lock().unheard += 1;
        }
        *this.slot.lock() = Some(result);
        Poll::Ready(())
    }
}

/// How many of a scope's futures are there, and how many panics nobody has heard of.
#[derive(Default)]
struct Tally(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    running: usize,
    unheard: usize,
    /// The thread that waits for the last one.
    waiting: Option<Waker>,
}

impl Tally {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(tally: &Arc<Tally>) -> Ended {
        tally.lock().running += 1;
        Ended { tally: tally.clone() }
    }

    /// Waits until nothing runs any more. Every use of a borrow comes before this returns: the lock orders the two.
    fn wait(&self) {
        park::block_on(poll_fn(|cx| {
            let mut counts = self.lock();
            if counts.running == 0 {
                return Poll::Ready(());
            }
            counts.waiting = Some(cx.waker().clone());
            Poll::Pending
        }));
    }
}

/// One running process in the tally. When it is dropped, the frame that the process has borrowed from may be gone.
struct Ended {
    tally: Arc<Tally>,
}

impl Drop for Ended {
    fn drop(&mut self) {
        let mut counts = self.tally.lock();
        counts.running -= 1;
        let waiting = if counts.running == 0 { counts.waiting.take() } else { None };
        drop(counts);
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }
}

/// Waits for a process of a [`scope`]: [`join`](ScopedHandle::join) blocks, and in another process it is awaited.
///
/// As a future its output is `None` when the process panicked or was cancelled, which an executor that is dropped does too. Who
/// learns of a panic through a handle has heard of it: the scope does not panic for it then. Dropping the handle detaches the
/// process. An output that nobody takes is dropped with the handle, or where the process ends; a panic in that drop
/// ends there.
///
/// # Panics
/// Polling it after it was ready panics.
pub struct ScopedHandle<'scope, T> {
    process: RecoverableHandle<()>,
    slot: Arc<Slot<T>>,
    tally: Arc<Tally>,
    scope: PhantomData<&'scope ()>,
}

impl<T> ScopedHandle<'_, T> {
    /// Blocks the thread until the process has ended, and says how that came about. In a process, use
    /// [`outcome`](ScopedHandle::outcome).
    pub fn join(mut self) -> Outcome<T> {
        park::block_on(self.outcome())
    }

    /// Waits for the end of the process and says how it came about.
    ///
    /// # Panics
    /// When the handle was ready before.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing: the handle can be awaited again, or cancelled first.
    pub async fn outcome(&mut self) -> Outcome<T> {
        poll_fn(|cx| self.poll_outcome(cx)).await
    }

    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        Pin::new(&mut self.process).poll(cx).map(|_| match self.slot.lock().take() {
            Some(Ok(output)) => Outcome::Completed(output),
            Some(Err(panic)) => {
                self.tally.lock().unheard -= 1;
                Outcome::Panicked(panic)
            }
            None => Outcome::Cancelled,
        })
    }

    /// Asks for cancellation: the future is dropped at the process's next run, and not polled any more.
    pub fn cancel(&self) {
        self.process.cancel();
    }

    /// Lets the process go on without a handle. The scope waits for it all the same.
    pub fn detach(self) {}

    /// Says whether the process has ended, which never becomes false again.
    pub fn is_finished(&self) -> bool {
        self.process.is_finished()
    }
}

impl<T> Future for ScopedHandle<'_, T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.poll_outcome(cx).map(Outcome::completed)
    }
}

impl<T> FusedFuture for ScopedHandle<'_, T> {
    fn is_terminated(&self) -> bool {
        self.process.is_terminated()
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let running = self.tally.lock().running;
        f.debug_struct("Scope").field("running", &running).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for ScopedHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedHandle").field("process", &self.process).finish_non_exhaustive()
    }
}
