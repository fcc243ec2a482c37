//! `options`: what a `tell` costs more where a process, a system or a pool asks for more.

use crate::bench::{FLOOR, Group, OURS, Subject, Unit, Workload};
use crate::subjects::bastion_options as options;

/// The same messages from one process to another, or to a pool; ours with an option, the floor without.
macro_rules! option {
    ($name:literal, $about:literal, $function:path) => {
        Workload {
            name: $name,
            about: $about,
            unit: Unit::Nanoseconds,
            operations: 200_000,
            subjects: &[Subject::here(OURS, $function), Subject::here(FLOOR, options::plain)],
        }
    };
}

pub(super) const GROUP: Group = Group {
    name: "options",
    about: "one process tells another 200,000 messages, with an option (floor: ours without)",
    workloads: &[
        option!("back-pressure", "by `send`, which waits while 1,024 wait", options::back_pressure),
        option!("drop-oldest", "where the oldest would give way", options::drop_oldest),
        option!("priority", "messages of four priorities", options::priority),
        option!("keys", "newer messages would take the place of older ones", options::keys),
        option!("bytes", "messages are weighed", options::bytes),
        option!("traced", "messages have spans, to which nobody subscribes", options::traced),
        option!("measured", "handlers are measured", options::measured),
        option!("pool-round-robin", "two workers in turn", options::round_robin),
        option!("pool-shared-queue", "two workers at one queue", options::shared_queue),
        option!("pool-by-key", "two workers by keys", options::by_key),
    ],
};
