//! Sockets, programs and files that processes can wait on.
//!
//! | what | where |
//! |---|---|
//! | TCP, UDP | [`TcpListener`], [`TcpStream`], [`UdpSocket`] |
//! | sockets of one machine | [`unix`] |
//! | other programs and their pipes | [`process`] |
//! | files | [`fs`], which the crate [`async-fs`](async_fs) provides: threads, because files always block |
//! | any other descriptor | [`Async`] |
//! | names of machines | [`resolve`] |
//!
//! One reactor watches all of them. A socket is registered with it once, when it is made, and edge-triggered where the system can
//! do so: waiting needs no system call. All of this works on any thread and in any executor.
//!
//! Reading and writing are the traits of [`futures_lite::io`], some of which are here too.
//!
//! # Cancel safety
//! An operation that is dropped before it is ready has not happened, unless its documentation says otherwise. What is built from
//! several operations (`read_exact`, `write_all`, `copy`) has done some of them, perhaps.
//!
//! # Several tasks
//! They may wait for one object at once, also in one direction; an event wakes all of them, and whoever is late waits again.
//!
//! # Errors
//! The system's. A program that cannot have a reactor (no descriptors left) learns it from the first object that it makes.

mod adapter;
mod address;
mod connect;
mod duplex;
#[cfg(unix)]
pub mod process;
mod tcp;
mod udp;
#[cfg(unix)]
pub mod unix;

pub use crate::reactor::Pollable;
pub use adapter::Async;
pub use address::{AsyncToSocketAddrs, resolve};
pub use async_fs as fs;
pub use futures_lite::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader,
    BufWriter, copy, split,
};
pub use tcp::{TcpIncoming, TcpListener, TcpStream};
pub use udp::UdpSocket;
