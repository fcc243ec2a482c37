//! The parts of a real process, each of which notes what becomes of it and does what the script has planned for it.

use crate::event::{Event, Handle};
use crate::script::{Id, Mode, Step, When};
use crate::world::{at, at_or_panic, note, with};
use futures_core::future::FusedFuture;
use lightproc::{Hooks, LightProc, Outcome, ProcHandle, RecoverableHandle};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The payload of every panic: the moment at which it was thrown.
pub(crate) struct Payload(pub(crate) When);

impl Drop for Payload {
    fn drop(&mut self) {
        note(Event::Payload(self.0));
    }
}

/// The future. Owns memory, so that a second drop and a poll after the drop are seen by what watches memory.
pub(crate) struct Body(Box<Id>);

impl Body {
    pub(crate) fn new(id: Id) -> Body {
        Body(Box::new(id))
    }
}

impl Future for Body {
    type Output = Value;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Value> {
        match at_or_panic(When::Poll(*self.0), Some(cx)) {
            Step::Ready => Poll::Ready(Value(Box::new(*self.0))),
            _ => Poll::Pending,
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        at_or_panic(When::FutureDrop(*self.0), None);
    }
}

/// The output.
pub(crate) struct Value(Box<Id>);

impl Drop for Value {
    fn drop(&mut self) {
        at_or_panic(When::OutputDrop(*self.0), None);
    }
}

/// The data, with the hooks.
pub(crate) struct Data(pub(crate) Id);

impl Hooks for Data {
    fn before_start(&self) {
        at_or_panic(When::Started(self.0), None);
    }

    fn after_complete(&self) {
        at_or_panic(When::Completed(self.0), None);
    }

    fn after_panic(&self) {
        at_or_panic(When::Panicked(self.0), None);
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        at_or_panic(When::DataDrop(self.0), None);
    }
}

/// What a schedule function captures.
pub(crate) struct Captured(pub(crate) Id);

impl Drop for Captured {
    fn drop(&mut self) {
        with(|world| world.sight.captured[self.0] += 1);
    }
}

/// The schedule function: it finds its process's number in the data.
pub(crate) fn scheduled(process: LightProc) {
    let id = process.data::<Data>().expect("every process of a script has these data").0;
    // It must not panic, so that step only ends it.
    at(When::Scheduled(id), None);
    match with(|world| world.modes[id]) {
        Mode::Queue => with(|world| world.queue.push_back((id, process))),
        Mode::Run => process.run(),
        Mode::Drop => drop(process),
    }
}

/// A handle, in one of its forms.
pub(crate) enum Form {
    Plain(ProcHandle<Value>),
    Recoverable(RecoverableHandle<Value>),
    Outcome(Pin<Box<dyn Future<Output = Outcome<Value>>>>),
}

impl Form {
    /// Returns what there is to see of the handle.
    pub(crate) fn look(&self) -> Handle {
        let number = |data: &Data| data.0;
        match self {
            Form::Plain(handle) => Handle {
                finished: handle.is_finished(),
                terminated: handle.is_terminated(),
                data: handle.data().map(number),
            },
            Form::Recoverable(handle) => Handle {
                finished: handle.is_finished(),
                terminated: handle.is_terminated(),
                data: handle.data().map(number),
            },
            Form::Outcome(_) => Handle { finished: false, terminated: false, data: None },
        }
    }

    /// Turns a recoverable handle into the future of its outcome.
    pub(crate) fn into_outcome(self) -> Form {
        match self {
            Form::Recoverable(mut handle) => {
                Form::Outcome(Box::pin(async move { handle.outcome().await }))
            }
            form => form,
        }
    }

    /// Cancels the process, where the form can.
    pub(crate) fn cancel(&self) {
        match self {
            Form::Plain(handle) => handle.cancel(),
            Form::Recoverable(handle) => handle.cancel(),
            Form::Outcome(_) => {}
        }
    }

    /// Polls the handle; only the future of the outcome tells a panic from a cancellation.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Outcome<Value>> {
        let outcome = |output: Option<_>| output.map_or(Outcome::Cancelled, Outcome::Completed);
        match self {
            Form::Plain(handle) => Pin::new(handle).poll(cx).map(outcome),
            Form::Recoverable(handle) => Pin::new(handle).poll(cx).map(outcome),
            Form::Outcome(future) => future.as_mut().poll(cx),
        }
    }
}
