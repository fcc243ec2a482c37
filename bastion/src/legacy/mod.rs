//! The API of bastion 0.2, for programs that are older than groups of children and `async` (feature `legacy`).
//!
//! A process is a closure that may block: it runs on a thread of the blocking pool, as a child in the same tree in which all others are. Its
//! modules and its prelude have the names of old, below this one:
//!
//! ```
//! use bastion::legacy::prelude::*;
//!
//! fn main() {
//!     Bastion::platform();
//!     Bastion::spawn(
//!         |context: BastionContext, msg: Box<dyn Message>| {
//!             receive! { msg,
//!                 String => |text| println!("received {text}"),
//!                 i32 => |number| println!("received the number {number}"),
//!                 _ => println!("no message as expected")
//!             }
//!             context.hook();
//! #           Bastion::force_shutdown();
//!         },
//!         String::from("a message"),
//!     );
//!     Bastion::start();
//! }
//! ```
//!
//! # What a process is
//! - Its closure is given the same message at each of its starts. One that panics is started again, at once, for ever; one that returns has
//!   ended for good.
//! - A closure cannot be interrupted. It leaves where it calls [`hook`](context::BastionContext::hook) or
//!   [`blocking_hook`](context::BastionContext::blocking_hook), or receives: when it was sent a [`PoisonPill`](messages::PoisonPill), and when
//!   it is stopped, at the end of the program or because its supervisor restarts it with others. One that does not call any of these within
//!   a second is given up: it goes on, and its successor starts beside it.
//!
//! # What differs from 0.2
//! - [`Bastion::start`](bastion::Bastion::start) waits without using the processor, and stops the processes in order.
//! - Supervision strategies restart who they say, in order, and whoever sits in a hook is woken for it.
//! - [`bcast_tx`](context::BastionContext::bcast_tx) reaches all processes of the supervisor, the sender among them. In 0.2 one of them took each message.
//!   [`hook`](context::BastionContext::hook) loses no message.
//! - [`receive!`](crate::receive) needs neither the crate `objekt` nor `Receive` in scope, and clones the message for the arm that fits only. It is
//!   no loop: a `break` in an arm leaves the loop around it.
//! - No logger is installed: see [`BastionConfig`](config::BastionConfig).
//! - Not there: `PLATFORM`, `FAULTED`, the module `macros` (the macros are in the prelude and at the top), and the fields of [`BastionContext`](context::BastionContext) and
//!   [`BastionChildren`](child::BastionChildren) are of types of their own instead of the crate `crossbeam`'s.

pub mod bastion;
pub mod child;
pub mod config;
pub mod context;
pub mod messages;
mod process;
pub mod receive;
pub mod supervisor;

/// What the prelude of bastion 0.2 has.
pub mod prelude {
    pub use super::bastion::Bastion;
    pub use super::child::{BastionChildren, BastionClosure, Message, Shell};
    pub use super::config::BastionConfig;
    pub use super::context::BastionContext;
    pub use super::messages::PoisonPill;
    pub use super::receive::Receive;
    pub use super::supervisor::{SupervisionStrategy, Supervisor};
    pub use crate::receive;
}
