//! Processes: identity, mailbox, control lane, body.
//!
//! A process is its shared cell, which lives as long as anybody has its address, and at most one incarnation: a task that
//! runs the body. `core` is the cell, `extras` what few cells have, `office` what those of supervisors have, `life` one incarnation and its tie to the supervisor, `body` its task, `context` what the body
//! sees, `shutdown` how it learns that it is to stop, `address` what everybody else sees, `recipient` the same without the type, `dynamic` what is more when messages have any type, `ask` a question and its reply, `guard` the containment of panics, `trail` the spans of messages.

mod address;
mod alarm;
mod ask;
mod batch;
pub(crate) mod body;
mod checkpoint;
#[cfg(debug_assertions)]
pub(crate) mod circles;
#[cfg(not(debug_assertions))]
#[path = "circles/absent.rs"]
pub(crate) mod circles;
mod context;
mod core;
mod dynamic;
mod extras;
pub(crate) mod guard;
mod inlet;
mod letters;
mod life;
mod meter;
mod notice;
mod office;
mod oneself;
mod overflow;
mod past;
mod receive;
mod recipient;
mod shutdown;
mod sorted;
mod sources;
mod ties;
mod trail;
mod watching;

pub use self::address::{ASK_TIMEOUT, Address};
pub use self::ask::{Ask, AskError, Reply};
pub use self::context::Context;
pub(crate) use self::core::{Core, Process, Shared};
pub use self::guard::current_pid;
pub(crate) use self::inlet::Inlet;
pub(crate) use self::letters::type_of;
pub(crate) use self::life::Life;
pub use self::meter::Workload;
pub use self::notice::{Down, ExitSignal, ForeignMonitor, Monitor};
pub use self::overflow::{MailboxFull, Overflow};
pub use self::receive::TimedOut;
pub use self::recipient::Recipient;
pub use self::shutdown::{ProcessShutdown, ShutdownHandle, StopSignal};
pub use self::sources::Source;
pub(crate) use self::trail::Sent;
