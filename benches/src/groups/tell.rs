//! `tell`: what it costs to send messages that nobody answers, until the last one was handled.

use crate::bench::{Group, OURS, Subject, Unit, Workload};
use crate::subjects::erlang::{ERLANG, actors as erlang};
use crate::subjects::{actix, bastion, bastion_04, kameo, ractor, tokio_mpsc, xtra};

pub(super) const GROUP: Group = Group {
    name: "tell",
    about: "send messages to one actor until it has handled all; no answers",
    workloads: &[ONE_SENDER, EIGHT_SENDERS],
};

const ONE_SENDER: Workload = Workload {
    name: "one-sender",
    about: "one actor sends 500,000 messages to another",
    unit: Unit::Nanoseconds,
    operations: 500_000,
    subjects: &[
        Subject::here(OURS, bastion::tell_from_one),
        Subject::here("tokio-mpsc", tokio_mpsc::tell_from_one),
        Subject::here("ractor", ractor::tell_from_one),
        Subject::here("kameo", kameo::tell_from_one),
        Subject::here("actix", actix::tell_from_one),
        Subject::here("xtra", xtra::tell_from_one),
        Subject::alone("bastion-0.4", bastion_04::tell_from_one),
        Subject::here(ERLANG, erlang::tell_from_one),
    ],
};

const EIGHT_SENDERS: Workload = Workload {
    name: "eight-senders",
    about: "eight actors send 62,500 messages each to a ninth",
    unit: Unit::Nanoseconds,
    operations: 500_000,
    subjects: &[
        Subject::here(OURS, bastion::tell_from_eight),
        Subject::here("tokio-mpsc", tokio_mpsc::tell_from_eight),
        Subject::here("ractor", ractor::tell_from_eight),
        Subject::here("kameo", kameo::tell_from_eight),
        Subject::here("actix", actix::tell_from_eight),
        Subject::here("xtra", xtra::tell_from_eight),
        Subject::alone("bastion-0.4", bastion_04::tell_from_eight),
        Subject::here(ERLANG, erlang::tell_from_eight),
    ],
};
