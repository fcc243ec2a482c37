//! [`Async`]: waiting for any object with a descriptor.

use super::{AsyncRead, AsyncWrite};
use crate::reactor::{Pollable, Reactor, Side, Source, Token};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

/// An object with a file descriptor (on Windows: a socket) whose operations are waited for instead of blocking the thread.
///
/// For objects that the system can watch: sockets, pipes, terminals, `timerfd` and the like, but not files. The object is made
/// non-blocking, and stays so when it is taken out again; that concerns everybody who shares the open file, as a program
/// shares its standard input with its shell.
///
/// Reading and writing work on `Async<T>` and on `&Async<T>` if `&T` can be read and written.
///
/// # Examples
/// ```
/// # #[cfg(unix)] {
/// use bastion_executor::io::{Async, AsyncReadExt, AsyncWriteExt};
///
/// bastion_executor::run(async {
///     let (reader, writer) = std::io::pipe()?;
///     let (mut reader, mut writer) = (Async::new(reader)?, Async::new(writer)?);
///     writer.write_all(b"through a pipe").await?;
///     drop(writer);
///     let mut text = String::new();
///     reader.read_to_string(&mut text).await?;
///     assert_eq!(text, "through a pipe");
///     std::io::Result::Ok(())
/// })?;
/// # }
/// # std::io::Result::Ok(())
/// ```
pub struct Async<T> {
    pub(super) source: Source<T>,
}

impl<T: Pollable> Async<T> {
    /// Makes the object non-blocking and registers it with the reactor.
    ///
    /// # Errors
    /// The system's: the object cannot be watched (a file), or is watched already, or too many are.
    pub fn new(io: T) -> io::Result<Async<T>> {
        rustix::io::ioctl_fionbio(io.as_fd(), true)?;
        Async::new_nonblocking(io)
    }

    /// Registers an object that is non-blocking already. One that is not blocks its thread in every operation.
    ///
    /// # Errors
    /// As [`Async::new`].
    pub fn new_nonblocking(io: T) -> io::Result<Async<T>> {
        Ok(Async { source: Source::new(Reactor::get()?, io)? })
    }

    /// Takes the object out of the reactor.
    ///
    /// # Errors
    /// None at present.
    pub fn into_inner(self) -> io::Result<T> {
        Ok(self.source.into_inner())
    }

    /// Waits until a read would not block. It asks the system, so another reader may still be faster.
    ///
    /// # Errors
    /// The system's. An object that has failed is readable: the read tells why.
    pub async fn readable(&self) -> io::Result<()> {
        self.read_with(|io| level(io, PollFlags::IN)).await
    }

    /// Waits until a write would not block. It asks the system, so another writer may still be faster.
    ///
    /// # Errors
    /// The system's. An object that has failed is writable: the write tells why.
    pub async fn writable(&self) -> io::Result<()> {
        self.write_with(|io| level(io, PollFlags::OUT)).await
    }

    /// Tries a reading operation until it does not say [`WouldBlock`](io::ErrorKind::WouldBlock).
    ///
    /// The operation may say so only if the system has said so to it, because then the system also tells when to try
    /// again. It is tried again too when it was [`Interrupted`](io::ErrorKind::Interrupted).
    ///
    /// # Errors
    /// Those of the operation.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, no operation has succeeded.
    pub async fn read_with<R>(&self, op: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        self.wait_with(Side::Read, op).await
    }

    /// Tries a writing operation until it does not say [`WouldBlock`](io::ErrorKind::WouldBlock), as [`Async::read_with`]
    /// does for reading.
    ///
    /// # Errors
    /// Those of the operation.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, no operation has succeeded.
    pub async fn write_with<R>(&self, op: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        self.wait_with(Side::Write, op).await
    }

    /// Polls for [`Async::readable`]. Every task that polls is woken by the next event; its waker is kept until then.
    ///
    /// # Errors
    /// As [`Async::readable`].
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_read_with(cx, |io| level(io, PollFlags::IN))
    }

    /// Polls for [`Async::writable`]. Every task that polls is woken by the next event; its waker is kept until then.
    ///
    /// # Errors
    /// As [`Async::writable`].
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_write_with(cx, |io| level(io, PollFlags::OUT))
    }

    /// Polls for [`Async::read_with`]. Every task that polls is woken by the next event; its waker is kept until then.
    ///
    /// # Errors
    /// Those of the operation.
    pub fn poll_read_with<R>(
        &self,
        cx: &mut Context<'_>,
        op: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.source.poll(Side::Read, None, cx, op)
    }

    /// Polls for [`Async::write_with`]. Every task that polls is woken by the next event; its waker is kept until then.
    ///
    /// # Errors
    /// Those of the operation.
    pub fn poll_write_with<R>(
        &self,
        cx: &mut Context<'_>,
        op: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.source.poll(Side::Write, None, cx, op)
    }

    async fn wait_with<R>(
        &self,
        side: Side,
        mut op: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        let mut wait = Wait { source: &self.source, side, token: Token::default() };
        poll_fn(|cx| wait.source.poll(side, Some(&mut wait.token), cx, &mut op)).await
    }
}

impl<T> Async<T> {
    /// Returns the object. Its operations do not block; they say [`WouldBlock`](io::ErrorKind::WouldBlock).
    pub fn get_ref(&self) -> &T {
        self.source.io()
    }
}

/// One that waits. Its waker leaves with it.
struct Wait<'a, T> {
    source: &'a Source<T>,
    side: Side,
    token: Token,
}

impl<T> Drop for Wait<'_, T> {
    fn drop(&mut self) {
        self.source.forget(self.side, &mut self.token);
    }
}

/// Asks the system whether the object is ready, or has failed.
fn level(io: &impl AsFd, flags: PollFlags) -> io::Result<()> {
    let fd = io.as_fd();
    match poll(&mut [PollFd::new(&fd, flags)], Some(&Timespec::default()))? {
        0 => Err(io::ErrorKind::WouldBlock.into()),
        _ => Ok(()),
    }
}

impl<T: fmt::Debug> fmt::Debug for Async<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Async").field(self.get_ref()).finish()
    }
}

#[cfg(unix)]
impl<T: AsFd> AsFd for Async<T> {
    fn as_fd(&self) -> rustix::fd::BorrowedFd<'_> {
        self.get_ref().as_fd()
    }
}

#[cfg(windows)]
impl<T: rustix::fd::AsSocket> rustix::fd::AsSocket for Async<T> {
    fn as_socket(&self) -> rustix::fd::BorrowedFd<'_> {
        self.get_ref().as_socket()
    }
}

impl<T: Pollable> AsyncRead for &Async<T>
where
    for<'a> &'a T: Read,
{
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_read_with(cx, |mut io| io.read(buf))
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_read_with(cx, |mut io| io.read_vectored(bufs))
    }
}

impl<T: Pollable> AsyncWrite for &Async<T>
where
    for<'a> &'a T: Write,
{
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |mut io| io.write(buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |mut io| io.write_vectored(bufs))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_write_with(cx, |mut io| io.flush())
    }

    /// Flushes. What closes an end of the object is its own business (`shutdown`), or its drop.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl<T: Pollable> AsyncRead for Async<T>
where
    for<'a> &'a T: Read,
{
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_read(cx, buf)
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_read_vectored(cx, bufs)
    }
}

impl<T: Pollable> AsyncWrite for Async<T>
where
    for<'a> &'a T: Write,
{
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write_vectored(cx, bufs)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_close(cx)
    }
}
