//! The local executor: what it runs stays on one thread, whoever wakes it and however it ends.
#![cfg(not(loom))]

mod local;

use bastion_executor::{
    LocalExecutor, LocalHandle, Outcome, run, sleep, spawn, spawn_blocking, spawn_local,
    try_spawn_local, yield_now,
};
use local::{Guard, quiet, waiting};
use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

#[test]
fn what_is_not_send_lives_across_awaits_and_comes_back() {
    let list = Rc::new(RefCell::new(Vec::new()));
    let executor = LocalExecutor::new();
    let handles: Vec<_> = (0..3)
        .map(|n| {
            let list = list.clone();
            executor.spawn_local(async move {
                for round in 0..2 {
                    list.borrow_mut().push((round, n));
                    yield_now().await;
                }
                Rc::new(n)
            })
        })
        .collect();
    let sum = executor.run(async {
        let mut sum = 0;
        for handle in handles {
            sum += *handle.await.unwrap();
        }
        sum
    });
    assert_eq!(sum, 3);
    // In turn, first come first served.
    assert_eq!(*list.borrow(), [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]);
}

#[test]
fn wakes_come_from_other_threads() {
    const EACH: usize = 200;
    let threads = Rc::new(RefCell::new(Vec::new()));
    LocalExecutor::new().run(async {
        let handles: Vec<_> = (0..EACH)
            .map(|n| {
                let threads = threads.clone();
                spawn_local(async move {
                    // A worker, a thread of the blocking pool, the timer's thread.
                    let square = spawn(async move { n * n }).await.unwrap();
                    let doubled = spawn_blocking(move || 2 * n).await.unwrap();
                    sleep(Duration::from_micros(n as u64)).await;
                    threads.borrow_mut().push(thread::current().id());
                    square + doubled
                })
            })
            .collect();
        for (n, handle) in handles.into_iter().enumerate() {
            assert_eq!(handle.await, Some(n * n + 2 * n));
        }
    });
    assert_eq!(*threads.borrow(), vec![thread::current().id(); EACH]);
}

#[test]
fn a_parked_executor_is_woken_for_its_main_future_and_for_its_processes() {
    let executor = LocalExecutor::new();
    // Each end of the rally is woken by the other thread only.
    let (to_other, other) = mpsc::channel::<Waker>();
    let rounds = Arc::new(AtomicUsize::new(0));
    let counted = rounds.clone();
    let waker = thread::spawn(move || {
        for waker in other {
            counted.fetch_add(1, SeqCst);
            waker.wake();
        }
    });
    let rally = |to_other: mpsc::Sender<Waker>| async move {
        for _ in 0..1000 {
            let mut sent = false;
            poll_fn(|cx| {
                if std::mem::replace(&mut sent, true) {
                    return Poll::Ready(());
                }
                to_other.send(cx.waker().clone()).unwrap();
                Poll::Pending
            })
            .await;
        }
    };
    let process = executor.spawn_local(rally(to_other.clone()));
    executor.run(rally(to_other));
    assert_eq!(executor.run(process), Some(()));
    waker.join().unwrap();
    assert_eq!(rounds.load(SeqCst), 2000);
}

#[test]
fn a_cancelled_process_is_dropped_before_its_handle_is_ready() {
    let dropped = Rc::new(Cell::new(0));
    let executor = LocalExecutor::new();
    let (wakers, polled) = mpsc::channel();
    let mut handle = waiting(&executor, Guard::new(&dropped), wakers);
    executor.run(yield_now());
    assert!(polled.try_recv().is_ok(), "it waits");
    handle.cancel();
    assert_eq!(dropped.get(), 0, "not inside the call");
    assert!(matches!(executor.run(handle.outcome()), Outcome::Cancelled));
    assert_eq!(dropped.get(), 1);
    assert!(handle.is_finished());
    // One that was never polled.
    let (wakers, polled) = mpsc::channel();
    let handle = waiting(&executor, Guard::new(&dropped), wakers);
    handle.cancel();
    assert_eq!(executor.run(handle), None);
    assert_eq!(dropped.get(), 2);
    assert!(polled.recv().is_err(), "it was not polled");
}

#[test]
fn a_panic_ends_one_process_and_leaves_the_others() {
    quiet();
    let executor = LocalExecutor::new();
    let before = executor.spawn_local(yield_now());
    let mut panics = executor.spawn_local(async {
        yield_now().await;
        panic!("number {}", 7)
    });
    let after = executor.spawn_local(yield_now());
    executor.run(async {
        match panics.outcome().await {
            Outcome::Panicked(panic) => {
                assert_eq!(panic.message(), Some("number 7"));
                assert_eq!(panic.location().unwrap().file(), file!());
            }
            other => panic!("{other:?}"),
        }
        assert_eq!((before.await, after.await), (Some(()), Some(())));
    });
}

#[test]
fn a_panic_of_the_main_future_leaves_the_executor_usable() {
    quiet();
    let executor = LocalExecutor::new();
    let process = executor.spawn_local(async {
        yield_now().await;
        1
    });
    let run = || executor.run(async { panic!("main") });
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
    assert!(try_spawn_local(async {}).is_err(), "none runs any more");
    assert_eq!(executor.run(process), Some(1));
}

#[test]
fn dropping_a_handle_detaches_its_process() {
    let executor = LocalExecutor::new();
    let ran = Rc::new(Cell::new(0));
    let counts = |ran: Rc<Cell<usize>>| async move {
        yield_now().await;
        ran.set(ran.get() + 1);
    };
    drop(executor.spawn_local(counts(ran.clone())));
    executor.spawn_local(counts(ran.clone())).detach();
    executor.run(async {
        yield_now().await;
        yield_now().await;
    });
    assert_eq!(ran.get(), 2);
}

#[test]
fn what_is_left_goes_on_in_the_next_run() {
    let executor = LocalExecutor::new();
    let steps = Rc::new(Cell::new(0));
    let counted = steps.clone();
    let process = executor.spawn_local(async move {
        for _ in 0..10 {
            counted.set(counted.get() + 1);
            yield_now().await;
        }
    });
    executor.run(async {});
    let first = steps.get();
    assert!(first < 10, "`run` ends with its future");
    assert_eq!(executor.run(process), Some(()));
    assert_eq!(steps.get(), 10);
}

#[test]
fn a_wake_while_it_does_not_run_is_kept() {
    let dropped = Rc::new(Cell::new(0));
    let executor = LocalExecutor::new();
    let (wakers, polled) = mpsc::channel();
    let _handle = waiting(&executor, Guard::new(&dropped), wakers);
    executor.run(yield_now());
    let waker = polled.try_recv().unwrap();
    waker.wake_by_ref();
    thread::spawn(move || waker.wake()).join().unwrap();
    assert!(polled.try_recv().is_err());
    executor.run(yield_now());
    assert!(polled.try_recv().is_ok());
}

#[test]
fn a_main_future_that_is_always_due_starves_no_process_nor_they_it() {
    let executor = LocalExecutor::new();
    let forever: Vec<_> = (0..1000)
        .map(|_| {
            executor.spawn_local(async {
                loop {
                    yield_now().await;
                }
            })
        })
        .collect();
    let last = executor.spawn_local(async {
        for _ in 0..10 {
            yield_now().await;
        }
    });
    // The main future yields until the last process is through, which needs all others to yield 10 times.
    let polls = executor.run(async {
        let mut polls = 0_usize;
        while !last.is_finished() {
            polls += 1;
            yield_now().await;
        }
        polls
    });
    // One poll for 64 of them, so 11 rounds of 1001 are 172.
    assert!((160..200).contains(&polls), "{polls}");
    forever.iter().for_each(LocalHandle::cancel);
    executor.run(async {
        for handle in forever {
            assert_eq!(handle.await, None::<()>);
        }
    });
}

#[test]
fn a_run_inside_a_run_of_the_same_executor_runs_the_others() {
    let executor = Rc::new(LocalExecutor::new());
    let inner = executor.clone();
    let steps = Rc::new(RefCell::new(Vec::new()));
    let (outer_steps, other_steps) = (steps.clone(), steps.clone());
    let outer = executor.spawn_local(async move {
        let other = spawn_local(async move {
            yield_now().await;
            other_steps.borrow_mut().push("other");
            5
        });
        let got = inner.run(other);
        outer_steps.borrow_mut().push("outer");
        got
    });
    assert_eq!(executor.run(outer), Some(Some(5)));
    assert_eq!(*steps.borrow(), ["other", "outer"]);
}

#[test]
fn a_wake_of_the_outer_main_future_inside_an_inner_run_is_not_lost() {
    let executor = Rc::new(LocalExecutor::new());
    let inner = executor.clone();
    let ready = Arc::new(AtomicBool::new(false));
    let (tell, told) = mpsc::channel::<Waker>();
    let seen = ready.clone();
    let process = executor.spawn_local(async move {
        inner.run(async {
            let main = told.recv().unwrap();
            seen.store(true, SeqCst);
            thread::spawn(move || main.wake()).join().unwrap();
            // The inner run has heard the call, which was for the outer.
            sleep(Duration::from_millis(1)).await;
        });
    });
    executor.run(poll_fn(move |cx| {
        if ready.load(SeqCst) {
            return Poll::Ready(());
        }
        tell.send(cx.waker().clone()).unwrap();
        Poll::Pending
    }));
    assert_eq!(executor.run(process), Some(()));
}

#[test]
fn an_executor_inside_another_gets_what_is_spawned_and_gives_it_back() {
    let (outer, inner) = (LocalExecutor::new(), LocalExecutor::new());
    let count = |executor: &LocalExecutor| format!("{executor:?}");
    outer.run(async {
        inner.run(async {
            spawn_local(pending::<()>()).detach();
            assert_eq!(count(&inner), "LocalExecutor { processes: 1 }");
        });
        spawn_local(pending::<()>()).detach();
        spawn_local(pending::<()>()).detach();
    });
    assert_eq!(count(&inner), "LocalExecutor { processes: 1 }");
    assert_eq!(count(&outer), "LocalExecutor { processes: 2 }");
}

#[test]
fn without_one_the_future_comes_back() {
    let refused = try_spawn_local(async { 3 }).unwrap_err();
    assert!(refused.to_string().contains("no LocalExecutor runs on this thread"));
    assert_eq!(run(refused.0), 3);
    // Not on the workers, whatever runs on the thread that waits for them.
    let on_a_worker = LocalExecutor::new().run(spawn(async { try_spawn_local(async {}).is_err() }));
    assert_eq!(on_a_worker, Some(true));
}

#[test]
fn a_hundred_thousand_processes() {
    const COUNT: usize = 100_000;
    let executor = LocalExecutor::new();
    let sum = Rc::new(Cell::new(0));
    let handles: Vec<_> = (0..COUNT)
        .map(|n| {
            let sum = sum.clone();
            executor.spawn_local(async move {
                yield_now().await;
                sum.set(sum.get() + n);
            })
        })
        .collect();
    executor.run(async {
        for handle in handles {
            assert_eq!(handle.await, Some(()));
        }
    });
    assert_eq!(sum.get(), COUNT * (COUNT - 1) / 2);
}
