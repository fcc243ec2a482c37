//! [`UnixDatagram`].

use crate::io::Async;
use crate::io::tcp::lends_descriptor;
use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;
use std::sync::Arc;

/// A socket for datagrams between programs of one machine. Clones share it; any number of tasks may send and receive.
///
/// A datagram that is longer than the buffer is cut off.
///
/// # Cancel safety
/// Sending and receiving: dropped before it is ready, no datagram is sent or lost.
///
/// # Examples
/// ```
/// use bastion_executor::io::unix::UnixDatagram;
///
/// bastion_executor::run(async {
///     let (a, b) = UnixDatagram::pair()?;
///     a.send(b"ping").await?;
///     let mut buffer = [0; 16];
///     assert_eq!(b.recv(&mut buffer).await?, 4);
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct UnixDatagram {
    inner: Arc<Async<net::UnixDatagram>>,
}

impl UnixDatagram {
    /// Makes a socket at a path, which must not exist, and which is left there when the socket ends.
    ///
    /// # Errors
    /// `AddrInUse` when the path exists; the system's others.
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixDatagram> {
        UnixDatagram::try_from(net::UnixDatagram::bind(path)?)
    }

    /// Makes a socket without a path: nobody can answer it.
    ///
    /// # Errors
    /// The system's.
    pub fn unbound() -> io::Result<UnixDatagram> {
        UnixDatagram::try_from(net::UnixDatagram::unbound()?)
    }

    /// Makes two sockets that are connected to each other.
    ///
    /// # Errors
    /// The system's.
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (a, b) = net::UnixDatagram::pair()?;
        Ok((UnixDatagram::try_from(a)?, UnixDatagram::try_from(b)?))
    }

    /// Makes the socket at a path the peer that `send` sends to.
    ///
    /// # Errors
    /// The system's.
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        self.inner.get_ref().connect(path)
    }

    /// Returns the address of this socket.
    ///
    /// # Errors
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.get_ref().local_addr()
    }

    /// Returns the address of the peer.
    ///
    /// # Errors
    /// `NotConnected` when there is none.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.get_ref().peer_addr()
    }

    /// Receives a datagram; returns its length and its sender.
    ///
    /// # Errors
    /// The system's.
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.inner.read_with(|socket| socket.recv_from(buf)).await
    }

    /// Sends a datagram to the socket at a path; returns its length.
    ///
    /// It waits for room in this socket. Whether the receiver's queue being full is waited for too is up to the system: Linux tells of
    /// its end only between sockets that are connected.
    ///
    /// # Errors
    /// The system's.
    pub async fn send_to<P: AsRef<Path>>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        self.inner.write_with(|socket| socket.send_to(buf, &path)).await
    }

    /// Receives a datagram from the peer; returns its length.
    ///
    /// # Errors
    /// The system's.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.read_with(|socket| socket.recv(buf)).await
    }

    /// Sends a datagram to the peer; returns its length.
    ///
    /// # Errors
    /// The system's: there is no peer, or it has gone.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.inner.write_with(|socket| socket.send(buf)).await
    }

    /// Shuts one direction down, or both. Who waits for it is woken.
    ///
    /// # Errors
    /// The system's.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.inner.get_ref().shutdown(how)
    }
}

lends_descriptor!(UnixDatagram, self => self.inner.get_ref());

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.get_ref().fmt(f)
    }
}

impl From<Async<net::UnixDatagram>> for UnixDatagram {
    fn from(socket: Async<net::UnixDatagram>) -> UnixDatagram {
        UnixDatagram { inner: Arc::new(socket) }
    }
}

impl TryFrom<net::UnixDatagram> for UnixDatagram {
    type Error = io::Error;

    fn try_from(socket: net::UnixDatagram) -> io::Result<UnixDatagram> {
        Async::new(socket).map(UnixDatagram::from)
    }
}

impl From<UnixDatagram> for Arc<Async<net::UnixDatagram>> {
    fn from(socket: UnixDatagram) -> Self {
        socket.inner
    }
}
