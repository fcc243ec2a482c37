//! TCP: [`TcpListener`] and [`TcpStream`].

use super::Async;
use super::address::{AsyncToSocketAddrs, addresses, no_address};
use super::connect;
use super::duplex::{Duplex, read_and_write};
use crate::reactor::{Side, Token};
use futures_lite::Stream;
use std::fmt;
use std::io;
use std::net::{self, Shutdown, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A socket that accepts TCP connections. Clones share it; any number of tasks may accept.
///
/// # Examples
/// ```
/// use bastion_executor::io::{AsyncReadExt, AsyncWriteExt, TcpListener, TcpStream};
/// use bastion_executor::{run, spawn};
///
/// run(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let address = listener.local_addr()?;
///     spawn(async move {
///         let (mut stream, _peer) = listener.accept().await?;
///         stream.write_all(b"welcome").await
///     })
///     .detach();
///     let mut text = String::new();
///     TcpStream::connect(address).await?.read_to_string(&mut text).await?;
///     assert_eq!(text, "welcome");
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct TcpListener {
    inner: Arc<Async<net::TcpListener>>,
}

impl TcpListener {
    /// Listens on the first of the addresses that can be had. Port 0 asks for any free port.
    ///
    /// Up to 1,024 connections may wait to be accepted, or as many as the system allows. The address of a listener that has ended
    /// can be had at once (except on Windows, where it is so anyway).
    ///
    /// # Errors
    /// That of the last address that was tried, or of the name.
    pub async fn bind<A: AsyncToSocketAddrs>(addr: A) -> io::Result<TcpListener> {
        let mut failed = None;
        for address in addresses(&addr).await? {
            match connect::listen(address) {
                Ok(listener) => return Ok(TcpListener { inner: Arc::new(listener) }),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(no_address))
    }

    /// Accepts a connection.
    ///
    /// # Errors
    /// Some concern one connection, and accepting again is right: the peer has given up (`ConnectionAborted`). Some stay until the
    /// program changes something: no descriptors are left (`EMFILE`, `ENFILE`). Wait a little before accepting again then, because the
    /// error comes back at once as long as connections wait. The listener is whole after every error.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, no connection is lost.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = self.inner.read_with(net::TcpListener::accept).await?;
        Ok((TcpStream::try_from(stream)?, peer))
    }

    /// Returns the connections as an endless stream.
    pub fn incoming(&self) -> TcpIncoming<'_> {
        TcpIncoming { listener: self, token: Token::default() }
    }

    /// Returns the address that it listens on.
    ///
    /// # Errors
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.get_ref().local_addr()
    }

    /// Returns how many routers a packet may pass (`IP_TTL`).
    ///
    /// # Errors
    /// The system's.
    pub fn ttl(&self) -> io::Result<u32> {
        self.inner.get_ref().ttl()
    }

    /// Sets how many routers a packet may pass (`IP_TTL`).
    ///
    /// # Errors
    /// The system's.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.inner.get_ref().set_ttl(ttl)
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.get_ref().fmt(f)
    }
}

impl From<Async<net::TcpListener>> for TcpListener {
    fn from(listener: Async<net::TcpListener>) -> TcpListener {
        TcpListener { inner: Arc::new(listener) }
    }
}

impl TryFrom<net::TcpListener> for TcpListener {
    type Error = io::Error;

    fn try_from(listener: net::TcpListener) -> io::Result<TcpListener> {
        Async::new(listener).map(TcpListener::from)
    }
}

impl From<TcpListener> for Arc<Async<net::TcpListener>> {
    fn from(listener: TcpListener) -> Self {
        listener.inner
    }
}

/// The connections of a [`TcpListener`], one after the other, without end. Its errors are those of [`TcpListener::accept`].
#[must_use = "streams do nothing unless polled"]
pub struct TcpIncoming<'a> {
    listener: &'a TcpListener,
    token: Token,
}

impl Stream for TcpIncoming<'_> {
    type Item = io::Result<TcpStream>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let TcpIncoming { listener, token } = &mut *self;
        let source = &listener.inner.source;
        let accepted = source.poll(Side::Read, Some(token), cx, net::TcpListener::accept);
        accepted.map(|accepted| Some(accepted.and_then(|(stream, _)| TcpStream::try_from(stream))))
    }
}

impl Drop for TcpIncoming<'_> {
    fn drop(&mut self) {
        self.listener.inner.source.forget(Side::Read, &mut self.token);
    }
}

impl fmt::Debug for TcpIncoming<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TcpIncoming").field(self.listener).finish()
    }
}

/// A TCP connection. Clones share it: one may read while another writes.
///
/// It ends when its last clone is dropped. [`close`](super::AsyncWriteExt::close) shuts the writing direction down, as
/// [`shutdown`](TcpStream::shutdown) can.
///
/// # Cancel safety
/// A read or write that is dropped before it is ready has moved no byte.
///
/// # Examples
/// See [`TcpListener`].
#[derive(Clone)]
pub struct TcpStream {
    duplex: Duplex<net::TcpStream>,
}

impl TcpStream {
    /// Connects to the first of the addresses that answers; each is tried in its turn.
    ///
    /// # Errors
    /// That of the last address that was tried, or of the name.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the attempt is given up.
    pub async fn connect<A: AsyncToSocketAddrs>(addr: A) -> io::Result<TcpStream> {
        let mut failed = None;
        for address in addresses(&addr).await? {
            match connect::connect(address).await {
                Ok(stream) => return Ok(TcpStream::from(stream)),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(no_address))
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
    /// The system's: the connection has been reset, for example.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.duplex.io().peer_addr()
    }

    /// Shuts one direction down, or both. Who waits for it is woken.
    ///
    /// # Errors
    /// The system's: there is no connection any more, for example.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.duplex.io().shutdown(how)
    }

    /// Reads without taking what was read away.
    ///
    /// # Errors
    /// The system's.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.duplex.inner.read_with(|stream| stream.peek(buf)).await
    }

    /// Returns whether small packets are sent at once (`TCP_NODELAY`). By default the system may collect them.
    ///
    /// # Errors
    /// The system's.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.duplex.io().nodelay()
    }

    /// Sets whether small packets are sent at once (`TCP_NODELAY`).
    ///
    /// # Errors
    /// The system's.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.duplex.io().set_nodelay(nodelay)
    }

    /// Returns how many routers a packet may pass (`IP_TTL`).
    ///
    /// # Errors
    /// The system's.
    pub fn ttl(&self) -> io::Result<u32> {
        self.duplex.io().ttl()
    }

    /// Sets how many routers a packet may pass (`IP_TTL`).
    ///
    /// # Errors
    /// The system's.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.duplex.io().set_ttl(ttl)
    }
}

read_and_write!(TcpStream);

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.duplex.io().fmt(f)
    }
}

impl From<Async<net::TcpStream>> for TcpStream {
    fn from(stream: Async<net::TcpStream>) -> TcpStream {
        TcpStream { duplex: Duplex::new(Arc::new(stream)) }
    }
}

impl TryFrom<net::TcpStream> for TcpStream {
    type Error = io::Error;

    fn try_from(stream: net::TcpStream) -> io::Result<TcpStream> {
        Async::new(stream).map(TcpStream::from)
    }
}

impl From<TcpStream> for Arc<Async<net::TcpStream>> {
    fn from(stream: TcpStream) -> Self {
        stream.duplex.inner.clone()
    }
}

/// Lends the descriptor of a socket.
macro_rules! lends_descriptor {
    ($socket:ty, $self:ident => $inner:expr) => {
        #[cfg(unix)]
        impl ::std::os::fd::AsFd for $socket {
            fn as_fd(&$self) -> ::std::os::fd::BorrowedFd<'_> {
                $inner.as_fd()
            }
        }

        #[cfg(unix)]
        impl ::std::os::fd::AsRawFd for $socket {
            fn as_raw_fd(&$self) -> ::std::os::fd::RawFd {
                $inner.as_raw_fd()
            }
        }

        #[cfg(windows)]
        impl ::std::os::windows::io::AsSocket for $socket {
            fn as_socket(&$self) -> ::std::os::windows::io::BorrowedSocket<'_> {
                $inner.as_socket()
            }
        }
    };
}

lends_descriptor!(TcpListener, self => self.inner.get_ref());
lends_descriptor!(TcpStream, self => self.duplex.io());

pub(super) use lends_descriptor;
