//! What the models share.

use bastion_mailbox::Queue;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::collections::VecDeque;
use std::task::Waker;

pub(crate) type Message = (u8, u8);
pub(crate) type Shared = Arc<Queue<Message>>;

struct Count(Arc<AtomicUsize>);

impl std::task::Wake for Count {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A waker, and how often it was woken.
pub(crate) fn counted() -> (Waker, Arc<AtomicUsize>) {
    let woken = Arc::new(AtomicUsize::new(0));
    (Waker::from(std::sync::Arc::new(Count(woken.clone()))), woken)
}

/// Takes up to so many.
pub(crate) fn fetch(queue: &Queue<Message>, max: usize) -> VecDeque<Message> {
    let mut batch = VecDeque::new();
    queue.fetch(&mut batch, max, None);
    batch
}
