//! Nobody attends to the reactor: that must not last. In a program of its own: another test's workers would attend.

use super::*;
use crate::io::Async;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::mpsc;
use std::thread;

/// Far more than an answer takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(10);

/// So long that a monitor without work has gone to sleep: it makes a hundred rounds of 3 milliseconds before.
const QUIET: Duration = Duration::from_secs(2);

/// Runs this program again, with one test only, which calls `situation`.
fn in_a_program_of_its_own(test: &str, situation: impl FnOnce()) {
    const INSIDE: &str = "ATTENDANCE_PROGRAM";
    if std::env::var_os(INSIDE).is_some() {
        return situation();
    }
    let test = format!("attendance::tests::{test}");
    let mut program = Command::new(std::env::current_exe().unwrap());
    let output = program.args(["--exact", &test, "--nocapture"]).env(INSIDE, "").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"), "no test of this name: {said}");
}

/// A process that tells the byte that it reads, and the end to write it to. Who waits for it is no future with a time limit: the
/// timer would wake a worker, which would attend.
fn reader(executor: &Executor) -> (mpsc::Receiver<u8>, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    let near = Async::new(near).unwrap();
    let (tell, told) = mpsc::channel();
    executor.spawn_detached(async move {
        let mut byte = [0];
        near.read_with(|mut stream: &UnixStream| stream.read_exact(&mut byte)).await.unwrap();
        tell.send(byte[0]).unwrap();
    });
    (told, far)
}

/// Waits until all workers sleep.
fn settle(executor: &Executor) {
    while !executor.shared().all_asleep() {
        thread::yield_now();
    }
}

#[test]
fn a_worker_that_finds_the_seat_taken_for_a_moment_is_told_when_it_is_free() {
    let test = "a_worker_that_finds_the_seat_taken_for_a_moment_is_told_when_it_is_free";
    in_a_program_of_its_own(test, || {
        let executor = Executor::builder().workers(1).build().unwrap();
        let (told, mut far) = reader(&executor);
        settle(&executor);
        // As the monitor does that looks, and is held up meanwhile.
        let reactor = Reactor::started().expect("there is a socket");
        let seat = loop {
            executor.shared().rouse_a_sleeper();
            if let Some(seat) = reactor.try_sit() {
                break seat;
            }
        };
        settle(&executor);
        drop(seat);
        thread::sleep(QUIET);
        far.write_all(&[7]).unwrap();
        assert_eq!(told.recv_timeout(LIMIT), Ok(7), "nobody watches the sockets");
    });
}
