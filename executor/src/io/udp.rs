//! UDP: [`UdpSocket`].

use super::Async;
use super::address::{AsyncToSocketAddrs, addresses, no_address};
use super::tcp::lends_descriptor;
use std::fmt;
use std::io;
use std::net::{self, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// A UDP socket. Clones share it; any number of tasks may send and receive.
///
/// A datagram that is longer than the buffer is cut off.
///
/// # Cancel safety
/// Sending and receiving: dropped before it is ready, no datagram is sent or lost.
///
/// # Examples
/// ```
/// use bastion_executor::io::UdpSocket;
///
/// bastion_executor::run(async {
///     let (a, b) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
///     a.send_to(b"ping", b.local_addr()?).await?;
///     let mut buffer = [0; 16];
///     let (length, sender) = b.recv_from(&mut buffer).await?;
///     assert_eq!((&buffer[..length], sender), (&b"ping"[..], a.local_addr()?));
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct UdpSocket {
    inner: Arc<Async<net::UdpSocket>>,
}

/// Options that std's socket has already.
macro_rules! options {
    ($($(#[$doc:meta])* $get:ident, $set:ident: $type:ty;)*) => {$(
        #[doc = "Returns"]
        $(#[$doc])*
        ///
        /// # Errors
        /// The system's.
        pub fn $get(&self) -> io::Result<$type> {
            self.inner.get_ref().$get()
        }

        #[doc = "Sets"]
        $(#[$doc])*
        ///
        /// # Errors
        /// The system's.
        pub fn $set(&self, value: $type) -> io::Result<()> {
            self.inner.get_ref().$set(value)
        }
    )*};
}

impl UdpSocket {
    /// Binds to the first of the addresses that can be had. Port 0 asks for any free port.
    ///
    /// # Errors
    /// That of the last address that was tried, or of the name.
    pub async fn bind<A: AsyncToSocketAddrs>(addr: A) -> io::Result<UdpSocket> {
        let mut failed = None;
        for address in addresses(&addr).await? {
            match net::UdpSocket::bind(address).and_then(UdpSocket::try_from) {
                Ok(socket) => return Ok(socket),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(no_address))
    }

    /// Makes the first of the addresses that can be reached the only peer: `send` sends there, and only what comes from there is
    /// received.
    ///
    /// # Errors
    /// That of the last address that was tried, or of the name.
    pub async fn connect<A: AsyncToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        let mut failed = None;
        for address in addresses(&addr).await? {
            match self.inner.get_ref().connect(address) {
                Ok(()) => return Ok(()),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(no_address))
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

    /// Receives a datagram as [`recv_from`](UdpSocket::recv_from) does, and leaves it there.
    ///
    /// # Errors
    /// The system's.
    pub async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.inner.read_with(|socket| socket.peek_from(buf)).await
    }

    /// Sends a datagram to the first of the addresses; returns its length.
    ///
    /// # Errors
    /// The system's, or that of the name.
    pub async fn send_to<A: AsyncToSocketAddrs>(&self, buf: &[u8], addr: A) -> io::Result<usize> {
        let Some(address) = addresses(&addr).await?.next() else { return Err(no_address()) };
        self.inner.write_with(|socket| socket.send_to(buf, address)).await
    }

    /// Receives a datagram from the peer; returns its length.
    ///
    /// # Errors
    /// The system's: nobody is at the peer's address (`ConnectionRefused`), for example.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.read_with(|socket| socket.recv(buf)).await
    }

    /// Receives a datagram as [`recv`](UdpSocket::recv) does, and leaves it there.
    ///
    /// # Errors
    /// The system's.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.read_with(|socket| socket.peek(buf)).await
    }

    /// Sends a datagram to the peer; returns its length.
    ///
    /// # Errors
    /// The system's: there is no peer, or nobody is at its address.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.inner.write_with(|socket| socket.send(buf)).await
    }

    options! {
        /// whether it may send to broadcast addresses (`SO_BROADCAST`).
        broadcast, set_broadcast: bool;
        /// whether this machine receives what it sends to a group itself (`IP_MULTICAST_LOOP`).
        multicast_loop_v4, set_multicast_loop_v4: bool;
        /// how many routers what it sends to a group may pass (`IP_MULTICAST_TTL`).
        multicast_ttl_v4, set_multicast_ttl_v4: u32;
        /// whether this machine receives what it sends to a group itself (`IPV6_MULTICAST_LOOP`).
        multicast_loop_v6, set_multicast_loop_v6: bool;
        /// how many routers a datagram may pass (`IP_TTL`).
        ttl, set_ttl: u32;
    }

    /// Joins a group on one of this machine's interfaces; the unspecified address leaves the choice to the system.
    ///
    /// # Errors
    /// The system's.
    pub fn join_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.inner.get_ref().join_multicast_v4(&group, &interface)
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// The system's.
    pub fn leave_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.inner.get_ref().leave_multicast_v4(&group, &interface)
    }

    /// Joins a group on the interface with this number; 0 leaves the choice to the system.
    ///
    /// # Errors
    /// The system's.
    pub fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.inner.get_ref().join_multicast_v6(group, interface)
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// The system's.
    pub fn leave_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.inner.get_ref().leave_multicast_v6(group, interface)
    }
}

lends_descriptor!(UdpSocket, self => self.inner.get_ref());

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.get_ref().fmt(f)
    }
}

impl From<Async<net::UdpSocket>> for UdpSocket {
    fn from(socket: Async<net::UdpSocket>) -> UdpSocket {
        UdpSocket { inner: Arc::new(socket) }
    }
}

impl TryFrom<net::UdpSocket> for UdpSocket {
    type Error = io::Error;

    fn try_from(socket: net::UdpSocket) -> io::Result<UdpSocket> {
        Async::new(socket).map(UdpSocket::from)
    }
}

impl From<UdpSocket> for Arc<Async<net::UdpSocket>> {
    fn from(socket: UdpSocket) -> Self {
        socket.inner
    }
}
