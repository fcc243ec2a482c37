//! [`Worker`]: closures and futures as processes without a mailbox.

use crate::child::{Child, child};
use crate::exit::Exit;
use crate::plan::RestartType;
use crate::process::{Context, ProcessShutdown};
use crate::sync::lock;
use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, Mutex};

/// A process without a mailbox: a [`Child`] to whom nothing can be sent. All that can be said of a child can be said of it.
pub type Worker = Child<Infallible>;

/// Describes a worker by a closure that makes its future, for every incarnation.
///
/// The signal tells when it is to stop; a worker that does not heed it is killed when its time is over. Defaults: those of [`Child`].
///
/// # Examples
/// ```
/// use bastion_supervision::{Supervisor, plan::RestartType, worker};
/// let ticker = worker("ticker", |shutdown| async move {
///     println!("working");
///     shutdown.requested().await;
///     Ok(())
/// });
/// let jobs = Supervisor::new("jobs").add_worker(ticker.restart(RestartType::Transient));
/// ```
pub fn worker<F, Fut>(name: impl Into<Arc<str>>, start: F) -> Worker
where
    F: Fn(ProcessShutdown) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Exit>> + Send + 'static,
{
    child(move |cx: Context<Infallible>| start(cx.stop_signal())).named(name)
}

/// Describes a worker that is one future: it runs once, and is temporary, since nobody can make that future again.
///
/// It is not told when it is to stop; it may go on to its end within its time, which is five seconds unless something else is said. When its
/// supervisor is restarted and starts it again, it has nothing to do. It has no name, or it could not be spawned twice;
/// [`named`](Child::named) gives it one.
///
/// # Examples
/// ```
/// use bastion_supervision::{Supervisor, one_shot};
/// let warm_up = one_shot(async {
///     println!("warming up");
///     Ok(())
/// });
/// let jobs = Supervisor::new("jobs").add_worker(warm_up.named("warm up"));
/// ```
pub fn one_shot<F>(future: F) -> Worker
where
    F: Future<Output = Result<(), Exit>> + Send + 'static,
{
    let future = Mutex::new(Some(future));
    let start = move |_: Context<Infallible>| {
        let future = lock(&future).take();
        async move {
            match future {
                Some(future) => future.await,
                None => Ok(()),
            }
        }
    };
    child(start).restart(RestartType::Temporary)
}
