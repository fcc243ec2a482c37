//! `storm`: how long a child is missed while many crash. Each row is a percentile of the same storms.

use super::restart::ONLY_STOPPED;
use crate::bench::{Group, OURS, Subject, Unit, Workload};
use crate::subjects::erlang::ERLANG;
use crate::subjects::supervised::{Erlang, Kameo, Ours, Ractor, percentile};

/// A percentile of the storms of all who restart.
macro_rules! percentile {
    ($name:literal, $at_once:literal, $which:literal, $about:literal) => {
        Workload {
            name: $name,
            about: $about,
            unit: Unit::Latency,
            operations: 100_000,
            subjects: &[
                Subject::here(OURS, percentile::<Ours, $at_once, $which>),
                Subject::here("ractor", percentile::<Ractor, $at_once, $which>),
                Subject::here("kameo", percentile::<Kameo, $at_once, $which>),
                Subject::not("actix", ONLY_STOPPED),
                Subject::here(ERLANG, percentile::<Erlang, $at_once, $which>),
            ],
        }
    };
}

pub(super) const GROUP: Group = Group {
    name: "storm",
    about: "1,000 children of one supervisor crash 100,000 times by an error (Erlang: 10,000 times), without limit or back-off: from \
            a child's last word to the first one of its next incarnation",
    workloads: &[
        percentile!(
            "some-p50",
            false,
            0,
            "as many crash at a time as there are workers: who is up again has another crash; half of the latencies are below"
        ),
        percentile!("some-p99", false, 1, "99 of 100 are below"),
        percentile!("some-p99.9", false, 2, "999 of 1,000 are below"),
        percentile!("some-max", false, 3, "the longest"),
        percentile!(
            "all-p50",
            true,
            0,
            "all 1,000 crash at once, 100 times: these latencies are a queue; half are below"
        ),
        percentile!("all-p99", true, 1, "99 of 100 are below"),
        percentile!("all-p99.9", true, 2, "999 of 1,000 are below"),
        percentile!("all-max", true, 3, "the longest"),
    ],
};
