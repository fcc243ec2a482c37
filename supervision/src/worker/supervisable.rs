//! [`Supervisable`]: a worker that is initialised first, and then runs.

use super::plain::Worker;
use super::restart_strategy::ShutdownStrategy;
use crate::child::child;
use crate::exit::Exit;
use crate::plan::{ChildKind, ExitReason, Failure};
use crate::process::{Context, ProcessShutdown};
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// What a worker runs once it is initialised. It ends well with `Ok`, and fails with `Err` or a panic.
pub type SupervisorFuture = Pin<Box<dyn Future<Output = Result<(), Exit>> + Send>>;

/// A worker that is initialised before its next sibling is started, and then runs.
///
/// An error of the initialisation is not a crash: it fails the start of the supervisor, which is undone. An error of the run, or a panic in it,
/// is judged by the restart rules; the next incarnation is initialised again. An initialisation that fails then counts as one more
/// failure, and is tried again.
///
/// # Examples
/// ```
/// use bastion_supervision::{
///     InitializationError, ProcessShutdown, Runtime, Sim, Supervisable, Supervisor, SupervisorFuture,
/// };
///
/// struct Listener { port: String }
///
/// impl Supervisable for Listener {
///     fn name(&self) -> &str {
///         "listener"
///     }
///
///     async fn initialize(&self, shutdown: ProcessShutdown) -> Result<SupervisorFuture, InitializationError> {
///         let port: u16 = self.port.parse()?;
///         Ok(Box::pin(async move {
///             println!("port {port}");
///             shutdown.requested().await;
///             Ok(())
///         }))
///     }
/// }
///
/// let sim = Sim::new(1);
/// sim.run(async {
///     let web = |port: &str| Supervisor::new("web").add_worker(Listener { port: port.to_owned() });
///     let hour = sim.sleep(std::time::Duration::from_secs(3600));
///     let stopped = web("80").run_on(Runtime::sim(&sim), hour).await.unwrap();
///     assert!(stopped.forced.is_empty());
///
///     let error = web("http").run_on(Runtime::sim(&sim), std::future::pending()).await.unwrap_err();
///     assert_eq!(error.path(), "web/listener");
/// });
/// ```
pub trait Supervisable: Send + Sync + 'static {
    /// Returns the worker's name, its id among its siblings.
    fn name(&self) -> &str;

    /// Returns how the worker is stopped. Default: it gets five seconds, as in OTP.
    fn shutdown_strategy(&self) -> ShutdownStrategy {
        ShutdownStrategy::default_for(ChildKind::Worker)
    }

    /// Prepares an incarnation, and returns what it runs. Called again for every restart.
    ///
    /// The signal tells when it is to stop. A worker that does not take it along cannot stop in order: it is killed when its time is over.
    ///
    /// # Errors
    /// What it needs is not there. Any error becomes one with `?`.
    fn initialize(
        &self,
        shutdown: ProcessShutdown,
    ) -> impl Future<Output = Result<SupervisorFuture, InitializationError>> + Send;
}

/// A worker could not be initialised.
///
/// Any error turns into one with `?`. Not an error itself, so that this conversion can exist. It becomes
/// [`ExitReason::InitFailed`], or [`ExitReason::Declined`].
#[derive(Clone)]
pub struct InitializationError(ExitReason);

impl InitializationError {
    /// Takes an error that is boxed already, or a text.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> InitializationError {
        InitializationError(ExitReason::InitFailed(Failure::new(error)))
    }

    /// Declines to run, which is no error: see [`Exit::decline`].
    pub fn decline() -> InitializationError {
        InitializationError(ExitReason::Declined)
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for InitializationError {
    fn from(error: E) -> Self {
        InitializationError(ExitReason::InitFailed(Failure::new(error)))
    }
}

impl From<InitializationError> for Exit {
    fn from(error: InitializationError) -> Self {
        Exit::with(error.0)
    }
}

impl fmt::Debug for InitializationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InitializationError").field(&self.0).finish()
    }
}

impl fmt::Display for InitializationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Describes the process of a [`Supervisable`], with its name and its way to stop. It is ready when it is initialised.
///
/// For what else can be said of a child: `supervised(listener).restart(..).backoff(..)`. Where nothing is to be said, a `Supervisable` can be
/// given as it is.
pub fn supervised(worker: impl Supervisable) -> Worker {
    let (name, shutdown) = (worker.name().to_owned(), worker.shutdown_strategy());
    let worker = Arc::new(worker);
    let start = move |cx: Context<Infallible>| {
        let worker = worker.clone();
        async move {
            let run = worker.initialize(cx.stop_signal()).await.map_err(Exit::from)?;
            cx.ready();
            run.await
        }
    };
    child(start).named(name).shutdown(shutdown).gated()
}

impl<W: Supervisable> From<W> for Worker {
    fn from(worker: W) -> Self {
        supervised(worker)
    }
}
