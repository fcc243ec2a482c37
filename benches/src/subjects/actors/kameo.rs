//! kameo, with unbounded mailboxes and without a supervisor.

use super::super::executors::Tokio;
use super::{Act, Envelope, Library, Next};
use crate::bench::Failure;
use kameo::actor::{Actor, ActorRef, Spawn};
use kameo::error::Infallible;
use kameo::mailbox;
use kameo::message::{Context, Message};

#[derive(Clone)]
pub(crate) struct Kameo;

pub(crate) struct Host<A>(A);

impl<A: Act<Kameo>> Actor for Host<A> {
    type Args = A;
    type Error = Infallible;

    async fn on_start(mut actor: A, _: ActorRef<Self>) -> Result<Self, Infallible> {
        actor.started();
        Ok(Host(actor))
    }
}

impl<A: Act<Kameo>> Message<Envelope<A::Message>> for Host<A> {
    type Reply = ();

    async fn handle(
        &mut self,
        Envelope(message): Envelope<A::Message>,
        cx: &mut Context<Self, ()>,
    ) {
        if self.0.handle(message) == Next::Stop {
            cx.stop();
        }
    }
}

impl Library for Kameo {
    type Address<A: Act<Self>> = ActorRef<Host<A>>;

    fn spawn<A: Act<Self>>(actor: A) -> Result<ActorRef<Host<A>>, Failure> {
        let _entered = Tokio::runtime().enter();
        Ok(Host::spawn_with_mailbox(actor, mailbox::unbounded()))
    }

    fn tell<A: Act<Self>>(address: &ActorRef<Host<A>>, message: A::Message) {
        let _ = address.tell(Envelope(message)).try_send();
    }
}
