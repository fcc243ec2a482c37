//! The reactor, driven by the test itself: directly and through `polling` alone, with edges and without.

use super::*;
use std::future::{Future, poll_fn};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, UdpSocket};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Poll, Wake};

/// The reactors of all tests. They are never taken down, as the program's is not.
static KEPT: Mutex<Vec<&Reactor>> = Mutex::new(Vec::new());

/// Runs with a reactor of each kind.
fn check(test: impl Fn(&'static Reactor)) {
    for (direct, edges) in [(true, true), (false, true), (false, false)] {
        let driver = if direct { Driver::new() } else { Driver::portable() };
        let reactor: &Reactor = Box::leak(Box::new(Reactor::new(driver.unwrap(), edges)));
        KEPT.lock().unwrap().push(reactor);
        test(reactor);
    }
}

/// A task that only counts how often it is woken.
#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Task {
    fn woken(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// Drives until nothing happens any more, without waiting for more.
fn drive(reactor: &'static Reactor) {
    let mut woken = Vec::new();
    let mut seat = reactor.try_sit().expect("the test is alone");
    loop {
        seat.wait(Some(Duration::ZERO), &mut woken).unwrap();
        if seat.room.reports.is_empty() {
            break;
        }
    }
    drop(seat);
    woken.into_iter().for_each(Waker::wake);
}

/// Drives until the task is woken.
fn drive_until(reactor: &'static Reactor, task: &Task) {
    let mut woken = Vec::new();
    while task.0.load(Ordering::Relaxed) == 0 {
        let mut seat = reactor.try_sit().expect("the test is alone");
        seat.wait(Some(Duration::from_secs(60)), &mut woken).unwrap();
        assert!(!seat.room.reports.is_empty(), "it hangs");
        drop(seat);
        woken.drain(..).for_each(Waker::wake);
    }
}

/// Not TCP: thousands of connections would leave the system without free ports for a while.
fn pair(reactor: &'static Reactor) -> (Source<UnixStream>, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    (Source::new(reactor, near).unwrap(), far)
}

fn read(source: &Source<UnixStream>, task: &Arc<Task>) -> Poll<io::Result<u8>> {
    let waker = Waker::from(task.clone());
    let mut byte = [0];
    source.poll(Side::Read, None, &mut Context::from_waker(&waker), |mut stream| {
        stream.read(&mut byte).map(|_| byte[0])
    })
}

#[track_caller]
fn assert_reads(source: &Source<UnixStream>, task: &Arc<Task>, expected: u8) {
    assert!(matches!(read(source, task), Poll::Ready(Ok(byte)) if byte == expected));
}

#[test]
fn who_waits_is_woken_when_there_is_something_and_not_before() {
    check(|reactor| {
        let (source, mut far) = pair(reactor);
        let task = Arc::<Task>::default();
        assert!(read(&source, &task).is_pending());
        drive(reactor);
        assert_eq!(task.woken(), 0);
        far.write_all(&[7, 8]).unwrap();
        drive_until(reactor, &task);
        assert_reads(&source, &task, 7);
        // There is more, and no new event will say so.
        assert_reads(&source, &task, 8);
        assert!(read(&source, &task).is_pending());
    });
}

#[test]
fn all_who_wait_are_woken_and_each_task_once() {
    check(|reactor| {
        let (source, mut far) = pair(reactor);
        let tasks: [Arc<Task>; 5] = Default::default();
        for task in tasks.iter().chain(&tasks) {
            assert!(read(&source, task).is_pending());
        }
        far.write_all(&[7]).unwrap();
        drive_until(reactor, &tasks[4]);
        assert_eq!(tasks.each_ref().map(|task| task.woken()), [1; 5]);
        assert_reads(&source, &tasks[3], 7);
        // Those who were late wait again, and are not forgotten.
        for task in &tasks {
            assert!(read(&source, task).is_pending());
        }
        far.write_all(&[8]).unwrap();
        drive_until(reactor, &tasks[0]);
        assert_eq!(tasks.each_ref().map(|task| task.woken()), [1; 5]);
    });
}

#[test]
fn an_event_during_the_operation_is_not_lost() {
    check(|reactor| {
        let (source, mut far) = pair(reactor);
        let task = Arc::<Task>::default();
        let waker = Waker::from(task.clone());
        assert!(read(&source, &task).is_pending());
        far.write_all(&[1]).unwrap();
        drive_until(reactor, &task);
        assert_reads(&source, &task, 1);
        task.woken();
        let mut tries = 0;
        let polled =
            source.poll(Side::Read, None, &mut Context::from_waker(&waker), |mut stream| {
                tries += 1;
                let mut byte = [0];
                let read = stream.read(&mut byte).map(|_| byte[0]);
                if tries == 1 {
                    // It has said `WouldBlock` already when the byte comes, and the driver is faster than this task.
                    assert_eq!(read.as_ref().unwrap_err().kind(), ErrorKind::WouldBlock);
                    far.write_all(&[2]).unwrap();
                    let mut seat = reactor.try_sit().unwrap();
                    if reactor.edge {
                        seat.wait(Some(Duration::from_secs(60)), &mut Vec::new()).unwrap();
                    }
                }
                read
            });
        match polled {
            Poll::Ready(read) => assert_eq!((read.unwrap(), tries), (2, 2)),
            // Without edges nobody watches before somebody waits, and then what is there already is an event.
            Poll::Pending => {
                assert!(!reactor.edge);
                drive_until(reactor, &task);
                assert_reads(&source, &task, 2);
            }
        }
    });
}

#[test]
fn a_hang_up_answers_both_directions() {
    check(|reactor| {
        let (source, far) = pair(reactor);
        let (reader, writer) = (Arc::<Task>::default(), Arc::<Task>::default());
        let waker = Waker::from(writer.clone());
        let write = || {
            let cx = &mut Context::from_waker(&waker);
            source.poll(Side::Write, None, cx, |mut stream| stream.write(&[0; 1 << 16]))
        };
        assert!(read(&source, &reader).is_pending());
        while write().is_ready() {}
        // Not all of that was read: the connection is reset.
        drop(far);
        drive_until(reactor, &reader);
        drive_until(reactor, &writer);
        assert!(matches!(read(&source, &reader), Poll::Ready(Err(_) | Ok(0))));
        assert!(matches!(write(), Poll::Ready(Err(_))));
    });
}

#[test]
fn a_waiter_that_gave_up_is_not_woken() {
    check(|reactor| {
        let (source, mut far) = pair(reactor);
        let (stays, goes) = (Arc::<Task>::default(), Arc::<Task>::default());
        let (mut token, mut other) = (Token::default(), Token::default());
        for (task, token) in [(&goes, &mut token), (&stays, &mut other)] {
            let waker = Waker::from(task.clone());
            let cx = &mut Context::from_waker(&waker);
            let read = source.poll(Side::Read, Some(token), cx, |mut stream| stream.read(&mut [0]));
            assert!(read.is_pending());
        }
        source.forget(Side::Read, &mut token);
        assert_eq!(Arc::strong_count(&goes), 1, "its waker is gone");
        far.write_all(&[1]).unwrap();
        drive_until(reactor, &stays);
        assert_eq!(goes.woken(), 0);
    });
}

#[test]
fn a_later_waker_replaces_the_earlier_one_of_the_same_place() {
    check(|reactor| {
        let (source, mut far) = pair(reactor);
        let (first, second) = (Arc::<Task>::default(), Arc::<Task>::default());
        let mut token = Token::default();
        for task in [&first, &second] {
            let waker = Waker::from(task.clone());
            let cx = &mut Context::from_waker(&waker);
            let token = Some(&mut token);
            assert!(source.poll(Side::Read, token, cx, |mut it| it.read(&mut [0])).is_pending());
        }
        far.write_all(&[1]).unwrap();
        drive_until(reactor, &second);
        assert_eq!((first.woken(), second.woken()), (0, 1));
    });
}

#[test]
fn an_event_for_a_source_that_has_left_reaches_no_other() {
    check(|reactor| {
        let (old, mut far) = pair(reactor);
        let task = Arc::<Task>::default();
        assert!(read(&old, &task).is_pending());
        far.write_all(&[1]).unwrap();
        // The poller has reported it, but the driver has not looked it up yet.
        let mut seat = reactor.try_sit().unwrap();
        reactor.driver.wait(&mut seat.room, Some(Duration::from_secs(60))).unwrap();
        let stale = seat.room.reports.clone();
        assert!(!stale.is_empty());
        drop((seat, old));

        let (new, _far) = pair(reactor);
        let waits = Arc::<Task>::default();
        assert!(read(&new, &waits).is_pending());
        let sources = reactor.sources();
        for report in stale {
            assert!(sources.find(report.key).is_none());
        }
        drop(sources);
        assert_eq!(waits.woken(), 0);
    });
}

#[test]
fn many_sources_come_and_go_and_leave_nothing() {
    check(|reactor| {
        for _ in 0..20 {
            let pairs: Vec<_> = (0..50).map(|_| pair(reactor)).collect();
            let tasks: Vec<_> = (0..50).map(|_| Arc::<Task>::default()).collect();
            for ((source, _), task) in pairs.iter().zip(&tasks) {
                assert!(read(source, task).is_pending());
            }
            for (number, (_, far)) in pairs.iter().enumerate().step_by(2) {
                (&*far).write_all(&[number as u8]).unwrap();
            }
            for (number, ((source, _), task)) in pairs.iter().zip(&tasks).enumerate() {
                if number % 2 == 0 {
                    drive_until(reactor, task);
                    assert_reads(source, task, number as u8);
                }
            }
            drive(reactor);
            for (number, task) in tasks.iter().enumerate() {
                assert_eq!(task.woken() > 0, number % 2 == 0, "task {number}");
            }
        }
        assert_eq!(reactor.sources().len(), 0);
    });
}

#[test]
fn both_directions_are_watched_at_once() {
    check(|reactor| {
        let (source, mut far) = pair(reactor);
        let (reader, writer) = (Arc::<Task>::default(), Arc::<Task>::default());
        let waker = Waker::from(writer.clone());
        let write = || {
            let cx = &mut Context::from_waker(&waker);
            source.poll(Side::Write, None, cx, |mut stream| stream.write(&[0; 1 << 16]))
        };
        let mut sent = 0;
        while let Poll::Ready(written) = write() {
            sent += written.unwrap();
        }
        assert!(read(&source, &reader).is_pending());
        // First room for the writer, then something for the reader: the first must not make the reactor forget the second.
        io::copy(&mut Read::by_ref(&mut far).take(sent as u64), &mut io::sink()).unwrap();
        drive_until(reactor, &writer);
        writer.woken();
        reader.woken();
        assert!(read(&source, &reader).is_pending());
        far.write_all(&[9]).unwrap();
        drive_until(reactor, &reader);
        assert_reads(&source, &reader, 9);
    });
}

#[test]
fn one_drives_at_a_time_and_an_interrupt_ends_the_next_wait() {
    check(|reactor| {
        let mut seat = reactor.try_sit().unwrap();
        assert!(reactor.try_sit().is_none());
        reactor.interrupt();
        reactor.interrupt();
        // Without the interrupt this would never return.
        seat.wait(None, &mut Vec::new()).unwrap();
        drop(seat);
        assert!(reactor.try_sit().is_some());

        let mut seat = reactor.try_sit().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| reactor.interrupt());
            seat.wait(None, &mut Vec::new()).unwrap();
        });
    });
}

#[test]
fn a_wait_ends_with_its_time() {
    check(|reactor| {
        let start = std::time::Instant::now();
        let limit = Duration::from_millis(20);
        reactor.try_sit().unwrap().wait(Some(limit), &mut Vec::new()).unwrap();
        assert!(start.elapsed() >= limit);
    });
}

#[test]
fn an_object_that_is_watched_already_is_refused_and_the_first_goes_on() {
    check(|reactor| {
        let socket = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        socket.set_nonblocking(true).unwrap();
        let source = Source::new(reactor, socket.clone()).unwrap();
        let error = Source::new(reactor, socket.clone()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        let task = Arc::<Task>::default();
        let waker = Waker::from(task.clone());
        let cx = &mut Context::from_waker(&waker);
        let mut receive = pin!(poll_fn(|cx| {
            source.poll(Side::Read, None, cx, |socket| socket.recv(&mut [0; 8]))
        }));
        assert!(receive.as_mut().poll(cx).is_pending());
        socket.send_to(b"abc", socket.local_addr().unwrap()).unwrap();
        drive_until(reactor, &task);
        assert!(matches!(receive.as_mut().poll(cx), Poll::Ready(Ok(3))));
        // Taken out, it can be watched again.
        drop(source.into_inner());
        assert!(Source::new(reactor, socket).is_ok());
    });
}
