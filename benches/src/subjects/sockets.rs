//! Executors whose processes can wait for sockets: one connection over the loopback, behind the same few functions.

use super::executors::{AsyncExecutor, Bastion, Executor};
use super::workers;
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::OnceLock;

/// Where a listener of a measurement listens.
const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// An executor with sockets.
pub(crate) trait Sockets: Executor {
    /// One end of a connection.
    type Stream: Send + 'static;

    /// Makes a connection; returns both ends.
    fn connection() -> impl Future<Output = io::Result<(Self::Stream, Self::Stream)>> + Send;

    /// Reads until the buffer is full.
    fn read(
        stream: &mut Self::Stream,
        buffer: &mut [u8],
    ) -> impl Future<Output = io::Result<()>> + Send;

    /// Writes all of it.
    fn write(
        stream: &mut Self::Stream,
        bytes: &[u8],
    ) -> impl Future<Output = io::Result<()>> + Send;
}

impl Sockets for Bastion {
    type Stream = bastion_executor::io::TcpStream;

    async fn connection() -> io::Result<(Self::Stream, Self::Stream)> {
        let listener = bastion_executor::io::TcpListener::bind(ANY).await?;
        let there = bastion_executor::io::TcpStream::connect(listener.local_addr()?).await?;
        let (here, _) = listener.accept().await?;
        here.set_nodelay(true)?;
        there.set_nodelay(true)?;
        Ok((here, there))
    }

    async fn read(stream: &mut Self::Stream, buffer: &mut [u8]) -> io::Result<()> {
        stream.read_exact(buffer).await
    }

    async fn write(stream: &mut Self::Stream, bytes: &[u8]) -> io::Result<()> {
        stream.write_all(bytes).await
    }
}

/// Its sockets are those of async-net.
impl Sockets for AsyncExecutor {
    type Stream = async_net::TcpStream;

    async fn connection() -> io::Result<(Self::Stream, Self::Stream)> {
        let listener = async_net::TcpListener::bind(ANY).await?;
        let there = async_net::TcpStream::connect(listener.local_addr()?).await?;
        let (here, _) = listener.accept().await?;
        here.set_nodelay(true)?;
        there.set_nodelay(true)?;
        Ok((here, there))
    }

    async fn read(stream: &mut Self::Stream, buffer: &mut [u8]) -> io::Result<()> {
        stream.read_exact(buffer).await
    }

    async fn write(stream: &mut Self::Stream, bytes: &[u8]) -> io::Result<()> {
        stream.write_all(bytes).await
    }
}

/// A tokio runtime that watches sockets: the one of the other workloads does not, which would cost them.
pub(crate) struct TokioNet;

impl TokioNet {
    fn runtime() -> &'static tokio::runtime::Runtime {
        static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
        RUNTIME.get_or_init(|| {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            let runtime = builder.worker_threads(workers()).enable_io().build();
            runtime.expect("the worker threads can be started")
        })
    }
}

impl Executor for TokioNet {
    type Handle = tokio::task::JoinHandle<()>;

    fn start() {
        Self::runtime();
    }

    fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Self::Handle {
        Self::runtime().spawn(future)
    }

    fn detach(handle: Self::Handle) {
        drop(handle);
    }

    fn yield_now() -> impl Future + Send {
        tokio::task::yield_now()
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        Self::runtime().block_on(future)
    }
}

impl Sockets for TokioNet {
    type Stream = tokio::net::TcpStream;

    async fn connection() -> io::Result<(Self::Stream, Self::Stream)> {
        let listener = tokio::net::TcpListener::bind(ANY).await?;
        let there = tokio::net::TcpStream::connect(listener.local_addr()?).await?;
        let (here, _) = listener.accept().await?;
        here.set_nodelay(true)?;
        there.set_nodelay(true)?;
        Ok((here, there))
    }

    async fn read(stream: &mut Self::Stream, buffer: &mut [u8]) -> io::Result<()> {
        tokio::io::AsyncReadExt::read_exact(stream, buffer).await.map(drop)
    }

    async fn write(stream: &mut Self::Stream, bytes: &[u8]) -> io::Result<()> {
        tokio::io::AsyncWriteExt::write_all(stream, bytes).await
    }
}
