//! Sockets are watched as long as there is an executor that can, whatever becomes of the one whose worker sat in the reactor. A
//! program of its own: an executor of another test would watch, too.
#![cfg(all(feature = "io", unix, not(loom)))]

use bastion_executor::Executor;
use bastion_executor::io::Async;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Far more than an answer takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(10);

/// So long that a monitor without work has gone to sleep, and one that was told to end has ended.
const QUIET: Duration = Duration::from_secs(2);

/// A process that tells each byte that it reads, and the end to write it to. Who waits for it has no time limit of ours: the timer
/// would wake a worker, which would watch.
fn reader(executor: &Executor) -> (mpsc::Receiver<u8>, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    let near = Async::new(near).unwrap();
    let (tell, told) = mpsc::channel();
    executor.spawn_detached(async move {
        let mut byte = [0];
        while near.read_with(|mut near| near.read(&mut byte)).await.is_ok_and(|read| read > 0) {
            tell.send(byte[0]).unwrap();
        }
    });
    (told, far)
}

fn settle(executor: &Executor) {
    while executor.metrics().sleeping < executor.workers() {
        thread::yield_now();
    }
}

#[test]
fn sockets_are_watched_while_the_executor_that_sat_there_is_being_dropped() {
    let first = Executor::builder().workers(1).build().unwrap();
    let (told, mut far) = reader(&first);
    far.write_all(&[1]).unwrap();
    assert_eq!(told.recv_timeout(LIMIT), Ok(1));
    settle(&first);
    // The first one's worker sits in the reactor, so this one's sleeps elsewhere.
    let second = Executor::builder().workers(1).build().unwrap();
    let (told, mut far) = reader(&second);
    settle(&second);
    assert_eq!(told.recv_timeout(QUIET), Err(RecvTimeoutError::Timeout));
    let (begin, has_begun) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    first.spawn_detached(async move {
        begin.send(()).unwrap();
        let _ = released.recv();
    });
    has_begun.recv().unwrap();
    let dropper = thread::spawn(move || drop(first));
    // The closed executor's monitor has ended; its worker is in that poll still.
    assert_eq!(told.recv_timeout(QUIET), Err(RecvTimeoutError::Timeout));
    far.write_all(&[7]).unwrap();
    let told = told.recv_timeout(LIMIT);
    drop(release);
    dropper.join().unwrap();
    assert_eq!(told, Ok(7), "nobody watches the sockets");
}
