//! What a supervisor has beyond other processes: the lane of its children's signals, and its place in the tree.

use super::core::{Core, Shared};
use super::guard;
use crate::mailbox::{BATCH, Mailbox};
use crate::place::Place;
use crate::supervisor::Signal;
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

/// What a supervisor has beyond other processes.
pub(super) struct Office {
    /// What it hears of its children: a lane of its own, so that no flood of commands delays an exit.
    signals: Mailbox<Signal>,
    /// Where it runs, and its children, unless they say otherwise. Known before it has a system, and always the same.
    place: OnceLock<Place>,
    /// The names from the root down to it, joined by `/`. Likewise.
    path: OnceLock<Arc<str>>,
}

impl<M> Shared<M> {
    /// A supervisor: its messages are requests, without a limit, and never dead letters, since who sent one is told.
    pub(crate) fn of_supervisor() -> Arc<Self> {
        let (mailbox, signals) = (Mailbox::new(), Mailbox::new());
        mailbox.set_capacity(usize::MAX);
        signals.set_capacity(usize::MAX);
        let office = Office { signals, place: OnceLock::new(), path: OnceLock::new() };
        let shared = Shared { core: Core::new(), mailbox };
        shared.core.extras_or_new().office.get_or_init(|| Box::new(office));
        Arc::new(shared)
    }

    pub(super) fn is_supervisor(&self) -> bool {
        self.office().is_some()
    }

    fn office(&self) -> Option<&Office> {
        self.core.extras()?.office.get().map(|office| &**office)
    }

    pub(super) fn signals(&self) -> Option<&Mailbox<Signal>> {
        self.office().map(|office| &office.signals)
    }

    /// Takes note of where a supervisor will run.
    pub(crate) fn set_place(&self, place: Place) {
        if let Some(office) = self.office() {
            office.place.get_or_init(|| place);
        }
    }

    /// Where a supervisor runs.
    pub(crate) fn place(&self) -> Place {
        self.office().and_then(|office| office.place.get().cloned()).unwrap_or_default()
    }

    /// Takes note of where in the tree a supervisor is: under that supervisor.
    pub(crate) fn set_above(&self, above: Option<&Shared<M>>) {
        if let (Some(office), Some(name)) = (self.office(), self.core.name()) {
            office.path.get_or_init(|| match above.and_then(Shared::path) {
                Some(above) => Arc::from(format!("{above}/{name}")),
                None => name.clone(),
            });
        }
    }

    /// The names from the root down to a supervisor, joined by `/`, as soon as it has a system.
    pub(crate) fn path(&self) -> Option<&Arc<str>> {
        self.office()?.path.get()
    }

    /// Tells a supervisor of a child.
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(signals) = self.signals() {
            // A supervisor that has ended needs no word of its children: it has killed them.
            if let Err(error) = signals.push(signal) {
                guard::contain(|| drop(error));
            }
            self.mailbox.wake();
        }
    }

    /// Takes what a supervisor was told of its children.
    pub(crate) fn take_signals(&self, batch: &mut VecDeque<Signal>) {
        if let Some(signals) = self.signals() {
            let _ = signals.fetch(batch, BATCH, None);
        }
    }
}
