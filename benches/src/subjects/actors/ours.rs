//! This project: supervised processes with typed messages.

use super::super::bastion::{once, system};
use super::{Act, Library, Next};
use crate::bench::Failure;
use bastion_supervision::{Address, Context};

#[derive(Clone)]
pub(crate) struct Bastion;

impl Library for Bastion {
    type Address<A: Act<Self>> = Address<A::Message>;

    fn spawn<A: Act<Self>>(actor: A) -> Result<Address<A::Message>, Failure> {
        Ok(system().spawn_child(once(move |mut cx: Context<A::Message>| {
            let mut actor = actor.clone();
            async move {
                actor.started();
                while let Some(message) = cx.recv().await {
                    if actor.handle(message) == Next::Stop {
                        break;
                    }
                }
                Ok(())
            }
        }))?)
    }

    fn tell<A: Act<Self>>(address: &Address<A::Message>, message: A::Message) {
        let _ = address.tell(message);
    }
}
