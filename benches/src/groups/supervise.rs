//! `supervise`: what it costs to have workers below a supervisor: their start, their end, a question about them.

use super::spawn;
use crate::bench::{FLOOR, Group, OURS, Subject, Unit, Workload};
use crate::subjects::erlang::ERLANG;
use crate::subjects::executors::Tokio;
use crate::subjects::supervised::erlang;
use crate::subjects::supervised::{
    Actix, Erlang, Kameo, Ours, Ractor, Starts, counts, floor_all, floor_each, floor_of_counts,
    one_for_all, one_for_all_of_kameo, start_or_stop,
};

pub(super) const GROUP: Group = Group {
    name: "supervise",
    about: "workers below a supervisor (floor: the same without one)",
    workloads: &[
        SPAWN_ALL,
        SPAWN_EACH,
        ONE_FOR_ALL,
        COUNTS,
        START_DYNAMIC,
        STOP_DYNAMIC,
        START_ORDERED,
        STOP_ORDERED,
    ],
};

const BY_HAND: &str = "it has no such strategy";
const NO_ORDER: &str = "its supervisor starts and stops its children in no order";

const SPAWN_ALL: Workload = Workload {
    name: "spawn-all",
    about: "inside a worker, 20,000 workers that end at once: start all, until the supervisor has let go of all; tokio and actix \
            without one (floor: our executor's spawn, and one message to a process)",
    unit: Unit::Nanoseconds,
    operations: 20_000,
    subjects: &[
        Subject::here(OURS, Ours::all),
        Subject::here("tokio", spawn::from_worker::<Tokio>),
        Subject::here("ractor", Ractor::all),
        Subject::here("kameo", Kameo::all),
        Subject::here("actix", Actix::all),
        Subject::here(ERLANG, Erlang::all),
        Subject::here(FLOOR, floor_all),
    ],
};

const SPAWN_EACH: Workload = Workload {
    name: "spawn-each",
    about: "inside a worker, 20,000 times: start a worker that ends at once, and await its end; tokio and actix without a \
            supervisor (floor: our executor's spawn, one message to a process, the await)",
    unit: Unit::Nanoseconds,
    operations: 20_000,
    subjects: &[
        Subject::here(OURS, Ours::each),
        Subject::here("tokio", spawn::await_each::<Tokio>),
        Subject::here("ractor", Ractor::each),
        Subject::here("kameo", Kameo::each),
        Subject::here("actix", Actix::each),
        Subject::here(ERLANG, Erlang::each),
        Subject::here(FLOOR, floor_each),
    ],
};

const ONE_FOR_ALL: Workload = Workload {
    name: "one-for-all",
    about: "one of 10,000 children crashes: all are stopped and started; the time until all run again",
    unit: Unit::Latency,
    operations: 10_000,
    subjects: &[
        Subject::here(OURS, one_for_all),
        Subject::not("ractor", BY_HAND),
        Subject::here("kameo", one_for_all_of_kameo),
        Subject::not("actix", BY_HAND),
        Subject::here(ERLANG, erlang::one_for_all),
    ],
};

const COUNTS: Workload = Workload {
    name: "counts",
    about: "inside a worker, 20,000 times: ask a supervisor of 100,000 children (Erlang: 10,000) how many there are (floor: ask a \
            process that waits for a number)",
    unit: Unit::Nanoseconds,
    operations: 20_000,
    subjects: &[
        Subject::here(OURS, counts),
        Subject::not("ractor", "its tree is a map behind a lock: nobody is asked"),
        Subject::not("kameo", "its supervisor does not answer such a question"),
        Subject::here(ERLANG, erlang::counts),
        Subject::here(FLOOR, floor_of_counts),
    ],
};

const START_DYNAMIC: Workload = Workload {
    name: "start-dynamic",
    about: "start 100,000 workers that wait (Erlang: 10,000) below a supervisor of children that come and go, until all run",
    unit: Unit::Nanoseconds,
    operations: 100_000,
    subjects: &[
        Subject::here(OURS, start_or_stop::<Ours, false, 0>),
        Subject::here("ractor", start_or_stop::<Ractor, false, 0>),
        Subject::here("kameo", start_or_stop::<Kameo, false, 0>),
        Subject::here(ERLANG, start_or_stop::<Erlang, false, 0>),
    ],
};

const STOP_DYNAMIC: Workload = Workload {
    name: "stop-dynamic",
    about: "stop the supervisor of those, until all have ended (in parallel)",
    unit: Unit::Nanoseconds,
    operations: 100_000,
    subjects: &[
        Subject::here(OURS, start_or_stop::<Ours, false, 1>),
        Subject::here("ractor", start_or_stop::<Ractor, false, 1>),
        Subject::here("kameo", start_or_stop::<Kameo, false, 1>),
        Subject::here(ERLANG, start_or_stop::<Erlang, false, 1>),
    ],
};

const START_ORDERED: Workload = Workload {
    name: "start-ordered",
    about: "start a supervisor with 100,000 declared children (Erlang: 10,000): one after another, each when the one before is ready",
    unit: Unit::Nanoseconds,
    operations: 100_000,
    subjects: &[
        Subject::here(OURS, start_or_stop::<Ours, true, 0>),
        Subject::not("ractor", NO_ORDER),
        Subject::not("kameo", NO_ORDER),
        Subject::here(ERLANG, start_or_stop::<Erlang, true, 0>),
    ],
};

const STOP_ORDERED: Workload = Workload {
    name: "stop-ordered",
    about: "stop the supervisor of those: in reverse, each when the one before has ended",
    unit: Unit::Nanoseconds,
    operations: 100_000,
    subjects: &[
        Subject::here(OURS, start_or_stop::<Ours, true, 1>),
        Subject::not("ractor", NO_ORDER),
        Subject::not("kameo", NO_ORDER),
        Subject::here(ERLANG, start_or_stop::<Erlang, true, 1>),
    ],
};
