//! The executor as its users see it: everything that is spawned runs, once, and nothing is left behind.
#![cfg(not(loom))]

use bastion_executor::{
    BuildError, Executor, Outcome, run, sleep, spawn, spawn_blocking, spawn_detached, timeout,
    yield_now,
};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

fn executor(workers: usize) -> Executor {
    Executor::builder().workers(workers).build().unwrap()
}

struct CountDrop(Arc<AtomicUsize>);

impl Drop for CountDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn everything_spawned_from_outside_runs() {
    let executor = executor(2);
    let ran = Arc::new(AtomicUsize::new(0));
    let handles: Vec<_> = (0..10_000)
        .map(|_| {
            let ran = ran.clone();
            executor.spawn(async move { ran.fetch_add(1, SeqCst) })
        })
        .collect();
    executor.run(async {
        for handle in handles {
            assert!(handle.await.is_some());
        }
    });
    assert_eq!(ran.load(SeqCst), 10_000);
}

#[test]
fn processes_without_handles_run_beside_each_other() {
    std::panic::set_hook(Box::new(|_| {}));
    let executor = executor(1);
    let (told, tells) = mpsc::channel();
    let outer = told.clone();
    executor.spawn_detached(async move {
        // Both go to the executor of the process that spawns them.
        spawn_detached(async { panic!("nobody hears it") });
        spawn_detached(async move { told.send("from below").unwrap() });
        yield_now().await;
        outer.send("from above").unwrap();
    });
    let mut heard: Vec<_> = tells.iter().collect();
    heard.sort_unstable();
    assert_eq!(heard, ["from above", "from below"]);
}

#[test]
fn a_tree_of_processes_that_spawn_and_await_completes() {
    fn node(depth: u32) -> std::pin::Pin<Box<dyn Future<Output = usize> + Send>> {
        Box::pin(async move {
            if depth == 0 {
                return 1;
            }
            let (left, right) = (spawn(node(depth - 1)), spawn(node(depth - 1)));
            left.await.unwrap() + right.await.unwrap()
        })
    }
    let executor = executor(3);
    assert_eq!(executor.run(executor.spawn(node(12))), Some(1 << 12));
}

#[test]
fn a_panic_ends_one_process_and_no_worker() {
    std::panic::set_hook(Box::new(|_| {}));
    let executor = executor(1);
    let outcome = executor.run(executor.spawn(async { panic!("one") }).outcome());
    assert!(matches!(outcome, Outcome::Panicked(panic) if panic.message() == Some("one")));
    assert_eq!(executor.run(executor.spawn(async { 2 })), Some(2));
}

#[test]
fn a_cancelled_process_is_dropped_before_its_handle_is_ready() {
    let executor = executor(2);
    let dropped = Arc::new(AtomicUsize::new(0));
    let guard = CountDrop(dropped.clone());
    let handle = executor.spawn(async move {
        let _guard = guard;
        std::future::pending::<()>().await;
    });
    handle.cancel();
    assert_eq!(executor.run(handle), None);
    assert_eq!(dropped.load(SeqCst), 1);
}

#[test]
fn a_process_that_yields_for_ever_starves_nobody() {
    let executor = executor(1);
    let forever = executor.spawn(async {
        loop {
            yield_now().await;
        }
    });
    let handles: Vec<_> = (0..1000).map(|n| executor.spawn(async move { n })).collect();
    executor.run(async {
        for handle in handles {
            handle.await.unwrap();
        }
    });
    forever.cancel();
    assert_eq!(executor.run(forever), None::<()>);
}

#[test]
fn a_worker_that_blocks_on_a_future_lets_others_run_what_it_woke() {
    let executor = executor(2);
    let handle = executor.spawn(async {
        // The inner process is in this worker's LIFO slot when the worker blocks on it.
        run(spawn(async { 3 }))
    });
    assert_eq!(executor.run(timeout(Duration::from_secs(20), handle)), Ok(Some(Some(3))));
}

#[test]
fn dropping_the_executor_drops_what_is_queued() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let executor = executor(1);
    let (entered, wait) = std::sync::mpsc::channel();
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    executor
        .spawn(async move {
            entered.send(()).unwrap();
            let _ = blocked.recv();
        })
        .detach();
    wait.recv().unwrap();
    let handles: Vec<_> = (0..100)
        .map(|_| {
            let guard = CountDrop(dropped.clone());
            executor.spawn(async move { drop(guard) })
        })
        .collect();
    // The only worker is inside a poll: it must leave after it, and take no further process.
    let dropper = std::thread::spawn(move || drop(executor));
    drop(release);
    dropper.join().unwrap();
    assert_eq!(dropped.load(SeqCst), 100);
    assert!(handles.iter().all(|handle| handle.is_finished()));
}

#[test]
fn a_process_that_somebody_could_wake_is_dropped_with_the_executor() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let guard = CountDrop(dropped.clone());
    let (send, receive) = std::sync::mpsc::channel();
    let executor = executor(1);
    let handle = executor.spawn(async move {
        let _guard = guard;
        std::future::poll_fn(|cx| {
            send.send(cx.waker().clone()).unwrap();
            std::task::Poll::<()>::Pending
        })
        .await;
    });
    let waker = receive.recv().unwrap();
    drop(executor);
    assert_eq!(dropped.load(SeqCst), 1);
    waker.wake();
    assert_eq!(run(handle), None);
    assert_eq!(dropped.load(SeqCst), 1);
}

#[test]
fn timers_fire_in_order_and_can_be_taken_back() {
    let start = Instant::now();
    run(async {
        let late = sleep(Duration::from_secs(3600));
        sleep(Duration::from_millis(20)).await;
        drop(late);
        assert!(timeout(Duration::from_millis(10), std::future::pending::<()>()).await.is_err());
        assert_eq!(timeout(Duration::from_secs(3600), async { 1 }).await, Ok(1));
    });
    assert!(start.elapsed() >= Duration::from_millis(30));
}

#[test]
fn an_endless_sleep_neither_fires_nor_overflows() {
    let endless = timeout(Duration::from_millis(5), sleep(Duration::MAX));
    assert!(run(endless).is_err());
}

#[test]
fn blocking_jobs_run_beside_each_other() {
    // Each waits for all: with fewer threads than jobs this would never end.
    let barrier = Arc::new(std::sync::Barrier::new(16));
    let jobs: Vec<_> = (0..16)
        .map(|_| {
            let barrier = barrier.clone();
            spawn_blocking(move || barrier.wait().is_leader())
        })
        .collect();
    let leaders = run(async {
        let mut leaders = 0;
        for job in jobs {
            leaders += usize::from(job.await.unwrap());
        }
        leaders
    });
    assert_eq!(leaders, 1);
}

#[cfg(feature = "io")]
#[test]
fn an_echo_over_tcp() {
    use bastion_executor::io::{AsyncReadExt, AsyncWriteExt, TcpListener, TcpStream};
    let executor = executor(2);
    let echoed = executor.run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = [0; 5];
            stream.read_exact(&mut text).await.unwrap();
            stream.write_all(&text).await.unwrap();
        });
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"hello").await.unwrap();
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        server.await.unwrap();
        text
    });
    assert_eq!(echoed, "hello");
}

#[test]
fn work_from_outside_reaches_every_domain() {
    // Two nodes: two injectors, each drained by all workers.
    let topology = "node:2 core:2".parse().unwrap();
    let executor = Executor::builder().topology(topology).workers(4).build().unwrap();
    let executor = Arc::new(executor);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let executor = executor.clone();
            std::thread::spawn(move || {
                let handles: Vec<_> = (0..100).map(|n| executor.spawn(async move { n })).collect();
                executor.run(async {
                    for handle in handles {
                        handle.await.unwrap();
                    }
                });
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

fn named(name: &str, workers: usize) -> Executor {
    Executor::builder().workers(workers).name(name).build().unwrap()
}

/// The name of the thread that this is polled on.
async fn thread_name() -> Option<String> {
    std::thread::current().name().map(str::to_owned)
}

#[test]
fn run_on_another_executor_spawns_there() {
    let outer = named("outer", 1);
    let inner = named("inner", 1);
    // The outer worker waits inside a poll: what is spawned on its executor never runs.
    let name = outer.spawn(async move { inner.run(async { spawn(thread_name()).await }) });
    let name = outer.run(timeout(Duration::from_secs(60), name));
    if name != Ok(Some(Some(Some("inner-0".to_owned())))) {
        // Its drop would wait for the worker that hangs.
        std::mem::forget(outer);
        panic!("{name:?}");
    }
}

#[test]
fn spawn_from_a_blocking_job_stays_on_the_executor() {
    let executor = named("mine", 1);
    let name =
        executor.run(executor.spawn(async {
            spawn_blocking(|| run(spawn(thread_name()))).await.flatten().flatten()
        }));
    assert_eq!(name, Some(Some("mine-0".to_owned())));
}

#[test]
fn spawn_and_run_work_in_the_destructor_of_a_thread_local() {
    struct AtTheEnd(mpsc::Sender<usize>);
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            let tell = self.0.clone();
            spawn(async move { tell.send(1).unwrap() }).detach();
            self.0.send(run(async { spawn(async { 2 }).await.unwrap() })).unwrap();
            let executor = executor(1);
            self.0.send(executor.run(async { spawn(async { 4 }).await.unwrap() })).unwrap();
        }
    }
    thread_local!(static LAST: std::cell::OnceCell<AtTheEnd> = const { std::cell::OnceCell::new() });
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        // Made before the executor's own thread-locals, and so destroyed after them.
        LAST.with(|last| last.set(AtTheEnd(tell)).is_ok());
        run(spawn(async {}));
        named("here", 1).run(async { spawn(async {}).await });
    })
    .join()
    .unwrap();
    assert_eq!(told.iter().sum::<usize>(), 1 + 2 + 4);
}

#[test]
fn a_name_with_a_nul_is_an_error() {
    let built = Executor::builder().workers(1).name("a\0b").build();
    assert!(matches!(built, Err(BuildError::Name(name)) if name == "a\0b"));
}

/// How often the threads of this name were put on a CPU and taken off it again, and how many threads there are.
#[cfg(target_os = "linux")]
fn switches(name: &str) -> (u64, usize) {
    let (mut switches, mut threads) = (0, 0);
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        // Other tests' threads come and go.
        let Ok(status) = std::fs::read_to_string(task.unwrap().path().join("status")) else {
            continue;
        };
        if !status.lines().any(|line| line.starts_with("Name:") && line.contains(name)) {
            continue;
        }
        threads += 1;
        let counts = status.lines().filter_map(|line| line.split_once("ctxt_switches:"));
        switches += counts.map(|(_, count)| count.trim().parse::<u64>().unwrap()).sum::<u64>();
    }
    (switches, threads)
}

/// Not even a look whether there is something to do: a worker without work does not run.
#[cfg(target_os = "linux")]
#[test]
fn idle_workers_cost_nothing() {
    let executor = named("dormant", 4);
    let waiting: Vec<_> =
        (0..1000).map(|_| executor.spawn(sleep(Duration::from_secs(3600)))).collect();
    let settled = (0..200).any(|_| {
        let before = switches("dormant");
        run(sleep(Duration::from_millis(50)));
        before.1 == 4 && before == switches("dormant")
    });
    assert!(settled, "the workers do not come to rest");
    let before = switches("dormant");
    run(sleep(Duration::from_secs(1)));
    assert_eq!(switches("dormant"), before, "a worker ran without work");
    drop(waiting);
}
