//! `million`: a million supervised processes at once.

use crate::bench::{Group, OURS, Subject, Unit, Workload};
use crate::subjects::supervised::{Ours, bytes_of_worker, start_or_stop};

pub(super) const GROUP: Group = Group {
    name: "million",
    about: "1,000,000 processes below one supervisor; ours alone, for what the others take for it",
    workloads: &[
        Workload {
            name: "start",
            about: "declared children, one after another, each when the one before is ready",
            unit: Unit::Nanoseconds,
            operations: 1_000_000,
            subjects: &[Subject::here(OURS, start_or_stop::<Ours, true, 0>)],
        },
        Workload {
            name: "stop",
            about: "those, in reverse order, each when the one after it has ended",
            unit: Unit::Nanoseconds,
            operations: 1_000_000,
            subjects: &[Subject::here(OURS, start_or_stop::<Ours, true, 1>)],
        },
        Workload {
            name: "bytes",
            about: "of each while all are alive and wait: process, mailbox, and what the supervisor keeps",
            unit: Unit::Bytes,
            operations: 1_000_000,
            subjects: &[Subject::alone(OURS, bytes_of_worker)],
        },
    ],
};
