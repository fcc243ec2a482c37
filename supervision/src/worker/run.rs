//! Running a supervisor as a tree of its own: [`Supervisor::run`] and its kin.

use crate::env::{Env, Watches};
use crate::plan::{ChildKind, ExitReason, Time};
use crate::process::{Life, Process, guard};
use crate::report::Reporter;
use crate::runtime::Runtime;
use crate::supervisor::{Supervisor, SupervisorError, SupervisorRef, below};
use crate::sync::lock;
use crate::system::{ORPHANS_GRACE, Stopped, launch, remember_forced};
use std::future::{Future, IntoFuture, pending, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

impl Supervisor {
    /// Runs the supervisor, until it ends by itself, as the root of a tree on the runtime of whoever calls: see [`Runtime::current`].
    ///
    /// As [`run_on`](Self::run_on) otherwise.
    ///
    /// # Errors
    /// As there; and [`SupervisorError::Runtime`] when there is no runtime here.
    pub async fn run(self) -> Result<Stopped, SupervisorError> {
        self.run_with_shutdown(pending()).await
    }

    /// Runs the supervisor, until it ends by itself or `shutdown` is ready, as the root of a tree on the runtime of whoever calls: see
    /// [`Runtime::current`].
    ///
    /// As [`run_on`](Self::run_on) otherwise.
    ///
    /// # Errors
    /// As there; and [`SupervisorError::Runtime`] when there is no runtime here.
    pub async fn run_with_shutdown<F>(self, shutdown: F) -> Result<Stopped, SupervisorError>
    where
        F: IntoFuture<Output = ()>,
    {
        match Runtime::current() {
            Ok(runtime) => self.run_on(runtime, shutdown).await,
            Err(error) => Err(SupervisorError::Runtime { supervisor: self.name.clone(), error }),
        }
    }

    /// Runs the supervisor, until it ends by itself or `shutdown` is ready, as the root of a tree on this runtime.
    ///
    /// There is no supervisor above it: what it does not bear, and a start that fails, is the error that this returns. When `shutdown` is ready,
    /// everything below is stopped in order, within the time that [`shutdown`](Supervisor::shutdown) gives this supervisor: by default, as long
    /// as each worker may take. Reports go to `tracing`.
    ///
    /// For children that are added while it runs, take a [`reference`](Supervisor::reference) before.
    ///
    /// # Errors
    /// [`SupervisorError::Finished`] when the supervisor gave up, or a child failed to start; [`SupervisorError::path`] names it.
    /// [`SupervisorError::Invalid`] when the description contradicts itself. [`SupervisorError::Ended`] when the runtime was shut down.
    ///
    /// # Cancel safety
    /// Dropping the future kills everything below, without waiting for it.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Exit, ProcessShutdown, Runtime, Sim, Supervisor, plan::Shutdown, worker};
    /// use std::time::Duration;
    /// async fn work(shutdown: ProcessShutdown) -> Result<(), Exit> {
    ///     shutdown.requested().await;
    ///     Ok(())
    /// }
    /// let sim = Sim::new(1);
    /// let stopped = sim.run(async {
    ///     let store = Supervisor::new("store").add_worker(worker("disk", work));
    ///     let app = Supervisor::new("app")
    ///         .shutdown(Shutdown::Timeout(Duration::from_secs(3)))
    ///         .supervisor(store)
    ///         .add_worker(worker("web", work));
    ///     app.run_on(Runtime::sim(&sim), sim.sleep(Duration::from_secs(60))).await
    /// });
    /// assert!(stopped.unwrap().forced.is_empty());
    /// ```
    pub async fn run_on<F>(self, runtime: Runtime, shutdown: F) -> Result<Stopped, SupervisorError>
    where
        F: IntoFuture<Output = ()>,
    {
        let (name, budget) = (self.name.clone(), self.spec.shutdown);
        let running = Running::start(self, runtime);
        {
            let (mut ended, mut shutdown) =
                (pin!(running.root.ended()), pin!(shutdown.into_future()));
            let stops = poll_fn(|task| match ended.as_mut().poll(task) {
                Poll::Ready(_) => Poll::Ready(false),
                Poll::Pending => shutdown.as_mut().poll(task).map(|()| true),
            });
            if stops.await {
                let now = running.env.now();
                running.stop(budget.stop_times(ChildKind::Supervisor, now, None).kill);
            }
        }
        let reason = running.root.ended().await;
        running.env.bury_orphans(ORPHANS_GRACE).await;
        match reason {
            ExitReason::Normal | ExitReason::Shutdown => Ok(running.stopped()),
            reason => Err(match below(&reason) {
                Some(error) => error.clone(),
                None => SupervisorError::Ended { supervisor: name, reason },
            }),
        }
    }
}

/// A tree that runs. Dropped, it is killed.
struct Running {
    env: Env,
    root: SupervisorRef,
    life: Arc<Life>,
    forced: Arc<Mutex<Vec<String>>>,
}

impl Running {
    fn start(supervisor: Supervisor, runtime: Runtime) -> Running {
        guard::install_hook();
        let forced = Arc::new(Mutex::new(Vec::new()));
        let env = Env::new(
            runtime,
            Reporter::new(vec![remember_forced(forced.clone())], 0),
            Watches::default(),
        );
        let (given, root) = supervisor.into_child();
        let life = launch(&env, given);
        Running { env, root, life, forced }
    }

    fn stop(&self, deadline: Option<Time>) {
        self.life.request_stop(deadline);
        self.root.shared().wake();
    }

    fn stopped(&self) -> Stopped {
        let abandoned = self.env.reporter().stats().abandoned;
        Stopped { forced: lock(&self.forced).clone(), abandoned }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.life.kill();
    }
}
