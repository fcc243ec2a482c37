//! The life of one incarnation: the start closure, the polls, the end. Panics and kills end it here.

use super::context::Context;
use super::core::{Process, Shared};
use super::guard;
use super::link::Link;
use crate::exit::Exit;
use crate::plan::ExitReason;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context as Task, Poll};

/// Starts an incarnation on the runtime of its system: one task, which runs it to its end and tells its supervisor.
pub(crate) fn spawn<M, F, Fut>(shared: Arc<Shared<M>>, start: F, link: Link, gated: bool)
where
    M: Send + 'static,
    F: Fn(Context<M>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Exit>> + Send + 'static,
{
    let end = End { link: Arc::new(link), shared };
    let link = end.link.clone();
    link.env().runtime().spawn(async move {
        let reason = {
            let mut body = pin!(None::<Fut>);
            poll_fn(|task| poll(&end, &start, gated, body.as_mut(), task)).await
        };
        end.tell(reason);
    });
}

/// Tells of the end when the runtime drops the incarnation instead of running it.
struct End<M: Send + 'static> {
    link: Arc<Link>,
    shared: Arc<Shared<M>>,
}

impl<M: Send + 'static> End<M> {
    fn tell(&self, reason: ExitReason) {
        let (core, incarnation) = (&self.shared.core, self.link.incarnation());
        if reason.is_abnormal() {
            self.link.env().crashed(core, incarnation, &reason, self.shared.queued());
        }
        core.leave(incarnation);
        self.link.ended(reason);
    }
}

impl<M: Send + 'static> Drop for End<M> {
    fn drop(&mut self) {
        // Both do nothing after `tell`.
        self.shared.core.leave(self.link.incarnation());
        self.link.ended(ExitReason::Killed);
    }
}

/// One poll of an incarnation. The first one starts it.
fn poll<M, F, Fut>(
    end: &End<M>,
    start: &F,
    gated: bool,
    mut body: Pin<&mut Option<Fut>>,
    task: &mut Task<'_>,
) -> Poll<ExitReason>
where
    M: Send + 'static,
    F: Fn(Context<M>) -> Fut,
    Fut: Future<Output = Result<(), Exit>>,
{
    let (core, pid, incarnation) = (&end.shared.core, end.link.pid(), end.link.incarnation());
    let first = body.is_none();
    // A process's waker is the same at all polls. It is left before the look at the kill flag, so no kill is missed.
    let entered = !first || core.enter(incarnation, task.waker());
    if core.is_killed(incarnation) {
        let _ = guard::run(pid, || body.set(None));
        return Poll::Ready(ExitReason::Killed);
    }
    if !entered {
        return Poll::Pending;
    }
    if first {
        let context = Context::new(end.shared.clone(), end.link.clone());
        match guard::run(pid, || start(context)) {
            Ok(future) => body.set(Some(future)),
            Err(panic) => return Poll::Ready(ExitReason::Panic(panic)),
        }
        if !gated {
            end.link.ready();
        }
    }
    let polled = guard::run(pid, || match body.as_mut().as_pin_mut() {
        Some(future) => future.poll(task),
        None => Poll::Pending,
    });
    let ended = match polled {
        Ok(Poll::Pending) => return Poll::Pending,
        Ok(Poll::Ready(result)) => Ok(result),
        Err(panic) => Err(panic),
    };
    let dropped = guard::run(pid, || body.set(None));
    Poll::Ready(match (ended, dropped) {
        (Err(panic), _) | (Ok(_), Err(panic)) => ExitReason::Panic(panic),
        (Ok(Err(exit)), Ok(())) => exit.into_reason(),
        // A process that was asked to stop and does has shut down.
        (Ok(Ok(())), Ok(())) if core.is_stopping() => ExitReason::Shutdown,
        (Ok(Ok(())), Ok(())) => ExitReason::Normal,
    })
}
