//! `classic`: the API of bastion 0.4, beside the same work with typed processes, and beside 0.4 itself.

use super::{actor_memory, ring};
use crate::bench::{FLOOR, Group, Measured, OURS, Subject, Unit, Workload};
use crate::subjects::{actors, bastion, bastion_04, bastion_classic};

pub(super) const GROUP: Group = Group {
    name: "classic",
    about: "groups of children, as in bastion 0.4 (floor: ours with typed processes)",
    workloads: &[
        Workload {
            name: "one-sender",
            about: "tell: one child sends 500,000 messages to another",
            unit: Unit::Nanoseconds,
            operations: 500_000,
            subjects: &against(
                bastion_classic::tell_from_one,
                bastion_04::tell_from_one,
                bastion::tell_from_one,
            ),
        },
        Workload {
            name: "eight-senders",
            about: "tell: eight children send 62,500 messages each to a ninth",
            unit: Unit::Nanoseconds,
            operations: 500_000,
            subjects: &against(
                bastion_classic::tell_from_eight,
                bastion_04::tell_from_eight,
                bastion::tell_from_eight,
            ),
        },
        Workload {
            name: "round-trip",
            about: "ask: inside a worker, 100,000 times, one after another",
            unit: Unit::Nanoseconds,
            operations: 100_000,
            subjects: &against(bastion_classic::ask, bastion_04::ask, bastion::ask),
        },
        Workload {
            name: "hop",
            about: "ring: a token goes 500 times round 500 children that all wait",
            unit: Unit::Nanoseconds,
            operations: 250_000,
            subjects: &against(
                bastion_classic::ring,
                bastion_04::ring,
                ring::ring::<actors::Bastion>,
            ),
        },
        Workload {
            name: "spawn-ask-stop",
            about: "lifecycle: a group of one child, which is a supervisor more than a typed process (bastion-0.4 does not await the end)",
            unit: Unit::Nanoseconds,
            operations: 20_000,
            subjects: &against(
                bastion_classic::spawn_ask_stop,
                bastion_04::spawn_ask_stop,
                bastion::spawn_ask_stop,
            ),
        },
        Workload {
            name: "idle",
            about: "memory: 100,000 that have started and have no message yet, all in one group",
            unit: Unit::Bytes,
            operations: 100_000,
            subjects: &[
                Subject::alone(OURS, bastion_classic::idle),
                Subject::alone(FLOOR, actor_memory::idle::<actors::Bastion>),
            ],
        },
    ],
};

/// Ours, 0.4, and what a typed process takes for the same.
const fn against(
    ours: fn(u32) -> Measured,
    before: fn(u32) -> Measured,
    typed: fn(u32) -> Measured,
) -> [Subject; 3] {
    [Subject::here(OURS, ours), Subject::alone("bastion-0.4", before), Subject::here(FLOOR, typed)]
}
