//! actix. Actors are spread over the arbiters in turn, or are all on the first, where nothing is done at the same time.

use super::super::actix::arbiter;
use super::{Act, Envelope, Library, Next};
use crate::bench::Failure;
use actix::{Actor, ActorContext, Addr, Context, Handler, Message};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

#[derive(Clone)]
pub(crate) struct Actix<const SPREAD: bool = true>;

pub(crate) struct Host<A, const SPREAD: bool>(A);

impl<A: Act<Actix<SPREAD>>, const SPREAD: bool> Actor for Host<A, SPREAD> {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.0.started();
    }
}

impl<M> Message for Envelope<M> {
    type Result = ();
}

impl<A: Act<Actix<SPREAD>>, const SPREAD: bool> Handler<Envelope<A::Message>> for Host<A, SPREAD> {
    type Result = ();

    fn handle(&mut self, Envelope(message): Envelope<A::Message>, cx: &mut Context<Self>) {
        if self.0.handle(message) == Next::Stop {
            cx.stop();
        }
    }
}

impl<const SPREAD: bool> Library for Actix<SPREAD> {
    type Address<A: Act<Self>> = Addr<Host<A, SPREAD>>;

    fn spawn<A: Act<Self>>(actor: A) -> Result<Addr<Host<A, SPREAD>>, Failure> {
        static TURN: AtomicU32 = AtomicU32::new(0);
        let arbiter = arbiter(if SPREAD { TURN.fetch_add(1, Relaxed) } else { 0 });
        Ok(Host::start_in_arbiter(arbiter, |_| Host(actor)))
    }

    fn tell<A: Act<Self>>(address: &Addr<Host<A, SPREAD>>, message: A::Message) {
        address.do_send(Envelope(message));
    }
}
