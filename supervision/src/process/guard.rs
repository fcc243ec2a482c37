//! Where foreign code runs: panics are caught here, and known by message and place.
//!
//! The place is noted by lightproc's panic hook. Chained to it is one that stays silent for processes when `tracing` has a
//! subscriber, which then gets a crash report; every other panic is the program's own affair.

use crate::pid::Pid;
use crate::plan::PanicReport;
use lightproc::Panic;
use std::cell::Cell;
use std::panic;
use std::sync::{Arc, Once};

thread_local! {
    /// The process that this thread runs.
    static CURRENT: Cell<Option<Pid>> = const { Cell::new(None) };
}

/// Returns the pid of the process that runs on this thread.
pub fn current_pid() -> Option<Pid> {
    CURRENT.get()
}

/// Calls a process's code; a panic comes back as a report.
pub(crate) fn run<T>(pid: Pid, f: impl FnOnce() -> T) -> Result<T, PanicReport> {
    let outer = CURRENT.replace(Some(pid));
    let result = Panic::catch(f);
    CURRENT.set(outer);
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
            if CURRENT.get().is_some() && tracing::dispatcher::has_been_set() {
                Panic::note(info);
            } else {
                outer(info);
            }
        }));
    });
}
