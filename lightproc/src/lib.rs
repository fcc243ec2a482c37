#![doc = include_str!("../README.md")]

#[cfg(not(target_has_atomic = "64"))]
compile_error!(
    "lightproc keeps the state of a process in one 64-bit atomic, which this target does not have"
);

mod compat;
#[cfg(all(test, not(loom)))]
mod costs;
mod handle;
mod hooks;
mod in_place;
mod memory;
mod outcome;
mod panic;
mod proc;
mod raw;
mod run;
mod stack;
mod state;
mod sync;
mod waker;

pub use compat::{lightproc, prelude, proc_handle, proc_stack, proc_state, recoverable_handle};
pub use handle::{ProcHandle, RecoverableHandle};
pub use hooks::Hooks;
pub use in_place::InPlace;
pub use outcome::Outcome;
pub use panic::{Location, Panic};
pub use proc::{LightProc, Polled};
pub use stack::{EmptyProcState, ProcStack};
