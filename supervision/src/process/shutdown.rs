//! [`ProcessShutdown`]: tells a process that it is asked to stop. And the pair of it and its [`ShutdownHandle`], for code outside.

use super::guard;
use super::life::Life;
use crate::sync::lock;
use crate::waiters::{Waiters, wait};
use std::fmt;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Tells when an incarnation of a process is asked to stop. Can be cloned, and given to whatever works for it.
///
/// Once requested it stays so: the next incarnation has a signal of its own. It can be awaited itself, which is
/// [`requested`](Self::requested).
///
/// # Examples
/// ```
/// use bastion_supervision::{ProcessShutdown, Sim};
/// let (handle, shutdown) = ProcessShutdown::paired();
/// assert!(!shutdown.is_requested());
/// handle.shutdown();
/// assert!(shutdown.is_requested());
/// Sim::new(1).run(async {
///     shutdown.requested().await;
///     shutdown.await; // And stays so.
/// });
/// ```
#[derive(Clone)]
pub struct ProcessShutdown(Source);

/// The same, as [`Context::stop_signal`](crate::Context::stop_signal) calls it.
pub type StopSignal = ProcessShutdown;

#[derive(Clone)]
enum Source {
    Life(Arc<Life>),
    Pair(Arc<Mutex<Pair>>),
    Never,
}

#[derive(Default)]
struct Pair {
    requested: bool,
    waiters: Waiters,
}

impl ProcessShutdown {
    pub(super) fn of(life: Arc<Life>) -> ProcessShutdown {
        ProcessShutdown(Source::Life(life))
    }

    /// Makes one that a handle requests, for tests and for code outside supervision.
    pub fn paired() -> (ShutdownHandle, ProcessShutdown) {
        let pair = Arc::new(Mutex::default());
        (ShutdownHandle { pair: pair.clone() }, ProcessShutdown(Source::Pair(pair)))
    }

    /// Makes one that is never requested.
    pub fn never() -> ProcessShutdown {
        ProcessShutdown(Source::Never)
    }

    /// Waits until the incarnation is asked to stop, or has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn requested(&self) {
        match &self.0 {
            Source::Life(life) => life.stop_requested().await,
            Source::Pair(pair) => {
                wait(pair, |pair| match pair.requested {
                    true => Ok(()),
                    false => Err(&mut pair.waiters),
                })
                .await;
            }
            Source::Never => pending().await,
        }
    }

    /// Says whether the incarnation is asked to stop, or has ended.
    pub fn is_requested(&self) -> bool {
        match &self.0 {
            Source::Life(life) => life.is_stopping() || life.has_left(),
            Source::Pair(pair) => lock(pair).requested,
            Source::Never => false,
        }
    }

    /// Returns how much time is left until the process is killed, real or virtual; zero when that has passed. `None`: it is not asked to
    /// stop, or has all the time it needs.
    ///
    /// A supervisor that is in a hurry itself may shorten it later.
    pub fn deadline(&self) -> Option<Duration> {
        let Source::Life(life) = &self.0 else { return None };
        let deadline = life.stop_request().flatten()?;
        Some(deadline.since(life.env().now()))
    }
}

impl IntoFuture for ProcessShutdown {
    type Output = ();
    type IntoFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.requested().await })
    }
}

impl fmt::Debug for ProcessShutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessShutdown").field("is_requested", &self.is_requested()).finish()
    }
}

/// Requests the [`ProcessShutdown`] that it was made with: when it is told to, and at the latest when it is dropped.
#[must_use = "dropping it requests the shutdown"]
pub struct ShutdownHandle {
    pair: Arc<Mutex<Pair>>,
}

impl ShutdownHandle {
    /// Requests the shutdown. Does nothing a second time.
    pub fn shutdown(&self) {
        let waiters = {
            let mut pair = lock(&self.pair);
            pair.requested = true;
            pair.waiters.take()
        };
        waiters.for_each(guard::wake);
    }
}

impl Drop for ShutdownHandle {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl fmt::Debug for ShutdownHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let requested = lock(&self.pair).requested;
        f.debug_struct("ShutdownHandle").field("is_requested", &requested).finish()
    }
}
