//! [`JoinHandle`].

use bastion_executor::RecoverableHandle;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Waits for what [`spawn`](super::spawn) or [`spawn_blocking`](super::spawn_blocking) runs. Dropped, it lets that go on.
///
/// # Panics
/// When it is polled after what it waits for has panicked.
pub struct JoinHandle<R>(RecoverableHandle<R>);

impl<R> JoinHandle<R> {
    pub(super) fn new(handle: RecoverableHandle<R>) -> Self {
        JoinHandle(handle)
    }
}

impl<R> Future for JoinHandle<R> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        Pin::new(&mut self.0).poll(cx).map(|output| output.expect("task failed to execute"))
    }
}

impl<R> fmt::Debug for JoinHandle<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").finish_non_exhaustive()
    }
}
