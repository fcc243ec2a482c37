//! What is compared: the events of an operation, and what there is to see after it.
//!
//! Plain data, made by the real processes and by the model alike.

use crate::script::{AWAITERS, Id, PROCESSES, When};
use std::fmt;

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A user's code was called.
    At(When),
    /// The payload of the panic of that moment was dropped.
    Payload(When),
    /// A process was polled by `LightProc::poll`.
    Ran(Id, Ran),
    /// A handle was polled.
    Saw(Id, Saw),
}

/// What one run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ran {
    Waiting,
    Woken,
    Ended,
}

/// What a handle saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saw {
    Pending,
    Value,
    Nothing,
    /// The panic of that moment, as a value.
    Panic(When),
    /// The panic of that moment came out of the poll.
    Unwound(When),
    /// The poll panicked because there is nothing to poll any more.
    Refused,
}

/// What there is to see of a process whose handle is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handle {
    pub(crate) finished: bool,
    pub(crate) terminated: bool,
    /// The number in the process's data.
    pub(crate) data: Option<Id>,
}

/// What there is to see after an operation.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sight {
    /// What has happened since the last look, in order.
    pub(crate) events: Vec<Event>,
    /// The processes in the queue.
    pub(crate) queue: Vec<Id>,
    pub(crate) handles: [Option<Handle>; PROCESSES],
    /// How many of the wakers that were given away are still there.
    pub(crate) wakers: [usize; PROCESSES],
    /// How many schedule functions with captured values were dropped.
    pub(crate) captured: [usize; PROCESSES],
    /// How many clones of each awaiter exist.
    pub(crate) awaiters: [isize; AWAITERS],
}

impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  events {:?}", self.events)?;
        writeln!(f, "  queue {:?}, wakers {:?}", self.queue, self.wakers)?;
        writeln!(f, "  captured {:?}, awaiters {:?}", self.captured, self.awaiters)?;
        for (id, handle) in self.handles.iter().enumerate() {
            if let Some(Handle { finished, terminated, data }) = handle {
                writeln!(
                    f,
                    "  handle {id}: finished {finished}, terminated {terminated}, data {data:?}"
                )?;
            }
        }
        Ok(())
    }
}
