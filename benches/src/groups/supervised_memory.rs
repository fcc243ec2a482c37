//! `supervised-memory`: what a supervised worker costs while it waits, and how much of it the supervisor keeps for it.

use super::memory::parked;
use crate::bench::{FLOOR, Group, OURS, Subject, Unit, Workload};
use crate::subjects::erlang::ERLANG;
use crate::subjects::executors;
use crate::subjects::supervised::erlang;
use crate::subjects::supervised::{
    bytes_of_kameo, bytes_of_plan, bytes_of_ractor, bytes_of_supervisor, bytes_of_worker,
};

pub(super) const GROUP: Group = Group {
    name: "supervised-memory",
    about: "resident memory of 100,000 workers that wait, for each (Erlang: 10,000, as it counts its memory)",
    workloads: &[
        Workload {
            name: "supervisor",
            about: "what a dynamic supervisor keeps: it is held until all workers run, and grows by this when it takes them in",
            unit: Unit::Bytes,
            operations: 100_000,
            subjects: &[Subject::alone(OURS, bytes_of_supervisor)],
        },
        Workload {
            name: "plan",
            about: "of that, the pure half: a plan with so many running children",
            unit: Unit::Bytes,
            operations: 100_000,
            subjects: &[Subject::alone(OURS, bytes_of_plan)],
        },
        Workload {
            name: "worker",
            about: "all of a worker: process, mailbox, and what its supervisor keeps (floor: our executor's process of 64 bytes)",
            unit: Unit::Bytes,
            operations: 100_000,
            subjects: &[
                Subject::alone(OURS, bytes_of_worker),
                Subject::alone("ractor", bytes_of_ractor),
                Subject::alone("kameo", bytes_of_kameo),
                Subject::here(ERLANG, erlang::bytes_of_worker),
                Subject::alone(FLOOR, parked::<executors::Bastion>),
            ],
        },
    ],
};
