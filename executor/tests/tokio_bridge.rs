//! Tokio's sockets, timers, tasks and channels in our processes, on each kind of thread that is ours.
#![cfg(all(not(loom), feature = "tokio"))]

use bastion_executor::{
    Executor, LocalExecutor, run, spawn, spawn_blocking, spawn_local, tokio_bridge,
};
use std::rc::Rc;
use std::sync::mpsc as std_mpsc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{self, Handle, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::time;

/// Far more than any of these takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

fn executor(workers: usize) -> Executor {
    Executor::builder().workers(workers).name("ours").build().unwrap()
}

fn thread_name() -> String {
    thread::current().name().unwrap_or_default().to_owned()
}

/// Says whose thread this is, and of which runtime.
async fn place() -> (String, runtime::Id) {
    (thread_name(), Handle::current().id())
}

fn other_runtime() -> Runtime {
    runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("theirs")
        .enable_all()
        .build()
        .unwrap()
}

/// Sends some text to and fro over a socket of tokio's, with a process on each end.
async fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut from, mut to) = stream.split();
        tokio::io::copy(&mut from, &mut to).await.unwrap()
    });
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"hello, tokio").await.unwrap();
    client.shutdown().await.unwrap();
    let mut text = String::new();
    client.read_to_string(&mut text).await.unwrap();
    assert_eq!(server.await, Some(12));
    text
}

/// Sleeps with tokio's clock, and says whether it took its time.
async fn sleeps() -> bool {
    let start = Instant::now();
    time::sleep(Duration::from_millis(5)).await;
    start.elapsed() >= Duration::from_millis(5)
}

#[test]
fn time_in_a_process() {
    let executor = executor(2);
    assert_eq!(executor.run(executor.spawn(sleeps())), Some(true));
    let limited = executor.spawn(async {
        let slow = time::timeout(Duration::from_millis(1), std::future::pending::<()>()).await;
        let fast = time::timeout(LIMIT, async { 1 }).await;
        (slow.is_err(), fast.ok())
    });
    assert_eq!(executor.run(limited), Some((true, Some(1))));
    let ticks = executor.spawn(async {
        let mut interval = time::interval(Duration::from_millis(1));
        for _ in 0..5 {
            interval.tick().await;
        }
    });
    assert_eq!(executor.run(ticks), Some(()));
}

#[test]
fn sockets_in_a_process() {
    let executor = executor(2);
    assert_eq!(executor.run(executor.spawn(echo())).as_deref(), Some("hello, tokio"));
    let many: Vec<_> = (0..50).map(|_| executor.spawn(echo())).collect();
    executor.run(async {
        for one in many {
            assert_eq!(one.await.as_deref(), Some("hello, tokio"));
        }
    });
}

#[test]
fn a_process_stays_ours_and_a_task_is_theirs() {
    let executor = executor(1);
    let names = executor.spawn(async {
        let task = tokio::spawn(async { thread_name() }).await.unwrap();
        time::sleep(Duration::from_millis(1)).await;
        (thread_name(), task)
    });
    assert_eq!(executor.run(names), Some(("ours-0".to_owned(), "tokio".to_owned())));
    // What their task spawns with our function is ours: on the global executor, for it knows of no other.
    let back =
        executor.spawn(async { tokio::spawn(async { spawn(place()).await }).await.unwrap() });
    let (name, id) = executor.run(back).flatten().unwrap();
    assert!(name.starts_with("worker-"), "{name}");
    assert_eq!(id, tokio_bridge::helper().unwrap().id());
}

#[test]
fn a_task_that_panics_or_is_aborted_says_so() {
    std::panic::set_hook(Box::new(|_| {}));
    let executor = executor(1);
    let ends = executor.spawn(async {
        let panicked = tokio::spawn(async { panic!("theirs") }).await.unwrap_err();
        let endless = tokio::spawn(std::future::pending::<()>());
        endless.abort();
        (panicked.is_panic(), endless.await.unwrap_err().is_cancelled())
    });
    assert_eq!(executor.run(ends), Some((true, true)));
}

#[test]
fn channels_between_processes_and_tasks() {
    let executor = executor(2);
    let sum = executor.spawn(async {
        let (numbers, mut heard) = mpsc::channel(4);
        let (answer, told) = oneshot::channel();
        let adder = tokio::spawn(async move {
            let mut sum = 0;
            while let Some(number) = heard.recv().await {
                sum += number;
            }
            answer.send(sum).unwrap();
        });
        for number in 0..1000_u64 {
            numbers.send(number).await.unwrap();
        }
        drop(numbers);
        adder.await.unwrap();
        told.await.unwrap()
    });
    assert_eq!(executor.run(sum), Some(499_500));
}

#[test]
fn in_run_with_and_without_an_executor() {
    let executor = executor(1);
    let everything = || async { (sleeps().await, echo().await, place().await.1) };
    let expected = (true, "hello, tokio".to_owned(), tokio_bridge::helper().unwrap().id());
    assert_eq!(executor.run(everything()), expected);
    assert_eq!(run(everything()), expected);
    assert!(Handle::try_current().is_err(), "only inside");
}

#[test]
fn in_the_processes_of_a_local_executor() {
    let slept = LocalExecutor::new().run(async {
        let shared = Rc::new(());
        let handle = spawn_local(async move {
            let slept = sleeps().await;
            drop(shared);
            slept
        });
        (handle.await, echo().await)
    });
    assert_eq!(slept, (Some(true), "hello, tokio".to_owned()));
}

#[test]
fn in_a_blocking_job() {
    // From outside, and from a process: `run`, and tokio's own way to wait.
    let outside = spawn_blocking(|| (run(sleeps()), Handle::current().block_on(echo())));
    assert_eq!(run(outside), Some((true, "hello, tokio".to_owned())));
    let executor = executor(1);
    let inside = executor.spawn(async {
        spawn_blocking(|| (Handle::current().block_on(sleeps()), run(place()).1)).await
    });
    let helper = tokio_bridge::helper().unwrap().id();
    assert_eq!(executor.run(inside).flatten(), Some((true, helper)));
}

#[test]
fn on_a_runtime_that_was_given() {
    let theirs = other_runtime();
    let id = theirs.handle().id();
    let builder = Executor::builder().workers(1).name("ours");
    let executor = builder.tokio(theirs.handle().clone()).build().unwrap();
    let process = executor.spawn(async {
        let task = tokio::spawn(place()).await.unwrap();
        let blocking = spawn_blocking(|| Handle::current().id()).await.unwrap();
        (sleeps().await, echo().await, place().await, task, blocking)
    });
    let (slept, echoed, process, task, blocking) = executor.run(process).unwrap();
    assert!(slept);
    assert_eq!(echoed, "hello, tokio");
    assert_eq!(process, ("ours-0".to_owned(), id));
    assert_eq!(task, ("theirs".to_owned(), id));
    assert_eq!(blocking, id);
    assert_eq!(executor.run(place()).1, id);
    // The free function keeps to whatever runtime its thread is in.
    let within = theirs.block_on(async { tokio::task::block_in_place(|| run(place()).1) });
    assert_eq!(within, id);
    assert_ne!(tokio_bridge::helper().unwrap().id(), id);
}

#[test]
fn their_waits_inside_a_process_are_as_documented() {
    let executor = executor(1);
    let process = executor.spawn(async {
        let before = thread::current().id();
        // It blocks the worker, and hands nothing over.
        let inside = tokio::task::block_in_place(|| thread::current().id());
        tokio::task::yield_now().await;
        // Waiting for a future of tokio's is allowed, for our workers are none of its threads.
        (before == inside, Handle::current().block_on(sleeps()))
    });
    assert_eq!(executor.run(process), Some((true, true)));
    let local = executor.run(async {
        let set = tokio::task::LocalSet::new();
        let rc = Rc::new(3);
        set.run_until(async { tokio::task::spawn_local(async move { *rc }).await.unwrap() }).await
    });
    assert_eq!(local, 3);
}

#[test]
fn a_wake_from_their_thread_reaches_workers_that_sleep() {
    let executor = executor(2);
    let (tell, told) = std_mpsc::channel();
    for n in 0..100 {
        let tell = tell.clone();
        executor.spawn_detached(async move {
            time::sleep(Duration::from_micros(50 * n)).await;
            tell.send(n).unwrap();
        });
    }
    drop(tell);
    let mut heard: Vec<u64> = told.iter().collect();
    heard.sort_unstable();
    assert_eq!(heard, (0..100).collect::<Vec<_>>());
}

#[test]
fn run_works_where_no_runtime_can_be_entered_any_more() {
    struct AtTheEnd(std_mpsc::Sender<u32>);
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            self.0.send(run(async { 7 })).unwrap();
            let executor = executor(1);
            self.0.send(executor.run(executor.spawn(async { 8 })).unwrap()).unwrap();
        }
    }
    thread_local!(static LAST: std::cell::OnceCell<AtTheEnd> = const { std::cell::OnceCell::new() });
    let (tell, told) = std_mpsc::channel();
    thread::spawn(move || {
        // Made before tokio's thread-locals, and so destroyed after them.
        LAST.with(|last| last.set(AtTheEnd(tell)).is_ok());
        run(async { assert!(sleeps().await) });
    })
    .join()
    .unwrap();
    assert_eq!(told.iter().collect::<Vec<_>>(), [7, 8]);
}
