//! What few processes have, in one box that is made when it is first needed: the others have a pointer for it.

use super::checkpoint::Saved;
use super::core::{Core, Shared};
use super::office::Office;
use super::overflow::{Overflow, Spill};
use super::sorted::Sorted;
use super::trail::{Spans, Trail};
use crate::mailbox::BATCH;
use std::any::Any;
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::task::Waker;

/// What few processes have.
#[derive(Default)]
pub(super) struct Extras {
    pub(super) name: OnceLock<Arc<str>>,
    /// A supervisor has one.
    pub(super) office: OnceLock<Box<Office>>,
    /// What is done with messages for which there is no room, if that was said.
    spill: OnceLock<Spill>,
    /// A mailbox that looks at its messages, [`Sorted`], of the type of the process's own ones.
    sorted: OnceLock<Box<dyn Any + Send + Sync>>,
    pub(super) saved: Saved,
    /// One whose messages are traced.
    pub(super) trail: OnceLock<Arc<Trail>>,
}

impl Extras {
    /// Says whether messages are not simply taken as they come.
    fn has_rules(&self) -> bool {
        self.sorted.get().is_some() || self.spill.get().is_some()
    }

    fn sorted<M: Send + 'static>(&self) -> Option<&Sorted<M>> {
        self.sorted.get().map(|sorted| sorted.downcast_ref().expect("of one type of messages"))
    }
}

impl Core {
    #[inline]
    pub(super) fn extras(&self) -> Option<&Extras> {
        self.extras.get()
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

impl<M: Send + 'static> Shared<M> {
    pub(super) fn sorted(&self) -> Option<&Sorted<M>> {
        self.core.extras()?.sorted()
    }

    pub(super) fn sorted_or(&self, new: impl FnOnce() -> Sorted<M>) -> &Sorted<M> {
        let extras = self.core.extras_or_new();
        extras.sorted.get_or_init(|| Box::new(new()));
        extras.sorted().expect("it is there now")
    }

    /// Takes messages from the mailbox to the batch. False: none waits, and the waker is left there.
    pub(super) fn fetch(
        &self,
        batch: &mut VecDeque<M>,
        spans: Option<&mut Spans>,
        waker: Option<&Waker>,
    ) -> bool {
        let mut max = BATCH;
        if let Some(extras) = self.core.extras() {
            if let Some(sorted) = extras.sorted() {
                return self.fetch_sorted(sorted, batch, spans, waker);
            }
            // Where old messages give way to new ones, none is taken before its time.
            max = if extras.spill.get().is_some() { 1 } else { BATCH };
        }
        self.mailbox.fetch(batch, max, waker)
    }

    /// Takes a message from the mailbox, and to the empty batch what waits behind it. `None`: none waits, and the waker is left there.
    #[inline]
    pub(super) fn take(
        &self,
        batch: &mut VecDeque<M>,
        waker: Option<&Waker>,
        first: &mut Option<M>,
    ) -> bool {
        if self.core.extras().is_some_and(Extras::has_rules) {
            let fetched = self.fetch(batch, None, waker);
            *first = batch.pop_front();
            return fetched;
        }
        self.mailbox.fetch_first(batch, BATCH, waker, first)
    }
}
