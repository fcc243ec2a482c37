//! The functions of `nuclei`, and [`Proactor`].

use super::JoinHandle;
use std::future::Future;
use std::io;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Runs a future on the executor.
///
/// # Examples
/// ```
/// use bastion_classic::io::{drive, spawn};
/// assert_eq!(drive(spawn(async { 42 })), 42);
/// ```
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    JoinHandle::new(bastion_executor::spawn(future))
}

/// Runs a closure on a thread that it may block.
///
/// # Examples
/// ```
/// use bastion_classic::io::{drive, spawn_blocking};
/// assert_eq!(drive(spawn_blocking(|| 42)), 42);
/// ```
pub fn spawn_blocking<F, T>(task: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    JoinHandle::new(bastion_executor::spawn_blocking(task))
}

/// Runs a future on the calling thread: another name for [`executor::run`](crate::executor::run).
///
/// # Panics
/// With the future's panic.
///
/// # Examples
/// ```
/// assert_eq!(bastion_classic::io::block_on(async { 42 }), 42);
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    bastion_executor::run(future)
}

/// Runs a future on the calling thread. Sockets need no driving any more, so this is [`block_on`].
///
/// # Panics
/// With the future's panic.
///
/// # Examples
/// ```
/// assert_eq!(bastion_classic::io::drive(async { 42 }), 42);
/// ```
pub fn drive<T>(future: impl Future<Output = T>) -> T {
    bastion_executor::run(future)
}

/// What drove the sockets. Today the executor does: whoever waits here waits for [`wake`](Proactor::wake) only.
#[derive(Debug)]
pub struct Proactor {
    woken: Mutex<bool>,
    wake: Condvar,
}

impl Proactor {
    /// Returns the one there is.
    pub fn get() -> &'static Proactor {
        static PROACTOR: Proactor = Proactor { woken: Mutex::new(false), wake: Condvar::new() };
        &PROACTOR
    }

    /// Wakes one thread that waits, or the next one that is to.
    pub fn wake(&self) {
        *self.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.wake.notify_one();
    }

    /// Waits until it is woken, at most so long, and returns that no event has come.
    ///
    /// # Errors
    /// None.
    ///
    /// # Examples
    /// ```
    /// use bastion_classic::io::Proactor;
    /// Proactor::get().wake();
    /// assert_eq!(Proactor::get().wait(1, None)?, 0);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn wait(&self, _max_event_size: usize, duration: Option<Duration>) -> io::Result<usize> {
        let woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        let asleep = |woken: &mut bool| !std::mem::take(woken);
        match duration {
            None => drop(self.wake.wait_while(woken, asleep)),
            Some(duration) => drop(self.wake.wait_timeout_while(woken, duration, asleep)),
        }
        Ok(0)
    }
}
