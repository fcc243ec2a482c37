//! Pools: many workers behind one address, in a number that follows the work.
//!
//! A pool is a dynamic supervisor with its workers, and a *hub* that they share with all who send. The hub has a *slot* for each worker
//! that there may be, and a slot has a queue (a mailbox's `Lane`). A sender chooses a slot (`route`, pure) of those in the list of `members`, and puts its message
//! into the queue there, or into the one that is common to all. A worker is an ordinary child whose context takes from its mailbox, from its
//! slot's queue and from the common one alike (`worker`, and `process/inlet.rs`).
//!
//! # Life of a slot
//! 1. *Free*: its queue is closed.
//! 2. *Open*: the queue is opened, then the slot is put on the list. Its worker is about to start, runs, or is restarted meanwhile: then
//!    messages wait.
//! 3. *Closing*, when the pool shrinks: the slot is taken off the list, then its queue is closed, which gives back what the worker has not
//!    taken; that is laid aside for it. So a sender that meets the closed queue finds another slot on the list.
//! 4. *Leaving*: the worker handles what was laid aside. When it asks for more and there is none, it asks its supervisor to stop it.
//! 5. Free again, when the worker has ended for good: then, not earlier, another can have it. Whoever ends for good while the slot is open
//!    goes through closing too, and what was laid aside goes to others. A worker that ends just while its queue is being closed leaves that to who
//!    closes it (*gone*).
//!
//! When a pool has grown, what waits is shared anew among all.
//!
//! The common queue never closes. When nobody is on the list any more it is emptied, by the one who has left last, and by a sender who sees
//! an empty list after its push: by sequentially consistent fences, one of them sees the other.
//!
//! `elastic` decides about the size, and `controller` does it; `breaker` is the circuit breaker's machine and `fuse` has its clock; `limit`
//! is the rate limit. Only a pool that asks for one of these has it.

mod address;
mod breaker;
mod builder;
mod controller;
mod discard;
mod elastic;
mod error;
mod fuse;
mod hub;
#[cfg(feature = "rate-limit")]
mod limit;
#[cfg(not(feature = "rate-limit"))]
#[path = "limit_absent.rs"]
mod limit;
mod members;
mod route;
mod worker;

pub use self::address::{PoolAddress, PoolAsk};
pub use self::builder::Pool;
pub use self::elastic::{Elastic, Resize, Sizing};
pub use self::error::{Discarded, PoolAskError, PoolTellError, Refusal};
pub use self::route::Route;
