//! Other programs: starting them, talking to them through pipes, waiting for their end.
//!
//! [`Command`] is std's with other pipes. How a program's end is noticed: on Linux through a `pidfd` in the reactor, elsewhere (and on
//! kernels before 5.3) by a thread of the blocking pool that waits. Nothing here changes how signals are handled.
//!
//! A program whose [`Child`] is dropped goes on, unless [`kill_on_drop`](Command::kill_on_drop) says otherwise. Either way the system
//! is told, when it ends, that its exit status is not needed, so no zombie stays: the reactor (or the waiting thread) does that.
//!
//! Unix only.
//!
//! # Examples
//! ```
//! use bastion_executor::io::process::{Command, Stdio};
//! use bastion_executor::io::{AsyncReadExt, AsyncWriteExt};
//!
//! bastion_executor::run(async {
//!     let output = Command::new("echo").arg("hello").output().await?;
//!     assert_eq!((output.status.code(), &output.stdout[..]), (Some(0), &b"hello\n"[..]));
//!
//!     let mut cat = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
//!     let (mut stdin, mut stdout) = (cat.stdin.take().unwrap(), cat.stdout.take().unwrap());
//!     stdin.write_all(b"there and back").await?;
//!     drop(stdin);
//!     let mut text = String::new();
//!     stdout.read_to_string(&mut text).await?;
//!     assert_eq!(text, "there and back");
//!     assert!(cat.wait().await?.success());
//!     std::io::Result::Ok(())
//! })?;
//! # std::io::Result::Ok(())
//! ```

mod child;
mod command;
mod exit;
mod pipe;

pub use child::Child;
pub use command::Command;
pub use pipe::{ChildStderr, ChildStdin, ChildStdout};
pub use std::process::{ExitStatus, Output, Stdio};
