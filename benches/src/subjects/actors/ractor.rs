//! ractor, without a supervisor.

use super::super::executors::Tokio;
use super::{Act, Library, Next};
use crate::bench::Failure;
use ractor::{Actor, ActorProcessingErr, ActorRef, ActorRuntime};
use std::marker::PhantomData;

#[derive(Clone)]
pub(crate) struct Ractor;

/// The handler is shared, what the actor has is its state.
struct Host<A>(PhantomData<A>);

impl<A: Act<Ractor>> Actor for Host<A> {
    type Msg = A::Message;
    type State = A;
    type Arguments = A;

    async fn pre_start(
        &self,
        _: ActorRef<A::Message>,
        mut actor: A,
    ) -> Result<A, ActorProcessingErr> {
        actor.started();
        Ok(actor)
    }

    async fn handle(
        &self,
        myself: ActorRef<A::Message>,
        message: A::Message,
        actor: &mut A,
    ) -> Result<(), ActorProcessingErr> {
        if actor.handle(message) == Next::Stop {
            myself.stop(None);
        }
        Ok(())
    }
}

impl Library for Ractor {
    type Address<A: Act<Self>> = ActorRef<A::Message>;

    fn spawn<A: Act<Self>>(actor: A) -> Result<ActorRef<A::Message>, Failure> {
        let _entered = Tokio::runtime().enter();
        Ok(ActorRuntime::spawn_instant(None, Host(PhantomData), actor)?.0)
    }

    fn tell<A: Act<Self>>(address: &ActorRef<A::Message>, message: A::Message) {
        let _ = address.cast(message);
    }
}
