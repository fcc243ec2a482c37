//! Sockets that are made here, because std would block (connecting) or does not ask (how many connections may wait).

use super::Async;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::addr::SocketAddrArg;
use rustix::net::{self as system, AddressFamily, SocketType};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;

/// How many connections may wait to be accepted; the system may allow fewer.
const BACKLOG: i32 = 1024;

/// Makes a listening socket.
pub(super) fn listen(address: SocketAddr) -> io::Result<Async<TcpListener>> {
    let socket = socket(family(address))?;
    // As std does: a server that is started again must not wait for the connections of the old one to fade. On Windows the option
    // would let another program take the address over.
    #[cfg(not(windows))]
    system::sockopt::set_socket_reuseaddr(&socket, true)?;
    system::bind(&socket, &address)?;
    system::listen(&socket, BACKLOG)?;
    Async::new_nonblocking(TcpListener::from(socket))
}

/// Connects.
///
/// # Cancel safety
/// Dropped before it is ready, the connection is given up.
pub(super) async fn connect(address: SocketAddr) -> io::Result<Async<TcpStream>> {
    let socket = begin(socket(family(address))?, &address)?;
    // Registered after the call: before it, the socket would be reported as hung up.
    let stream = Async::new_nonblocking(TcpStream::from(socket))?;
    stream.write_with(|stream| ended(stream.take_error(), || stream.peer_addr())).await?;
    Ok(stream)
}

/// Connects to a path.
#[cfg(unix)]
pub(super) async fn connect_path(path: &std::path::Path) -> io::Result<Async<UnixStream>> {
    let address = system::SocketAddrUnix::new(path)?;
    let socket = begin(socket(AddressFamily::UNIX)?, &address)?;
    let stream = Async::new_nonblocking(UnixStream::from(socket))?;
    stream.write_with(|stream| ended(stream.take_error(), || stream.peer_addr())).await?;
    Ok(stream)
}

/// Begins to connect.
fn begin(socket: OwnedFd, address: &impl SocketAddrArg) -> io::Result<OwnedFd> {
    match system::connect(&socket, address) {
        // INTR: it goes on all the same.
        Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => Ok(socket),
        // Windows says so of a connection that has begun, others of a listener's queue that is full.
        #[cfg(windows)]
        Err(Errno::WOULDBLOCK) => Ok(socket),
        Err(error) => Err(error.into()),
    }
}

/// Says how an attempt to connect has ended, or `WouldBlock`: by its error, else by its peer.
fn ended<A>(
    error: io::Result<Option<io::Error>>,
    peer: impl FnOnce() -> io::Result<A>,
) -> io::Result<()> {
    if let Some(error) = error? {
        return Err(error);
    }
    match peer() {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        Err(error) => Err(error),
    }
}

fn family(address: SocketAddr) -> AddressFamily {
    match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    }
}

/// Makes a socket that does not block and that other programs do not inherit.
#[cfg(not(any(target_vendor = "apple", windows)))]
fn socket(family: AddressFamily) -> io::Result<OwnedFd> {
    let flags = system::SocketFlags::CLOEXEC | system::SocketFlags::NONBLOCK;
    Ok(system::socket_with(family, SocketType::STREAM, flags, None)?)
}

/// Makes a socket that does not block and that other programs do not inherit.
#[cfg(any(target_vendor = "apple", windows))]
fn socket(family: AddressFamily) -> io::Result<OwnedFd> {
    #[cfg(windows)]
    system::wsa_startup()?;
    let socket = system::socket(family, SocketType::STREAM, None)?;
    #[cfg(target_vendor = "apple")]
    {
        rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
        // std counts on it for its own sockets.
        system::sockopt::set_socket_nosigpipe(&socket, true)?;
    }
    rustix::io::ioctl_fionbio(&socket, true)?;
    Ok(socket)
}
