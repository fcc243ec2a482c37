#![doc = include_str!("../README.md")]

mod handle;
mod hooks;
mod outcome;
mod proc;
mod raw;
mod stack;
mod state;
mod sync;
mod waker;

pub use handle::{ProcHandle, RecoverableHandle};
pub use hooks::Hooks;
pub use outcome::{Outcome, Panic};
pub use proc::{LightProc, Polled};
pub use stack::ProcStack;
