//! Sockets that processes can wait on: TCP, UDP, Unix, on one reactor thread.
//!
//! A well-kept stack does the work (async-io, async-net, futures-lite); this module only gives it a home, so that programs
//! need no second dependency and the reactor can be changed behind it.

pub use async_net::{TcpListener, TcpStream, UdpSocket};
pub use futures_lite::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader,
    BufWriter, copy, split,
};

/// Unix domain sockets.
#[cfg(unix)]
pub mod unix {
    pub use async_net::unix::{UnixDatagram, UnixListener, UnixStream};
}
