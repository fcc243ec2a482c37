//! §11: what bastion 0.4 had of the crate `nuclei`, by its names in the prelude.
#![cfg(feature = "io")]

use bastion::prelude::*;
use futures_lite::io::{self, AsyncReadExt, AsyncWriteExt};
use std::fs::File;
use std::io::{Seek, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::sync::mpsc;
use std::time::Duration;

/// `tcp-servers`, as it was published, but for its ports and its end.
mod servers {
    use super::*;

    pub(super) async fn run(
        addr: impl ToSocketAddrs,
        give: mpsc::Sender<SocketAddr>,
    ) -> io::Result<()> {
        let listener = Handle::<TcpListener>::bind(addr).unwrap();
        give.send(listener.get_ref().local_addr().unwrap()).unwrap();
        loop {
            let (stream, peer_addr) = listener.accept().await.unwrap();
            assert_eq!(stream.peer_addr().unwrap(), peer_addr);
            // The function of this name, beside the macro.
            spawn(echo(stream));
        }
    }

    async fn echo(stream: Handle<TcpStream>) -> io::Result<()> {
        io::copy(&stream, &mut &stream).await?;
        Ok(())
    }
}

#[test]
fn tcp_servers() {
    const COUNT: usize = 10;
    let (give, take) = mpsc::channel();
    Bastion::init();
    Bastion::children(|children: Children| {
        children.with_redundancy(COUNT).with_exec(move |_ctx: BastionContext| {
            let give = give.clone();
            async move { servers::run("127.0.0.1:0", give).await.map_err(|_| ()) }
        })
    })
    .expect("Couldn't start a new children group.");
    Bastion::start();
    for _ in 0..COUNT {
        let address = take.recv_timeout(Duration::from_secs(20)).expect("they listen");
        let said = format!("hello, {address}");
        let echo = drive(async {
            let mut stream = Handle::<TcpStream>::connect(address).await?;
            stream.write_all(said.as_bytes()).await?;
            stream.shutdown(Shutdown::Write)?;
            let mut echo = String::new();
            stream.read_to_string(&mut echo).await?;
            io::Result::Ok(echo)
        });
        assert_eq!(echo.unwrap(), said);
    }
    let first = spawn! { async { 1 } };
    assert_eq!(run!(first), Some(1));
    Bastion::stop();
    Bastion::block_until_stopped();
}

#[test]
fn the_operations_of_sockets() {
    block_on(async {
        let listener = Handle::<TcpListener>::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut incoming = listener.incoming();
        let stream = Handle::<TcpStream>::connect(address).await.unwrap();
        let accepted = futures_lite::StreamExt::next(&mut incoming).await.unwrap().unwrap();
        assert_eq!(stream.send(b"hello").await.unwrap(), 5);
        let mut buffer = [0; 8];
        assert_eq!(accepted.peek(&mut buffer).await.unwrap(), 5);
        assert_eq!(accepted.recv(&mut buffer).await.unwrap(), 5);
        let stream: TcpStream = stream.into_inner();
        drop(stream);
        assert_eq!(accepted.recv(&mut buffer).await.unwrap(), 0);

        let one = Handle::<UdpSocket>::bind("127.0.0.1:0").unwrap();
        let other = Handle::<UdpSocket>::connect(one.local_addr().unwrap()).await.unwrap();
        let from = other.local_addr().unwrap();
        assert_eq!(other.send(b"udp").await.unwrap(), 3);
        assert_eq!(one.peek_from(&mut buffer).await.unwrap(), (3, from));
        assert_eq!(one.recv_from(&mut buffer).await.unwrap(), (3, from));
        assert_eq!(one.send_to(b"back", from).await.unwrap(), 4);
        assert_eq!(other.peek(&mut buffer).await.unwrap(), 4);
        assert_eq!(other.recv(&mut buffer).await.unwrap(), 4);
        assert_eq!(&buffer[..4], b"back");
    });
}

#[cfg(unix)]
#[test]
fn the_operations_of_unix_sockets() {
    use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
    let folder = tempfile::tempdir().unwrap();
    let (streams, datagrams) = (folder.path().join("streams"), folder.path().join("datagrams"));
    block_on(async {
        let mut buffer = [0; 8];
        let listener = Handle::<UnixListener>::bind(&streams).unwrap();
        let stream = Handle::<UnixStream>::connect(&streams).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        assert_eq!(stream.send(b"hello").await.unwrap(), 5);
        assert_eq!(accepted.recv(&mut buffer).await.unwrap(), 5);
        drop(Handle::<UnixStream>::connect(&streams).await.unwrap());
        let next = futures_lite::StreamExt::next(&mut listener.incoming()).await;
        assert!(matches!(next, Some(Ok(_))));

        let (mut left, mut right) = Handle::<UnixStream>::pair().unwrap();
        left.write_all(b"pair").await.unwrap();
        right.read_exact(&mut buffer[..4]).await.unwrap();
        assert_eq!(&buffer[..4], b"pair");

        let one = Handle::<UnixDatagram>::bind(&datagrams).unwrap();
        let (left, right) = Handle::<UnixDatagram>::pair().unwrap();
        assert_eq!(left.send_to(b"to", &datagrams).await.unwrap(), 2);
        assert_eq!(one.recv_from(&mut buffer).await.unwrap().0, 2);
        assert_eq!(left.send(b"one").await.unwrap(), 3);
        assert_eq!(right.recv(&mut buffer).await.unwrap(), 3);
    });
}

/// As `distributed-fwrite` writes.
#[test]
fn files() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"before, ").unwrap();
    let mut file = block_on(async move {
        let mut handle = Handle::<File>::new(file).unwrap();
        handle.write_all(b"and after").await.unwrap();
        handle.flush().await.unwrap();
        handle.into_inner()
    });
    file.rewind().unwrap();
    let text = block_on(async {
        let mut text = String::new();
        Handle::new(file).unwrap().read_to_string(&mut text).await.map(|_| text)
    });
    assert_eq!(text.unwrap(), "before, and after");
}

#[test]
fn handles_go_from_thread_to_thread() {
    fn crosses<T: Send + Sync + Unpin + std::fmt::Debug>() {}
    crosses::<Handle<TcpListener>>();
    crosses::<Handle<TcpStream>>();
    crosses::<Handle<UdpSocket>>();
    crosses::<Handle<File>>();
    crosses::<JoinHandle<u32>>();
}

#[test]
fn functions() {
    assert_eq!(drive(spawn_blocking(|| 42)), 42);
    let handle: JoinHandle<u32> = spawn(async { 42 });
    assert_eq!(block_on(handle), 42);
    let panics = spawn(async { panic!("on purpose") });
    let caught = std::panic::catch_unwind(|| block_on::<JoinHandle<()>>(panics));
    let message = caught.unwrap_err();
    assert!(message.downcast_ref::<String>().is_none_or(|text| text.contains("failed to execute")));
    // What programs did so that somebody drives the sockets. It drives nothing, and is in nobody's way.
    let driver = std::thread::spawn(|| Proactor::get().wait(1, None));
    Proactor::get().wake();
    assert_eq!(driver.join().unwrap().unwrap(), 0);
    assert_eq!(Proactor::get().wait(1, Some(Duration::from_millis(1))).unwrap(), 0);
    let local = bastion::executor::LocalExecutor::new();
    let local = local.run(async { spawn_local(async { std::rc::Rc::new(42) }).await });
    assert_eq!(local.as_deref(), Some(&42));
}
