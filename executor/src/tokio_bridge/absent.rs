//! In the place of the tokio bridge when the feature is off: does nothing, and costs nothing.

use std::io;

/// No tokio runtime.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bridge;

impl Bridge {
    pub(crate) fn current() -> Bridge {
        Bridge
    }

    pub(crate) fn start(self) -> io::Result<Bridge> {
        Ok(self)
    }

    pub(crate) fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }
}
