//! [`Batch`]: the messages that an incarnation has in its hands.

use std::collections::VecDeque;

/// Messages taken from the mailbox and not yet handed to the body. One word as long as never more than one has waited.
#[allow(
    clippy::box_collection,
    reason = "most never have any, and the words of a queue would be three more"
)]
pub(super) struct Batch<M>(Option<Box<VecDeque<M>>>);

impl<M> Batch<M> {
    pub(super) fn new() -> Batch<M> {
        Batch(None)
    }

    /// Has `f` put messages behind those that are here.
    #[inline]
    pub(super) fn fill<T>(&mut self, f: impl FnOnce(&mut VecDeque<M>) -> T) -> T {
        if let Some(batch) = &mut self.0 {
            return f(batch);
        }
        let mut batch = VecDeque::new();
        let filled = f(&mut batch);
        if !batch.is_empty() {
            self.0 = Some(Box::new(batch));
        }
        filled
    }

    /// Takes all of them.
    pub(super) fn take(&mut self) -> VecDeque<M> {
        self.0.take().map_or_else(VecDeque::new, |batch| *batch)
    }

    /// Puts a message in front.
    pub(super) fn push_front(&mut self, message: M) {
        self.0.get_or_insert_default().push_front(message);
    }

    #[inline]
    pub(super) fn pop_front(&mut self) -> Option<M> {
        self.0.as_mut()?.pop_front()
    }

    pub(super) fn get(&self, place: usize) -> Option<&M> {
        self.0.as_ref()?.get(place)
    }

    pub(super) fn remove(&mut self, place: usize) -> Option<M> {
        self.0.as_mut()?.remove(place)
    }

    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |batch| batch.len())
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
