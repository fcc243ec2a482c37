#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod global;
pub mod testing;

pub use bastion_executor as executor;
#[cfg(feature = "io")]
pub use bastion_executor::io;
pub use bastion_macros::{main, test};
pub use bastion_supervision as supervision;
pub use bastion_supervision::{
    Address, Ask, AskError, Child, Context, CrashReport, Exit, Gone, Message, Msg, Pid, Reply,
    Report, RequestError, Runtime, Sim, StartChildError, Stats, StopSignal, Stopped, Supervisor,
    SupervisorError, SupervisorRef, System, TellError, Tree, child, plan,
};
pub use global::Bastion;

/// What most programs need, with one `use`.
pub mod prelude {
    pub use crate::plan::{Backoff, ExitReason, RestartPolicy, RestartType, Shutdown, Strategy};
    pub use crate::{
        Address, AskError, Bastion, Child, Context, Exit, Msg, Reply, Supervisor, SupervisorRef,
        System, TellError, child,
    };
}
