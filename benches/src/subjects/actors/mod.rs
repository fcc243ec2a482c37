//! Actor libraries behind one trait, so that the very same program runs on each.
//!
//! A program is a few types that [`Act`]: plain state, and what a message does to it. Each library's file wraps them as its users write
//! actors: ours is a supervised process whose body receives in a loop, tokio's a task with an unbounded channel, the others'
//! implement their traits. Nothing in between is called through a pointer, so what is measured is the library.

mod actix;
mod kameo;
mod ours;
mod ractor;
mod tokio;
mod xtra;

pub(crate) use actix::Actix;
pub(crate) use kameo::Kameo;
pub(crate) use ours::Bastion;
pub(crate) use ractor::Ractor;
pub(crate) use tokio::Tokio;
pub(crate) use xtra::Xtra;

use crate::bench::Failure;

/// A library of actors.
pub(crate) trait Library: Clone + Send + Sync + Sized + 'static {
    /// How an actor is reached.
    type Address<A: Act<Self>>: Clone + Send + Sync + Unpin + 'static;

    /// Starts an actor, from whatever thread. It can be told something at once.
    ///
    /// # Errors
    /// What the library says.
    fn spawn<A: Act<Self>>(actor: A) -> Result<Self::Address<A>, Failure>;

    /// Sends a message, without waiting. An actor that has ended misses it; then the program's own count is wrong, and the
    /// measurement fails.
    fn tell<A: Act<Self>>(address: &Self::Address<A>, message: A::Message);
}

/// What an actor does, whatever the library. Cloning it gives the state before the first message, which ours needs for a restart.
pub(crate) trait Act<L: Library>: Clone + Send + Sync + Unpin + 'static {
    type Message: Send + 'static;

    /// Is called in the actor, before its first message.
    fn started(&mut self) {}

    /// Handles a message.
    fn handle(&mut self, message: Self::Message) -> Next;
}

/// What an actor does after a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Receive,
    Stop,
}

impl Next {
    /// Stops if that is so.
    pub(crate) fn stop_if(over: bool) -> Next {
        if over { Next::Stop } else { Next::Receive }
    }
}

/// A message of a library where its type has to be ours.
struct Envelope<M>(M);
