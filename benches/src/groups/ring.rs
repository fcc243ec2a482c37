//! `ring`: what it costs to pass a message on, from one process that waits to the next.

use crate::bench::{Group, Measured, OURS, Subject, Unit, Workload};
use crate::latch::{Finish, latch};
use crate::subjects::actors::{Act, Actix, Bastion, Kameo, Library, Next, Ractor, Tokio, Xtra};
use crate::subjects::erlang::{ERLANG, actors as erlang};
use crate::subjects::{RING, bastion_04};

pub(super) const GROUP: Group = Group {
    name: "ring",
    about: "a token goes round a ring of 500 actors that all wait",
    workloads: &[Workload {
        name: "hop",
        about: "500 times round, 250,000 hops (actix: all on one arbiter)",
        unit: Unit::Nanoseconds,
        operations: 250_000,
        subjects: &[
            Subject::here(OURS, ring::<Bastion>),
            Subject::here("tokio-mpsc", ring::<Tokio>),
            Subject::here("ractor", ring::<Ractor>),
            Subject::here("kameo", ring::<Kameo>),
            Subject::here("actix", ring::<Actix<false>>),
            Subject::here("xtra", ring::<Xtra>),
            Subject::alone("bastion-0.4", bastion_04::ring),
            Subject::here(ERLANG, erlang::ring),
        ],
    }],
};

#[derive(Clone)]
struct Member<L: Library> {
    next: Option<L::Address<Self>>,
    finish: Finish,
}

enum Order<L: Library> {
    Precede(L::Address<Member<L>>),
    /// How many hops are left.
    Token(u32),
    Stop,
}

impl<L: Library> Member<L> {
    fn pass(&self, order: Order<L>) {
        if let Some(next) = &self.next {
            L::tell(next, order);
        }
    }
}

impl<L: Library> Act<L> for Member<L> {
    type Message = Order<L>;

    fn handle(&mut self, order: Order<L>) -> Next {
        match order {
            Order::Precede(next) => self.next = Some(next),
            Order::Token(0) => {
                self.finish.now();
                self.pass(Order::Stop);
                return Next::Stop;
            }
            Order::Token(left) => self.pass(Order::Token(left - 1)),
            Order::Stop => {
                self.pass(Order::Stop);
                return Next::Stop;
            }
        }
        Next::Receive
    }
}

pub(super) fn ring<L: Library>(hops: u32) -> Measured {
    let (finish, mut wait) = latch();
    let first = L::spawn(Member { next: None, finish: finish.clone() })?;
    let mut next = first.clone();
    for _ in 1..RING {
        next = L::spawn(Member { next: Some(next), finish: finish.clone() })?;
    }
    L::tell(&first, Order::Precede(next));
    wait.start();
    L::tell(&first, Order::Token(hops));
    wait.measured()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_arrives_on_every_library() {
        let all = [
            ring::<Bastion>,
            ring::<Tokio>,
            ring::<Ractor>,
            ring::<Kameo>,
            ring::<Actix<false>>,
            ring::<Xtra>,
        ];
        for ring in all {
            assert!(ring(1_234).is_ok());
        }
    }
}
