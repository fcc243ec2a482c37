//! tokio, by hand: a task and an unbounded channel.

use super::super::executors;
use super::{Act, Library, Next};
use crate::bench::Failure;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

#[derive(Clone)]
pub(crate) struct Tokio;

impl Library for Tokio {
    type Address<A: Act<Self>> = UnboundedSender<A::Message>;

    fn spawn<A: Act<Self>>(mut actor: A) -> Result<UnboundedSender<A::Message>, Failure> {
        let (sender, mut messages) = unbounded_channel();
        executors::Tokio::runtime().spawn(async move {
            actor.started();
            while let Some(message) = messages.recv().await {
                if actor.handle(message) == Next::Stop {
                    break;
                }
            }
        });
        Ok(sender)
    }

    fn tell<A: Act<Self>>(address: &UnboundedSender<A::Message>, message: A::Message) {
        let _ = address.send(message);
    }
}
