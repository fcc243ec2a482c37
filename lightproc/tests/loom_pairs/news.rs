//! What a waker did before its wake, without any other ordering, is seen by the last poll.

use crate::model::{Watched, check};
use lightproc::{Hooks, LightProc, ProcHandle};
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use loom::sync::{Arc, Mutex};
use loom::thread;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// What wakers tell and polls read, ordered by the state word alone.
#[derive(Default)]
struct Board {
    news: AtomicUsize,
    /// The news that the last poll has read.
    read: AtomicUsize,
    started: AtomicUsize,
    polls: AtomicUsize,
    futures_dropped: AtomicUsize,
    data_dropped: AtomicUsize,
}

/// Reads the news in each poll, and is never ready. Gives out its wakers in the first poll.
struct Reader {
    board: Arc<Board>,
    wakers: Arc<Mutex<Vec<Waker>>>,
    copies: usize,
    own: Watched,
}

impl Future for Reader {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.own.touch();
        self.board.polls.fetch_add(1, Relaxed);
        let copies = std::mem::take(&mut self.copies);
        if copies > 0 {
            self.wakers.lock().unwrap().extend((0..copies).map(|_| cx.waker().clone()));
        }
        self.board.read.store(self.board.news.load(Relaxed), Relaxed);
        Poll::Pending
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.own.touch();
        // Relaxed: a canceller's news are ordered by the state word alone.
        self.board.read.store(self.board.news.load(Relaxed), Relaxed);
        self.board.futures_dropped.fetch_add(1, Relaxed);
    }
}

/// Counts the starts, each of which must be ordered with every other.
struct Starts(Arc<Board>, Watched);

impl Hooks for Starts {
    fn before_start(&self) {
        self.1.touch();
        self.0.started.fetch_add(1, Relaxed);
    }
}

impl Drop for Starts {
    fn drop(&mut self) {
        self.1.touch();
        self.0.data_dropped.fetch_add(1, Relaxed);
    }
}

/// A process that reads news, and its queue.
#[derive(Clone)]
pub(crate) struct Readers {
    board: Arc<Board>,
    wakers: Arc<Mutex<Vec<Waker>>>,
    queue: Arc<Mutex<Vec<LightProc>>>,
}

impl Readers {
    pub(crate) fn new(copies: usize) -> (Readers, LightProc, ProcHandle<()>) {
        let readers = Readers {
            board: Arc::default(),
            wakers: Arc::new(Mutex::new(Vec::new())),
            queue: Arc::new(Mutex::new(Vec::new())),
        };
        let future = Reader {
            board: readers.board.clone(),
            wakers: readers.wakers.clone(),
            copies,
            own: Watched::new(),
        };
        let queue = readers.queue.clone();
        let schedule = move |process| queue.lock().unwrap().push(process);
        let data = Starts(readers.board.clone(), Watched::new());
        let (process, handle) = LightProc::build(future, schedule, data);
        (readers, process, handle)
    }

    pub(crate) fn due(&self) -> Option<LightProc> {
        self.queue.lock().unwrap().pop()
    }

    /// Runs what is due until nothing is.
    pub(crate) fn run(&self) {
        while let Some(process) = self.due() {
            process.run();
        }
    }

    /// Takes the wakers that the first poll has given out, if it was.
    pub(crate) fn take(&self) -> Vec<Waker> {
        self.wakers.lock().unwrap().drain(..).collect()
    }

    /// Puts up the next news.
    pub(crate) fn tell(&self, news: usize) {
        self.board.news.store(news, Relaxed);
    }

    /// Says that every wake has led to a poll that came after it, and that one start came before all polls.
    pub(crate) fn end(&self, news: usize) {
        assert!(self.due().is_none(), "everything due has run");
        assert_eq!(self.board.read.load(SeqCst), news, "the last poll has read the last news");
        let started = self.board.started.load(SeqCst);
        assert_eq!(started, 1, "before_start runs once");
    }

    /// Says that the process, which nothing holds any more, was dropped and freed.
    pub(crate) fn gone(&self) {
        self.run();
        assert_eq!(self.board.futures_dropped.load(SeqCst), 1, "the future is dropped once");
        assert_eq!(self.board.data_dropped.load(SeqCst), 1, "the process is freed once");
    }

    pub(crate) fn polls(&self) -> usize {
        self.board.polls.load(SeqCst)
    }
}

/// Wakes by value, or by reference and then lets the waker go.
pub(crate) fn wake(waker: Waker, by_value: bool) {
    if by_value { waker.wake() } else { waker.wake_by_ref() }
}

#[test]
fn a_wake_publishes_what_the_waker_did() {
    for by_value in [false, true] {
        check(move || {
            let (readers, process, handle) = Readers::new(1);
            process.run();
            let waker = readers.take().pop().unwrap();
            let other = thread::spawn({
                let readers = readers.clone();
                move || {
                    readers.tell(1);
                    wake(waker, by_value);
                }
            });
            readers.run();
            // The wake may still come, on its own thread.
            other.join().unwrap();
            readers.run();
            readers.end(1);
            drop(handle);
            readers.gone();
        });
    }
}

/// Two wakers; only the first one schedules. The second only adds to the count, and publishes all the same.
#[test]
fn a_wake_that_does_not_schedule_publishes_too() {
    for by_value in [false, true] {
        check(move || {
            let (readers, process, handle) = Readers::new(2);
            process.run();
            let mut wakers = readers.take();
            wakers.pop().unwrap().wake();
            let due = readers.due().unwrap();
            let waker = wakers.pop().unwrap();
            let other = thread::spawn({
                let readers = readers.clone();
                move || {
                    readers.tell(1);
                    wake(waker, by_value);
                }
            });
            due.run();
            readers.run();
            other.join().unwrap();
            readers.run();
            readers.end(1);
            drop(handle);
            readers.gone();
        });
    }
}

/// Whether the cancel comes before, during or after the poll, the drop sees what came before the cancel.
#[test]
fn a_cancel_publishes_what_the_canceller_did() {
    check(|| {
        let (readers, process, handle) = Readers::new(0);
        let runner = thread::spawn(move || process.run());
        readers.tell(1);
        handle.cancel();
        runner.join().unwrap();
        readers.run();
        assert_eq!(readers.board.read.load(SeqCst), 1, "the drop has read the news");
        drop(handle);
        readers.gone();
    });
}
