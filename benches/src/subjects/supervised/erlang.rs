//! Erlang's own supervisor.

use super::super::erlang::{ERLANG, SUPERVISION};
use super::storm::{Pattern, Percentiles};
use super::{Starts, StartsAndStops, Storms, Way};
use crate::bench::{Amount, Failure, Measured};

/// Beyond so many operations Erlang does a tenth: it would take as long as all the others together.
const MANY: u32 = 20_000;

/// Returns how many operations Erlang does instead, and how often they go into what was asked for.
fn share(count: u32) -> (u32, u64) {
    if count > MANY { (count / 10, 10) } else { (count, 1) }
}

/// Measures what all operations come to together.
fn sum(row: &str, count: u32) -> Measured {
    let (count, times) = share(count);
    SUPERVISION.figures::<1>(row, count).map(|[figure]| Amount(figure * times))
}

pub(crate) struct Erlang;

impl Starts for Erlang {
    fn all(count: u32) -> Measured {
        sum("spawn_all", count)
    }

    fn each(count: u32) -> Measured {
        sum("spawn_each", count)
    }
}

impl Storms for Erlang {
    const NAME: &'static str = ERLANG;

    fn storm(crashes: u32, pattern: Pattern) -> Result<Percentiles, Failure> {
        SUPERVISION.figures(pattern.name(), share(crashes).0)
    }
}

impl StartsAndStops for Erlang {
    const NAME: &'static str = ERLANG;

    fn start_and_stop(count: u32, way: Way) -> Result<[u64; 2], Failure> {
        let (count, times) = share(count);
        let row = match way {
            Way::Ordered => "ordered",
            Way::Dynamic => "dynamic",
        };
        SUPERVISION.figures::<2>(row, count).map(|figures| figures.map(|figure| figure * times))
    }
}

/// A restart after an error.
pub(crate) fn restart_by_error(count: u32) -> Measured {
    sum("restart_error", count)
}

/// A restart after an exception.
pub(crate) fn restart_by_panic(count: u32) -> Measured {
    sum("restart_panic", count)
}

/// One crash, until all children run again.
pub(crate) fn one_for_all(children: u32) -> Measured {
    SUPERVISION.figures::<1>("one_for_all", children).map(|[figure]| Amount(figure))
}

/// `count_children`, one question after another.
pub(crate) fn counts(count: u32) -> Measured {
    sum("counts", count)
}

/// The memory of supervised processes that wait, as Erlang counts it.
pub(crate) fn bytes_of_worker(count: u32) -> Measured {
    sum("bytes", count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_operations_are_shared_out_and_counted_again() {
        assert_eq!(share(20_000), (20_000, 1));
        assert_eq!(share(100_000), (10_000, 10));
    }
}
