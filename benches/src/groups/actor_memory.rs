//! `actor-memory`: what an actor costs that waits for its first message.

use crate::bench::{Amount, Failure, Group, Measured, OURS, Subject, Unit, Workload};
use crate::latch::{Countdown, latch};
use crate::memory::resident_bytes;
use crate::subjects::actors::{Act, Actix, Bastion, Kameo, Library, Next, Ractor, Tokio, Xtra};
use crate::subjects::erlang::{ERLANG, actors as erlang};
use std::mem;

pub(super) const GROUP: Group = Group {
    name: "actor-memory",
    about: "resident memory of actors that wait, with the address by which each is held",
    workloads: &[Workload {
        name: "idle",
        about: "100,000 that have started and have no message yet (Erlang: as it counts its memory); ours with its supervisor's part",
        unit: Unit::Bytes,
        operations: 100_000,
        subjects: &[
            Subject::alone(OURS, idle::<Bastion>),
            Subject::alone("tokio-mpsc", idle::<Tokio>),
            Subject::alone("ractor", idle::<Ractor>),
            Subject::alone("kameo", idle::<Kameo>),
            Subject::alone("actix", idle::<Actix>),
            Subject::alone("xtra", idle::<Xtra>),
            Subject::here(ERLANG, erlang::bytes),
        ],
    }],
};

/// How many actors are started before all are awaited, so that the queues stay small: what they hold is not the waiting ones'.
const BATCH: u32 = 64;

#[derive(Clone)]
struct Idle(&'static Countdown);

impl<L: Library> Act<L> for Idle {
    type Message = ();

    fn started(&mut self) {
        self.0.arrive();
    }

    fn handle(&mut self, (): ()) -> Next {
        Next::Receive
    }
}

pub(super) fn idle<L: Library>(count: u32) -> Measured {
    let mut addresses = start::<L>(BATCH)?;
    let before = resident_bytes()?;
    addresses.extend(start::<L>(count)?);
    let after = resident_bytes()?;
    // They wait for ever, so that the next measurement finds no freed memory.
    mem::forget(addresses);
    Ok(Amount(after.saturating_sub(before)))
}

/// Starts so many, until all have.
fn start<L: Library>(count: u32) -> Result<Vec<L::Address<Idle>>, Failure> {
    let mut addresses = Vec::with_capacity(count as usize);
    while addresses.len() < count as usize {
        let batch = BATCH.min(count - addresses.len() as u32);
        let (finish, mut wait) = latch();
        wait.start();
        let countdown = Countdown::leaked(batch, finish);
        for _ in 0..batch {
            addresses.push(L::spawn(Idle(countdown))?);
        }
        wait.measured()?;
    }
    Ok(addresses)
}
