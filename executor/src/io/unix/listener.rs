//! [`UnixListener`].

use super::UnixStream;
use crate::io::Async;
use crate::io::tcp::lends_descriptor;
use crate::reactor::{Side, Token};
use futures_lite::Stream;
use std::fmt;
use std::io;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A socket that accepts connections of the same machine. Clones share it; any number of tasks may accept.
///
/// # Examples
/// ```
/// use bastion_executor::io::unix::{UnixListener, UnixStream};
/// use bastion_executor::io::{AsyncReadExt, AsyncWriteExt};
/// use bastion_executor::{run, spawn};
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("socket");
/// run(async {
///     let listener = UnixListener::bind(&path)?;
///     spawn(async move { listener.accept().await?.0.write_all(b"welcome").await }).detach();
///     let mut text = String::new();
///     UnixStream::connect(&path).await?.read_to_string(&mut text).await?;
///     assert_eq!(text, "welcome");
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct UnixListener {
    inner: Arc<Async<net::UnixListener>>,
}

impl UnixListener {
    /// Listens at a path, which must not exist, and which is left there when the listener ends.
    ///
    /// # Errors
    /// `AddrInUse` when the path exists; the system's others.
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixListener> {
        UnixListener::try_from(net::UnixListener::bind(path)?)
    }

    /// Accepts a connection.
    ///
    /// # Errors
    /// No descriptors are left (`EMFILE`, `ENFILE`): wait a little before accepting again then, because the error comes back at once
    /// as long as connections wait. The listener is whole after every error.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, no connection is lost.
    pub async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (stream, peer) = self.inner.read_with(net::UnixListener::accept).await?;
        Ok((UnixStream::try_from(stream)?, peer))
    }

    /// Returns the connections as an endless stream.
    pub fn incoming(&self) -> UnixIncoming<'_> {
        UnixIncoming { listener: self, token: Token::default() }
    }

    /// Returns the address that it listens on.
    ///
    /// # Errors
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.get_ref().local_addr()
    }
}

lends_descriptor!(UnixListener, self => self.inner.get_ref());

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.get_ref().fmt(f)
    }
}

impl From<Async<net::UnixListener>> for UnixListener {
    fn from(listener: Async<net::UnixListener>) -> UnixListener {
        UnixListener { inner: Arc::new(listener) }
    }
}

impl TryFrom<net::UnixListener> for UnixListener {
    type Error = io::Error;

    fn try_from(listener: net::UnixListener) -> io::Result<UnixListener> {
        Async::new(listener).map(UnixListener::from)
    }
}

impl From<UnixListener> for Arc<Async<net::UnixListener>> {
    fn from(listener: UnixListener) -> Self {
        listener.inner
    }
}

/// The connections of a [`UnixListener`], one after the other, without end. Its errors are those of [`UnixListener::accept`].
#[must_use = "streams do nothing unless polled"]
pub struct UnixIncoming<'a> {
    listener: &'a UnixListener,
    token: Token,
}

impl Stream for UnixIncoming<'_> {
    type Item = io::Result<UnixStream>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let UnixIncoming { listener, token } = &mut *self;
        let source = &listener.inner.source;
        let accepted = source.poll(Side::Read, Some(token), cx, net::UnixListener::accept);
        accepted.map(|accepted| Some(accepted.and_then(|(stream, _)| UnixStream::try_from(stream))))
    }
}

impl Drop for UnixIncoming<'_> {
    fn drop(&mut self) {
        self.listener.inner.source.forget(Side::Read, &mut self.token);
    }
}

impl fmt::Debug for UnixIncoming<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnixIncoming").field(self.listener).finish()
    }
}
