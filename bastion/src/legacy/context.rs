//! [`BastionContext`]: what the closure of a process is given. And the two ends of what processes say to each other.

use super::child::{BastionChildren, BastionClosure, Message};
use super::process::{Inbox, Received};
use super::supervisor::Supervisor;
use crate::children_ref::ChildrenRef;
use crate::supervisor::SupervisorRef;
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{RecvError, RecvTimeoutError, TryRecvError};
use std::time::Duration;

/// What the closure of a process is given beside its message.
#[derive(Clone, Debug, Default)]
pub struct BastionContext {
    /// The process's supervisor.
    pub parent: Option<Box<Supervisor>>,
    /// What was below that supervisor when it was launched.
    pub descendants: Vec<BastionChildren>,
    /// Reaches all processes of the supervisor, this one among them; at the top, those that were spawned with this one.
    pub bcast_tx: Option<Sender>,
    /// Receives what this process is sent.
    pub bcast_rx: Option<Receiver>,
}

impl BastionContext {
    /// Leaves the closure if the process was sent a [`PoisonPill`](super::messages::PoisonPill), or is to stop. Other messages stay, up to a thousand of them; the eldest go first.
    ///
    /// It leaves by unwinding, as a panic does. After a pill the process is started again.
    ///
    /// # Panics
    /// When this is the context of no process.
    ///
    /// # Examples
    /// ```
    /// use bastion::legacy::prelude::*;
    /// Bastion::spawn(
    ///     |context: BastionContext, _msg: Box<dyn Message>| {
    ///         println!("it has something to do");
    ///         context.hook();
    ///     },
    ///     String::from("a message"),
    /// );
    /// ```
    pub fn hook(self) {
        self.own_inbox().look_for_pills();
    }

    /// Waits until the process is sent a [`PoisonPill`](super::messages::PoisonPill), or is to stop, and leaves the closure. See [`hook`](Self::hook).
    ///
    /// # Panics
    /// When this is the context of no process.
    ///
    /// # Examples
    /// ```
    /// use bastion::legacy::prelude::*;
    /// Bastion::spawn(
    ///     |context: BastionContext, _msg: Box<dyn Message>| {
    ///         println!("it has something to do, each time that it is started");
    ///         context.blocking_hook();
    ///     },
    ///     String::from("a message"),
    /// );
    /// ```
    pub fn blocking_hook(self) {
        self.own_inbox().wait_for_pill();
    }

    fn own_inbox(&self) -> &Inbox {
        let receiver = self.bcast_rx.as_ref();
        &receiver.expect("the context of a process, not one by `default`").0
    }

    /// Spawns `scale` processes below the supervisor of this one. Does nothing when that is being stopped.
    ///
    /// # Examples
    /// ```
    /// use bastion::legacy::prelude::*;
    /// Bastion::spawn(
    ///     |context: BastionContext, _msg: Box<dyn Message>| {
    ///         let part = |sub: BastionContext, msg: Box<dyn Message>| {
    ///             receive! { msg,
    ///                 i32 => |number| println!("a part: {number}"),
    ///                 _ => println!("no number")
    ///             }
    ///             sub.blocking_hook();
    ///         };
    ///         context.clone().spawn(part, 9_999, 2);
    ///         context.blocking_hook();
    ///     },
    ///     String::from("a message"),
    /// );
    /// ```
    pub fn spawn<F, M>(self, thunk: F, msg: M, scale: i32) -> Self
    where
        F: BastionClosure,
        M: Message,
    {
        if let Some(supervisor) = &self.parent {
            supervisor.spawn(BastionChildren::new(thunk, msg, scale));
        }
        self
    }
}

/// The end that sends: to one group of processes, or to all of a supervisor.
#[derive(Clone)]
pub struct Sender(To);

#[derive(Clone)]
enum To {
    Supervisor(SupervisorRef),
    Group(ChildrenRef),
}

impl Sender {
    pub(super) fn to_group(group: ChildrenRef) -> Sender {
        Sender(To::Group(group))
    }

    pub(super) fn to_all(supervisor: SupervisorRef) -> Sender {
        Sender(To::Supervisor(supervisor))
    }

    /// Sends a message to all whom this reaches. It never waits.
    ///
    /// # Errors
    /// Gives the message back when they have ended.
    pub fn send(&self, message: Box<dyn Message>) -> Result<(), Box<dyn Message>> {
        match &self.0 {
            To::Supervisor(supervisor) => supervisor.broadcast(message),
            To::Group(group) => group.broadcast(message),
        }
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            To::Supervisor(supervisor) => write!(f, "Sender({:?})", supervisor.id()),
            To::Group(group) => write!(f, "Sender({:?})", group.id()),
        }
    }
}

/// The end at which a process receives. Its clones share what comes.
///
/// A [`PoisonPill`](super::messages::PoisonPill) is received as other messages are: it means something to the hooks only.
#[derive(Clone)]
pub struct Receiver(pub(super) Arc<Inbox>);

impl Receiver {
    /// Waits for the next message.
    ///
    /// # Errors
    /// When the process is to stop.
    pub fn recv(&self) -> Result<Box<dyn Message>, RecvError> {
        match self.0.receive(None) {
            Received::Message(message) => Ok(message),
            Received::Nothing | Received::Stop => Err(RecvError),
        }
    }

    /// Returns the next message, if one waits.
    ///
    /// # Errors
    /// When none does, or the process is to stop.
    pub fn try_recv(&self) -> Result<Box<dyn Message>, TryRecvError> {
        match self.0.receive(Some(Duration::ZERO)) {
            Received::Message(message) => Ok(message),
            Received::Nothing => Err(TryRecvError::Empty),
            Received::Stop => Err(TryRecvError::Disconnected),
        }
    }

    /// Waits for the next message, at most so long.
    ///
    /// # Errors
    /// When none has come in this time, or the process is to stop.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Box<dyn Message>, RecvTimeoutError> {
        match self.0.receive(Some(timeout)) {
            Received::Message(message) => Ok(message),
            Received::Nothing => Err(RecvTimeoutError::Timeout),
            Received::Stop => Err(RecvTimeoutError::Disconnected),
        }
    }

    /// Receives until the process is to stop.
    pub fn iter(&self) -> impl Iterator<Item = Box<dyn Message>> + '_ {
        std::iter::from_fn(|| self.recv().ok())
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
