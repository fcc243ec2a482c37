//! What TCP and Unix streams have in common: a shared object, and the places of this handle's reader and writer.

use super::Async;
use crate::reactor::{Pollable, Side, Token};
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::sync::Arc;
use std::task::{Context, Poll};

/// One handle of a stream.
pub(super) struct Duplex<T> {
    pub(super) inner: Arc<Async<T>>,
    reader: Token,
    writer: Token,
}

impl<T: Pollable> Duplex<T>
where
    for<'a> &'a T: Read + Write,
{
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let token = Some(&mut self.reader);
        self.inner.source.poll(Side::Read, token, cx, |mut io| io.read(buf))
    }

    pub(super) fn poll_read_vectored(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let token = Some(&mut self.reader);
        self.inner.source.poll(Side::Read, token, cx, |mut io| io.read_vectored(bufs))
    }

    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let token = Some(&mut self.writer);
        self.inner.source.poll(Side::Write, token, cx, |mut io| io.write(buf))
    }

    pub(super) fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let token = Some(&mut self.writer);
        self.inner.source.poll(Side::Write, token, cx, |mut io| io.write_vectored(bufs))
    }
}

impl<T> Duplex<T> {
    pub(super) fn new(inner: Arc<Async<T>>) -> Duplex<T> {
        Duplex { inner, reader: Token::default(), writer: Token::default() }
    }

    pub(super) fn io(&self) -> &T {
        self.inner.get_ref()
    }
}

impl<T> Clone for Duplex<T> {
    fn clone(&self) -> Duplex<T> {
        Duplex::new(self.inner.clone())
    }
}

impl<T> Drop for Duplex<T> {
    fn drop(&mut self) {
        self.inner.source.forget(Side::Read, &mut self.reader);
        self.inner.source.forget(Side::Write, &mut self.writer);
    }
}

/// Says that nothing more will be written. A connection that is gone already has no need to be told.
pub(super) fn closed(shutdown: io::Result<()>) -> Poll<io::Result<()>> {
    Poll::Ready(match shutdown {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
        result => result,
    })
}

/// Implements reading and writing for a stream with a field `duplex`.
macro_rules! read_and_write {
    ($stream:ty) => {
        impl $crate::io::AsyncRead for $stream {
            fn poll_read(
                mut self: ::std::pin::Pin<&mut Self>,
                cx: &mut ::std::task::Context<'_>,
                buf: &mut [u8],
            ) -> ::std::task::Poll<::std::io::Result<usize>> {
                self.duplex.poll_read(cx, buf)
            }

            fn poll_read_vectored(
                mut self: ::std::pin::Pin<&mut Self>,
                cx: &mut ::std::task::Context<'_>,
                bufs: &mut [::std::io::IoSliceMut<'_>],
            ) -> ::std::task::Poll<::std::io::Result<usize>> {
                self.duplex.poll_read_vectored(cx, bufs)
            }
        }

        impl $crate::io::AsyncWrite for $stream {
            fn poll_write(
                mut self: ::std::pin::Pin<&mut Self>,
                cx: &mut ::std::task::Context<'_>,
                buf: &[u8],
            ) -> ::std::task::Poll<::std::io::Result<usize>> {
                self.duplex.poll_write(cx, buf)
            }

            fn poll_write_vectored(
                mut self: ::std::pin::Pin<&mut Self>,
                cx: &mut ::std::task::Context<'_>,
                bufs: &[::std::io::IoSlice<'_>],
            ) -> ::std::task::Poll<::std::io::Result<usize>> {
                self.duplex.poll_write_vectored(cx, bufs)
            }

            /// Does nothing: nothing is kept back.
            fn poll_flush(
                self: ::std::pin::Pin<&mut Self>,
                _: &mut ::std::task::Context<'_>,
            ) -> ::std::task::Poll<::std::io::Result<()>> {
                ::std::task::Poll::Ready(Ok(()))
            }

            /// Shuts the writing direction down: the other end reads to its end.
            fn poll_close(
                self: ::std::pin::Pin<&mut Self>,
                _: &mut ::std::task::Context<'_>,
            ) -> ::std::task::Poll<::std::io::Result<()>> {
                $crate::io::duplex::closed(self.shutdown(::std::net::Shutdown::Write))
            }
        }
    };
}

pub(super) use read_and_write;
