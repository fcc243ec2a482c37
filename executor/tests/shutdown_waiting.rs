//! The end of an owned executor drops every future, once, also of processes that wait for what never comes; at any moment, and
//! whatever the destructors do.
#![cfg(not(loom))]

use bastion_executor::{Executor, run, scope, sleep, spawn, spawn_blocking, yield_now};
use std::collections::hash_map::RandomState;
use std::future::{pending, poll_fn};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Far more than any of these takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

fn executor(workers: usize) -> Executor {
    Executor::builder().workers(workers).build().unwrap()
}

/// How many guards were made, and how many dropped.
#[derive(Default)]
struct Counts {
    made: AtomicUsize,
    dropped: AtomicUsize,
}

impl Counts {
    fn are_equal(&self) -> bool {
        self.made.load(SeqCst) == self.dropped.load(SeqCst)
    }

    fn guard(self: &Arc<Self>) -> Guard {
        self.made.fetch_add(1, SeqCst);
        Guard(self.clone())
    }
}

/// In each future; one that was dropped twice would be counted twice.
struct Guard(Arc<Counts>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, SeqCst);
    }
}

/// Does something when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Runs the situation on a thread of its own, so that one that hangs is a failure, and sees whether each future was dropped once.
fn check(name: &str, situation: impl FnOnce(&Arc<Counts>) + Send + 'static) {
    let counts = Arc::new(Counts::default());
    let (done, is_done) = mpsc::channel();
    let inside = counts.clone();
    let thread = thread::spawn(move || {
        situation(&inside);
        done.send(()).unwrap();
    });
    match is_done.recv_timeout(LIMIT) {
        Err(RecvTimeoutError::Timeout) => panic!("{name}: it hangs"),
        Ok(()) | Err(RecvTimeoutError::Disconnected) => {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    }
    let (made, dropped) = (counts.made.load(SeqCst), counts.dropped.load(SeqCst));
    assert!(made == dropped && made > 0, "{name}: {made} made, {dropped} dropped");
}

/// Waits for what another thread is about to do.
fn until(what: impl Fn() -> bool) {
    let begin = Instant::now();
    while !what() {
        assert!(begin.elapsed() < LIMIT, "it does not come");
        thread::yield_now();
    }
}

/// Spawns processes that wait for ever, and waits until they do.
fn waiting(executor: &Executor, counts: &Arc<Counts>, count: usize) {
    let (tell, told) = mpsc::channel();
    for _ in 0..count {
        let (tell, guard) = (tell.clone(), counts.guard());
        executor.spawn_detached(async move {
            let _guard = guard;
            tell.send(()).unwrap();
            // Keeps a waker of itself, so that it is not taken for one that nobody can wake.
            let mut own = None;
            poll_fn(|cx| {
                own = Some(cx.waker().clone());
                Poll::<()>::Pending
            })
            .await;
        });
    }
    (0..count).for_each(|_| told.recv().unwrap());
}

#[test]
fn processes_that_wait_for_each_other() {
    check("cycles", |counts| {
        let executor = executor(2);
        let (tell, told) = mpsc::channel();
        for _ in 0..100 {
            let (to_one, one) = oneshot::channel::<()>();
            let (to_two, two) = oneshot::channel::<()>();
            for (held, wanted) in [(to_two, one), (to_one, two)] {
                let (guard, tell) = (counts.guard(), tell.clone());
                executor.spawn_detached(async move {
                    let (_held, _guard) = (held, guard);
                    tell.send(()).unwrap();
                    let _ = wanted.await;
                });
            }
        }
        (0..200).for_each(|_| told.recv().unwrap());
        drop(executor);
        assert!(counts.are_equal(), "when the drop has returned every future is gone");
    });
}

#[test]
fn processes_whose_wakers_somebody_keeps() {
    check("foreign wakers", |counts| {
        let executor = executor(1);
        let wakers = Arc::new(Mutex::new(Vec::<Waker>::new()));
        let handles: Vec<_> = (0..100)
            .map(|_| {
                let (wakers, guard) = (wakers.clone(), counts.guard());
                executor.spawn(async move {
                    let _guard = guard;
                    poll_fn(|cx| {
                        wakers.lock().unwrap().push(cx.waker().clone());
                        Poll::<()>::Pending
                    })
                    .await;
                })
            })
            .collect();
        until(|| wakers.lock().unwrap().len() == 100);
        drop(executor);
        assert!(counts.are_equal());
        wakers.lock().unwrap().drain(..).for_each(Waker::wake);
        handles.into_iter().for_each(|handle| assert_eq!(run(handle), None));
    });
}

#[test]
fn destructors_that_spawn() {
    /// Spawns another one when it is dropped, so many times.
    struct Spawns(usize, Arc<Counts>, #[expect(dead_code, reason = "it counts")] Guard);
    impl Drop for Spawns {
        fn drop(&mut self) {
            if self.0 > 0 {
                let next = Spawns(self.0 - 1, self.1.clone(), self.1.guard());
                spawn(async move {
                    let _next = next;
                    pending::<()>().await;
                })
                .detach();
            }
        }
    }
    check("destructors that spawn", |counts| {
        let executor = executor(2);
        let (tell, told) = mpsc::channel();
        for _ in 0..10 {
            let (spawns, tell) = (Spawns(100, counts.clone(), counts.guard()), tell.clone());
            executor.spawn_detached(async move {
                let _spawns = spawns;
                tell.send(()).unwrap();
                sleep(Duration::from_secs(3600)).await;
            });
        }
        (0..10).for_each(|_| told.recv().unwrap());
        drop(executor);
        assert_eq!(counts.dropped.load(SeqCst), 10 * 101);
    });
}

#[test]
fn destructors_that_panic() {
    std::panic::set_hook(Box::new(|_| {}));
    check("destructors that panic", |counts| {
        let executor = executor(2);
        waiting(&executor, counts, 10);
        let (tell, told) = mpsc::channel();
        for _ in 0..10 {
            let (guard, tell) = (counts.guard(), tell.clone());
            let panics = OnDrop(|| panic!("in a destructor"));
            executor.spawn_detached(async move {
                let (_guard, _panics) = (guard, panics);
                tell.send(()).unwrap();
                sleep(Duration::from_secs(3600)).await;
            });
        }
        (0..10).for_each(|_| told.recv().unwrap());
        drop(executor);
        assert!(counts.are_equal());
    });
}

#[test]
fn destructors_that_drop_other_executors() {
    /// An executor with processes that wait, one of which has another such executor.
    fn nested(depth: usize, counts: &Arc<Counts>) -> Executor {
        let executor = executor(1);
        waiting(&executor, counts, 3);
        if depth > 0 {
            let (inner, guard) = (nested(depth - 1, counts), counts.guard());
            let (tell, told) = mpsc::channel();
            executor.spawn_detached(async move {
                let (_inner, _guard) = (inner, guard);
                tell.send(()).unwrap();
                sleep(Duration::from_secs(3600)).await;
            });
            told.recv().unwrap();
        }
        executor
    }
    check("nested executors", |counts| {
        drop(nested(10, counts));
        assert!(counts.are_equal());
    });
}

#[test]
fn a_drop_while_a_worker_waits_in_run_for_what_never_ends() {
    check("run inside a poll", |counts| {
        for _ in 0..50 {
            let executor = executor(2);
            let (tell, told) = mpsc::channel();
            let (outer, inner) = (counts.guard(), counts.guard());
            let handle = executor.spawn(async move {
                let _outer = outer;
                let waits = spawn(async move {
                    let _inner = inner;
                    sleep(Duration::from_secs(3600)).await;
                });
                tell.send(()).unwrap();
                run(waits)
            });
            told.recv().unwrap();
            drop(executor);
            assert_eq!(run(handle), Some(None));
        }
    });
}

#[test]
fn an_executor_dropped_on_its_own_worker() {
    check("own worker", |counts| {
        for first_poll in [true, false].repeat(25) {
            let executor = Arc::new(executor(2));
            waiting(&executor, counts, 10);
            let (inner, guard) = (executor.clone(), counts.guard());
            let (go, told) = mpsc::channel::<()>();
            executor.spawn_detached(async move {
                let _guard = guard;
                if !first_poll {
                    yield_now().await;
                }
                let _ = told.recv();
                drop(inner);
                // It waits on: nobody is left who would poll it.
                pending::<()>().await;
            });
            drop(executor);
            drop(go);
            until(|| counts.are_equal());
        }
    });
}

#[test]
fn destructors_of_blocking_jobs_that_spawn() {
    check("jobs", |counts| {
        let executor = Executor::builder().workers(1).blocking_threads(1).build().unwrap();
        let (release, released) = mpsc::channel::<()>();
        let (begun, has_begun) = mpsc::channel();
        let running = executor.spawn_blocking(move || {
            begun.send(()).unwrap();
            let _ = released.recv();
        });
        has_begun.recv().unwrap();
        let (outside, spawned) = (counts.guard(), counts.guard());
        let mut spawned = Some(spawned);
        let spawns = OnDrop(move || {
            let guard = spawned.take();
            // This thread is inside the executor that it drops, or this would go to the global one.
            spawn(async move {
                let _guard = guard;
                pending::<()>().await;
            })
            .detach();
        });
        let waits = executor.spawn_blocking(move || drop((outside, spawns)));
        let dropping = thread::spawn(move || drop(executor));
        dropping.join().unwrap();
        assert!(counts.are_equal());
        assert_eq!(run(waits), None);
        drop(release);
        assert_eq!(run(running), Some(()));
    });
}

/// Numbers from a seed, as xorshift makes them.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// A process that does a bit of everything, and has others do so.
fn busy(mut random: Random, depth: usize, counts: Arc<Counts>) -> impl Future<Output = ()> + Send {
    let guard = counts.guard();
    let body = async move {
        let _guard = guard;
        for _ in 0..random.below(8) {
            let seed = random.below(u64::MAX) | 1;
            match random.below(8) {
                0 => yield_now().await,
                1 => sleep(Duration::from_micros(random.below(500))).await,
                2 if depth > 0 => spawn(busy(Random(seed), depth - 1, counts.clone())).detach(),
                3 if depth > 0 => {
                    spawn(busy(Random(seed), depth - 1, counts.clone())).await;
                }
                4 => {
                    let guard = counts.guard();
                    let job = spawn_blocking(move || drop(guard));
                    if random.below(2) == 0 {
                        job.await;
                    }
                }
                5 => {
                    // Somebody answers, or not.
                    let (answers, answer) = oneshot::channel::<()>();
                    let guard = counts.guard();
                    let answers = random.below(3).checked_sub(1).map(|_| answers);
                    spawn(async move {
                        let _guard = guard;
                        drop(answers);
                    })
                    .detach();
                    let _ = answer.await;
                }
                // Either blocks the worker, the only one perhaps: then nothing goes on until the end.
                6 if random.below(4) == 0 => scope_of_one(counts.guard()),
                6 => {
                    let guard = counts.guard();
                    run(spawn(async move { drop(guard) }));
                }
                _ if random.below(4) == 0 => pending::<()>().await,
                _ => {}
            }
        }
    };
    Box::pin(body) as std::pin::Pin<Box<dyn Future<Output = ()> + Send>>
}

#[test]
fn at_any_moment_under_load() {
    std::panic::set_hook(Box::new(|_| {})); // A scope on the only worker panics.
    let seed = RandomState::new().hash_one(0) | 1;
    check(&format!("seed {seed}"), move |counts| {
        let mut random = Random(seed);
        for _ in 0..60 {
            let executor = Arc::new(executor(1 + random.below(3) as usize));
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    let (executor, counts) = (Arc::downgrade(&executor), counts.clone());
                    let mut random = Random(random.below(u64::MAX) | 1);
                    thread::spawn(move || {
                        for _ in 0..random.below(300) {
                            let Some(executor) = executor.upgrade() else { return };
                            let seed = random.below(u64::MAX) | 1;
                            executor.spawn_detached(busy(Random(seed), 3, counts.clone()));
                        }
                    })
                })
                .collect();
            let moment = random.below(3_000);
            let made = counts.made.load(SeqCst);
            let is_made = || (counts.made.load(SeqCst) - made) as u64 >= moment;
            until(|| is_made() || all_finished(&threads));
            drop(executor);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            // Jobs that ran in that moment are not waited for.
            until(|| counts.are_equal());
        }
    });
}

fn all_finished(threads: &[thread::JoinHandle<()>]) -> bool {
    threads.iter().all(thread::JoinHandle::is_finished)
}

/// A process of a scope, which its executor's end may cut short.
fn scope_of_one(guard: Guard) {
    scope(|s| {
        s.spawn(async move {
            let _guard = guard;
            yield_now().await;
        });
    });
}
