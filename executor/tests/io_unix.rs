//! Unix streams, and any other descriptor, on the reactor.
#![cfg(all(feature = "io", unix))]

use bastion_executor::io::unix::{UnixListener, UnixStream};
use bastion_executor::io::{Async, AsyncReadExt, AsyncWriteExt, copy};
use bastion_executor::{Executor, spawn, timeout};
use std::future::Future;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

/// Runs on two workers; what waits for ever fails.
fn check<F: Future>(future: F) -> F::Output {
    let executor = Executor::builder().workers(2).build().unwrap();
    let limit = Duration::from_secs(60);
    executor.run(async { timeout(limit, future).await.expect("it hangs") })
}

#[test]
fn many_connections_are_echoed() {
    check(async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(&*path));
        spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                spawn(copy(stream.clone(), stream)).detach();
            }
        })
        .detach();
        let clients: Vec<_> = (0..100_u8)
            .map(|number| {
                let path = path.clone();
                spawn(async move {
                    let mut stream = UnixStream::connect(path).await.unwrap();
                    for round in 0..20_u8 {
                        stream.write_all(&[number, round]).await.unwrap();
                        let mut echoed = [0; 2];
                        stream.read_exact(&mut echoed).await.unwrap();
                        assert_eq!(echoed, [number, round]);
                    }
                    stream.close().await.unwrap();
                    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
                })
            })
            .collect();
        for client in clients {
            client.await.expect("the client has not panicked");
        }
    });
}

#[test]
fn much_data_arrives_as_it_was() {
    check(async {
        let (mut a, mut b) = UnixStream::pair().unwrap();
        let data: Vec<u8> = (0..4_usize << 20).map(|n| ((n * 31) ^ (n >> 8)) as u8).collect();
        let expected = data.clone();
        let sender = spawn(async move { a.write_all(&data).await });
        let mut received = Vec::new();
        b.read_to_end(&mut received).await.unwrap();
        sender.await.unwrap().unwrap();
        assert!(received == expected);
    });
}

#[test]
fn a_path_without_a_listener_is_an_error_and_one_that_exists_is_taken() {
    check(async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let missing = UnixStream::connect(&path).await.unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        drop(UnixListener::bind(&path).unwrap());
        let refused = UnixStream::connect(&path).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let taken = UnixListener::bind(&path).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AddrInUse);
    });
}

#[test]
fn a_full_queue_of_connections_is_an_error_and_not_a_hang() {
    check(async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        rustix::net::listen(&listener, 1).unwrap();
        let mut waiting = Vec::new();
        let full = loop {
            match UnixStream::connect(&path).await {
                Ok(stream) => waiting.push(stream),
                Err(error) => break error,
            }
            assert!(waiting.len() < 10_000);
        };
        // Other systems than Linux refuse.
        assert!(matches!(full.kind(), ErrorKind::WouldBlock | ErrorKind::ConnectionRefused));
    });
}

#[test]
fn a_shutdown_ends_one_direction() {
    check(async {
        let (mut a, mut b) = UnixStream::pair().unwrap();
        a.shutdown(Shutdown::Write).unwrap();
        assert_eq!(b.read(&mut [0]).await.unwrap(), 0);
        b.write_all(b"x").await.unwrap();
        let mut byte = [0];
        a.read_exact(&mut byte).await.unwrap();
        assert_eq!(byte, *b"x");
    });
}

#[test]
fn readable_is_true_and_stays_true_until_it_is_read() {
    check(async {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let reader = Async::new(reader).unwrap();
        let short = Duration::from_millis(5);
        assert!(timeout(short, reader.readable()).await.is_err());
        writer.write_all(b"ab").unwrap();
        for _ in 0..3 {
            reader.readable().await.unwrap();
        }
        let mut byte = [0];
        assert_eq!(reader.get_ref().read(&mut byte).unwrap(), 1);
        reader.readable().await.unwrap();
        assert_eq!(reader.get_ref().read(&mut byte).unwrap(), 1);
        // Nobody told the reactor that everything has been read: it has to ask.
        assert!(timeout(short, reader.readable()).await.is_err());
        drop(writer);
        reader.readable().await.unwrap();
        assert_eq!(reader.get_ref().read(&mut byte).unwrap(), 0);
    });
}

#[test]
fn an_object_that_was_taken_out_works_as_before() {
    check(async {
        let (a, mut b) = UnixStream::pair().unwrap();
        let a: std::sync::Arc<Async<std::os::unix::net::UnixStream>> = a.into();
        let Ok(a) = std::sync::Arc::try_unwrap(a) else { panic!("it was the only one") };
        let a = a.into_inner().unwrap();
        b.write_all(b"x").await.unwrap();
        let mut again = Async::new(a).unwrap();
        let mut byte = [0];
        again.read_exact(&mut byte).await.unwrap();
        assert_eq!(byte, *b"x");
    });
}

#[test]
fn two_tasks_share_an_object_by_reference() {
    check(async {
        let (reader, writer) = std::io::pipe().unwrap();
        let (reader, writer) = (Async::new(reader).unwrap(), Async::new(writer).unwrap());
        let data = vec![5; 1 << 20];
        let mut received = Vec::new();
        let (mut from, mut to) = (&reader, &writer);
        let send = async {
            to.write_all(&data).await?;
            // So that the reading ends: the pipe is not closed.
            to.flush().await
        };
        let receive = async {
            while received.len() < data.len() {
                let mut buffer = [0; 4096];
                let length = from.read(&mut buffer).await?;
                received.extend_from_slice(&buffer[..length]);
            }
            Ok(())
        };
        futures_lite::future::try_zip(send, receive).await.unwrap();
        assert!(received == data);
    });
}

#[test]
fn a_file_cannot_be_watched() {
    let file = tempfile::tempfile().unwrap();
    // Linux says so; kqueue can watch files, which helps nobody.
    if cfg!(target_os = "linux") {
        let error = Async::new(file).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    }
}

#[test]
fn files_are_read_and_written() {
    use bastion_executor::io::fs;
    check(async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, b"in a file").await.unwrap();
        assert_eq!(fs::read_to_string(&path).await.unwrap(), "in a file");
    });
}
