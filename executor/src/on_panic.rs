//! What is done with a panic that nobody learns of, because the process has no handle.
//!
//! `lightproc` tells it through the process's data, in the moment when it would drop the panic: no poll and no process that is awaited
//! pays for that. Knows no worker.

use crate::runtime::global;
use lightproc::{Hooks, Panic};
use std::fmt;
use std::sync::Arc;

/// What an executor does with such panics. One pointer, which is empty for the default, so that a spawn counts no reference then.
#[derive(Clone, Default)]
pub(crate) struct OnPanic(Option<Arc<Handler>>);

struct Handler(Box<dyn Fn(&Panic) + Send + Sync>);

impl OnPanic {
    pub(crate) fn new(handler: impl Fn(&Panic) + Send + Sync + 'static) -> OnPanic {
        OnPanic(Some(Arc::new(Handler(Box::new(handler)))))
    }
}

impl Hooks for OnPanic {
    fn unheard(&self, panic: &Panic) {
        match &self.0 {
            Some(handler) => (handler.0)(panic),
            None => tracing::error!(%panic, "a process without a handle panicked"),
        }
    }
}

impl fmt::Debug for OnPanic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "a handler" } else { "report" })
    }
}

/// The same for a process of the global executor: it takes no place in the process, since there is one place to look.
pub(crate) struct OnGlobalPanic;

impl Hooks for OnGlobalPanic {
    fn unheard(&self, panic: &Panic) {
        if let Some(executor) = global() {
            executor.shared().on_panic.unheard(panic);
        }
    }
}
