//! Datagrams on the reactor: UDP, and Unix datagrams.
#![cfg(feature = "io")]

use bastion_executor::io::UdpSocket;
use bastion_executor::{Executor, spawn, timeout};
use std::future::Future;
use std::time::Duration;

/// Runs on two workers; what waits for ever fails.
fn check<F: Future>(future: F) -> F::Output {
    let executor = Executor::builder().workers(2).build().unwrap();
    let limit = Duration::from_secs(60);
    executor.run(async { timeout(limit, future).await.expect("it hangs") })
}

async fn socket() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").await.unwrap()
}

#[test]
fn many_clients_are_echoed_by_many_tasks_on_one_socket() {
    check(async {
        let server = socket().await;
        let address = server.local_addr().unwrap();
        for _ in 0..8 {
            let server = server.clone();
            spawn(async move {
                let mut buffer = [0; 64];
                while let Ok((length, sender)) = server.recv_from(&mut buffer).await {
                    server.send_to(&buffer[..length], sender).await.unwrap();
                }
            })
            .detach();
        }
        let clients: Vec<_> = (0..40_u8)
            .map(|number| {
                spawn(async move {
                    let client = socket().await;
                    client.connect(address).await.unwrap();
                    // One at a time, so that no queue overflows: loopback loses nothing else.
                    for round in 0..50_u8 {
                        let sent = [number, round, 7];
                        assert_eq!(client.send(&sent).await.unwrap(), 3);
                        let mut buffer = [0; 64];
                        let length = client.recv(&mut buffer).await.unwrap();
                        assert_eq!(&buffer[..length], sent);
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
fn each_datagram_reaches_one_of_the_tasks_that_wait() {
    check(async {
        let server = socket().await;
        let address = server.local_addr().unwrap();
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let server = server.clone();
                spawn(async move {
                    let mut byte = [0];
                    server.recv_from(&mut byte).await.unwrap();
                    byte[0]
                })
            })
            .collect();
        let client = socket().await;
        for byte in 0..20 {
            client.send_to(&[byte], address).await.unwrap();
        }
        let mut received = Vec::new();
        for task in tasks {
            received.push(task.await.unwrap());
        }
        received.sort();
        assert_eq!(received, (0..20).collect::<Vec<u8>>());
    });
}

#[test]
fn peeking_leaves_the_datagram_and_the_sender_is_told() {
    check(async {
        let (a, b) = (socket().await, socket().await);
        a.send_to(b"first", ("127.0.0.1", b.local_addr().unwrap().port())).await.unwrap();
        let mut buffer = [0; 8];
        let expected = (5, a.local_addr().unwrap());
        assert_eq!(b.peek_from(&mut buffer).await.unwrap(), expected);
        assert_eq!(b.peek(&mut buffer).await.unwrap(), 5);
        assert_eq!(b.recv_from(&mut buffer).await.unwrap(), expected);
        assert_eq!(&buffer[..5], b"first");
    });
}

#[test]
fn a_peer_that_is_not_there_is_an_error() {
    check(async {
        let (client, gone) = (socket().await, socket().await);
        client.connect(gone.local_addr().unwrap()).await.unwrap();
        drop(gone);
        client.send(b"anybody?").await.unwrap();
        let error = client.recv(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    });
}

#[cfg(unix)]
#[test]
fn unix_datagrams_go_by_path_and_between_pairs() {
    use bastion_executor::io::unix::UnixDatagram;
    check(async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let server = UnixDatagram::bind(&path).unwrap();
        let client = UnixDatagram::unbound().unwrap();
        assert_eq!(client.send_to(b"by path", &path).await.unwrap(), 7);
        let mut buffer = [0; 16];
        let (length, sender) = server.recv_from(&mut buffer).await.unwrap();
        assert_eq!((&buffer[..length], sender.is_unnamed()), (&b"by path"[..], true));
        client.connect(&path).unwrap();
        client.send(b"connected").await.unwrap();
        assert_eq!(server.recv(&mut buffer).await.unwrap(), 9);
    });
}

#[cfg(unix)]
#[test]
fn who_sends_faster_than_the_peer_reads_waits_and_loses_nothing() {
    use bastion_executor::io::unix::UnixDatagram;
    const COUNT: u32 = 5_000;
    check(async {
        let (a, b) = UnixDatagram::pair().unwrap();
        let sender = spawn(async move {
            for number in 0..COUNT {
                a.send(&number.to_le_bytes()).await.unwrap();
            }
        });
        for number in 0..COUNT {
            let mut bytes = [0; 4];
            assert_eq!(b.recv(&mut bytes).await.unwrap(), 4);
            assert_eq!(u32::from_le_bytes(bytes), number);
        }
        sender.await.unwrap();
    });
}
