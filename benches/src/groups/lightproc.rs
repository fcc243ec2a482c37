//! `lightproc`: what one process costs, without an executor: its time, its memory, its instructions.

use crate::bench::{FLOOR, Group, OURS, Subject, Unit, Workload};
use crate::subjects::process::{self, AsyncTask, Floor, Ours, Rows, Tokio, Without};

/// Operations of a measurement of time: ours take ten milliseconds and more, the slowest peer a tenth of a second.
const TIMED: u32 = 400_000;

/// Operations whose instructions are counted, fifty times as slowly.
const COUNTED: u32 = 6_400;

const ALWAYS_SCHEDULED: &str = "a task is scheduled when it is made";

/// A workload that is a function of `Rows`. A macro, since a function cannot return a borrow of what it makes.
macro_rules! row {
    (timed, $row:ident, $name:literal, $about:literal) => {
        row!(here, Unit::Nanoseconds, TIMED, $row, $name, $about)
    };
    (counted, $row:ident, $name:literal, $about:literal) => {
        row!(counted, Unit::Instructions, COUNTED, $row, $name, $about)
    };
    ($how:ident, $unit:expr, $operations:expr, $row:ident, $name:literal, $about:literal) => {
        Workload {
            name: $name,
            about: $about,
            unit: $unit,
            operations: $operations,
            subjects: &[
                Subject::$how(OURS, Without::<Ours>::$row),
                Subject::$how("async-task", Without::<AsyncTask>::$row),
                Subject::$how("tokio", Tokio::$row),
                Subject::$how(FLOOR, Floor::$row),
            ],
        }
    };
}

/// A workload that keeps processes of so many bytes.
macro_rules! memory {
    ($bytes:literal, $name:literal, $operations:literal, $about:literal) => {
        Workload {
            name: $name,
            about: concat!(
                $about,
                ", waiting, no handle; with the allocator's rounding (floor: two words)"
            ),
            unit: Unit::Bytes,
            operations: $operations,
            subjects: &[
                Subject::alone(OURS, process::bytes::<Ours, $bytes>),
                Subject::alone("async-task", process::bytes::<AsyncTask, $bytes>),
                Subject::alone("tokio", process::bytes_on_tokio::<$bytes>),
                Subject::alone(FLOOR, process::bytes_of_floor::<$bytes>),
            ],
        }
    };
}

const CREATE_DROP: Workload = Workload {
    name: "create-drop",
    about: "make, drop unrun, no handle (floor: malloc)",
    unit: Unit::Nanoseconds,
    operations: TIMED,
    subjects: &[
        Subject::here(OURS, process::create_drop::<Ours>),
        Subject::here("async-task", process::create_drop::<AsyncTask>),
        Subject::not("tokio", ALWAYS_SCHEDULED),
        Subject::here(FLOOR, process::create_drop_of_floor),
    ],
};

const CREATE_DROP_COUNTED: Workload = Workload {
    name: "create-drop-instructions",
    about: "as create-drop",
    unit: Unit::Instructions,
    operations: COUNTED,
    subjects: &[
        Subject::counted(OURS, process::create_drop::<Ours>),
        Subject::counted("async-task", process::create_drop::<AsyncTask>),
        Subject::not("tokio", ALWAYS_SCHEDULED),
        Subject::counted(FLOOR, process::create_drop_of_floor),
    ],
};

const WITH_HANDLE: Workload = Workload {
    name: "process-64-handle",
    about: "as process-64, with a handle that is kept (floor: four words)",
    unit: Unit::Bytes,
    operations: 200_000,
    subjects: &[
        Subject::alone(OURS, process::bytes_with_handle::<Ours, 64>),
        Subject::alone("async-task", process::bytes_with_handle::<AsyncTask, 64>),
        Subject::alone("tokio", process::bytes_on_tokio::<64>),
        // An awaiter is two words.
        Subject::alone(FLOOR, process::bytes_of_floor::<80>),
    ],
};

pub(super) const GROUP: Group = Group {
    name: "lightproc",
    about: "what one process costs without an executor (tokio: with its scheduler, see --help)",
    workloads: &[
        CREATE_DROP,
        row!(timed, create_run, "create-run", "make, run to the end, no handle (floor: malloc)"),
        row!(
            timed,
            create_run_handle,
            "create-run-handle",
            "make, run to the end, then drop the handle (floor: malloc, 1 locked instruction)"
        ),
        row!(
            timed,
            wake_poll,
            "wake-poll",
            "64 wait: wake each by reference, poll each (floor: 2 locked, queue)"
        ),
        row!(
            timed,
            wake_by_value,
            "wake-by-value",
            "64 wait: wake each by value, poll each, which clones (floor: 3 locked, queue)"
        ),
        row!(timed, yields, "yield", "64 wake themselves while polled (floor: 2 locked, queue)"),
        row!(
            timed,
            await_before,
            "await-before",
            "make, poll the handle, run, poll the handle (floor: malloc, 3 locked)"
        ),
        row!(
            timed,
            await_after,
            "await-after",
            "make, run, poll the handle (floor: malloc, 1 locked)"
        ),
        row!(
            timed,
            cancel,
            "cancel",
            "make, poll, cancel by the handle until it is dropped (floor: malloc, 3 locked, queue)"
        ),
        memory!(0, "process-0", 200_000, "a future of 0 bytes"),
        memory!(64, "process-64", 200_000, "a future of 64 bytes"),
        memory!(256, "process-256", 100_000, "a future of 256 bytes"),
        memory!(1024, "process-1024", 50_000, "a future of 1024 bytes"),
        WITH_HANDLE,
        CREATE_DROP_COUNTED,
        row!(counted, create_run, "create-run-instructions", "as create-run"),
        row!(counted, create_run_handle, "create-run-handle-instructions", "as create-run-handle"),
        row!(counted, wake_poll, "wake-poll-instructions", "as wake-poll"),
        row!(counted, wake_by_value, "wake-by-value-instructions", "as wake-by-value"),
        row!(counted, yields, "yield-instructions", "as yield"),
        row!(counted, await_before, "await-before-instructions", "as await-before"),
        row!(counted, await_after, "await-after-instructions", "as await-after"),
        row!(counted, cancel, "cancel-instructions", "as cancel"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Amount, How};
    use crate::memory;

    #[test]
    fn every_subject_does_what_it_says() {
        for workload in GROUP.workloads {
            if workload.unit == Unit::Bytes && memory::missing().is_some() {
                continue;
            }
            for subject in workload.subjects {
                if let How::Here(work) | How::Counted(work) | How::Alone(work) = subject.how {
                    let measured = work(640);
                    assert!(
                        matches!(measured, Ok(Amount(_))),
                        "{}/{}: {measured:?}",
                        workload.name,
                        subject.name
                    );
                }
            }
        }
    }
}
