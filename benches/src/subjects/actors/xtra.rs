//! xtra on tokio, with unbounded mailboxes.

use super::super::executors::Tokio;
use super::{Act, Envelope, Library, Next};
use crate::bench::Failure;
use std::pin::pin;
use std::task::{Context as Task, Waker};
use xtra::{Actor, Address, Context, Handler, Mailbox};

#[derive(Clone)]
pub(crate) struct Xtra;

pub(crate) struct Host<A>(A);

impl<A: Act<Xtra>> Actor for Host<A> {
    type Stop = ();

    async fn started(&mut self, _: &Mailbox<Self>) -> Result<(), ()> {
        self.0.started();
        Ok(())
    }

    async fn stopped(self) {}
}

impl<A: Act<Xtra>> Handler<Envelope<A::Message>> for Host<A> {
    type Return = ();

    async fn handle(&mut self, Envelope(message): Envelope<A::Message>, cx: &mut Context<Self>) {
        if self.0.handle(message) == Next::Stop {
            cx.stop_self();
        }
    }
}

impl Library for Xtra {
    type Address<A: Act<Self>> = Address<Host<A>>;

    fn spawn<A: Act<Self>>(actor: A) -> Result<Address<Host<A>>, Failure> {
        let _entered = Tokio::runtime().enter();
        Ok(xtra::spawn_tokio(Host(actor), Mailbox::unbounded()))
    }

    fn tell<A: Act<Self>>(address: &Address<Host<A>>, message: A::Message) {
        // It sends when it is polled; an unbounded mailbox has room at once.
        let sending = pin!(address.send(Envelope(message)).detach());
        let _ = sending.poll(&mut Task::from_waker(Waker::noop()));
    }
}
