//! What handles of the sockets of one machine can do.
//!
//! Not there: `peek` and `peek_from`, which std has not made stable for them.

use super::Handle;
use bastion_executor::io::unix as executor;
use futures_lite::Stream;
use futures_lite::stream::poll_fn;
use std::io::{self, Read, Write};
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::path::Path;

impl Handle<UnixListener> {
    /// Listens at a path, which must not exist.
    ///
    /// # Errors
    /// The system's.
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<Handle<UnixListener>> {
        Handle::new(UnixListener::bind(path)?)
    }

    /// Waits for the next connection.
    ///
    /// # Errors
    /// The system's.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it has taken no connection.
    pub async fn accept(&self) -> io::Result<(Handle<UnixStream>, SocketAddr)> {
        let (stream, from) = self.0.read_with(UnixListener::accept).await?;
        Ok((Handle::new(stream)?, from))
    }

    /// The connections, one after the other, without end.
    pub fn incoming(
        &self,
    ) -> impl Stream<Item = io::Result<Handle<UnixStream>>> + Send + Unpin + '_ {
        poll_fn(|cx| {
            let accepted = self.0.poll_read_with(cx, UnixListener::accept);
            accepted.map(|accepted| Some(accepted.and_then(|(stream, _)| Handle::new(stream))))
        })
    }
}

/// # Cancel safety
/// Dropped before they are ready, the operations have read and written nothing.
impl Handle<UnixStream> {
    /// Connects to whoever listens at a path.
    ///
    /// # Errors
    /// The system's.
    pub async fn connect<P: AsRef<Path>>(path: P) -> io::Result<Handle<UnixStream>> {
        Ok(Handle(executor::UnixStream::connect(path).await?.into()))
    }

    /// Makes two that are connected.
    ///
    /// # Errors
    /// The system's.
    pub fn pair() -> io::Result<(Handle<UnixStream>, Handle<UnixStream>)> {
        let (left, right) = UnixStream::pair()?;
        Ok((Handle::new(left)?, Handle::new(right)?))
    }

    /// Writes some bytes, and returns how many.
    ///
    /// # Errors
    /// The system's.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.write_with(|mut stream| stream.write(buf)).await
    }

    /// Reads some bytes, and returns how many: none at the end.
    ///
    /// # Errors
    /// The system's.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read_with(|mut stream| stream.read(buf)).await
    }
}

/// # Cancel safety
/// Dropped before they are ready, the operations have sent and received nothing.
impl Handle<UnixDatagram> {
    /// Binds a socket to a path, which must not exist.
    ///
    /// # Errors
    /// The system's.
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<Handle<UnixDatagram>> {
        Handle::new(UnixDatagram::bind(path)?)
    }

    /// Makes two that are connected.
    ///
    /// # Errors
    /// The system's.
    pub fn pair() -> io::Result<(Handle<UnixDatagram>, Handle<UnixDatagram>)> {
        let (left, right) = UnixDatagram::pair()?;
        Ok((Handle::new(left)?, Handle::new(right)?))
    }

    /// Sends to where the socket is connected.
    ///
    /// # Errors
    /// The system's.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.write_with(|socket| socket.send(buf)).await
    }

    /// Receives.
    ///
    /// # Errors
    /// The system's.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read_with(|socket| socket.recv(buf)).await
    }

    /// Sends to a path.
    ///
    /// # Errors
    /// The system's.
    pub async fn send_to<P: AsRef<Path>>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        let path = path.as_ref();
        self.0.write_with(|socket| socket.send_to(buf, path)).await
    }

    /// Receives, and returns from whom.
    ///
    /// # Errors
    /// The system's.
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.read_with(|socket| socket.recv_from(buf)).await
    }
}
