//! [`Domain`]: what the workers of one NUMA node share: what came from outside, and what none but they may run.

use crate::sync::AtomicBool;
use crossbeam_deque::Injector;
use lightproc::LightProc;
use std::sync::atomic::Ordering::SeqCst;

/// The part of an executor that lies on one node.
pub(crate) struct Domain {
    /// The operating system's number of the node, where it is known.
    pub(crate) node: Option<u32>,
    /// Processes that come from outside the workers.
    pub(crate) injector: Injector<LightProc>,
    /// Processes that may run here only.
    pub(crate) kept: Injector<LightProc>,
    /// Its workers.
    pub(crate) workers: Box<[usize]>,
    /// One of its workers steals from another domain.
    abroad: AtomicBool,
}

impl Domain {
    pub(crate) fn new(node: Option<u32>, workers: Box<[usize]>) -> Domain {
        let (injector, kept) = (Injector::new(), Injector::new());
        Domain { node, injector, kept, workers, abroad: AtomicBool::new(false) }
    }

    /// Makes the caller the one worker of the domain that steals from others, until it drops what this returns. None: another one is.
    pub(crate) fn go_abroad(&self) -> Option<Abroad<'_>> {
        // Over before the thief leaves the searchers: by that change of the idle word who scans later learns of it.
        (!self.abroad.swap(true, SeqCst)).then(|| Abroad(self))
    }

    /// Says whether one of its workers steals from other domains.
    pub(crate) fn is_abroad(&self) -> bool {
        self.abroad.load(SeqCst)
    }
}

/// A theft from other domains, while it goes on.
pub(crate) struct Abroad<'a>(&'a Domain);

impl Drop for Abroad<'_> {
    fn drop(&mut self) {
        self.0.abroad.store(false, SeqCst);
    }
}
