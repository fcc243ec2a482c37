//! What every process has, whatever its messages: identity, existence, end. And the type-erased view of a process.

use super::extras::Extras;
use super::guard;
use super::life::Life;
use super::notice::ExitSignal;
use super::past::Past;
use super::sorted::Sorted;
use super::ties::{self, Ties, Watcher};
use super::trail::Spans;
use crate::env::Env;
use crate::mailbox::Mailbox;
use crate::names::{Freed, Held};
use crate::pid::Pid;
use crate::plan::{ExitReason, Time};
use crate::sync::lock;
use crate::waiters::{Waiters, wait};
use once_cell::race::OnceBox;
use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::Waker;

/// The part of a process that does not depend on its messages.
///
/// It lives as long as anybody has the process's address: over restarts, and beyond its end.
pub(crate) struct Core {
    pub(super) extras: OnceBox<Extras>,
    /// Where the process lives, and as whom; unset until it is given to a supervisor.
    home: OnceLock<(Env, Pid)>,
    /// The latest incarnation, from 1. Never falls, whatever happens to its supervisor.
    incarnation: AtomicU32,
    existence: Mutex<Existence>,
}

#[derive(Default)]
struct Existence {
    /// How many incarnations have begun and not left. More than one only after a supervisor was killed.
    begun: u32,
    /// The latest one runs. If it does not, an earlier one may still.
    runs: bool,
    /// The one that was begun last, also when it has left: who sends a signal means this one.
    latest: Option<Arc<Life>>,
    rare: Option<Box<Rare>>,
}

/// What most processes do not have before their end.
#[derive(Default)]
struct Rare {
    /// An incarnation that runs and is not the latest: that one waits for its end.
    earlier: Option<Arc<Life>>,
    /// The task of the incarnation that waits for the end of the one that runs.
    entering: Option<Waker>,
    ties: Option<Box<Ties>>,
    /// What is to be done when no incarnation exists any more.
    closing: Option<Box<dyn FnOnce() + Send>>,
    /// What has happened to it before.
    past: Option<Box<Past>>,
    /// How the process has ended for good.
    ended: Option<ExitReason>,
    waiters: Waiters,
}

impl Existence {
    /// The incarnation that runs.
    fn inside(&self) -> Option<&Arc<Life>> {
        let earlier = || self.rare.as_ref()?.earlier.as_ref();
        self.latest.as_ref().filter(|_| self.runs).or_else(earlier)
    }

    /// Makes this incarnation the one that runs.
    fn enter(&mut self, life: &Arc<Life>) {
        self.runs = self.latest.as_ref().is_some_and(|latest| Arc::ptr_eq(latest, life));
        if !self.runs {
            self.rare().earlier = Some(life.clone());
        }
    }

    /// Takes note that this incarnation does not run. True: it did.
    fn exit(&mut self, life: &Life) -> bool {
        let ran = self.inside().is_some_and(|inside| std::ptr::eq(&**inside, life));
        if ran && !std::mem::take(&mut self.runs) {
            self.rare().earlier = None;
        }
        ran
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    fn ended(&self) -> Option<&ExitReason> {
        self.rare.as_ref()?.ended.as_ref()
    }

    fn ties(&mut self) -> Option<&mut Ties> {
        self.rare.as_mut()?.ties.as_deref_mut()
    }
}

impl Core {
    pub(super) fn new() -> Core {
        Core {
            extras: OnceBox::new(),
            home: OnceLock::new(),
            incarnation: AtomicU32::new(0),
            existence: Mutex::default(),
        }
    }

    /// # Panics
    /// When the process has a name already.
    #[track_caller]
    pub(crate) fn set_name(&self, name: Arc<str>) {
        let named = self.extras_or_new().name.set(name);
        assert!(named.is_ok(), "the process has a name already: {self}");
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
        self.extras()?.name.get()
    }

    pub(crate) fn incarnation(&self) -> u32 {
        self.incarnation.load(SeqCst)
    }

    /// Counts a new incarnation, before its task exists. A closing that was waiting is off: the process lives again. One that is not the
    /// first is remembered with its time.
    pub(crate) fn begin(&self, life: &Arc<Life>, at: Time) {
        let mut existence = lock(&self.existence);
        self.incarnation.store(life.incarnation(), SeqCst);
        existence.begun += 1;
        if life.incarnation() > 1 {
            existence.rare().past.get_or_insert_default().restarts.add(at);
        }
        let former = existence.latest.replace(life.clone());
        if std::mem::take(&mut existence.runs) {
            existence.rare().earlier = former.clone();
        }
        let closed = existence.rare.as_mut().map(|rare| (rare.ended.take(), rare.closing.take()));
        let forgotten = (former, closed);
        drop(existence);
        guard::contain(|| drop(forgotten));
    }

    /// Makes `life` the incarnation that runs. False: another still does; `task` is woken at its end.
    pub(super) fn enter(&self, life: &Arc<Life>, task: &Waker) -> bool {
        let task = task.clone();
        let mut existence = lock(&self.existence);
        if existence.inside().is_none() {
            existence.enter(life);
            return true;
        }
        let replaced = existence.rare().entering.replace(task);
        drop(existence);
        drop(replaced);
        false
    }

    /// Looks at what has happened to the process before.
    pub(super) fn past<T>(&self, f: impl FnOnce(&Past) -> Option<T>) -> Option<T> {
        f(lock(&self.existence).rare.as_ref()?.past.as_ref()?)
    }

    /// Changes that.
    pub(super) fn change_past<T>(&self, f: impl FnOnce(&mut Past) -> T) -> T {
        f(lock(&self.existence).rare().past.get_or_insert_default())
    }

    /// The incarnation that runs.
    pub(super) fn inside(&self) -> Option<Arc<Life>> {
        lock(&self.existence).inside().cloned()
    }

    /// Says that `life` does not exist any more, or, having been abandoned, does not count, and why. Later calls do nothing.
    pub(crate) fn leave(&self, life: &Life, reason: &ExitReason) {
        if !life.leave(reason) {
            return;
        }
        let mut existence = lock(&self.existence);
        let ran = existence.exit(life);
        existence.begun -= 1;
        let (last, runs) = (existence.begun == 0, existence.inside().is_some());
        let (mut next, mut links, mut closing) = (None, None, None);
        if let Some(rare) = &mut existence.rare {
            next = rare.entering.take_if(|_| ran);
            // Those of another one that runs are not this one's: it has been abandoned, or has never run.
            links = rare.ties.as_mut().filter(|_| !runs).map(|ties| ties.take_links());
            closing = rare.closing.take_if(|_| last);
        }
        drop(existence);
        ties::dissolve(self, links.unwrap_or_default(), reason);
        if let Some(next) = next {
            guard::wake(next);
        }
        if let Some(closing) = closing {
            closing();
        }
    }

    /// Looks at the ties of a process that has not ended for good; it gets some if it has none.
    pub(super) fn tie<T>(&self, f: impl FnOnce(&mut Ties) -> T) -> Option<T> {
        let mut existence = lock(&self.existence);
        if existence.ended().is_some() {
            return None;
        }
        let ties = &mut existence.rare().ties;
        let result = f(ties.get_or_insert_default());
        ties.take_if(|ties| ties.is_empty());
        Some(result)
    }

    /// Looks at the ties of a process, if it has any.
    pub(super) fn untie<T>(&self, f: impl FnOnce(&mut Ties) -> Option<T>) -> Option<T> {
        let mut existence = lock(&self.existence);
        let ties = &mut existence.rare.as_mut()?.ties;
        let found = f(ties.as_mut()?);
        ties.take_if(|ties| ties.is_empty());
        found
    }

    #[cfg(test)]
    pub(crate) fn is_tied(&self) -> bool {
        lock(&self.existence).ties().is_some()
    }

    /// Looks at what a process that has not ended for good holds.
    pub(crate) fn hold<T>(&self, f: impl FnOnce(&mut Held) -> T) -> Option<T> {
        self.tie(|ties| ties.hold(f))
    }

    /// Looks at what a process holds, if that is anything.
    pub(crate) fn held<T>(&self, f: impl FnOnce(&mut Held) -> Option<T>) -> Option<T> {
        self.untie(|ties| ties.held(f))
    }

    /// Frees what the process has held.
    fn free(&self, ties: Option<&mut Ties>) -> Option<Freed> {
        let held = ties?.take_held()?;
        Some(self.env()?.names().free(&held))
    }

    /// Sends an exit signal to the incarnation that runs, or is about to. False: there is none.
    pub(super) fn send_exit(&self, signal: ExitSignal) -> bool {
        let existence = lock(&self.existence);
        let latest = existence.latest.clone().filter(|life| !life.has_left());
        drop(existence);
        let Some(life) = latest else { return false };
        wake(life.exit_signal(signal, None));
        true
    }

    /// Ends the incarnation that runs, or is about to, whether it traps exits or not.
    pub(super) fn doom(&self, reason: ExitReason) {
        let latest = lock(&self.existence).latest.clone();
        if let Some(life) = latest.filter(|life| !life.has_left()) {
            life.end_by(reason);
        }
    }

    /// Sends an exit signal along a link, which ends by this. False: there is no such link.
    pub(super) fn signal_along(&self, ended: &Core, signal: ExitSignal) -> bool {
        let mut existence = lock(&self.existence);
        let Some(link) = existence.ties().and_then(|ties| ties.take_link(ties::peer(ended))) else {
            return false;
        };
        let latest = existence.latest.as_ref().filter(|life| !life.has_left());
        // Under the lock: when an unlink has returned, nothing comes any more.
        let task = latest.and_then(|life| life.exit_signal(signal, Some(link.clone())));
        drop(existence);
        drop(link);
        wake(task);
        true
    }

    /// Does what ends the process for good, now if no incarnation exists, else when the last one has left.
    pub(crate) fn when_left(&self, closing: impl FnOnce() + Send + 'static) {
        let mut existence = lock(&self.existence);
        if existence.begun > 0 {
            let replaced = existence.rare().closing.replace(Box::new(closing));
            drop(existence);
            drop(replaced);
        } else {
            drop(existence);
            closing();
        }
    }

    /// Says how the process has ended for good. The first word stands; that of its last incarnation counts more than `reason`.
    fn end(&self, reason: ExitReason) {
        let mut existence = lock(&self.existence);
        // One that runs after all is kept.
        let latest = match existence.runs {
            true => existence.latest.clone(),
            false => existence.latest.take(),
        };
        let reason = latest.as_ref().and_then(|life| life.reason()).unwrap_or(reason);
        let rare = existence.rare();
        rare.ended.get_or_insert_with(|| reason.clone());
        let (waiters, mut ties) = (rare.waiters.take(), rare.ties.take());
        // An error in it may have the process's own address.
        let last_crash = rare.past.as_mut().and_then(|past| past.last_crash.take());
        let freed = self.free(ties.as_deref_mut());
        let watchers = ties.as_mut().map(|ties| ties.take_monitors()).unwrap_or_default();
        // Under the lock: who sees that the process has ended knows that its names are free, and that its watchers have been told.
        watchers.iter().for_each(|(monitor, watcher)| watcher.tell(self, *monitor, &reason));
        drop(existence);
        drop((freed, last_crash));
        waiters.for_each(guard::wake);
        watchers.values().for_each(Watcher::wake);
        if let Some(mut ties) = ties {
            // Nobody ran who could have ended them.
            ties::dissolve(self, ties.take_links(), &ExitReason::NoProcess);
        }
    }

    /// Why no incarnation runs any more, as far as that is known.
    pub(super) fn last_reason(&self) -> Option<ExitReason> {
        let existence = lock(&self.existence);
        let latest = existence.latest.as_ref();
        existence.ended().cloned().or_else(|| latest.and_then(|life| life.reason()))
    }

    /// Waits until the process has ended for good.
    pub(crate) async fn ended(&self) -> ExitReason {
        wait(&self.existence, |existence| {
            let Rare { ended, waiters, .. } = existence.rare();
            ended.clone().ok_or(waiters)
        })
        .await
    }

    pub(crate) fn has_ended(&self) -> bool {
        lock(&self.existence).ended().is_some()
    }
}

/// Wakes a task that is to end.
fn wake(task: Option<Waker>) {
    if let Some(task) = task {
        guard::wake(task);
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        // Of one that has not been ended, there may be names.
        let existence = self.existence.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut ties = existence.rare.as_mut().and_then(|rare| rare.ties.take());
        drop(self.free(ties.as_deref_mut()));
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
        let (core, mailbox) = (Core::new(), Mailbox::new());
        Arc::new(Shared { core, mailbox })
    }
}

impl<M: Send + 'static> Shared<M> {
    /// Refuses messages from now on; those that wait are dropped. Returns how many there were.
    pub(crate) fn shut(&self, reason: &ExitReason) -> usize {
        if let Some(signals) = self.signals() {
            signals.close().into_iter().for_each(|signal| guard::contain(|| drop(signal)));
        }
        let mut messages = self.mailbox.close();
        if let Some(sorted) = self.sorted() {
            let (others, superseded) = sorted.close();
            messages.extend(others);
            self.count_superseded(superseded);
        }
        self.bury(messages, reason)
    }

    /// Refuses messages while the process rests; those that wait are dead letters.
    pub(crate) fn shut_at_rest(&self, reason: &ExitReason) {
        let left = self.shut(reason);
        self.dead_letters(left + self.unreported());
    }

    /// Ends the process for good.
    pub(crate) fn end(&self, reason: ExitReason) {
        self.shut_at_rest(&reason);
        self.forget_all();
        self.core.end(reason);
    }

    /// Puts messages back that an incarnation has taken and not handled: the next one's, or, after the end, dead letters.
    pub(super) fn put_back(&self, mut batch: VecDeque<M>, spans: Spans) {
        let back = match self.sorted() {
            Some(sorted) => self.put_back_sorted(sorted, &mut batch, spans),
            None => self.mailbox.put_back(&mut batch),
        };
        if !back {
            let left = self.bury(batch, &ExitReason::Killed);
            self.dead_letters(left);
        }
    }

    pub(super) fn dead_letters(&self, count: usize) {
        if count > 0
            && !self.is_supervisor()
            && let Some(env) = self.core.env()
        {
            env.dead_letters(&self.core, count);
        }
    }
}

/// A process, as its supervisor sees it.
pub(crate) trait Process: Any + Send + Sync {
    fn core(&self) -> &Core;
    /// Has messages traced that are sent from now on.
    fn leave_trail(&self);
    /// Gives the process its pid and its surroundings. A process keeps the first ones.
    fn settle(&self, env: &Env) -> Pid {
        let pid = self.core().settle(env);
        if env.traces() {
            self.leave_trail();
        }
        pid
    }
    /// Wakes the receiver, who looks whether it is to stop.
    fn wake(&self);
    /// Makes the mailbox accept messages, before an incarnation starts.
    fn open(&self);
    /// How many messages wait.
    fn queued(&self) -> usize;
}

impl<M: Send + 'static> Process for Shared<M> {
    fn core(&self) -> &Core {
        &self.core
    }

    fn leave_trail(&self) {
        Shared::leave_trail(self);
    }

    fn wake(&self) {
        // The body may wait by a foreign waker.
        guard::contain(|| self.mailbox.wake());
    }

    fn open(&self) {
        if let Some(signals) = self.signals() {
            signals.open();
        }
        match self.sorted() {
            Some(sorted) => sorted.open(),
            None => self.mailbox.open(),
        }
    }

    fn queued(&self) -> usize {
        self.sorted().map_or_else(|| self.mailbox.len(), Sorted::len)
    }
}
