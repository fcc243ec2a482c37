//! What the documentation of bastion-executor 0.4 promises, and what ours adds to it.

use crate::{LIMIT, executor, on, quiet};
use bastion_executor::sleepers::Sleepers;
use bastion_executor::{Executor, blocking, pool, run::run, worker};
use futures_lite::future::{pending, yield_now};
use lightproc::prelude::*;
use std::future::poll_fn;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

/// A stack whose hooks write their names down.
fn noted() -> ProcStack {
    ProcStack::default()
        .with_state(Vec::<&str>::new())
        .with_before_start(|names: &mut Vec<&str>| names.push("start"))
        .with_after_complete(|names: &mut Vec<&str>| names.push("complete"))
        .with_after_panic(|names: &mut Vec<&str>| names.push("panic"))
}

fn hooks_of(stack: &ProcStack) -> Vec<&'static str> {
    stack.state().unwrap()
}

/// Says when it is dropped.
struct Held(mpsc::Sender<()>);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// Spawns a future with a stack, on the workers and on the threads that may block.
type Spawn = fn(ProcStack, bool) -> RecoverableHandle<()>;

const SPAWNS: [Spawn; 3] = [
    |stack, panics| pool::spawn(body(panics), stack),
    |stack, panics| pool::get().spawn(body(panics), stack),
    |stack, panics| blocking::spawn_blocking(body(panics), stack),
];

async fn body(panics: bool) {
    yield_now().await;
    assert!(!panics, "as asked");
}

#[test]
fn each_hook_runs_once_wherever_a_process_runs() {
    quiet();
    for spawn in SPAWNS {
        for (panics, expected) in [(false, ["start", "complete"]), (true, ["start", "panic"])] {
            let stack = noted();
            let ended = run(spawn(stack.clone(), panics), ProcStack::default());
            assert_eq!((ended.is_none(), hooks_of(&stack)), (panics, expected.to_vec()));
        }
    }
}

#[test]
fn the_stack_is_found_at_the_handle_and_in_the_process_at_each_poll() {
    let stack = || ProcStack::default().with_pid(1);
    for blocks in [false, true] {
        let (told, tells) = mpsc::channel();
        let (go, gone) = mpsc::channel::<()>();
        let body = async move {
            told.send(worker::current().get_pid()).unwrap();
            gone.recv().unwrap();
            yield_now().await;
            worker::current().get_pid()
        };
        let handle = match blocks {
            false => pool::spawn(body, stack()),
            true => blocking::spawn_blocking(body, stack()),
        };
        assert_eq!(tells.recv_timeout(LIMIT), Ok(1));
        handle.stack().pid.store(2, Relaxed);
        go.send(()).unwrap();
        assert_eq!(run(handle, ProcStack::default()), Some(2));
    }
}

#[test]
fn run_inside_run_has_its_own_stack_and_gives_the_outer_one_back() {
    let pid = || worker::current().get_pid();
    let inner = || run(async { pid() }, ProcStack::default().with_pid(2));
    let pids = run(async { [pid(), inner(), pid()] }, ProcStack::default().with_pid(1));
    assert_eq!(pids, [1, 2, 1]);
    quiet();
    let panics = thread::spawn(|| {
        let panics = std::panic::catch_unwind(|| {
            run(async { panic!("as asked") }, ProcStack::default());
        });
        assert!(panics.is_err());
        worker::current()
    });
    assert!(panics.join().is_err(), "there is none outside");
}

#[test]
fn what_has_no_stack_of_its_own_has_none() {
    quiet();
    let other = || bastion_executor::spawn(async { worker::current().get_pid() });
    let found = run(async move { other().await }, ProcStack::default().with_pid(1));
    assert_eq!(found, None, "it panicked");
}

#[test]
fn a_panic_that_nobody_hears_of_goes_to_the_executors_handler() {
    quiet();
    let (told, tells) = mpsc::channel();
    let handler =
        move |panic: &lightproc::Panic| told.send(panic.message().map(str::to_owned)).unwrap();
    let executor = Executor::builder().workers(1).on_panic(handler).build().unwrap();
    for spawn in [SPAWNS[0], SPAWNS[2]] {
        on(&executor, || drop(spawn(ProcStack::default(), true)));
        assert_eq!(tells.recv_timeout(LIMIT), Ok(Some("as asked".to_owned())));
    }
}

#[test]
fn what_blocks_is_on_threads_for_that() {
    let name = async { thread::current().name().unwrap_or_default().to_owned() };
    let name = run(blocking::spawn_blocking(name, ProcStack::default()), ProcStack::default());
    assert!(name.as_ref().is_some_and(|name| name.contains("-blocking-")), "{name:?}");
}

#[test]
fn a_blocking_process_that_waits_holds_no_thread() {
    let executor = Executor::builder().workers(1).blocking_threads(1).build().unwrap();
    let other = || blocking::spawn_blocking(async { 7 }, ProcStack::default());
    let waits = async move { other().await };
    let waits = on(&executor, || blocking::spawn_blocking(waits, ProcStack::default()));
    assert_eq!(executor.run(waits), Some(Some(7)));
}

#[test]
fn a_blocking_process_that_waits_can_be_cancelled() {
    let (dropped, drops) = mpsc::channel();
    let (held, started) = (Held(dropped), Arc::new(Sleepers::new()));
    let starts = started.clone();
    let forever = async move {
        let _held = held;
        starts.notify_one();
        pending::<()>().await;
    };
    let handle = blocking::spawn_blocking(forever, ProcStack::default());
    started.wait();
    assert!(drops.try_recv().is_err());
    handle.cancel();
    assert_eq!(run(handle, ProcStack::default()), None);
    assert_eq!(drops.try_recv(), Ok(()));
}

#[test]
fn a_full_pool_refuses_a_process_and_says_so() {
    let builder = Executor::builder().workers(1).blocking_threads(1).blocking_queue(0);
    let executor = builder.build().unwrap();
    let spawn = || blocking::spawn_blocking(yield_now(), ProcStack::default());
    let (go, gone) = mpsc::channel::<()>();
    let held = async move { gone.recv().unwrap() };
    let held = on(&executor, || blocking::spawn_blocking(held, ProcStack::default()));
    assert_eq!(executor.run(async { spawn().await }), None);
    go.send(()).unwrap();
    assert_eq!(executor.run(held), Some(()));
    assert_eq!(executor.run(async { spawn().await }), Some(()));
}

#[test]
fn a_blocking_process_that_outlives_its_executor_is_dropped_when_it_is_woken() {
    let executor = executor(1);
    let (dropped, drops) = mpsc::channel();
    let (woken_by, waker) = mpsc::channel::<Waker>();
    let held = Held(dropped);
    let waits = async move {
        let _held = held;
        poll_fn(|cx| {
            woken_by.send(cx.waker().clone()).unwrap();
            Poll::<()>::Pending
        })
        .await;
    };
    let handle = on(&executor, || blocking::spawn_blocking(waits, ProcStack::default()));
    let waker = waker.recv_timeout(LIMIT).unwrap();
    drop(executor);
    // As if under a lock that its destructors want.
    let lock = Mutex::new(drops);
    let drops = lock.lock().unwrap();
    waker.wake();
    assert_eq!(drops.recv_timeout(LIMIT), Ok(()));
    assert_eq!(run(handle, ProcStack::default()), None);
}

#[test]
fn each_notification_wakes_one_sleeper_and_one_is_kept() {
    let sleepers = Arc::new(Sleepers::default());
    let (told, tells) = mpsc::channel();
    let sleeper = || {
        let (sleepers, told) = (sleepers.clone(), told.clone());
        thread::spawn(move || {
            sleepers.wait();
            told.send(()).unwrap();
        });
    };
    (0..3).for_each(|_| sleeper());
    for _ in 0..3 {
        sleepers.notify_one();
        tells.recv_timeout(LIMIT).unwrap();
    }
    // Nobody sleeps: one of these is kept.
    sleepers.notify_one();
    sleepers.notify_one();
    sleepers.wait();
    sleeper();
    assert!(tells.recv_timeout(Duration::from_millis(50)).is_err());
    sleepers.notify_one();
    tells.recv_timeout(LIMIT).unwrap();
}
