//! TCP on the reactor: many connections, many tasks, much data, and what ends or fails.
#![cfg(feature = "io")]

use bastion_executor::io::{
    AsyncReadExt, AsyncWriteExt, TcpListener, TcpStream, copy, resolve, split,
};
use bastion_executor::{Executor, spawn, timeout};
use std::future::Future;
use std::io::ErrorKind;
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Runs on two workers; what waits for ever fails.
fn check<F: Future>(future: F) -> F::Output {
    let executor = Executor::builder().workers(2).build().unwrap();
    let limit = Duration::from_secs(60);
    executor.run(async { timeout(limit, future).await.expect("it hangs") })
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn pair() -> (TcpStream, TcpStream) {
    let (listener, address) = listen().await;
    let client = TcpStream::connect(address).await.unwrap();
    (client, listener.accept().await.unwrap().0)
}

/// An address where nobody listens.
async fn nobody() -> SocketAddr {
    listen().await.1
}

/// Bytes of which no two places nearby look alike.
fn bytes(length: usize, seed: usize) -> Vec<u8> {
    (0..length).map(|n| ((n * 31 + seed) ^ (n >> 8)) as u8).collect()
}

/// Echoes whatever comes until the end.
async fn echo(stream: TcpStream) -> std::io::Result<u64> {
    copy(stream.clone(), stream).await
}

#[test]
fn many_connections_are_echoed() {
    check(async {
        let (listener, address) = listen().await;
        spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                spawn(echo(stream)).detach();
            }
        })
        .detach();
        let clients: Vec<_> = (0..200)
            .map(|number| {
                spawn(async move {
                    let mut stream = TcpStream::connect(address).await.unwrap();
                    for round in 0..20 {
                        let sent = bytes(100 + round, number);
                        stream.write_all(&sent).await.unwrap();
                        let mut echoed = vec![0; sent.len()];
                        stream.read_exact(&mut echoed).await.unwrap();
                        assert_eq!(echoed, sent);
                    }
                })
            })
            .collect();
        for client in clients {
            client.await.expect("the client has not panicked");
        }
    });
}

#[test]
fn much_data_goes_both_ways_at_once_and_arrives_as_it_was() {
    const LENGTH: usize = 8 << 20;
    async fn exchange(stream: TcpStream, seed: usize) -> Vec<u8> {
        let mut writer = stream.clone();
        let sender = spawn(async move {
            writer.write_all(&bytes(LENGTH, seed)).await.unwrap();
            writer.close().await.unwrap();
        });
        let (mut received, mut stream) = (Vec::new(), stream);
        stream.read_to_end(&mut received).await.unwrap();
        sender.await.unwrap();
        received
    }
    check(async {
        let (client, server) = pair().await;
        let server = spawn(exchange(server, 7));
        let client = spawn(exchange(client, 99));
        assert!(server.await.unwrap() == bytes(LENGTH, 99));
        assert!(client.await.unwrap() == bytes(LENGTH, 7));
    });
}

#[test]
fn one_stream_is_read_and_written_by_its_halves() {
    check(async {
        let (client, server) = pair().await;
        spawn(echo(server)).detach();
        let (mut reader, mut writer) = split(client);
        let sent = bytes(1 << 20, 3);
        let expected = sent.clone();
        let sender = spawn(async move {
            writer.write_all(&sent).await.unwrap();
            writer.close().await.unwrap();
        });
        let mut received = Vec::new();
        reader.read_to_end(&mut received).await.unwrap();
        sender.await.unwrap();
        assert!(received == expected);
    });
}

#[test]
fn many_tasks_accept_from_one_listener() {
    const TASKS: usize = 20;
    check(async {
        let (listener, address) = listen().await;
        // Each serves one connection and ends: all must be woken, though each event finds all of them waiting.
        let servers: Vec<_> = (0..TASKS)
            .map(|_| {
                let listener = listener.clone();
                spawn(async move { echo(listener.accept().await.unwrap().0).await })
            })
            .collect();
        for number in 0..TASKS {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let sent = bytes(10, number);
            stream.write_all(&sent).await.unwrap();
            stream.close().await.unwrap();
            let mut echoed = Vec::new();
            stream.read_to_end(&mut echoed).await.unwrap();
            assert_eq!(echoed, sent);
        }
        for server in servers {
            assert_eq!(server.await.unwrap().unwrap(), 10);
        }
    });
}

#[test]
fn connections_are_a_stream() {
    check(async {
        use futures_lite::StreamExt;
        let (listener, address) = listen().await;
        let clients = spawn(async move {
            for number in 0..10_u8 {
                TcpStream::connect(address).await.unwrap().write_all(&[number]).await.unwrap();
            }
        });
        let mut incoming = listener.incoming().take(10);
        let mut sum = 0;
        while let Some(stream) = incoming.next().await {
            let mut byte = [0];
            stream.unwrap().read_exact(&mut byte).await.unwrap();
            sum += byte[0];
        }
        assert_eq!(sum, 45);
        clients.await.unwrap();
    });
}

#[test]
fn a_half_closed_connection_still_carries_the_other_way() {
    check(async {
        let (mut client, mut server) = pair().await;
        client.shutdown(Shutdown::Write).unwrap();
        let mut nothing = [0; 1];
        assert_eq!(server.read(&mut nothing).await.unwrap(), 0);
        server.write_all(b"still here").await.unwrap();
        drop(server);
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "still here");
    });
}

#[test]
fn a_connection_that_is_refused_says_so() {
    check(async {
        let error = TcpStream::connect(nobody().await).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn the_next_address_is_tried_when_one_fails() {
    check(async {
        let (listener, address) = listen().await;
        let addresses = [nobody().await, nobody().await, address];
        let stream = TcpStream::connect(&addresses[..]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        assert_eq!(listener.accept().await.unwrap().1, stream.local_addr().unwrap());

        let error = TcpStream::connect(&addresses[..2]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let error = TcpStream::connect([].as_slice()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

#[test]
fn names_are_looked_up_and_unknown_ones_are_errors() {
    check(async {
        let (_listener, address) = listen().await;
        let found = resolve(("localhost", address.port())).await.unwrap();
        assert!(
            found.iter().all(|found| found.ip().is_loopback() && found.port() == address.port())
        );
        let stream = TcpStream::connect(format!("localhost:{}", address.port())).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        assert!(resolve("no port").await.is_err());
    });
}

#[test]
fn an_address_that_is_taken_is_an_error_and_a_left_one_is_free_at_once() {
    check(async {
        let (listener, address) = listen().await;
        let error = TcpListener::bind(address).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        // A connection that fades keeps its address busy for a while, for whoever does not ask for it all the same.
        let client = TcpStream::connect(address).await.unwrap();
        drop(listener.accept().await.unwrap());
        drop((client, listener));
        TcpListener::bind(address).await.unwrap();
    });
}

#[test]
fn a_reader_is_woken_by_another_clone_that_shuts_the_stream_down() {
    check(async {
        let (client, _server) = pair().await;
        let mut reader = client.clone();
        let waits = spawn(async move {
            let mut byte = [0];
            reader.read(&mut byte).await
        });
        // The worker must have seen it wait at least once: this makes it likely, the result does not depend on it.
        bastion_executor::yield_now().await;
        client.shutdown(Shutdown::Both).unwrap();
        assert_eq!(waits.await.unwrap().unwrap(), 0);
    });
}

#[test]
fn a_reader_outlives_other_clones_and_its_peer() {
    check(async {
        let (client, server) = pair().await;
        let mut reader = client.clone();
        let waits = spawn(async move {
            let mut text = String::new();
            reader.read_to_string(&mut text).await.map(|_| text)
        });
        drop(client);
        let mut server = server;
        server.write_all(b"last words").await.unwrap();
        drop(server);
        assert_eq!(waits.await.unwrap().unwrap(), "last words");
    });
}

#[test]
fn an_operation_that_was_given_up_has_taken_nothing() {
    check(async {
        let (listener, address) = listen().await;
        for _ in 0..50 {
            assert!(timeout(Duration::from_millis(1), listener.accept()).await.is_err());
        }
        let mut client = TcpStream::connect(address).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 16];
        for _ in 0..50 {
            assert!(timeout(Duration::from_millis(1), server.read(&mut buffer)).await.is_err());
        }
        client.write_all(b"whole").await.unwrap();
        let mut peeked = [0; 2];
        assert_eq!(server.peek(&mut peeked).await.unwrap(), 2);
        assert_eq!(server.read(&mut buffer).await.unwrap(), 5);
        assert_eq!((&peeked, &buffer[..5]), (b"wh", &b"whole"[..]));
    });
}

/// Connections come and go while their descriptors, and the reactor's keys, are used again and again. A wake that reached a wrong
/// source would read a wrong byte, or none.
#[test]
fn a_thousand_connections_come_and_go_and_come_again() {
    // As many at once as leave the limit of descriptors alone.
    const ROUNDS: usize = 10;
    const AT_ONCE: usize = 100;
    check(async {
        let (listener, address) = listen().await;
        for round in 0..ROUNDS {
            let mut readers = Vec::new();
            let mut writers = Vec::new();
            for number in 0..AT_ONCE {
                let mut client = TcpStream::connect(address).await.unwrap();
                let (server, _) = listener.accept().await.unwrap();
                readers.push(spawn(async move {
                    let mut bytes = Vec::new();
                    client.read_to_end(&mut bytes).await.unwrap();
                    assert_eq!(bytes, [(round % 251) as u8, number as u8]);
                }));
                writers.push(server);
            }
            // The last come first, so that keys do not leave in the order in which they came.
            for (number, mut server) in writers.into_iter().enumerate().rev() {
                server.write_all(&[(round % 251) as u8, number as u8]).await.unwrap();
            }
            for reader in readers {
                reader.await.expect("the right bytes");
            }
        }
    });
}

/// A reader that counts its polls.
struct Counts<'a, F>(&'a mut usize, Pin<&'a mut F>);

impl<F: Future> Future for Counts<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        *self.0 += 1;
        self.1.as_mut().poll(cx)
    }
}

#[test]
fn who_waits_for_a_silent_peer_is_left_alone() {
    check(async {
        let (mut client, mut server) = pair().await;
        // Much happens elsewhere, and in the other direction.
        let (a, b) = pair().await;
        let busy = spawn(echo(b));
        let mut polls = 0;
        let mut byte = [0];
        let mut read = client.clone();
        let read = async {
            let read = std::pin::pin!(read.read_exact(&mut byte));
            Counts(&mut polls, read).await.unwrap();
        };
        let noise = async move {
            let mut a = a;
            for _ in 0..200 {
                a.write_all(b"x").await.unwrap();
                a.read_exact(&mut [0]).await.unwrap();
                client.write_all(b"y").await.unwrap();
                server.read_exact(&mut [0]).await.unwrap();
            }
            drop(a);
            server.write_all(b"z").await.unwrap();
        };
        // The noise is a process of its own: its wakes must not poll the reader.
        let noise = spawn(noise);
        read.await;
        noise.await.unwrap();
        busy.await.unwrap().unwrap();
        assert_eq!(byte, *b"z");
        assert!(polls <= 4, "{polls} polls: it was woken for what does not concern it");
    });
}
