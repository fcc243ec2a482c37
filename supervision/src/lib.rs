#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod child;
mod child_mailbox;
mod env;
mod exit;
#[cfg(feature = "metrics")]
mod facade;
mod lease;
#[cfg(feature = "serde")]
mod machines;
mod mailbox;
mod message;
mod names;
pub mod pid;
mod place;
pub mod plan;
mod pool;
mod process;
mod report;
mod runtime;
#[cfg(feature = "signals")]
mod signals;
mod supervisor;
mod sync;
mod system;
mod system_builder;
mod tree;
mod waiters;
mod weak_list;
mod worker;

pub use child::{Child, child};
pub use exit::Exit;
pub use lease::{Acquire, Lease, Resource, Retired, TryAcquireError};
pub use mailbox::TellError;
pub use message::{Handling, Message, Msg, NotUnderstood};
pub use names::{NameError, Names, Published, TellNameError};
pub use pid::Pid;
pub use place::{Place, PlaceError};
pub use pool::{
    Discarded, Elastic, Pool, PoolAddress, PoolAsk, PoolAskError, PoolTellError, Refusal, Resize,
    Route, Sizing,
};
pub use process::{
    ASK_TIMEOUT, Address, Ask, AskError, Context, Down, ExitSignal, ForeignMonitor, MailboxFull,
    Monitor, Overflow, ProcessShutdown, Recipient, Reply, ShutdownHandle, Source, StopSignal,
    TimedOut, Workload, current_pid,
};
pub use report::{
    CrashReport, DeadLetter, DeadLetters, History, LastCrash, Record, Report, Stats, Undelivered,
};
pub use runtime::{Runtime, RuntimeError, Sim};
#[cfg(feature = "signals")]
pub use signals::{SignalError, Termination, termination};
pub use supervisor::{
    AnyAddress, ChangeError, ChildInfo, Gone, InvalidSupervisor, Observer, RequestError,
    StartChildError, Supervisor, SupervisorError, SupervisorRef, Which,
};
pub use system::{Stopped, System};
pub use system_builder::SystemBuilder;
pub use tree::{Branch, Supervision, Totals, Tree};
pub use worker::{
    InitializationError, NoSupervisor, RestartMode, RestartStrategy, ShutdownStrategy,
    Supervisable, SupervisorFuture, Task, Tasks, Worker, current_supervisor, one_shot, progress,
    spawn, supervised, worker,
};
