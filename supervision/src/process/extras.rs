//! What few processes have, in one box that is made when it is first needed: the others have a pointer for it.

use super::checkpoint::Saved;
use super::core::Shared;
use super::overflow::{Overflow, Spill};
use std::sync::OnceLock;

/// What few processes have.
#[derive(Default)]
pub(super) struct Extras {
    /// What is done with messages for which there is no room, if that was said.
    spill: OnceLock<Spill>,
    pub(super) saved: Saved,
}

impl<M> Shared<M> {
    pub(super) fn extras(&self) -> Option<&Extras> {
        self.extras.get().map(|extras| &**extras)
    }

    pub(super) fn extras_or_new(&self) -> &Extras {
        self.extras.get_or_init(Box::default)
    }

    /// Sets what is done with messages for which there is no room. The first word stands.
    pub(crate) fn set_overflow(&self, rule: Overflow) {
        self.extras_or_new().spill.get_or_init(|| Spill::new(rule));
    }

    pub(super) fn spill(&self) -> Option<&Spill> {
        self.extras()?.spill.get()
    }
}
