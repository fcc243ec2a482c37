#![doc = include_str!("../README.md")]

#[cfg(not(target_has_atomic = "64"))]
compile_error!(
    "bastion-mailbox counts messages in 64-bit atomics, which this target does not have"
);

mod block;
#[cfg(all(test, not(loom)))]
mod costs;
mod error;
mod extras;
mod head;
mod lane;
pub mod oneshot;
mod push;
mod queue;
mod receive;
mod room;
mod sync;
mod tail;
mod value;
mod waiting;
mod wake;

pub use error::PushError;
pub use lane::{Lane, Seat};
pub use queue::{DEFAULT_CAPACITY, Queue};
pub use room::Sending;
pub use value::Value;
