//! The handle of a case, of either kind, and what it said.

use crate::world::{Data, Value};
use futures_core::future::FusedFuture;
use lightproc::{Outcome, Panic, ProcHandle, RecoverableHandle};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// What the handle said at its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Saw {
    /// It was not asked.
    Unasked,
    /// Not ended: nothing wakes the process any more.
    Running,
    Value,
    /// A panic with that payload.
    Panic(&'static str),
    Cancelled,
    /// `None`, which says that it was the one or the other.
    PanicOrCancelled,
}

/// The handle of a case.
pub(crate) enum AnyHandle {
    Proc(ProcHandle<Value>),
    Recoverable(RecoverableHandle<Value>),
}

impl AnyHandle {
    pub(crate) fn cancel(&self) {
        match self {
            AnyHandle::Proc(handle) => handle.cancel(),
            AnyHandle::Recoverable(handle) => handle.cancel(),
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        match self {
            AnyHandle::Proc(handle) => handle.is_finished(),
            AnyHandle::Recoverable(handle) => handle.is_finished(),
        }
    }

    pub(crate) fn is_terminated(&self) -> bool {
        match self {
            AnyHandle::Proc(handle) => handle.is_terminated(),
            AnyHandle::Recoverable(handle) => handle.is_terminated(),
        }
    }

    pub(crate) fn has_data(&self) -> bool {
        match self {
            AnyHandle::Proc(handle) => handle.data::<Data>().is_some(),
            AnyHandle::Recoverable(handle) => handle.data::<Data>().is_some(),
        }
    }

    /// Polls the handle as a future.
    pub(crate) fn poll(&mut self, waker: &Waker) -> Saw {
        let mut cx = Context::from_waker(waker);
        let polled = Panic::catch(|| match self {
            AnyHandle::Proc(handle) => Pin::new(handle).poll(&mut cx),
            AnyHandle::Recoverable(handle) => Pin::new(handle).poll(&mut cx),
        });
        match polled {
            Ok(Poll::Pending) => Saw::Running,
            Ok(Poll::Ready(Some(value))) => value_seen(value),
            Ok(Poll::Ready(None)) if matches!(self, AnyHandle::Proc(_)) => Saw::Cancelled,
            Ok(Poll::Ready(None)) => Saw::PanicOrCancelled,
            Err(panic) => Saw::Panic(text(panic)),
        }
    }

    /// Asks for the outcome, as precisely as the handle can tell.
    pub(crate) fn ask(mut self, waker: &Waker) -> Saw {
        let finished = self.is_finished();
        assert!(self.has_data() && !self.is_terminated());
        let saw = match self {
            AnyHandle::Proc(_) => {
                let saw = self.poll(waker);
                assert_eq!((self.is_terminated(), self.has_data()), (finished, !finished));
                saw
            }
            AnyHandle::Recoverable(mut handle) => {
                match pin!(handle.outcome()).poll(&mut Context::from_waker(waker)) {
                    Poll::Pending => Saw::Running,
                    Poll::Ready(Outcome::Completed(value)) => value_seen(value),
                    Poll::Ready(Outcome::Panicked(panic)) => Saw::Panic(text(panic)),
                    Poll::Ready(Outcome::Cancelled) => Saw::Cancelled,
                }
            }
        };
        assert_eq!(finished, saw != Saw::Running);
        saw
    }
}

/// Drops the output, which is now the awaiter's affair.
fn value_seen(value: Value) -> Saw {
    drop(Panic::catch(|| drop(value)));
    Saw::Value
}

fn text(panic: Panic) -> &'static str {
    let payload = panic.into_payload();
    payload.downcast_ref::<&'static str>().copied().unwrap_or("a payload that is not text")
}
