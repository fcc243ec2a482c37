//! Where foreign code runs: panics are caught here, and known by message and place.
//!
//! A panic hook, installed once and chained before the program's own, notes where a process panicked. It stays silent for
//! processes when `tracing` has a subscriber, which then gets a crash report; every other panic is the program's own affair.

use crate::pid::Pid;
use crate::plan::PanicReport;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Once};

thread_local! {
    /// The process that this thread runs.
    static CURRENT: Cell<Option<Pid>> = const { Cell::new(None) };
    /// Where the last panic of a process on this thread came from.
    static LOCATION: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
}

/// Returns the pid of the process that runs on this thread.
pub fn current_pid() -> Option<Pid> {
    CURRENT.get()
}

/// Calls a process's code; a panic comes back as a report.
pub(crate) fn run<T>(pid: Pid, f: impl FnOnce() -> T) -> Result<T, PanicReport> {
    let outer = CURRENT.replace(Some(pid));
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    CURRENT.set(outer);
    result.map_err(report)
}

fn report(payload: Box<dyn Any + Send>) -> PanicReport {
    let location = LOCATION.take();
    let message = payload
        .downcast_ref::<&'static str>()
        .map(|text| Arc::from(*text))
        .or_else(|| payload.downcast_ref::<String>().map(|text| Arc::from(text.as_str())))
        .unwrap_or_else(|| Arc::from("a payload that is not text"));
    contain(|| drop(payload));
    PanicReport { message, location }
}

/// Calls foreign code at a point where its panic has nowhere to go. False: it panicked.
pub(crate) fn contain(f: impl FnOnce()) -> bool {
    match panic::catch_unwind(AssertUnwindSafe(f)) {
        Ok(()) => true,
        Err(payload) => {
            // A payload whose destructor panics too is leaked.
            if let Err(again) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                std::mem::forget(again);
            }
            false
        }
    }
}

/// Installs the panic hook, once a program.
pub(crate) fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let outer = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CURRENT.get().is_some() {
                let location = info.location().map(|location| Arc::from(location.to_string()));
                LOCATION.replace(location);
                if tracing::dispatcher::has_been_set() {
                    return;
                }
            }
            outer(info);
        }));
    });
}
