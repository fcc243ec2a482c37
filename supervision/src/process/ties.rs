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
use super::guard;
use super::life::Life;
use super::notice::{Down, ExitSignal, Monitor, Notice};
use crate::names::Held;
use crate::plan::ExitReason;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Who has to be told when a process ends. Most processes have nobody.
#[derive(Default)]
pub(super) struct Ties {
    monitors: Monitors,
    /// With numbers, in the order in which they were made.
    links: HashMap<Peer, (u64, Arc<dyn Process>)>,
    last: u64,
    /// Most processes have no name.
    held: Option<Box<Held>>,
}

/// In the order of their owners, so that a simulation is the same each time.
pub(super) type Monitors = BTreeMap<Monitor, Watcher>;
/// In the order in which they were made, likewise.
pub(super) type Links = Vec<Arc<dyn Process>>;

/// The process at the other end of a link: a number that no other process has while the link exists.
pub(super) type Peer = usize;

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
        // Maybe by a foreign waker: the others must hear too.
        guard::contain(|| self.process.wake());
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
        let mut links: Vec<_> = std::mem::take(&mut self.links).into_values().collect();
        links.sort_unstable_by_key(|link| link.0);
        links.into_iter().map(|link| link.1).collect()
    }

    /// Adds a link. False: there is one.
    fn add_link(&mut self, other: &Arc<dyn Process>) -> bool {
        self.last += 1;
        let link = (self.last, other.clone());
        self.links.insert(peer(other.core()), link).is_none()
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
        self.links.remove(&other).map(|link| link.1)
    }
}

/// The number by which links know a process.
pub(super) fn peer(core: &Core) -> Peer {
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

/// Links the incarnation `life` of `own` with another process. One with itself comes to nothing. One that stands already is made whole, should the other side
/// just have ended it.
pub(super) fn link(own: &Arc<dyn Process>, life: &Life, other: &Arc<dyn Process>) {
    if life.has_left() {
        return;
    }
    let Some(is_new) = own.core().tie(|ties| ties.add_link(other)) else { return };
    let accepted = other.core().tie(|ties| ties.add_link(own)).is_some();
    if !accepted && is_new {
        dissolve(other.core(), vec![own.clone()], &ExitReason::NoProcess);
    }
}

/// Takes a link out of both processes, and what it has brought out of the incarnation's lane.
pub(super) fn unlink(own: &Core, life: &Life, other: &Core) {
    if life.has_left() {
        return;
    }
    let mine = own.untie(|ties| ties.take_link(peer(other)));
    let theirs = other.untie(|ties| ties.take_link(peer(own)));
    drop((mine, theirs));
    life.forget(other);
}

/// Sends exit signals to those that a process that has ended was linked with.
pub(super) fn dissolve(ended: &Core, links: Links, reason: &ExitReason) {
    for other in links {
        let (from, name) = (ended.pid(), ended.name().cloned());
        let signal = ExitSignal { from, name, reason: reason.clone(), linked: true };
        if other.core().signal_along(ended, signal) {
            guard::contain(|| other.wake());
        }
    }
}
