//! Where foreign code runs: panics are caught here, and known by message and place.
//!
//! The place is noted by lightproc's panic hook. Chained to it is one that stays silent for processes when `tracing` has a
//! subscriber, which then gets a crash report; every other panic is the program's own affair.

use super::life::Life;
use crate::pid::Pid;
use crate::plan::PanicReport;
use lightproc::Panic;
use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::panic;
use std::sync::{Arc, Once};
use std::task::Waker;

/// The incarnation whose code a thread runs, lent for the time of one call: its reference moves here and back, and is not counted.
type Current = Option<ManuallyDrop<Arc<Life>>>;

thread_local! {
    /// Never dropped here, so that it can be asked as long as the thread exists.
    static CURRENT: Cell<Current> = const { Cell::new(None) };
}

/// Returns the pid of the process that runs on this thread.
///
/// It is known to the process's own code only: not to what that has given to another task or thread.
pub fn current_pid() -> Option<Pid> {
    with_current(Life::pid)
}

/// Calls `f`, which calls no foreign code, with the incarnation whose code this thread runs.
pub(crate) fn with_current<T>(f: impl FnOnce(&Life) -> T) -> Option<T> {
    /// Puts it back, also when `f` panics after all.
    struct Taken(Current);
    impl Drop for Taken {
        fn drop(&mut self) {
            CURRENT.set(self.0.take());
        }
    }
    let taken = Taken(CURRENT.take());
    taken.0.as_deref().map(|life| f(life))
}

/// Wakes somebody, maybe by a foreign waker: its panic is not the waking process's.
pub(crate) fn wake(waker: Waker) {
    contain(|| waker.wake());
}

/// Calls a process's code; a panic comes back as a report. `life`, which must be there, is there again afterwards.
pub(super) fn run<T>(
    life: &mut Option<Arc<Life>>,
    f: impl FnOnce() -> T,
) -> Result<T, PanicReport> {
    let outer = CURRENT.replace(life.take().map(ManuallyDrop::new));
    let result = Panic::catch(f);
    *life = CURRENT.replace(outer).map(ManuallyDrop::into_inner);
    result.map_err(|panic| PanicReport {
        message: Arc::from(panic.message().unwrap_or("a payload that is not text")),
        location: panic.location().map(|location| Arc::from(location.to_string())),
    })
}

/// Calls foreign code at a point where its panic has nowhere to go.
pub(crate) fn contain(f: impl FnOnce()) {
    drop(Panic::catch(f));
}

/// Installs the panic hook, once a program.
pub(crate) fn install_hook() {
    static INSTALLED: Once = Once::new();
    if INSTALLED.is_completed() || std::thread::panicking() {
        return;
    }
    Panic::locate();
    INSTALLED.call_once(|| {
        let outer = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if current_pid().is_some() && tracing::dispatcher::has_been_set() {
                Panic::note(info);
            } else {
                outer(info);
            }
        }));
    });
}
