//! Supervisors: the driving half. The builder, the process that drives a [`Plan`](crate::plan::Plan), and the handle to it.
//!
//! A supervisor is a process whose messages are [`Command`]s, with a lane of their own for the [`Signal`]s of its children. It asks the plan what to do and does it; it never waits for a child,
//! a timer or foreign code, so it always answers.

mod builder;
mod command;
mod driver;
mod entry;
mod error;
mod observer;
mod reference;
mod requests;
mod which;

pub use builder::Supervisor;
pub(crate) use command::{Command, Foundling, Signal};
pub(crate) use error::below;
pub use error::{InvalidSupervisor, SupervisorError};
pub use observer::Observer;
pub use reference::{ChangeError, ChildInfo, Gone, RequestError, StartChildError, SupervisorRef};
pub use which::{AnyAddress, Which};
