//! `ask`: what it costs to ask an actor and to have its answer.

use crate::bench::{Group, OURS, Subject, Unit, Workload};
use crate::subjects::erlang::{ERLANG, actors as erlang};
use crate::subjects::{actix, bastion, bastion_04, kameo, ractor, tokio_mpsc, xtra};

pub(super) const GROUP: Group =
    Group { name: "ask", about: "ask an actor and await its answer", workloads: &[ROUND_TRIP] };

const ROUND_TRIP: Workload = Workload {
    name: "round-trip",
    about: "inside a worker, 100,000 times, one after another (ours has a time limit)",
    unit: Unit::Nanoseconds,
    operations: 100_000,
    subjects: &[
        Subject::here(OURS, bastion::ask),
        Subject::here("tokio-mpsc", tokio_mpsc::ask),
        Subject::here("ractor", ractor::ask),
        Subject::here("kameo", kameo::ask),
        Subject::here("actix", actix::ask),
        Subject::here("xtra", xtra::ask),
        Subject::alone("bastion-0.4", bastion_04::ask),
        Subject::here(ERLANG, erlang::ask),
    ],
};
