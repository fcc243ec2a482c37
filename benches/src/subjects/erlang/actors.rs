//! Erlang's plain processes, unsupervised.

use super::ACTORS;
use crate::bench::{Amount, Measured};

fn measure(row: &str, count: u32) -> Measured {
    ACTORS.figures::<1>(row, count).map(|[figure]| Amount(figure))
}

/// `!` from one process.
pub(crate) fn tell_from_one(count: u32) -> Measured {
    measure("tell_from_one", count)
}

/// `!` from eight processes.
pub(crate) fn tell_from_eight(count: u32) -> Measured {
    measure("tell_from_eight", count)
}

/// A message with a reference, and the answer that has it, one after another.
pub(crate) fn ask(count: u32) -> Measured {
    measure("ask", count)
}

/// A token that goes round.
pub(crate) fn ring(hops: u32) -> Measured {
    measure("ring", hops)
}

/// `spawn_monitor`, a question, a message that ends it, and its `DOWN`.
pub(crate) fn spawn_ask_stop(count: u32) -> Measured {
    measure("spawn_ask_stop", count)
}

/// The memory of processes that wait, as Erlang counts it.
pub(crate) fn bytes(count: u32) -> Measured {
    measure("bytes", count)
}
