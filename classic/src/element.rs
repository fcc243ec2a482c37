//! An element of the tree, a supervisor or a group: which callbacks are due.

use crate::callbacks::Callbacks;
use bastion_supervision::Observer;
use lightproc::Panic;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering::SeqCst};

/// It runs, or has failed, or was stopped to be restarted.
const RUNNING: u8 = 1;
/// It has stopped, and its `after_stop` was called.
const STOPPED: u8 = 2;

/// What an element has done so far, as far as its callbacks depend on that.
#[derive(Default)]
pub(crate) struct Element {
    callbacks: OnceLock<Callbacks>,
    /// One of these; 0: it has never run.
    state: AtomicU8,
    /// How often it was started or restarted.
    starts: AtomicU32,
    /// Its last start was none after a failure.
    anew: AtomicBool,
}

impl Element {
    /// Sets the callbacks. The first word stands.
    pub(crate) fn set_callbacks(&self, callbacks: Callbacks) {
        self.callbacks.get_or_init(|| callbacks);
    }

    pub(crate) fn callbacks(&self) -> Option<&Callbacks> {
        self.callbacks.get()
    }

    /// How often it was started or restarted: children that belong to one of these were all started by it.
    pub(crate) fn starts(&self) -> u32 {
        self.starts.load(SeqCst)
    }

    /// Says whether it has run and stopped.
    pub(crate) fn has_stopped(&self) -> bool {
        self.state.load(SeqCst) == STOPPED
    }
}

impl Observer for Element {
    fn starting(&self) {
        let before = self.state.swap(RUNNING, SeqCst);
        self.starts.fetch_add(1, SeqCst);
        self.anew.store(before != RUNNING, SeqCst);
        let Some(callbacks) = self.callbacks() else { return };
        if before != RUNNING {
            return callbacks.before_start();
        }
        // A panic in the one must not cost the other.
        let panicked = Panic::catch(|| callbacks.before_restart());
        callbacks.after_restart();
        if let Err(panic) = panicked {
            panic.resume();
        }
    }

    fn started(&self) {
        if let Some(callbacks) = self.callbacks().filter(|_| self.anew.load(SeqCst)) {
            callbacks.after_start();
        }
    }

    fn stopped(&self) {
        let before = self.state.swap(STOPPED, SeqCst);
        if let Some(callbacks) = self.callbacks().filter(|_| before == RUNNING) {
            callbacks.after_stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Calls an element with all callbacks but those that are left out, and checks what it calls.
    fn check(without: &[&str], acts: &[fn(&Element)], expected: &[&str]) {
        let log = Arc::new(Mutex::new(Vec::new()));
        let say = |name: &'static str| {
            let log = log.clone();
            move || log.lock().unwrap().push(name)
        };
        let mut callbacks = Callbacks::new()
            .with_before_start(say("before_start"))
            .with_after_start(say("after_start"))
            .with_after_stop(say("after_stop"));
        if !without.contains(&"before_restart") {
            callbacks = callbacks.with_before_restart(say("before_restart"));
        }
        if !without.contains(&"after_restart") {
            callbacks = callbacks.with_after_restart(say("after_restart"));
        }
        let element = Element::default();
        element.set_callbacks(callbacks);
        acts.iter().for_each(|act| act(&element));
        assert_eq!(*log.lock().unwrap(), expected);
    }

    const STARTING: fn(&Element) = |element| element.starting();
    const STARTED: fn(&Element) = |element| element.started();
    const STOP: fn(&Element) = |element| element.stopped();

    #[test]
    fn section_2_3_each_callback_is_called_for_what_it_stands_for() {
        check(
            &[],
            &[STARTING, STARTED, STOP, STOP],
            &["before_start", "after_start", "after_stop"],
        );
        check(
            &[],
            &[STARTING, STARTED, STARTING, STARTED],
            &["before_start", "after_start", "before_restart", "after_restart"],
        );
        check(
            &["before_restart", "after_restart"],
            &[STARTING, STARTING, STOP],
            &["before_start", "after_stop", "before_start", "after_stop"],
        );
        // One that had stopped is started, not restarted.
        check(
            &[],
            &[STARTING, STOP, STARTING, STARTED],
            &["before_start", "after_stop", "before_start", "after_start"],
        );
        check(&[], &[STOP], &[]);
    }

    #[test]
    fn def_25_a_panic_in_one_callback_does_not_cost_the_next() {
        let (called, element) = (Arc::new(AtomicBool::new(false)), Element::default());
        let after = called.clone();
        element.set_callbacks(
            Callbacks::new()
                .with_before_restart(|| panic!("on purpose"))
                .with_after_restart(move || after.store(true, SeqCst)),
        );
        element.starting();
        assert!(Panic::catch(|| element.starting()).is_err());
        assert!(called.load(SeqCst));
    }
}
