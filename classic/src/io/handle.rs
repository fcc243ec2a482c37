//! [`Handle`]: reading and writing. What sockets of each kind can do besides is in `net` and `unix`.

mod net;
#[cfg(unix)]
mod unix;

use super::object::Object;
use bastion_executor::io::{Async, AsyncRead, AsyncWrite, Pollable};
use futures_lite::AsyncSeek;
use std::fmt;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, SeekFrom, Write};
use std::net::TcpStream;
use std::ops::Deref;
#[cfg(unix)]
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A socket or file of std whose operations are waited for, instead of blocking the thread.
///
/// It is made by `Handle::<TcpListener>::bind`, `Handle::<TcpStream>::connect` and the like, or by [`new`](Handle::new) of what there is.
/// What std's object can do that does not wait (`local_addr`, `set_nodelay`) the handle can too.
///
/// A socket is read and written through `&mut Handle` and `&Handle`, a file through `&mut Handle`; what was written to a file is there when it was
/// flushed.
///
/// # Examples
/// ```
/// use bastion_classic::io::{self, AsyncReadExt, AsyncWriteExt, Handle, drive, spawn};
/// use std::net::{TcpListener, TcpStream};
///
/// drive(async {
///     let listener = Handle::<TcpListener>::bind("127.0.0.1:0")?;
///     let address = listener.get_ref().local_addr()?;
///     let server = spawn(async move {
///         let (stream, _) = listener.accept().await?;
///         io::copy(&stream, &mut &stream).await
///     });
///     let mut stream = Handle::<TcpStream>::connect(address).await?;
///     stream.write_all(b"hello").await?;
///     stream.shutdown(std::net::Shutdown::Write)?;
///     let mut echo = String::new();
///     stream.read_to_string(&mut echo).await?;
///     assert_eq!((&*echo, server.await?), ("hello", 5));
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub struct Handle<T: Object>(T::Waiting);

impl<T: Object> Handle<T> {
    /// Makes one of an object that there is. It is non-blocking from now on, if it is a socket.
    ///
    /// # Errors
    /// The system's: the object cannot be watched, or too many are.
    pub fn new(io: T) -> io::Result<Handle<T>> {
        io.waited_for().map(Handle)
    }

    /// Returns the object. Its own operations do not block: they say [`WouldBlock`](io::ErrorKind::WouldBlock).
    pub fn get_ref(&self) -> &T {
        T::object(&self.0)
    }

    /// Returns the object, which nobody waits for any more. A socket stays non-blocking.
    pub fn into_inner(self) -> T {
        T::taken_out(self.0)
    }
}

impl<T: Object> Deref for Handle<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.get_ref()
    }
}

impl<T: Object + fmt::Debug> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(self.get_ref()).finish()
    }
}

#[cfg(unix)]
impl<T: Object + AsRawFd> AsRawFd for Handle<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.get_ref().as_raw_fd()
    }
}

#[cfg(unix)]
impl<T: Object + IntoRawFd> IntoRawFd for Handle<T> {
    fn into_raw_fd(self) -> RawFd {
        self.into_inner().into_raw_fd()
    }
}

impl<T> AsyncRead for &Handle<T>
where
    T: Object<Waiting = Arc<Async<T>>> + Pollable,
    for<'a> &'a T: Read,
{
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self.0).poll_read(cx, buf)
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self.0).poll_read_vectored(cx, bufs)
    }
}

impl<T> AsyncWrite for &Handle<T>
where
    T: Object<Waiting = Arc<Async<T>>> + Pollable,
    for<'a> &'a T: Write,
{
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self.0).poll_write_vectored(cx, bufs)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self.0).poll_flush(cx)
    }

    /// Flushes. What closes a direction is `shutdown`, or the handle's drop.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

/// What a reference to the handle does, or the part of it that the threads work on, the handle does.
macro_rules! by_value {
    ($object:ty, $handle:ident => $to:expr) => {
        impl AsyncRead for Handle<$object> {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                let $handle = self.get_mut();
                Pin::new(&mut $to).poll_read(cx, buf)
            }
        }

        impl AsyncWrite for Handle<$object> {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                let $handle = self.get_mut();
                Pin::new(&mut $to).poll_write(cx, buf)
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                let $handle = self.get_mut();
                Pin::new(&mut $to).poll_flush(cx)
            }

            fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                let $handle = self.get_mut();
                Pin::new(&mut $to).poll_close(cx)
            }
        }
    };
}

by_value!(TcpStream, handle => &*handle);
#[cfg(unix)]
by_value!(UnixStream, handle => &*handle);
by_value!(File, handle => handle.0.io);

impl AsyncSeek for Handle<File> {
    fn poll_seek(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        position: SeekFrom,
    ) -> Poll<io::Result<u64>> {
        Pin::new(&mut self.0.io).poll_seek(cx, position)
    }
}
