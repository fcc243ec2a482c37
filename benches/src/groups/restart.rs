//! `restart`: how long a failed actor is missed: from the failure until its successor has answered.

use crate::bench::{Group, OURS, Subject, Unit, Workload};
use crate::subjects::erlang::ERLANG;
use crate::subjects::supervised::erlang;
use crate::subjects::{bastion, bastion_04, kameo, ractor};

pub(super) const GROUP: Group = Group {
    name: "restart",
    about: "an actor fails, is restarted by its supervisor, and answers again",
    workloads: &[ERROR, PANIC],
};

const BY_HAND: &str = "it has no supervision";
pub(super) const ONLY_STOPPED: &str =
    "its Supervisor restarts an actor that stops itself, not one that fails";

const ERROR: Workload = Workload {
    name: "error",
    about: "tell the actor to end with an error, then ask it, 5,000 times",
    unit: Unit::Nanoseconds,
    operations: 5_000,
    subjects: &[
        Subject::here(OURS, bastion::restart_by_error),
        Subject::not("tokio-mpsc", BY_HAND),
        Subject::here("ractor", ractor::restart_by_error),
        Subject::here("kameo", kameo::restart_by_error),
        Subject::not("actix", ONLY_STOPPED),
        Subject::alone("bastion-0.4", bastion_04::restart_by_error),
        Subject::here(ERLANG, erlang::restart_by_error),
    ],
};

const PANIC: Workload = Workload {
    name: "panic",
    about: "tell the actor to panic, then ask it, 5,000 times",
    unit: Unit::Nanoseconds,
    operations: 5_000,
    subjects: &[
        Subject::here(OURS, bastion::restart_by_panic),
        Subject::not("tokio-mpsc", BY_HAND),
        Subject::here("ractor", ractor::restart_by_panic),
        Subject::here("kameo", kameo::restart_by_panic),
        Subject::not("actix", ONLY_STOPPED),
        Subject::alone("bastion-0.4", bastion_04::restart_by_panic),
        Subject::here(ERLANG, erlang::restart_by_panic),
    ],
};
