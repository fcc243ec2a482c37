//! `lifecycle`: a whole short life.

use crate::bench::{Group, OURS, Subject, Unit, Workload};
use crate::subjects::erlang::{ERLANG, actors as erlang};
use crate::subjects::{actix, bastion, bastion_04, kameo, ractor, tokio_mpsc, xtra};

pub(super) const GROUP: Group = Group {
    name: "lifecycle",
    about: "start an actor, ask it once, have it stop, and await its end",
    workloads: &[Workload {
        name: "spawn-ask-stop",
        about: "inside a worker, 20,000 times, one after another (bastion-0.4 does not await the end)",
        unit: Unit::Nanoseconds,
        operations: 20_000,
        subjects: &[
            Subject::here(OURS, bastion::spawn_ask_stop),
            Subject::here("tokio-mpsc", tokio_mpsc::spawn_ask_stop),
            Subject::here("ractor", ractor::spawn_ask_stop),
            Subject::here("kameo", kameo::spawn_ask_stop),
            Subject::here("actix", actix::spawn_ask_stop),
            Subject::here("xtra", xtra::spawn_ask_stop),
            Subject::alone("bastion-0.4", bastion_04::spawn_ask_stop),
            Subject::here(ERLANG, erlang::spawn_ask_stop),
        ],
    }],
};
