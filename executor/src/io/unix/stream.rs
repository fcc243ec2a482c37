//! [`UnixStream`].

use crate::io::Async;
use crate::io::connect;
use crate::io::duplex::{Duplex, read_and_write};
use crate::io::tcp::lends_descriptor;
use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;
use std::sync::Arc;

/// A connection to another program of the machine, or within this one. Clones share it: one may read while another writes.
///
/// It ends when its last clone is dropped. [`close`](crate::io::AsyncWriteExt::close) shuts the writing direction down, as
/// [`shutdown`](UnixStream::shutdown) can.
///
/// # Cancel safety
/// A read or write that is dropped before it is ready has moved no byte.
///
/// # Examples
/// ```
/// use bastion_executor::io::unix::UnixStream;
/// use bastion_executor::io::{AsyncReadExt, AsyncWriteExt};
///
/// bastion_executor::run(async {
///     let (mut a, mut b) = UnixStream::pair()?;
///     a.write_all(b"hello").await?;
///     drop(a);
///     let mut text = String::new();
///     b.read_to_string(&mut text).await?;
///     assert_eq!(text, "hello");
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct UnixStream {
    duplex: Duplex<net::UnixStream>,
}

impl UnixStream {
    /// Connects to the listener at a path.
    ///
    /// # Errors
    /// `WouldBlock` on Linux when too many connections wait to be accepted: the system does not tell when that is over. The system's
    /// others: nobody listens there (`ConnectionRefused`), or the path does not exist (`NotFound`).
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the attempt is given up.
    pub async fn connect<P: AsRef<Path>>(path: P) -> io::Result<UnixStream> {
        Ok(UnixStream::from(connect::connect_path(path.as_ref()).await?))
    }

    /// Makes two streams that are connected to each other.
    ///
    /// # Errors
    /// The system's.
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (a, b) = net::UnixStream::pair()?;
        Ok((UnixStream::try_from(a)?, UnixStream::try_from(b)?))
    }

    /// Returns the address of this end.
    ///
    /// # Errors
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.duplex.io().local_addr()
    }

    /// Returns the address of the other end.
    ///
    /// # Errors
    /// The system's.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.duplex.io().peer_addr()
    }

    /// Shuts one direction down, or both. Who waits for it is woken.
    ///
    /// # Errors
    /// The system's.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.duplex.io().shutdown(how)
    }
}

read_and_write!(UnixStream);
lends_descriptor!(UnixStream, self => self.duplex.io());

impl fmt::Debug for UnixStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.duplex.io().fmt(f)
    }
}

impl From<Async<net::UnixStream>> for UnixStream {
    fn from(stream: Async<net::UnixStream>) -> UnixStream {
        UnixStream { duplex: Duplex::new(Arc::new(stream)) }
    }
}

impl TryFrom<net::UnixStream> for UnixStream {
    type Error = io::Error;

    fn try_from(stream: net::UnixStream) -> io::Result<UnixStream> {
        Async::new(stream).map(UnixStream::from)
    }
}

impl From<UnixStream> for Arc<Async<net::UnixStream>> {
    fn from(stream: UnixStream) -> Self {
        stream.duplex.inner.clone()
    }
}
