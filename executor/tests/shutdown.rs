//! The end of an executor: whoever drops it, whatever happens meanwhile, everybody comes back and every future is dropped.
#![cfg(not(loom))]

use bastion_executor::{Executor, run, sleep, spawn, yield_now};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

/// Far more than any of these takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// How long the other threads get to come to where they block.
const SOON: Duration = Duration::from_millis(100);

fn executor(workers: usize) -> Executor {
    Executor::builder().workers(workers).build().unwrap()
}

/// Runs the situation on a thread of its own, so that one that hangs is a failure and not a test that never ends.
fn check(situation: impl FnOnce() + Send + 'static) {
    let (done, is_done) = mpsc::channel();
    let thread = thread::spawn(move || {
        situation();
        done.send(()).unwrap();
    });
    match is_done.recv_timeout(LIMIT) {
        Err(RecvTimeoutError::Timeout) => panic!("it hangs"),
        Ok(()) | Err(RecvTimeoutError::Disconnected) => {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    }
}

/// How many guards were made, and how many dropped.
#[derive(Default)]
struct Counts {
    made: AtomicUsize,
    dropped: AtomicUsize,
}

struct Guard(Arc<Counts>);

impl Guard {
    fn new(counts: &Arc<Counts>) -> Guard {
        counts.made.fetch_add(1, SeqCst);
        Guard(counts.clone())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, SeqCst);
    }
}

/// Never ready; its waker is in a place that its destructor looks at too, as a channel's receiver would.
struct Receiver {
    slot: Arc<Mutex<Option<Waker>>>,
    polled: mpsc::Sender<()>,
}

impl Future for Receiver {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        *self.slot.lock().unwrap() = Some(cx.waker().clone());
        self.polled.send(()).unwrap();
        Poll::Pending
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let waker = self.slot.lock().unwrap().take();
        drop(waker);
    }
}

#[test]
fn a_drop_ends_while_a_worker_waits_in_run_for_what_is_queued() {
    check(|| {
        let executor = executor(2);
        let (busy, is_busy) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        executor
            .spawn(async move {
                busy.send(()).unwrap();
                let _ = released.recv();
            })
            .detach();
        is_busy.recv().unwrap();
        let (waits, is_waiting) = mpsc::channel();
        let waiting = executor.spawn(async move {
            let inner = spawn(async { 3 });
            // Nobody can take the inner process: this worker waits for it, the other one is busy.
            waits.send(()).unwrap();
            run(inner)
        });
        is_waiting.recv().unwrap();
        let dropper = thread::spawn(move || drop(executor));
        // The executor is closed when the busy worker comes back.
        run(sleep(SOON));
        drop(release);
        dropper.join().unwrap();
        assert_eq!(run(waiting), Some(None), "the inner process was dropped");
    });
}

#[test]
fn a_wake_under_a_lock_after_the_end_does_nothing() {
    check(|| {
        let slot = Arc::new(Mutex::new(None::<Waker>));
        let (polled, is_polled) = mpsc::channel();
        let executor = executor(1);
        let handle = executor.spawn(Receiver { slot: slot.clone(), polled });
        is_polled.recv().unwrap();
        let waker = slot.lock().unwrap().clone().expect("polled");
        drop(executor);
        let slot = slot.lock().unwrap();
        assert!(slot.is_none(), "the future was dropped");
        waker.wake();
        assert_eq!(run(handle), None);
    });
}

/// Who spawns may be under a lock that the destructor wants.
#[test]
fn a_spawn_under_a_lock_after_the_end_does_not_run_destructors_there() {
    struct Wants(Arc<Mutex<()>>);
    impl Drop for Wants {
        fn drop(&mut self) {
            drop(self.0.lock());
        }
    }
    check(|| {
        let executor = executor(1);
        let (release, released) = mpsc::channel::<()>();
        let (begun, has_begun) = mpsc::channel();
        let job = executor.spawn_blocking(move || {
            begun.send(()).unwrap();
            let _ = released.recv();
            let lock = Arc::new(Mutex::new(()));
            let held = lock.lock().unwrap();
            let wants = Wants(lock.clone());
            let handle = spawn(async move { drop(wants) });
            drop(held);
            run(handle)
        });
        has_begun.recv().unwrap();
        drop(executor);
        drop(release);
        assert_eq!(run(job), Some(None), "it is dropped unpolled");
    });
}

/// Puts processes around one, each of which awaits the one before; returns the last one's handle when all wait.
fn chain(
    executor: &Executor,
    first: impl Future<Output = ()> + Send + 'static,
) -> bastion_executor::RecoverableHandle<()> {
    const LENGTH: usize = 50_000;
    let (started, has_started) = mpsc::channel();
    let mut handle = executor.spawn(first);
    for _ in 0..LENGTH {
        let inner = handle;
        let started = started.clone();
        handle = executor.spawn(async move {
            started.send(()).unwrap();
            inner.await;
        });
    }
    (0..LENGTH).for_each(|_| has_started.recv().unwrap());
    handle
}

/// Each dropped process wakes the next one, which is dropped for it: not one inside the other.
#[test]
fn a_long_chain_of_processes_woken_after_the_end_needs_no_deep_stack() {
    check(|| {
        let executor = executor(1);
        let (send, wakers) = mpsc::channel();
        let first = poll_fn(move |cx| {
            send.send(cx.waker().clone()).unwrap();
            Poll::Pending
        });
        let last = chain(&executor, first);
        drop(executor);
        wakers.recv().unwrap().wake();
        assert_eq!(run(last), None);
    });
}

#[test]
fn a_long_chain_of_processes_behind_a_queued_one_needs_no_deep_stack() {
    check(|| {
        let executor = executor(1);
        let last = chain(&executor, async {
            loop {
                yield_now().await;
            }
        });
        drop(executor);
        assert_eq!(run(last), None);
    });
}

#[test]
fn an_executor_dropped_by_its_own_process_drops_every_future() {
    check(|| {
        for _ in 0..100 {
            let executor = Arc::new(executor(2));
            let counts = Arc::new(Counts::default());
            let (go, told) = mpsc::channel();
            let inner = executor.clone();
            let last = executor.spawn(async move {
                told.recv().unwrap();
                drop(inner);
            });
            let handles: Vec<_> = (0..50)
                .map(|_| {
                    let guard = Guard::new(&counts);
                    executor.spawn(async move {
                        let _guard = guard;
                        yield_now().await;
                    })
                })
                .collect();
            drop(executor);
            go.send(()).unwrap();
            assert_eq!(run(last), Some(()), "the poll that drops the executor ends");
            for handle in handles {
                run(handle);
            }
            assert_eq!(counts.dropped.load(SeqCst), 50);
        }
    });
}

/// Spawns trees of processes, as long as the executor is there and others keep it.
fn spawner(
    executor: &Arc<Executor>,
    counts: &Arc<Counts>,
    tell: mpsc::Sender<()>,
) -> impl FnOnce() + use<> {
    let (executor, counts) = (Arc::downgrade(executor), counts.clone());
    move || {
        let mut handles = Vec::new();
        while let Some(executor) = executor.upgrade().filter(|_| handles.len() < 1000) {
            let guard = Guard::new(&counts);
            handles.push(executor.spawn(async move {
                let _guard = guard;
                yield_now().await;
                let child = spawn(async {
                    yield_now().await;
                    1
                });
                child.await
            }));
            let _ = tell.send(());
        }
        for handle in handles {
            run(handle);
        }
    }
}

#[test]
fn a_drop_while_others_spawn_and_wake_strands_nobody() {
    check(|| {
        for round in 0..100 {
            let executor = Arc::new(executor(2));
            let counts = Arc::new(Counts::default());
            let (tell, told) = mpsc::channel();
            let threads: Vec<_> =
                (0..3).map(|_| thread::spawn(spawner(&executor, &counts, tell.clone()))).collect();
            // Each round ends in another moment; what is dropped here may be the last hold, or one of the threads'.
            (0..round * 5).for_each(|_| told.recv().unwrap());
            drop(executor);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            let (made, dropped) = (counts.made.load(SeqCst), counts.dropped.load(SeqCst));
            assert_eq!(made, dropped, "round {round}: every future is dropped");
        }
    });
}
