//! Scopes: what is borrowed is there as long as a process has it, and what happens in a process reaches who waits.
#![cfg(not(loom))]

use bastion_executor::{Executor, Outcome, Panic, run, scope, sleep, spawn, timeout, yield_now};
use std::future::{pending, poll_fn};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

/// Far more than any of these takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

fn executor(workers: usize) -> Executor {
    Executor::builder().workers(workers).build().unwrap()
}

/// Panics are noted, and not printed. All tests set the same hook, for they run at once.
fn quiet() {
    std::panic::set_hook(Box::new(Panic::note));
}

/// Returns the message of a call's panic.
fn message(f: impl FnOnce()) -> Option<String> {
    let panic = Panic::catch(f).expect_err("it panics");
    panic.message().map(str::to_owned)
}

/// Adds one to a count on somebody's stack when it is dropped.
struct Counts<'a>(&'a AtomicUsize);

impl Drop for Counts<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Waits for ever, and sends its waker.
async fn wait(wakers: mpsc::Sender<Waker>) {
    poll_fn(|cx| {
        let _ = wakers.send(cx.waker().clone());
        Poll::<()>::Pending
    })
    .await
}

#[test]
fn a_hundred_processes_read_and_write_what_they_borrow() {
    let executor = executor(2);
    for round in 0..100_u64 {
        let numbers: Vec<u64> = (0..1000).map(|n| n * 7 + round).collect();
        let mut squares = vec![0; numbers.len()];
        let sums = executor.scope(|s| {
            let parts = numbers.chunks(10).zip(squares.chunks_mut(10));
            let handles: Vec<_> = parts
                .map(|(from, to)| {
                    s.spawn(async move {
                        for (from, to) in from.iter().zip(to) {
                            *to = from * from;
                            yield_now().await;
                        }
                        from.iter().sum::<u64>()
                    })
                })
                .collect();
            assert_eq!(handles.len(), 100);
            let sums = handles.into_iter().map(|handle| handle.join().completed().unwrap());
            sums.collect::<Vec<_>>()
        });
        assert_eq!(sums.iter().sum::<u64>(), numbers.iter().sum());
        assert!(numbers.iter().zip(squares).all(|(n, square)| n * n == square));
    }
}

#[test]
fn it_returns_when_every_future_was_dropped() {
    let executor = executor(2);
    let dropped = AtomicUsize::new(0);
    executor.scope(|s| {
        for n in 0..100 {
            let counts = Counts(&dropped);
            let handle = s.spawn(async move {
                let _counts = counts;
                for _ in 0..n {
                    yield_now().await;
                }
                sleep(Duration::from_micros(n)).await;
            });
            // Whatever becomes of the handle.
            if n % 2 == 0 {
                handle.detach();
            } else {
                assert!(matches!(handle.join(), Outcome::Completed(())));
            }
        }
    });
    assert_eq!(dropped.load(SeqCst), 100);
}

#[test]
fn an_output_that_borrows_is_dropped_inside() {
    let executor = executor(2);
    let dropped = AtomicUsize::new(0);
    executor.scope(|s| {
        let kept = s.spawn(async { Counts(&dropped) });
        s.spawn(async { Counts(&dropped) }).detach();
        // An output that holds a handle, and so another output.
        let outer = s.spawn(async { Some(s.spawn(async { Counts(&dropped) })) });
        while !kept.is_finished() {
            thread::yield_now();
        }
        drop(outer);
    });
    assert_eq!(dropped.load(SeqCst), 3);
}

#[test]
fn processes_of_the_scope_spawn_there_and_await_each_other() {
    fn sum<'scope>(
        s: &'scope bastion_executor::Scope<'scope, '_>,
        numbers: &'scope [u64],
    ) -> bastion_executor::ScopedHandle<'scope, u64> {
        s.spawn(async move {
            if let [one] = numbers {
                return *one;
            }
            let (low, high) = numbers.split_at(numbers.len() / 2);
            let (low, high) = (sum(s, low), sum(s, high));
            Box::pin(async { low.await.unwrap() + high.await.unwrap() }).await
        })
    }
    let numbers: Vec<u64> = (0..1024).collect();
    let total = executor(2).scope(|s| sum(s, &numbers).join().completed());
    assert_eq!(total, Some(1023 * 512));
}

#[test]
fn a_panic_in_the_closure_goes_on_after_the_wait() {
    quiet();
    let executor = executor(2);
    let dropped = AtomicUsize::new(0);
    let panic = message(|| {
        executor.scope(|s| {
            for _ in 0..10 {
                let counts = Counts(&dropped);
                s.spawn(async move {
                    let _counts = counts;
                    sleep(Duration::from_millis(1)).await;
                });
            }
            panic!("in the closure");
        });
    });
    assert_eq!(panic.as_deref(), Some("in the closure"));
    assert_eq!(dropped.load(SeqCst), 10);
}

#[test]
fn a_panic_that_no_handle_told_of_goes_on_in_the_scope() {
    quiet();
    let executor = executor(2);
    let text = String::from("borrowed");
    let panic = message(|| executor.scope(|s| s.spawn(async { panic!("{text}") }).detach()));
    assert_eq!(panic.as_deref(), Some("a scoped process panicked"));
}

/// What it leaks, `cargo xtask sanitize` knows by the test's name.
#[test]
fn a_forgotten_handle_keeps_nobody() {
    quiet();
    let dropped = AtomicUsize::new(0);
    // On the global executor, so that no other is leaked too.
    scope(|s| {
        let counts = Counts(&dropped);
        mem::forget(s.spawn(async move {
            let _counts = counts;
            sleep(Duration::from_millis(1)).await;
        }));
        mem::forget(s.spawn(async { Counts(&dropped) }));
    });
    assert_eq!(dropped.load(SeqCst), 1, "the future, and not the output, which is leaked");
    let panic = message(|| scope(|s| mem::forget(s.spawn(async { panic!("{dropped:?}") }))));
    assert_eq!(panic.as_deref(), Some("a scoped process panicked"));
}

/// Notes when it is dropped whether the scope was left before it is done, for which it gives it a while.
struct Slow<'a> {
    left: mpsc::Receiver<()>,
    early: Arc<AtomicUsize>,
    borrowed: &'a AtomicUsize,
}

impl Drop for Slow<'_> {
    fn drop(&mut self) {
        if self.left.recv_timeout(Duration::from_millis(100)).is_ok() {
            self.early.fetch_add(1, SeqCst);
        } else {
            self.borrowed.fetch_add(1, SeqCst);
        }
    }
}

#[test]
fn it_waits_for_slow_destructors() {
    let executor = executor(2);
    let early = Arc::new(AtomicUsize::new(0));
    let borrowed = AtomicUsize::new(0);
    let slow = || {
        let (leave, left) = mpsc::channel();
        (leave, Slow { left, early: early.clone(), borrowed: &borrowed })
    };
    // Of a future that has returned, of one that is cancelled, of an output.
    let (leave, returns) = slow();
    executor.scope(|s| s.spawn(async move { drop(returns) }).detach());
    let _ = leave.send(());
    let (leave, cancelled) = slow();
    executor.scope(|s| {
        let handle = s.spawn(async move {
            let _cancelled = cancelled;
            pending::<()>().await;
        });
        handle.cancel();
    });
    let _ = leave.send(());
    let (leave, output) = slow();
    executor.scope(|s| s.spawn(async move { output }).detach());
    let _ = leave.send(());
    assert_eq!((early.load(SeqCst), borrowed.load(SeqCst)), (0, 3));
}

#[test]
fn a_panic_that_a_handle_told_of_does_not() {
    quiet();
    let executor = executor(2);
    let text = String::from("borrowed");
    executor.scope(|s| {
        match s.spawn(async { panic!("{text}") }).join() {
            Outcome::Panicked(panic) => {
                assert_eq!(panic.message(), Some("borrowed"));
                assert_eq!(panic.location().unwrap().file(), file!());
            }
            other => panic!("{other:?}"),
        }
        // Awaited by another process: `None`.
        let inner = s.spawn(async { panic!("{text}") });
        assert_eq!(s.spawn(async { inner.await.is_none() }).join().completed(), Some(true));
    });
}

/// Panics when it is dropped, after it has looked at what it borrows.
struct Bomb<'a>(&'a AtomicUsize);

impl Drop for Bomb<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
        panic!("in a destructor");
    }
}

#[test]
fn a_panic_in_a_futures_destructor_counts_and_leaves_nobody_behind() {
    quiet();
    let executor = executor(2);
    let dropped = AtomicUsize::new(0);
    // After the future's return: a panic of the process, and its output is gone.
    executor.scope(|s| {
        let bomb = Bomb(&dropped);
        let counts = Counts(&dropped);
        let handle = s.spawn(poll_fn(move |_| {
            let _ = &bomb;
            Poll::Ready(Counts(counts.0))
        }));
        match handle.join() {
            Outcome::Panicked(panic) => assert_eq!(panic.message(), Some("in a destructor")),
            Outcome::Completed(_) | Outcome::Cancelled => panic!("it panicked"),
        }
    });
    assert_eq!(dropped.load(SeqCst), 3);
    // After a panic of the poll: that one stands.
    let bomb = Bomb(&dropped);
    executor.scope(|s| {
        let outcome = s.spawn(poll_fn(move |_| {
            let _ = &bomb;
            panic!("first")
        }));
        let outcome: Outcome<()> = outcome.join();
        assert!(matches!(outcome, Outcome::Panicked(panic) if panic.message() == Some("first")));
    });
    // In a cancelled process: dropped, as everywhere.
    let bomb = Bomb(&dropped);
    executor.scope(|s| {
        let handle = s.spawn(async move {
            let _bomb = bomb;
            pending::<()>().await;
        });
        handle.cancel();
        assert!(matches!(handle.join(), Outcome::Cancelled));
    });
    // In an output that nobody takes, dropped by the process or by the handle.
    executor.scope(|s| s.spawn(async { Bomb(&dropped) }).detach());
    executor.scope(|s| {
        let handle = s.spawn(async { Bomb(&dropped) });
        while !handle.is_finished() {
            thread::yield_now();
        }
    });
    assert_eq!(dropped.load(SeqCst), 7);
}

#[test]
fn a_cancelled_process_ends_before_its_handle_is_ready() {
    let executor = executor(2);
    let dropped = AtomicUsize::new(0);
    let (wakers, polled) = mpsc::channel();
    executor.scope(|s| {
        let counts = Counts(&dropped);
        let handle = s.spawn(async move {
            let _counts = counts;
            wait(wakers).await;
        });
        let _waker = polled.recv().unwrap();
        handle.cancel();
        assert!(matches!(handle.join(), Outcome::Cancelled));
        assert_eq!(dropped.load(SeqCst), 1);
    });
}

#[test]
fn a_process_that_nobody_can_wake_does_not_keep_it() {
    let executor = executor(2);
    let dropped = AtomicUsize::new(0);
    executor.scope(|s| {
        let counts = Counts(&dropped);
        s.spawn(async move {
            let _counts = counts;
            pending::<()>().await;
        });
    });
    assert_eq!(dropped.load(SeqCst), 1);
}

#[test]
fn wakers_may_outlive_it_and_what_was_borrowed() {
    let executor = executor(2);
    let mut kept = Vec::new();
    for _ in 0..100 {
        // On the heap, so that a look at it afterwards is seen by whoever watches memory.
        let borrowed = Box::new(AtomicUsize::new(0));
        let (wakers, polled) = mpsc::channel();
        executor.scope(|s| {
            let counts = Counts(&borrowed);
            let handle = s.spawn(async move {
                let counts = counts;
                // A waker is kept by somebody, and the future goes on.
                let _ = timeout(Duration::ZERO, wait(wakers)).await;
                yield_now().await;
                counts.0.load(SeqCst)
            });
            assert_eq!(handle.join().completed(), Some(0));
        });
        assert_eq!(borrowed.load(SeqCst), 1);
        drop(borrowed);
        kept.extend(polled.try_iter());
    }
    assert_eq!(kept.len(), 100);
    kept.iter().for_each(Waker::wake_by_ref);
    thread::spawn(move || kept.into_iter().for_each(Waker::wake)).join().unwrap();
    executor.run(executor.spawn(async {}));
}

#[test]
fn a_scope_on_a_worker_uses_the_others() {
    let executor = executor(2);
    let sum = executor.spawn(async {
        let numbers = [1, 2, 3];
        // A process in this worker's own slot must not wait for the scope.
        let beside = spawn(async { 10 });
        let sum: i32 = scope(|s| {
            let handles: Vec<_> = numbers.iter().map(|n| s.spawn(async move { *n })).collect();
            handles.into_iter().map(|handle| handle.join().completed().unwrap()).sum()
        });
        sum + beside.await.unwrap()
    });
    assert_eq!(executor.run(timeout(LIMIT, sum)), Ok(Some(16)));
}

#[test]
fn a_scope_on_the_only_worker_is_refused() {
    quiet();
    let executor = executor(1);
    let mut handle = executor.spawn(async { scope(|s| s.spawn(async {}).detach()) });
    match executor.run(timeout(LIMIT, handle.outcome())).expect("it does not hang") {
        Outcome::Panicked(panic) => assert!(panic.message().unwrap().contains("only worker")),
        other => panic!("{other:?}"),
    }
    // From elsewhere one worker is enough.
    let value = 3;
    assert_eq!(executor.scope(|s| s.spawn(async { value }).join().completed()), Some(3));
}

#[test]
fn the_free_function_uses_the_executor_that_is_current() {
    let name = || thread::current().name().map(str::to_owned);
    let executor = Executor::builder().workers(2).name("mine").build().unwrap();
    let (inside, outside) = executor.run(async {
        let here = scope(|s| s.spawn(async { name() }).join().completed().flatten());
        let other = thread::spawn(move || {
            scope(|s| s.spawn(async { name() }).join().completed().flatten())
        });
        (here, other.join().unwrap())
    });
    assert!(inside.unwrap().starts_with("mine-"));
    assert!(outside.unwrap().starts_with("worker-"), "the global one");
}

#[test]
fn an_executor_that_is_dropped_meanwhile_cancels_what_is_woken() {
    let executor = executor(2);
    let (wakers, polled) = mpsc::channel();
    let handle = executor.spawn(async move {
        let dropped = AtomicUsize::new(0);
        let counts = Counts(&dropped);
        let outcome = scope(|s| {
            let handle = s.spawn(async move {
                let _counts = counts;
                wait(wakers).await;
            });
            handle.join()
        });
        assert!(matches!(outcome, Outcome::Cancelled));
        dropped.into_inner()
    });
    let waker = polled.recv().unwrap();
    // The drop waits for the worker that is in the scope, the scope for a wake, and that comes after the close, or before.
    let dropper = thread::spawn(move || drop(executor));
    while !handle.is_finished() {
        waker.wake_by_ref();
        thread::yield_now();
    }
    dropper.join().unwrap();
    assert_eq!(run(handle), Some(1));
}

#[test]
fn scopes_beside_each_other_end_each_for_itself() {
    let executor = Arc::new(executor(2));
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let executor = executor.clone();
            thread::spawn(move || {
                for round in 0..200 {
                    let list = Mutex::new(Vec::new());
                    executor.scope(|s| {
                        for k in 0..round % 7 {
                            let list = &list;
                            s.spawn(async move {
                                yield_now().await;
                                list.lock().unwrap().push(k * n);
                            });
                        }
                    });
                    let list = list.into_inner().unwrap();
                    assert_eq!(list.len(), round % 7);
                    assert_eq!(list.iter().sum::<usize>(), (0..round % 7).sum::<usize>() * n);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_conversion_that_panics_leaves_no_process() {
    quiet();
    struct Refuses;
    impl IntoFuture for Refuses {
        type Output = ();
        type IntoFuture = std::future::Ready<()>;
        fn into_future(self) -> Self::IntoFuture {
            panic!("no future")
        }
    }
    let executor = executor(1);
    let caught = executor.scope(|s| catch_unwind(AssertUnwindSafe(|| s.spawn(Refuses).detach())));
    assert!(caught.is_err());
}
