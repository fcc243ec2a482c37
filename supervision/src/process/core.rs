//! What every process has, whatever its messages: identity, control lane, end. And the type-erased view of a process.

use crate::env::Env;
use crate::mailbox::Mailbox;
use crate::pid::Pid;
use crate::plan::{ExitReason, Time};
use crate::sync::lock;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Waker};

/// The part of a process that does not depend on its messages.
///
/// It lives as long as anybody has the process's address: over restarts, and beyond its end.
pub(crate) struct Core {
    name: OnceLock<Arc<str>>,
    /// Where the process lives, and as whom; unset until it is given to a supervisor.
    home: OnceLock<(Env, Pid)>,
    /// The latest incarnation, from 1. Never falls, whatever happens to its supervisor.
    incarnation: AtomicU32,
    /// The control lane: separate from the mailbox, never full. All incarnations up to this one are to end.
    killed: AtomicU32,
    stopping: AtomicBool,
    control: Mutex<Control>,
}

#[derive(Default)]
struct Control {
    /// The incarnation that exists. The next one waits for its end.
    running: Option<u32>,
    /// Its task.
    task: Option<Waker>,
    /// The task of the incarnation that waits.
    entering: Option<Waker>,
    /// By when it has to have stopped.
    deadline: Option<Time>,
    /// Who waits for the stop request.
    stop_waiters: Vec<Waker>,
    /// How the process has ended for good.
    ended: Option<ExitReason>,
    /// Who waits for that.
    end_waiters: Vec<Waker>,
}

impl Core {
    pub(crate) fn new() -> Core {
        Core {
            name: OnceLock::new(),
            home: OnceLock::new(),
            incarnation: AtomicU32::new(0),
            killed: AtomicU32::new(0),
            stopping: AtomicBool::new(false),
            control: Mutex::default(),
        }
    }

    /// # Panics
    /// When the process has a name already.
    pub(crate) fn set_name(&self, name: Arc<str>) {
        assert!(self.name.set(name).is_ok(), "a process has one name");
    }

    /// Gives the process its pid and its surroundings. A process keeps the first ones.
    pub(crate) fn settle(&self, env: &Env) -> Pid {
        self.home.get_or_init(|| (env.clone(), env.new_pid())).1
    }

    pub(crate) fn pid(&self) -> Option<Pid> {
        self.home.get().map(|home| home.1)
    }

    pub(crate) fn env(&self) -> Option<&Env> {
        self.home.get().map(|home| &home.0)
    }

    pub(crate) fn name(&self) -> Option<&Arc<str>> {
        self.name.get()
    }

    pub(crate) fn incarnation(&self) -> u32 {
        self.incarnation.load(SeqCst)
    }

    /// Prepares for a new incarnation: a stop that was asked of the last one is forgotten.
    pub(crate) fn begin(&self, incarnation: u32) {
        let mut control = lock(&self.control);
        self.incarnation.store(incarnation, SeqCst);
        self.stopping.store(false, SeqCst);
        let forgotten = std::mem::take(&mut control.stop_waiters);
        control.deadline = None;
        control.ended = None;
        drop(control);
        drop(forgotten);
    }

    /// Makes `incarnation`, on this task, the one that exists. False: another still does; the task is woken at its end.
    ///
    /// Only a supervisor that was killed itself leaves incarnations behind that its successor has to wait for.
    pub(crate) fn enter(&self, incarnation: u32, task: &Waker) -> bool {
        let mut control = lock(&self.control);
        let enters = control.running.is_none_or(|running| running == incarnation);
        if enters {
            control.running = Some(incarnation);
        }
        let place = if enters { &mut control.task } else { &mut control.entering };
        let replaced = place.replace(task.clone());
        drop(control);
        drop(replaced);
        enters
    }

    /// Says that `incarnation` does not exist any more, or, having been abandoned, does not count.
    pub(crate) fn leave(&self, incarnation: u32) {
        let mut control = lock(&self.control);
        if control.running != Some(incarnation) {
            return;
        }
        control.running = None;
        let (task, next) = (control.task.take(), control.entering.take());
        drop(control);
        drop(task);
        if let Some(next) = next {
            next.wake();
        }
    }

    /// Asks the running incarnation to stop.
    pub(crate) fn request_stop(&self, deadline: Option<Time>) {
        let waiters = {
            let mut control = lock(&self.control);
            control.deadline = deadline;
            self.stopping.store(true, SeqCst);
            std::mem::take(&mut control.stop_waiters)
        };
        waiters.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(SeqCst)
    }

    /// By when the process has to have stopped. `None`: it is not stopping. `Some(None)`: no deadline.
    pub(crate) fn stop_request(&self) -> Option<Option<Time>> {
        self.is_stopping().then(|| lock(&self.control).deadline)
    }

    pub(crate) fn poll_stopping(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut control = lock(&self.control);
        if self.is_stopping() {
            return Poll::Ready(());
        }
        register(&mut control.stop_waiters, cx.waker());
        Poll::Pending
    }

    /// Ends the latest incarnation, and those before it: the next poll drops them.
    pub(crate) fn request_kill(&self) {
        let mut control = lock(&self.control);
        self.killed.store(self.incarnation(), SeqCst);
        let (task, entering) = (control.task.take(), control.entering.take());
        drop(control);
        task.into_iter().chain(entering).for_each(Waker::wake);
    }

    pub(crate) fn is_killed(&self, incarnation: u32) -> bool {
        incarnation <= self.killed.load(SeqCst)
    }

    /// Says how the process has ended for good. The first word stands.
    pub(crate) fn end(&self, reason: ExitReason) {
        let waiters = {
            let mut control = lock(&self.control);
            control.ended.get_or_insert(reason);
            std::mem::take(&mut control.end_waiters)
        };
        waiters.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<ExitReason> {
        let mut control = lock(&self.control);
        if let Some(reason) = &control.ended {
            return Poll::Ready(reason.clone());
        }
        register(&mut control.end_waiters, cx.waker());
        Poll::Pending
    }
}

fn register(waiters: &mut Vec<Waker>, waker: &Waker) {
    if !waiters.iter().any(|known| known.will_wake(waker)) {
        waiters.push(waker.clone());
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        if let Some((env, pid)) = self.home.get() {
            env.free_pid(*pid);
        }
    }
}

impl fmt::Display for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.name() {
            write!(f, "{name} ")?;
        }
        match self.pid() {
            Some(pid) => pid.fmt(f),
            None => f.write_str("<unsettled>"),
        }
    }
}

/// A process with its mailbox: what an address points to. One allocation.
pub(crate) struct Shared<M> {
    pub(crate) core: Core,
    pub(crate) mailbox: Mailbox<M>,
}

impl<M> Shared<M> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Shared { core: Core::new(), mailbox: Mailbox::new() })
    }
}

/// A process, as its supervisor sees it.
pub(crate) trait Process: Send + Sync {
    fn core(&self) -> &Core;
    /// Asks the running incarnation to stop.
    fn stop(&self, deadline: Option<Time>);
    /// Makes the mailbox accept messages, before an incarnation starts.
    fn open(&self);
    /// Ends the process for good: its mailbox refuses messages, those that wait are dead letters.
    fn close(&self, reason: &ExitReason);
    /// How many messages wait.
    fn queued(&self) -> usize;
}

impl<M: Send + 'static> Process for Shared<M> {
    fn core(&self) -> &Core {
        &self.core
    }

    fn stop(&self, deadline: Option<Time>) {
        self.core.request_stop(deadline);
        self.mailbox.wake();
    }

    fn open(&self) {
        self.mailbox.open();
    }

    fn close(&self, reason: &ExitReason) {
        let left = self.mailbox.close();
        if let Some(env) = self.core.env()
            && !left.is_empty()
        {
            env.dead_letters(&self.core, left.len());
        }
        self.core.end(reason.clone());
        // Last: a message's destructor is foreign code, and may panic.
        super::guard::contain(|| drop(left));
    }

    fn queued(&self) -> usize {
        self.mailbox.len()
    }
}
