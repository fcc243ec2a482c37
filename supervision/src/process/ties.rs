//! What ties processes to each other: links and monitors, as in OTP. And what a process holds by which others find it.
//!
//! A *link* is between two incarnations, and the same from both sides: it stands in the ties of both processes, and whoever ends first takes it out
//! of both, and sends the other an exit signal. A *monitor* stands in the ties of the process that is watched, and leads back to the incarnation
//! that watches; when the process has ended for good, restarts and all, it is taken out, and a [`Down`] sent. So each speaks once, and when a `Down`
//! comes the names of the process are free.
//!
//! Two processes' ties are never locked at the same time. Under the lock of a process's ties the state of its incarnation may be, and a shard of
//! the names.

use super::core::{Core, Process};
use super::life::Life;
use super::notice::{Down, ExitSignal, Monitor, Notice, Peer};
use crate::names::Held;
use crate::plan::ExitReason;
use std::collections::HashMap;
use std::sync::Arc;

/// Who has to be told when a process ends. Most processes have nobody.
#[derive(Default)]
pub(super) struct Ties {
    monitors: Monitors,
    links: Links,
    /// Most processes have no name.
    held: Option<Box<Held>>,
}

pub(super) type Monitors = HashMap<Monitor, Watcher>;
pub(super) type Links = HashMap<Peer, Arc<dyn Process>>;

/// An incarnation that watches, and the process that it is of.
pub(super) struct Watcher {
    pub(super) life: Arc<Life>,
    pub(super) process: Arc<dyn Process>,
}

impl Watcher {
    /// Puts the word of an end on its lane. It is woken after this.
    pub(super) fn tell(&self, watched: &Core, monitor: Monitor, reason: &ExitReason) {
        let (pid, name, incarnation) =
            (watched.pid(), watched.name().cloned(), watched.incarnation());
        let reason = reason.clone();
        self.life.notice(Notice::Down(Down { monitor, pid, name, incarnation, reason }));
    }

    /// Puts on its lane that there is nobody to be watched, and wakes it.
    pub(super) fn tell_of_nobody(&self, monitor: Monitor) {
        let (reason, incarnation) = (ExitReason::NoProcess, 0);
        self.life.notice(Notice::Down(Down {
            monitor,
            pid: None,
            name: None,
            incarnation,
            reason,
        }));
        self.wake();
    }

    pub(super) fn wake(&self) {
        self.process.wake();
    }
}

impl Ties {
    pub(super) fn is_empty(&self) -> bool {
        self.monitors.is_empty() && self.links.is_empty() && self.held.is_none()
    }

    pub(super) fn take_monitors(&mut self) -> Monitors {
        std::mem::take(&mut self.monitors)
    }

    pub(super) fn take_links(&mut self) -> Links {
        std::mem::take(&mut self.links)
    }

    pub(super) fn take_held(&mut self) -> Option<Box<Held>> {
        self.held.take()
    }

    /// Looks at what the process holds, which may be nothing yet.
    pub(super) fn hold<T>(&mut self, f: impl FnOnce(&mut Held) -> T) -> T {
        let result = f(self.held.get_or_insert_default());
        self.held.take_if(|held| held.is_empty());
        result
    }

    /// Looks at what the process holds, if that is anything.
    pub(super) fn held<T>(&mut self, f: impl FnOnce(&mut Held) -> Option<T>) -> Option<T> {
        let found = f(self.held.as_mut()?);
        self.held.take_if(|held| held.is_empty());
        found
    }

    pub(super) fn take_link(&mut self, other: Peer) -> Option<Arc<dyn Process>> {
        self.links.remove(&other)
    }
}

/// The number by which links know a process.
fn peer(core: &Core) -> Peer {
    std::ptr::from_ref(core).addr()
}

/// Has `watcher` told when `watched` ends for good.
pub(super) fn watch(watched: &Core, monitor: Monitor, watcher: Watcher) {
    let mut watcher = Some(watcher);
    watched.tie(|ties| watcher.take().map(|watcher| ties.monitors.insert(monitor, watcher)));
    if let Some(watcher) = watcher {
        watcher.tell(watched, monitor, &ExitReason::NoProcess);
        watcher.wake();
    }
}

/// Ends a watch. False: its word was sent already, or is being sent.
pub(super) fn unwatch(watched: &Core, monitor: Monitor) -> bool {
    watched.untie(|ties| ties.monitors.remove(&monitor)).is_some()
}

/// Links the incarnation `life` of `own` with another process. One with itself comes to nothing; one that stands already, and may be ending, is left
/// alone.
pub(super) fn link(own: &Arc<dyn Process>, life: &Life, other: &Arc<dyn Process>) {
    let (here, there) = (own.core(), other.core());
    if life.has_left() {
        return;
    }
    let known = here.tie(|ties| ties.links.insert(peer(there), other.clone()).is_some());
    if known == Some(false)
        && there.tie(|ties| drop(ties.links.insert(peer(here), own.clone()))).is_none()
    {
        sever(there, own, &ExitReason::NoProcess);
    }
}

/// Takes a link out of both processes, and what it has brought out of the incarnation's lane.
pub(super) fn unlink(own: &Core, life: &Life, other: &Core) {
    let mine = own.untie(|ties| ties.take_link(peer(other)));
    let theirs = other.untie(|ties| ties.take_link(peer(own)));
    drop((mine, theirs));
    life.forget(peer(other));
}

/// Sends exit signals to those that a process that has ended was linked with.
pub(super) fn dissolve(ended: &Core, links: Links, reason: &ExitReason) {
    for other in links.into_values() {
        sever(ended, &other, reason);
    }
}

/// Takes the link with a process that has ended out of another one, and sends that one the signal.
fn sever(ended: &Core, other: &Arc<dyn Process>, reason: &ExitReason) {
    let (from, name) = (ended.pid(), ended.name().cloned());
    let signal = ExitSignal { from, name, reason: reason.clone(), linked: true };
    if other.core().signal_along(peer(ended), signal) {
        other.wake();
    }
}
