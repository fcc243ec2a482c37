//! Supervision: what a supervisor costs beside its children, ours and the peers'.
//!
//! `storm` has who crashes when and how long each is missed, for all subjects alike; `readings` lets one measurement fill several
//! rows; `bytes` has the memory of ours. Erlang's own supervisor runs in a process of its own, see `subjects::erlang`.

mod actix;
mod bytes;
pub(crate) mod erlang;
mod kameo;
mod ours;
mod ractor;
pub(crate) mod readings;
pub(crate) mod storm;

pub(crate) use actix::Actix;
pub(crate) use bytes::{bytes_of_plan, bytes_of_supervisor, bytes_of_worker};
pub(crate) use erlang::Erlang;
pub(crate) use kameo::{
    Kameo, bytes_of_worker as bytes_of_kameo, one_for_all as one_for_all_of_kameo,
};
pub(crate) use ours::{Ours, counts, floor_all, floor_each, floor_of_counts, one_for_all};
pub(crate) use ractor::{Ractor, bytes_of_worker as bytes_of_ractor};

use crate::bench::{Failure, Measured};
use readings::take;
use storm::{Pattern, Percentiles};

/// Workers that are started by the thousand, do nothing, and end by themselves.
pub(crate) trait Starts {
    /// Starts all, until the supervisor has let go of all.
    fn all(count: u32) -> Measured;
    /// Starts one after another, and awaits each one's end.
    fn each(count: u32) -> Measured;
}

/// Workers that crash by the hundred thousand.
pub(crate) trait Storms {
    const NAME: &'static str;
    /// Has children crash so often, all together, and measures how long each is missed.
    fn storm(crashes: u32, pattern: Pattern) -> Result<Percentiles, Failure>;
}

/// Many workers that are started, and stopped in order.
pub(crate) trait StartsAndStops {
    const NAME: &'static str;
    /// Starts so many and stops them; returns the nanoseconds of both.
    fn start_and_stop(count: u32, way: Way) -> Result<[u64; 2], Failure>;
}

/// How many are started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// As the declared children of one supervisor: one after another, each when the one before is ready, and stopped in reverse.
    Ordered,
    /// Under a supervisor of children that come and go: at once, and stopped in parallel.
    Dynamic,
}

/// One of the percentiles of a storm: of the same storms as the others, which take their figures from what this has measured.
pub(crate) fn percentile<S: Storms, const AT_ONCE: bool, const WHICH: usize>(
    crashes: u32,
) -> Measured {
    let pattern = if AT_ONCE { Pattern::AllAtOnce } else { Pattern::SomeAtATime };
    take((S::NAME, pattern.name(), crashes), WHICH, || S::storm(crashes, pattern))
}

/// The start or the stop (`WHICH` is 0 or 1) of many: of the same ones.
pub(crate) fn start_or_stop<S: StartsAndStops, const ORDERED: bool, const WHICH: usize>(
    count: u32,
) -> Measured {
    let (way, name) = if ORDERED { (Way::Ordered, "ordered") } else { (Way::Dynamic, "dynamic") };
    take((S::NAME, name, count), WHICH, || S::start_and_stop(count, way))
}
