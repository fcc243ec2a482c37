//! The executor's [`io`](bastion_executor::io), and beside it what bastion 0.4 had of the crate `nuclei`, over the same sockets: [`Handle`], [`spawn`],
//! [`drive`] and the others.
//!
//! New programs have no need of a [`Handle`]: [`TcpListener`], [`TcpStream`] and their kin do the same under the names that std has for it.

mod handle;
mod object;
mod proactor;

pub use self::handle::Handle;
pub use self::join_handle::JoinHandle;
pub use self::object::Object;
pub use self::proactor::{Proactor, block_on, drive, spawn, spawn_blocking};
pub use bastion_executor::io::*;
pub use bastion_executor::spawn_local;

pub mod join_handle;
