//! What handles of TCP and UDP sockets can do.

use super::Handle;
use bastion_executor::io as executor;
use futures_lite::Stream;
use futures_lite::stream::poll_fn;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

impl Handle<TcpListener> {
    /// Listens at the first of the addresses that can be had.
    ///
    /// # Errors
    /// The system's.
    pub fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<Handle<TcpListener>> {
        Handle::new(TcpListener::bind(addr)?)
    }

    /// Waits for the next connection.
    ///
    /// # Errors
    /// The system's.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it has taken no connection.
    pub async fn accept(&self) -> io::Result<(Handle<TcpStream>, SocketAddr)> {
        let (stream, from) = self.0.read_with(TcpListener::accept).await?;
        Ok((Handle::new(stream)?, from))
    }

    /// The connections, one after the other, without end.
    pub fn incoming(
        &self,
    ) -> impl Stream<Item = io::Result<Handle<TcpStream>>> + Send + Unpin + '_ {
        poll_fn(|cx| {
            let accepted = self.0.poll_read_with(cx, TcpListener::accept);
            accepted.map(|accepted| Some(accepted.and_then(|(stream, _)| Handle::new(stream))))
        })
    }
}

impl Handle<TcpStream> {
    /// Connects to the first of the addresses that answers. A name is looked up on the calling thread, which that blocks:
    /// [`resolve`](crate::io::resolve) does not.
    ///
    /// # Errors
    /// That of the last address that was tried, or of the name.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the attempt is given up.
    pub async fn connect<A: ToSocketAddrs>(sock_addrs: A) -> io::Result<Handle<TcpStream>> {
        let addresses: Vec<SocketAddr> = sock_addrs.to_socket_addrs()?.collect();
        let stream = executor::TcpStream::connect(&*addresses).await?;
        Ok(Handle(stream.into()))
    }

    /// Writes some bytes, and returns how many.
    ///
    /// # Errors
    /// The system's.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it has written nothing.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.write_with(|mut stream| stream.write(buf)).await
    }

    /// Reads some bytes, and returns how many: none at the end.
    ///
    /// # Errors
    /// The system's.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it has read nothing.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read_with(|mut stream| stream.read(buf)).await
    }

    /// Reads some bytes, which will be read again.
    ///
    /// # Errors
    /// The system's.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read_with(|stream| stream.peek(buf)).await
    }
}

/// # Cancel safety
/// Dropped before they are ready, the operations have sent and received nothing.
impl Handle<UdpSocket> {
    /// Binds a socket to the first of the addresses that can be had.
    ///
    /// # Errors
    /// The system's.
    pub fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<Handle<UdpSocket>> {
        Handle::new(UdpSocket::bind(addr)?)
    }

    /// Makes a socket that sends to the first of the addresses that can be reached, and receives from there. A name is looked up on the calling thread.
    ///
    /// # Errors
    /// That of the last address that was tried, or of the name.
    pub async fn connect<A: ToSocketAddrs>(sock_addrs: A) -> io::Result<Handle<UdpSocket>> {
        let mut failed = io::Error::new(io::ErrorKind::InvalidInput, "the name has no address");
        for address in sock_addrs.to_socket_addrs()? {
            match connected(address) {
                Ok(socket) => return Handle::new(socket),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    /// Sends to where the socket is connected.
    ///
    /// # Errors
    /// The system's.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.write_with(|socket| socket.send(buf)).await
    }

    /// Receives from where the socket is connected.
    ///
    /// # Errors
    /// The system's.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read_with(|socket| socket.recv(buf)).await
    }

    /// Receives what will be received again.
    ///
    /// # Errors
    /// The system's.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read_with(|socket| socket.peek(buf)).await
    }

    /// Sends to the first of the addresses.
    ///
    /// # Errors
    /// The system's, or that of the name.
    pub async fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], addr: A) -> io::Result<usize> {
        let no_address = || io::Error::new(io::ErrorKind::InvalidInput, "the name has no address");
        let address = addr.to_socket_addrs()?.next().ok_or_else(no_address)?;
        self.0.write_with(|socket| socket.send_to(buf, address)).await
    }

    /// Receives, and returns from whom.
    ///
    /// # Errors
    /// The system's.
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.read_with(|socket| socket.recv_from(buf)).await
    }

    /// Receives what will be received again, and returns from whom.
    ///
    /// # Errors
    /// The system's.
    pub async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.read_with(|socket| socket.peek_from(buf)).await
    }
}

fn connected(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?,
        SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?,
    };
    socket.connect(address)?;
    Ok(socket)
}
