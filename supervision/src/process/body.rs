//! The task of one incarnation: the start closure, the polls, the end. Panics and kills end it here.

use super::circles;
use super::context::Context;
use super::core::{Process, Shared};
use super::guard;
use super::life::{Asks, Life};
use crate::exit::Exit;
use crate::place::Place;
use crate::plan::{ExitReason, Failure};
use crate::report::Report;
use crate::runtime::Timer;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};
use std::time::Duration;

/// How long an incarnation waits for an earlier one that was killed together with its supervisor, until that one is abandoned.
const PREDECESSOR_GRACE: Duration = Duration::from_secs(1);

/// Starts an incarnation on the runtime of its system: one task, which runs it to its end and tells its supervisor.
pub(crate) fn spawn<M, F, Fut>(
    shared: Arc<Shared<M>>,
    start: F,
    life: Arc<Life>,
    gated: bool,
    place: Place,
) where
    M: Send + 'static,
    F: Fn(Context<M>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Exit>> + Send + 'static,
{
    // Whoever starts a process may have given it what it had.
    circles::sends();
    let (body, start) = (Body::Entering { gated, waits: None }, start);
    let task =
        Course { body, start, incarnation: Incarnation { life: Some(life.clone()), shared } };
    let runtime = life.env().runtime();
    if let Err((error, task)) = runtime.spawn_on(place, task) {
        // It runs anywhere, only to say so.
        life.end_by(ExitReason::Error(Failure::new(error)));
        runtime.spawn(task);
    }
}

pin_project! {
    /// The task. Idle processes mostly consist of it, so nothing is in it twice, as it would be in an async block.
    struct Course<M, F, Fut>
    where
        M: Send,
        M: 'static,
    {
        // Dropped first: the incarnation exists as long as this does.
        #[pin]
        body: Body<Fut>,
        start: F,
        incarnation: Incarnation<M>,
    }
}

impl<M, F, Fut> Future for Course<M, F, Fut>
where
    M: Send + 'static,
    F: Fn(Context<M>) -> Fut,
    Fut: Future<Output = Result<(), Exit>>,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<()> {
        let this = self.project();
        let followed = this.incarnation.shared.follow();
        let reason = this.incarnation.poll(this.body, this.start, task);
        // A crash is reported in the span of the message that was in hand.
        let ended = reason.map(|reason| this.incarnation.end(reason));
        if let Some(mut followed) = followed
            && ended.is_pending()
            && !this.incarnation.life().is_killed()
        {
            followed.keep();
        }
        ended
    }
}

pin_project! {
    /// The body, and how far the incarnation is with it.
    #[project = Stage]
    enum Body<Fut> {
        /// It has not begun.
        Entering {
            gated: bool,
            // Until when it waits for an earlier incarnation to leave, if there is one.
            waits: Option<Box<Timer>>,
        },
        Begun { #[pin] future: Fut },
        Dropped,
    }
}

struct Incarnation<M: Send + 'static> {
    /// Not here while its code runs: the thread has it then.
    life: Option<Arc<Life>>,
    shared: Arc<Shared<M>>,
}

impl<M: Send + 'static> Incarnation<M> {
    fn life(&self) -> &Arc<Life> {
        self.life.as_ref().expect("its code does not run")
    }

    fn poll<F, Fut>(
        &mut self,
        mut body: Pin<&mut Body<Fut>>,
        start: &F,
        task: &mut Task<'_>,
    ) -> Poll<ExitReason>
    where
        F: Fn(Context<M>) -> Fut,
        Fut: Future<Output = Result<(), Exit>>,
    {
        let entering = match body.as_mut().project() {
            Stage::Entering { gated, waits } => Some((*gated, waits)),
            Stage::Begun { .. } | Stage::Dropped => None,
        };
        if entering.is_some() {
            // A process's waker is the same at all polls.
            self.life().set_task(task.waker().clone());
            let (life, name) = (self.life(), self.shared.core.name());
            life.watch().begin(task.waker(), name, life.incarnation());
        }
        if let Some(doom) = self.life().doomed() {
            let _ = guard::run(&mut self.life, || body.set(Body::Dropped));
            return Poll::Ready(doom);
        }
        if let Some((gated, waits)) = entering {
            if !self.enter(waits, task) {
                return Poll::Pending;
            }
            let context = Context::new(self.shared.clone(), self.life().clone());
            match guard::run(&mut self.life, || start(context)) {
                Ok(future) => body.set(Body::Begun { future }),
                Err(panic) => return Poll::Ready(ExitReason::Panic(panic)),
            }
            if !gated && self.life().ready() {
                // A body that blocks its worker must not keep the supervisor, just woken, from running.
                task.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        self.poll_body(body, task)
    }

    /// Waits until no earlier incarnation exists.
    fn enter(&self, waits: &mut Option<Box<Timer>>, task: &mut Task<'_>) -> bool {
        let (core, life) = (&self.shared.core, self.life());
        while !core.enter(life, task.waker()) {
            let env = life.env();
            let new = || Box::new(env.runtime().timer_after(PREDECESSOR_GRACE));
            if Pin::new(waits.get_or_insert_with(new)).poll(task).is_pending() {
                return false;
            }
            // Its supervisor was killed with it, so nobody else can say this.
            if let Some(stuck) = core.inside() {
                core.leave(&stuck, &ExitReason::Killed);
                let supervisor = life.supervisor().name().into();
                let child = core.name().cloned();
                let (pid, incarnation) = (stuck.pid(), stuck.incarnation());
                env.report(Report::Abandoned { supervisor, pid, child, incarnation });
            }
        }
        true
    }

    fn poll_body<Fut>(
        &mut self,
        mut body: Pin<&mut Body<Fut>>,
        task: &mut Task<'_>,
    ) -> Poll<ExitReason>
    where
        Fut: Future<Output = Result<(), Exit>>,
    {
        let waker = self.life().watch().begin_poll();
        let polled = guard::run(&mut self.life, || match (body.as_mut().project(), &waker) {
            (Stage::Begun { future }, None) => future.poll(task),
            (Stage::Begun { future }, Some(waker)) => future.poll(&mut Task::from_waker(waker)),
            (Stage::Entering { .. } | Stage::Dropped, _) => Poll::Pending,
        });
        drop(waker);
        self.life().watch().end_poll();
        let ended = match polled {
            Ok(Poll::Pending) => {
                if let Some(asks) = self.life().has_asked() {
                    self.look_for_circle(asks, task);
                }
                return Poll::Pending;
            }
            Ok(Poll::Ready(result)) => Ok(result),
            Err(panic) => Err(panic),
        };
        let dropped = guard::run(&mut self.life, || body.set(Body::Dropped));
        Poll::Ready(match (ended, dropped, self.life().doomed()) {
            (Err(panic), ..) | (Ok(_), Err(panic), _) => ExitReason::Panic(panic),
            (.., Some(doom)) => doom,
            (Ok(Err(exit)), Ok(()), None) => exit.into_reason(),
            // A process that was asked to stop and does has shut down.
            (Ok(Ok(())), Ok(()), None) if self.life().is_stopping() => ExitReason::Shutdown,
            (Ok(Ok(())), Ok(()), None) => ExitReason::Normal,
        })
    }

    /// Finds out, after a poll, whether the process waits for answers in a circle. If so its question is told, and the circle is reported.
    fn look_for_circle(&self, asks: &Asks, task: &mut Task<'_>) {
        let (life, core) = (self.life(), &self.shared.core);
        let circle = if asks.oneself.is_in_vain(|| self.shared.queued() > 0) {
            Some(vec![(life.pid(), core.name().cloned())])
        } else {
            life.env().waits().circle(life.pid())
        };
        if let Some(processes) = circle {
            task.waker().wake_by_ref();
            life.env().report(Report::AskCircle { processes });
        }
    }

    fn end(&self, reason: ExitReason) {
        if reason.is_abnormal() {
            let (core, queued) = (&self.shared.core, self.shared.queued());
            self.life().env().crashed(core, self.life(), &reason, queued);
        }
        self.leave(reason);
    }

    fn leave(&self, reason: ExitReason) {
        // Whoever still has the context, in another task, receives nothing any more.
        self.life().set_over();
        self.shared.core.leave(self.life(), &reason);
        self.shared.wake();
        self.life().ended(reason);
    }
}

/// Tells of the end also when the runtime drops the incarnation instead of running it.
impl<M: Send + 'static> Drop for Incarnation<M> {
    fn drop(&mut self) {
        self.shared.unfollow(self.life());
        if !self.life().has_told() {
            self.leave(ExitReason::Killed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::circles::Watch;
    use super::*;

    #[test]
    fn what_every_process_has_is_small() {
        // What debug builds add is not counted.
        let life = size_of::<Life>() - size_of::<Watch>();
        let sizes = [size_of::<Shared<()>>(), life, size_of::<Context<()>>()];
        let most = [136, 72, 40];
        assert!(sizes.iter().zip(most).all(|(&size, most)| size <= most), "{sizes:?}");
        assert!(size_of::<Course<(), fn(), [u64; 8]>>() <= 96, "less than twice its body");
    }
}
