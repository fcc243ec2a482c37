//! What few processes have, in one box that is made when it is first needed: the others have a pointer for it.

use super::checkpoint::Saved;
use super::core::{Core, Shared};
use super::office::Office;
use super::overflow::{Overflow, Spill};
use std::sync::{Arc, OnceLock};

/// What few processes have.
#[derive(Default)]
pub(super) struct Extras {
    pub(super) name: OnceLock<Arc<str>>,
    /// A supervisor has one.
    pub(super) office: OnceLock<Box<Office>>,
    /// What is done with messages for which there is no room, if that was said.
    spill: OnceLock<Spill>,
    pub(super) saved: Saved,
}

impl Core {
    pub(super) fn extras(&self) -> Option<&Extras> {
        self.extras.get().map(|extras| &**extras)
    }

    pub(super) fn extras_or_new(&self) -> &Extras {
        self.extras.get_or_init(Box::default)
    }
}

impl<M> Shared<M> {
    /// Sets what is done with messages for which there is no room. The first word stands.
    pub(crate) fn set_overflow(&self, rule: Overflow) {
        self.core.extras_or_new().spill.get_or_init(|| Spill::new(rule));
    }

    pub(super) fn spill(&self) -> Option<&Spill> {
        self.core.extras()?.spill.get()
    }
}
