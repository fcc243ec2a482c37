//! Plain futures as processes: workers without a mailbox.
//!
//! No second engine: a [`Worker`] is a [`Child`](crate::Child) that nobody can send anything to. `supervisable` is the trait for workers that
//! have to be initialised, `plain` makes workers of closures and futures, `restart_strategy` is a supervisor's rules in one value, `run` runs a
//! supervisor as a program of its own, `ambient` spawns into the supervisor of the running process, `task` waits for results.

mod ambient;
mod plain;
mod restart_strategy;
mod run;
mod supervisable;
mod task;

pub use ambient::{NoSupervisor, current_supervisor, progress, spawn};
pub use plain::{Worker, one_shot, worker};
pub use restart_strategy::{RestartMode, RestartStrategy, ShutdownStrategy};
pub use supervisable::{InitializationError, Supervisable, SupervisorFuture, supervised};
pub use task::{Task, Tasks};
