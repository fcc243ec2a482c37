//! `dynamic`: messages of any type, beside the same work with a type of its own.

use crate::bench::{FLOOR, Group, OURS, Subject, Unit, Workload};
use crate::subjects::{bastion, bastion_04, bastion_any};

const ONE_SENDER: &str = "tell: one process sends 500,000 messages to another";
const EIGHT_SENDERS: &str = "tell: eight processes send 62,500 messages each to a ninth";
const ROUND_TRIP: &str = "ask: inside a worker, 100,000 times, one after another";

pub(super) const GROUP: Group = Group {
    name: "dynamic",
    about: "processes that take messages of any type (floor: ours with a type of their own)",
    workloads: &[
        Workload {
            name: "one-sender",
            about: ONE_SENDER,
            unit: Unit::Nanoseconds,
            operations: 500_000,
            subjects: &[
                Subject::here(OURS, bastion_any::tell_from_one),
                Subject::alone("bastion-0.4", bastion_04::tell_from_one),
                Subject::here(FLOOR, bastion::tell_from_one),
            ],
        },
        Workload {
            name: "eight-senders",
            about: EIGHT_SENDERS,
            unit: Unit::Nanoseconds,
            operations: 500_000,
            subjects: &[
                Subject::here(OURS, bastion_any::tell_from_eight),
                Subject::alone("bastion-0.4", bastion_04::tell_from_eight),
                Subject::here(FLOOR, bastion::tell_from_eight),
            ],
        },
        Workload {
            name: "round-trip",
            about: ROUND_TRIP,
            unit: Unit::Nanoseconds,
            operations: 100_000,
            subjects: &[
                Subject::here(OURS, bastion_any::ask),
                Subject::alone("bastion-0.4", bastion_04::ask),
                Subject::here(FLOOR, bastion::ask),
            ],
        },
    ],
};
