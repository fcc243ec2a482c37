#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod global;
pub mod testing;

pub use bastion_executor as executor;
#[cfg(feature = "io")]
pub use bastion_executor::io;
/// # Examples
/// ```
/// use bastion::prelude::*;
///
/// #[bastion::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let greeter = child(|mut cx: Context<Reply<&'static str>>| async move {
///         while let Some(reply) = cx.recv().await {
///             reply.send("hello");
///         }
///         Ok(())
///     });
///     let greeter = Bastion::spawn_child(greeter)?;
///     assert_eq!(greeter.ask(|reply| reply).await?, "hello");
///     Ok(())
/// }
/// ```
pub use bastion_macros::main;
/// # Examples
/// ```
/// use bastion::prelude::*;
///
/// #[bastion::test(virtual_time, seed = 7)]
/// async fn a_limit_of_an_hour_passes_in_no_time(system: System) {
///     let silent = child(|cx: Context<Reply<()>>| async move {
///         cx.stop_signal().requested().await;
///         Ok(())
///     });
///     let silent = system.spawn_child(silent).unwrap();
///     let hour = std::time::Duration::from_secs(3600);
///     assert_eq!(silent.ask_timeout(hour, |reply| reply).await, Err(AskError::Timeout(hour)));
/// }
/// ```
pub use bastion_macros::test;
pub use bastion_supervision as supervision;
pub use bastion_supervision::{
    ASK_TIMEOUT, Acquire, Address, Ask, AskError, Branch, ChangeError, Child, ChildInfo, Context,
    CrashReport, Down, Exit, ExitSignal, ForeignMonitor, Gone, History, InitializationError,
    InvalidSupervisor, Lease, MailboxFull, Message, Monitor, Msg, NameError, Names, NoSupervisor,
    Overflow, Pid, Place, PlaceError, ProcessShutdown, Published, Record, Reply, Report,
    RequestError, Resource, RestartMode, RestartStrategy, Retired, Runtime, RuntimeError,
    ShutdownHandle, ShutdownStrategy, Sim, Source, StartChildError, Stats, StopSignal, Stopped,
    Supervisable, Supervision, Supervisor, SupervisorError, SupervisorFuture, SupervisorRef,
    System, SystemBuilder, Task, Tasks, TellError, TellNameError, TimedOut, Totals, Tree,
    TryAcquireError, Which, Worker, child, current_pid, current_supervisor, one_shot, plan,
    progress, spawn, supervised, worker,
};
#[cfg(feature = "signals")]
pub use bastion_supervision::{SignalError, Termination, termination};
pub use global::Bastion;

/// What most programs need, with one `use`.
pub mod prelude {
    pub use crate::plan::{Backoff, ExitReason, RestartPolicy, RestartType, Shutdown, Strategy};
    pub use crate::{
        Address, AskError, Bastion, Child, Context, Exit, InitializationError, Msg, Place,
        ProcessShutdown, Reply, Resource, Supervisable, Supervisor, SupervisorFuture,
        SupervisorRef, System, TellError, child, one_shot, supervised, worker,
    };
}
