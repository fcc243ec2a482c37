//! [`Hub`]: what the elements of a platform share.

use crate::dispatcher::Dispatchers;
use bastion_supervision::Runtime;

/// What the elements of a platform share. It knows neither the tree nor the system, so it keeps nothing running.
pub(crate) struct Hub {
    runtime: Runtime,
    dispatchers: Dispatchers,
}

impl Hub {
    pub(crate) fn new(runtime: Runtime) -> Hub {
        Hub { runtime, dispatchers: Dispatchers::default() }
    }

    /// Where the processes run.
    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    pub(crate) fn dispatchers(&self) -> &Dispatchers {
        &self.dispatchers
    }
}
