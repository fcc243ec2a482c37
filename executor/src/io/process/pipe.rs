//! The ends of a program's pipes that are ours.

use crate::io::{Async, AsyncRead, AsyncWrite};
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, PipeReader, PipeWriter};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::process::{self, Stdio};
use std::task::{Context, Poll};

/// What the program reads as its standard input. Dropping it is the end of that input.
pub struct ChildStdin(Async<PipeWriter>);

/// What the program has written to its standard output.
pub struct ChildStdout(Async<PipeReader>);

/// What the program has written to its standard error.
pub struct ChildStderr(Async<PipeReader>);

impl AsyncWrite for ChildStdin {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    /// Does nothing: nothing is kept back.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Does nothing: the input ends when this is dropped.
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What the three have in common.
macro_rules! pipe {
    ($name:ident, $pipe:ident) => {
        impl $name {
            pub(super) fn new(pipe: process::$name) -> io::Result<$name> {
                Ok($name(Async::new($pipe::from(OwnedFd::from(pipe)))?))
            }

            /// Makes it the standard input, output or error of another program.
            ///
            /// # Errors
            /// The system's.
            pub fn into_stdio(self) -> io::Result<Stdio> {
                let pipe = self.0.into_inner()?;
                // Most programs cannot deal with one that does not block.
                rustix::io::ioctl_fionbio(&pipe, false)?;
                Ok(pipe.into())
            }
        }

        impl AsFd for $name {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.0.as_fd()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(self.0.get_ref()).finish()
            }
        }
    };
}

pipe!(ChildStdin, PipeWriter);
pipe!(ChildStdout, PipeReader);
pipe!(ChildStderr, PipeReader);

macro_rules! reads {
    ($name:ident) => {
        impl AsyncRead for $name {
            fn poll_read(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.0).poll_read(cx, buf)
            }

            fn poll_read_vectored(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &mut [IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.0).poll_read_vectored(cx, bufs)
            }
        }
    };
}

reads!(ChildStdout);
reads!(ChildStderr);
