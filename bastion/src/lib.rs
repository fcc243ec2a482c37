#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod classic;
#[cfg(feature = "distributed")]
pub mod distributed;
mod global;
#[cfg(feature = "legacy")]
pub mod legacy;
mod macros;
pub mod testing;

/// What `MIGRATION.md` shows of ours is built and run.
#[cfg(all(doctest, feature = "legacy"))]
#[doc = include_str!("../../MIGRATION.md")]
mod migration {}

pub use bastion_classic::callbacks::Callbacks;
pub use bastion_classic::config::Config;
#[doc(hidden)]
pub use bastion_classic::refuse;
pub use bastion_classic::{
    answer, blocking, child_ref, children, children_ref, context, dispatcher, distributor,
    envelope, errors, message, msg, path, platform, resizer, run, spawn, supervisor,
};
/// Each method becomes a variant of an enum, `CounterMessage` for a `Counter`, and a method of every `Address<CounterMessage>`, by the trait
/// `CounterAddress`: with this in scope, `counter.add(2)?` tells, and `counter.total().await?` asks. The methods stay what they were, so the state
/// can be tested without a process.
///
/// ```
/// use bastion::typed::*;
///
/// struct Counter {
///     total: u64,
/// }
///
/// #[bastion::actor]
/// impl Counter {
///     /// Adds.
///     fn add(&mut self, n: u64) {
///         self.total += n;
///     }
///
///     /// Says the total.
///     async fn total(&mut self) -> u64 {
///         self.total
///     }
/// }
///
/// #[bastion::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let counter = Counter::child(|| Counter { total: 0 }).named("counter");
///     let counter = Bastion::spawn_child(counter)?; // Address<CounterMessage>
///     counter.add(2)?;
///     assert_eq!(counter.total().await?, 2);
///     Ok(())
/// }
/// ```
///
/// # What a method says
/// All methods of the block are messages, and what else there is stands in another `impl` block. They take `&mut self` or `&self`, are `async` or
/// not, and handled one after another.
///
/// | method | message | method of the address |
/// |---|---|---|
/// | `fn add(&mut self, n: u64)` | `Add(u64)` | tells: as [`Address::tell`], it never waits, and gives the message back when it fails |
/// | `fn total(&self) -> u64` | `Total(Reply<u64>)` | asks: as [`Address::ask`], with its limit |
/// | `fn load(&mut self) -> Result<u64, io::Error>` | `Load(Reply<Result<u64, io::Error>>)` | asks; the error is a reply as others are: `.await??` |
/// | `fn take(&mut self, n: u64) -> Result<(), Exit>` | `Take(u64)` | tells; an error ends the process, for that reason |
/// | `fn need(&mut self) -> Result<u64, Exit>` | `Need(Reply<u64>)` | asks; an error ends the process, and the answer is [`AskError::NoReply`] |
/// | `fn next(&mut self, reply: Reply<u64>)` | `Next(Reply<u64>)` | asks; the process answers when it likes |
///
/// A `Result` says its error, since that decides; an alias as `io::Result<u64>` is a reply, and a bare `Result<u64>` is refused.
///
/// An argument `&mut Context<CounterMessage>`, or `&`, is no part of the message: the method is given the process's own [`Context`].
///
/// For anything else there is the message itself: `counter.send(CounterMessage::Add(2)).await?` waits for room in a full mailbox, and
/// `counter.ask_timeout(limit, CounterMessage::Total).await?` has a limit of its own.
///
/// # What is made besides
/// - `Counter::child(start)` describes the process; all that a [`Child`] can be told follows. `start` is called for every incarnation.
/// - `Counter::run(&mut self, cx)` handles messages until the process is asked to stop. With it a body can do something before and afterwards:
///   `child(|mut cx| async move { let mut store = Store::open().await?; store.run(&mut cx).await?; store.close().await })`. As
///   in every process, what follows does not run when the process is killed, or panics.
/// - `Counter::handle(&mut self, message, cx)` handles one message, for a loop of one's own.
///
/// All of it is as visible as the methods are, which have one visibility. Documentation, `#[cfg]` and `#[deprecated]` of a method
/// are its message's too; other attributes are the method's alone. An `impl` block may have generics: the messages have those that
/// they mention, so what only the state needs, its address does not show.
///
/// # What it expands to
/// Nothing that could not be written by hand:
/// ```
#[doc = include_str!("../tests/actor/by_hand.rs")]
/// ```
pub use bastion_macros::actor;
/// # Examples
/// ```
/// use bastion::typed::*;
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
/// A program written for the crate `fort` changes one line, to `use bastion as fort;`.
///
/// The program ends when somebody calls [`Bastion::stop`]. A root that returns `Ok(())` has only ended itself; one that returns `Err(())`, or panics, is
/// restarted, for ever.
///
/// # Examples
/// ```
/// use bastion::prelude::*;
///
/// #[bastion::root(redundancy = 2)]
/// async fn main(ctx: BastionContext) -> Result<(), ()> {
///     println!("child {} runs", ctx.current().id());
///     Bastion::stop();
///     Ok(())
/// }
/// ```
pub use bastion_macros::root;
/// # Examples
/// ```
/// use bastion::typed::*;
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
    ASK_TIMEOUT, Acquire, Address, AnyAddress, Ask, AskError, Branch, ChangeError, Child,
    ChildInfo, Context, CrashReport, DeadLetter, DeadLetters, Discarded, Down, Elastic, Exit,
    ExitSignal, ForeignMonitor, Gone, Handling, History, InitializationError, InvalidSupervisor,
    LastCrash, Lease, MailboxFull, Message, Monitor, Msg, NameError, Names, NoSupervisor,
    NotUnderstood, Observer, Overflow, Pid, Place, PlaceError, Pool, PoolAddress, PoolAsk,
    PoolAskError, PoolTellError, ProcessShutdown, Published, Recipient, Record, Refusal, Reply,
    Report, RequestError, Resize, Resource, RestartMode, RestartStrategy, Retired, Route, Runtime,
    RuntimeError, ShutdownHandle, ShutdownStrategy, Sim, Sizing, Source, StartChildError, Stats,
    StopSignal, Stopped, Supervisable, Supervision, Supervisor, SupervisorError, SupervisorFuture,
    SupervisorRef, System, SystemBuilder, Task, Tasks, TellError, TellNameError, TimedOut, Totals,
    Tree, TryAcquireError, Undelivered, Which, Worker, Workload, child, current_pid,
    current_supervisor, one_shot, plan, progress, spawn, supervised, worker,
};
#[cfg(feature = "signals")]
pub use bastion_supervision::{SignalError, Termination, termination};
pub use global::Bastion;

/// Futures on the executor, as bastion 0.4 has it, and the executor itself.
///
/// # Examples
/// ```
/// let answer = bastion::executor::spawn(async { 42 });
/// assert_eq!(bastion::executor::run(answer), Some(42));
/// ```
pub mod executor {
    pub use bastion_classic::executor::{ProcStack, blocking, run, spawn};
    pub use bastion_executor::*;
}

#[cfg(feature = "io")]
pub use bastion_classic::io;

/// What the prelude of bastion 0.4 has: what most programs need whose messages are values of any type.
pub mod prelude {
    pub use crate::Bastion;
    #[cfg(feature = "distributed")]
    pub use crate::distributed::{ArtilleryAPClusterConfig, ClusterMessage, DistributedContext};
    pub use crate::{children, supervisor};
    pub use bastion_classic::prelude::*;
}

/// What most programs need whose processes say what they receive.
pub mod typed {
    pub use crate::plan::{Backoff, ExitReason, RestartPolicy, RestartType, Shutdown, Strategy};
    pub use crate::{
        Address, AskError, Bastion, Child, Context, Exit, InitializationError, Msg, Place,
        ProcessShutdown, Recipient, Reply, Resource, Supervisable, Supervisor, SupervisorFuture,
        SupervisorRef, System, TellError, child, one_shot, supervised, worker,
    };
}
