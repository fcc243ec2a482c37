//! What a local process runs: the future, tied to its thread, and its place in the executor's list.

use super::handle::LocalHandle;
use super::own::{Entry, Own};
use crate::on_panic::OnPanic;
use lightproc::{InPlace, LightProc};
use pin_project_lite::pin_project;
use send_wrapper::SendWrapper;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

pin_project! {
    /// The future of a local process.
    struct Body<F> {
        #[pin]
        future: F,
        // Dropped behind the future: an executor whose list is empty has no futures left.
        _entry: Entry,
    }
}

impl<F: Future> Future for Body<F> {
    /// Tied to the thread too, on which the handle stays.
    type Output = SendWrapper<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().future.poll(cx).map(SendWrapper::new)
    }
}

/// Makes a process and queues it. Called on the executor's thread.
pub(super) fn spawn<F>(own: &Rc<Own>, future: F) -> LocalHandle<F::Output>
where
    F: IntoFuture<IntoFuture: 'static, Output: 'static>,
{
    let entry = own.admit();
    let key = entry.key;
    // The wrapper is what makes a process of it, which must be `Send`, without unsafe code here. It would panic on another
    // thread; but all processes run and end here, and a handle cannot leave.
    let body = InPlace(|| SendWrapper::new(Body { future: future.into_future(), _entry: entry }));
    let door = own.door.clone();
    let schedule = move |process| door.schedule(process);
    let (process, handle) = LightProc::recoverable(body, schedule, OnPanic::default());
    own.complete(key, process.waker());
    own.push(process);
    LocalHandle::new(handle)
}
