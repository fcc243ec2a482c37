//! What a supervisor has beyond other processes: the lane of its children's signals, and its place in the tree.

use super::core::{Core, Shared};
use super::guard;
use crate::mailbox::{BATCH, Mailbox};
use crate::place::Place;
use crate::supervisor::{Foundling, Signal};
use bastion_mailbox::PushError;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering::AcqRel};
use std::sync::{Arc, OnceLock};

/// So many children may have arrived before a supervisor that is at ease is woken for them.
const UNHEARD: u32 = 64;

/// What a supervisor that is not at ease counts from: it is woken for each.
const ILL_AT_EASE: u32 = 1 << 31;

/// What a supervisor has beyond other processes.
pub(super) struct Office {
    /// What it hears of its children: a lane of its own, so that no flood of commands delays an exit.
    signals: Mailbox<Signal>,
    /// How many children have arrived since it last began to wait.
    unheard: AtomicU32,
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
        let unheard = AtomicU32::new(ILL_AT_EASE);
        let office = Office { signals, unheard, place: OnceLock::new(), path: OnceLock::new() };
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

    /// Tells a supervisor of a child that runs already. For one that wants nothing of it, a supervisor at ease is not woken: it
    /// looks here before it does anything else, and is woken by that child's end at the latest. The error: it has ended.
    pub(crate) fn arrived(
        &self,
        child: Foundling,
        undemanding: bool,
    ) -> Result<(), PushError<Signal>> {
        let Some(office) = self.office() else { return Ok(()) };
        office.signals.push(Signal::Arrived(child))?;
        // AcqRel pairs with that of `begin_to_wait`: either the supervisor looks again, and sees the child, or this sees how it waits.
        let unheard = office.unheard.fetch_add(1, AcqRel);
        if !undemanding || unheard >= UNHEARD - 1 {
            self.mailbox.wake();
        }
        Ok(())
    }

    /// Says how a supervisor waits, before it looks at its signals for the last time. At ease: it may hear later of children that
    /// want nothing of it.
    pub(crate) fn begin_to_wait(&self, at_ease: bool) {
        if let Some(office) = self.office() {
            office.unheard.swap(if at_ease { 0 } else { ILL_AT_EASE }, AcqRel);
        }
    }

    /// Takes what a supervisor was told of its children, in order, as far as one look shows it.
    pub(crate) fn take_signals(&self, batch: &mut VecDeque<Signal>, all: bool) {
        let Some(signals) = self.signals().filter(|signals| !signals.is_empty()) else { return };
        let _ = signals.fetch(batch, if all { usize::MAX } else { BATCH }, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{Env, Watches};
    use crate::plan::Time;
    use crate::process::{Context, Life};
    use crate::report::Reporter;
    use crate::supervisor::Command;
    use crate::{Runtime, Sim, child};
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use std::task::Wake;

    #[derive(Default)]
    struct Wakes(AtomicU32);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    #[test]
    fn a_supervisor_at_ease_is_woken_for_who_wants_something_and_for_every_64th() {
        let env =
            Env::new(Runtime::sim(&Sim::new(0)), Reporter::new(Vec::new(), 0), Watches::default());
        let supervisor = Shared::<Command>::of_supervisor();
        supervisor.core.settle(&env);
        let wakes = Arc::new(Wakes::default());
        // Waits, has so many children arrive, and returns the number of the one that has woken it.
        let woken_by = |at_ease, undemanding| {
            let waker = wakes.clone().into();
            assert!(!supervisor.mailbox.fetch(&mut VecDeque::new(), 1, Some(&waker)));
            supervisor.begin_to_wait(at_ease);
            let before = wakes.0.load(SeqCst);
            let woken = (1..100).find(|_| {
                let child = child(|_: Context<()>| async { Ok(()) });
                let pid = child.shared.core.settle(&env);
                let life = Arc::new(Life::running(supervisor.clone(), pid, 1));
                let child = Foundling::new(child.given, life, Time::ZERO);
                assert!(supervisor.arrived(child, undemanding).is_ok());
                wakes.0.load(SeqCst) > before
            });
            let mut signals = VecDeque::new();
            supervisor.take_signals(&mut signals, true);
            assert_eq!(Some(signals.len()), woken);
            woken
        };
        assert_eq!(woken_by(true, true), Some(64));
        assert_eq!(woken_by(true, false), Some(1));
        assert_eq!(woken_by(false, true), Some(1));
        assert_eq!(woken_by(true, true), Some(64), "counted anew");
    }
}
