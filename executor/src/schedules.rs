//! The executor under random schedules: its threads take turns at every step that others could see, as a seed says.
//!
//! `RUSTFLAGS="--cfg shuttle" cargo test --release -p bastion-executor --no-default-features --lib schedules`
//!
//! A wake-up that is lost is a deadlock, and shuttle says so. A failure prints its schedule, for `shuttle::replay`. What is not tried:
//! weak orderings (loom does that for the protocols), the queues' and the processes' own steps, and time limits, which never pass: the
//! clocks here skip. The monitor is a thread of the test.

use crate::sync::thread;
use crate::{
    Clock, Executor, Place, RecoverableHandle, now, run, sleep, spawn, spawn_detached, spawn_on,
    yield_now,
};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};
use std::future::{pending, poll_fn};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// How many schedules of each kind a situation is tried under.
const SCHEDULES: usize = 10_000;

const SECOND: Duration = Duration::from_secs(1);

/// What there was of futures, and what was dropped.
#[derive(Debug, Default)]
struct Tally {
    made: AtomicUsize,
    dropped: AtomicUsize,
}

struct Part(Arc<Tally>);

impl Part {
    fn of(tally: &Arc<Tally>) -> Part {
        tally.made.fetch_add(1, SeqCst);
        Part(tally.clone())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, SeqCst);
    }
}

/// Tries a situation with so many workers on one node.
fn check(workers: usize, situation: fn(Executor, Arc<Tally>)) {
    check_on("core:4", workers, situation);
}

/// Tries a situation with so many workers on a machine. It takes the executor; when it and all threads have ended, no future is left.
fn check_on(machine: &'static str, workers: usize, situation: fn(Executor, Arc<Tally>)) {
    let try_out = move || {
        let tally = Arc::<Tally>::default();
        let topology = machine.parse().expect("a topology");
        let builder = Executor::builder().topology(topology).workers(workers);
        let executor = builder.clock(Clock::skipping()).build().expect("threads");
        let held = thread::spawn({
            let shared = executor.shared.clone();
            // The monitor's rounds, whenever it likes.
            move || (0..3).for_each(|_| shared.take_over_from_held_up())
        });
        situation(executor, tally.clone());
        held.join().expect("no panic");
        // Those that drop what came too late for the workers end some time.
        while tally.made.load(SeqCst) != tally.dropped.load(SeqCst) {
            thread::yield_now();
        }
    };
    fn under(scheduler: impl Scheduler + 'static, f: impl Fn() + Send + Sync + 'static) {
        let mut config = Config::new();
        config.stack_size = 1 << 18;
        Runner::new(scheduler, config).run(f);
    }
    under(RandomScheduler::new(SCHEDULES), try_out);
    under(PctScheduler::new(3, SCHEDULES), try_out);
}

/// A future that counts, and answers its number after so many yields.
fn body(tally: &Arc<Tally>, number: u32) -> impl Future<Output = u32> + Send + 'static {
    let part = Part::of(tally);
    async move {
        let _part = part;
        for _ in 0..number % 3 {
            yield_now().await;
        }
        number
    }
}

fn answers(executor: &Executor, handles: Vec<RecoverableHandle<u32>>) -> Vec<Option<u32>> {
    executor.run(async {
        let mut answers = Vec::new();
        for handle in handles {
            answers.push(handle.await);
        }
        answers
    })
}

#[test]
fn what_comes_from_outside_runs() {
    check(2, |executor, tally| {
        let handles = (0..3).map(|number| executor.spawn(body(&tally, number))).collect();
        assert_eq!(answers(&executor, handles), [Some(0), Some(1), Some(2)]);
    });
}

#[test]
fn processes_that_spawn_and_wait_end() {
    check(3, |executor, tally| {
        let parent = executor.spawn(async move {
            let children = [1, 2].map(|number| spawn(body(&tally, number)));
            spawn_detached(body(&tally, 2));
            let mut sum = 0;
            for child in children {
                sum += child.await.expect("neither cancelled nor panicked");
            }
            sum
        });
        assert_eq!(executor.run(parent), Some(3));
    });
}

#[test]
fn sleepers_see_their_own_deadlines() {
    check(2, |executor, tally| {
        let sleeper = |seconds| {
            let part = Part::of(&tally);
            executor.spawn(async move {
                let _part = part;
                let start = now();
                sleep(SECOND * seconds).await;
                (now() - start).as_secs() as u32
            })
        };
        // The time may go on before the second one is there, and not while either is due.
        let handles = [2, 1].map(sleeper).into();
        assert_eq!(answers(&executor, handles), [Some(2), Some(1)]);
    });
}

#[test]
fn a_worker_that_waits_in_run_keeps_nobody() {
    check(2, |executor, tally| {
        let outer = executor.spawn(async move {
            let child = spawn(body(&tally, 1));
            run(sleep(SECOND));
            let inner = run(spawn(body(&tally, 2)));
            (child.await, inner)
        });
        assert_eq!(executor.run(outer), Some((Some(1), Some(2))));
    });
}

#[test]
fn the_third_worker_does_what_two_wait_for_in_run() {
    check(3, |executor, tally| {
        let outer = |number| {
            let tally = tally.clone();
            executor.spawn(async move {
                spawn_detached(body(&tally, 0));
                run(spawn(body(&tally, number))).unwrap_or_default()
            })
        };
        let handles = [1, 2].map(outer).into();
        assert_eq!(answers(&executor, handles), [Some(1), Some(2)]);
    });
}

#[test]
fn a_process_that_a_worker_in_run_has_woken_is_due() {
    check(2, |executor, tally| {
        let outer = executor.spawn(async move {
            let start = now();
            let [mut one, two] = [1, 2].map(|seconds| Box::pin(sleep(SECOND * seconds)));
            // It is on this worker's timers.
            assert!(one.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            let part = Part::of(&tally);
            let children = [0, 1].map(|_| spawn(body(&tally, 1)));
            let sleeper = spawn(async move {
                let _part = part;
                one.await;
                now() - start
            });
            run(two);
            for child in children {
                assert_eq!(child.await, Some(1));
            }
            sleeper.await
        });
        assert_eq!(executor.run(outer), Some(Some(SECOND)));
    });
}

#[test]
fn a_wake_from_another_thread_arrives() {
    check(2, |executor, tally| {
        let place = Arc::new(Mutex::new((false, None::<Waker>)));
        let waits = {
            let (place, part) = (place.clone(), Part::of(&tally));
            executor.spawn(async move {
                let _part = part;
                poll_fn(|cx| {
                    let mut place = place.lock().expect("no panic");
                    place.1 = Some(cx.waker().clone());
                    if place.0 { Poll::Ready(7) } else { Poll::Pending }
                })
                .await
            })
        };
        let wakes = thread::spawn(move || {
            let mut place = place.lock().expect("no panic");
            place.0 = true;
            let waker = place.1.take();
            drop(place);
            waker.into_iter().for_each(Waker::wake);
        });
        assert_eq!(answers(&executor, vec![waits]), [Some(7)]);
        wakes.join().expect("no panic");
    });
}

#[test]
fn a_cancelled_process_is_dropped_before_its_handle_is_ready() {
    check(2, |executor, tally| {
        let part = Part::of(&tally);
        let handle = executor.spawn(async move {
            let _part = part;
            yield_now().await;
            pending::<()>().await;
        });
        let canceller = thread::spawn(move || {
            handle.cancel();
            handle
        });
        let handle = canceller.join().expect("no panic");
        assert_eq!(executor.run(handle), None);
        assert_eq!(tally.dropped.load(SeqCst), 1);
    });
}

#[test]
fn nodes_help_each_other() {
    // The second node has three workers, so that one of them may find another one abroad.
    check_on("node:2 core:3 allowed:0,3-5", 4, |executor, tally| {
        let parent = executor
            .spawn_on(0, async move {
                let children = [1, 2, 4].map(|number| spawn(body(&tally, number)));
                let mut sum = 0;
                for child in children {
                    sum += child.await.expect("neither cancelled nor panicked");
                }
                sum
            })
            .expect("a node with workers");
        assert_eq!(executor.run(parent), Some(7));
    });
}

#[test]
fn what_belongs_to_a_node_ends_also_when_it_sleeps_and_spawns_on_another() {
    check_on("node:2 core:1", 2, |executor, tally| {
        let inside = tally.clone();
        let near = async move {
            sleep(SECOND).await;
            let far = spawn_on(1, body(&inside, 4)).expect("a node with workers");
            far.await.expect("neither cancelled nor panicked")
        };
        let near = executor.spawn_on(0, near).expect("a node with workers");
        let handles = [0, 1].map(|node| executor.spawn_on(node, body(&tally, 5)).expect("a node"));
        assert_eq!(answers(&executor, handles.into()), [Some(5), Some(5)]);
        assert_eq!(executor.run(near), Some(4));
    });
}

#[test]
fn an_executor_of_nodes_is_dropped_at_any_moment() {
    check_on("node:2 core:1", 2, |executor, tally| {
        for node in [0, 1] {
            let (inside, waits) = (tally.clone(), Part::of(&tally));
            let process = async move {
                drop(spawn_on(1 - node, body(&inside, 2)));
                spawn(body(&inside, 1)).await;
                pending::<()>().await;
                drop(waits);
            };
            drop(executor.spawn_on(node, process));
        }
        drop(executor);
    });
}

#[test]
fn the_clock_waits_for_one_with_a_thread_of_its_own() {
    check(1, |executor, tally| {
        executor.run(async {
            let (inside, start) = (tally.clone(), now());
            let sleeper = spawn(async { sleep(SECOND).await });
            let own = async move {
                let began = now();
                let child = spawn(body(&inside, 2)).await;
                sleep(SECOND * 2).await;
                (began, child, now())
            };
            let own = spawn_on(Place::Thread, own).expect("a thread");
            // Also while its thread starts there is something to do.
            assert_eq!(own.await, Some((start, Some(2), start + SECOND * 2)));
            sleeper.await;
        });
    });
}

#[test]
fn an_executor_of_processes_with_threads_is_dropped_at_any_moment() {
    check(1, |executor, tally| {
        for number in 0..2 {
            let (inside, waits) = (tally.clone(), Part::of(&tally));
            let process = async move {
                let _waits = waits;
                drop(spawn_on(Place::Thread, body(&inside, 1)));
                spawn(body(&inside, number)).await;
                pending::<()>().await;
            };
            drop(executor.spawn_on(Place::Thread, process));
        }
        drop(executor);
    });
}

#[test]
fn an_executor_is_dropped_at_any_moment() {
    check(2, |executor, tally| {
        let executor = Arc::new(executor);
        let spawner = thread::spawn({
            let (executor, tally) = (executor.clone(), tally.clone());
            move || {
                let handles: Vec<_> =
                    (0..3).map(|number| executor.spawn(body(&tally, number))).collect();
                drop(executor);
                // All of them end, by themselves or with the executor.
                run(async {
                    for (number, handle) in (0..).zip(handles) {
                        assert!(handle.await.is_none_or(|answer| answer == number));
                    }
                });
            }
        });
        let inside = tally.clone();
        executor.spawn_detached(async move {
            spawn_detached(body(&inside, 1));
            spawn(body(&inside, 2)).await;
        });
        drop(executor);
        spawner.join().expect("no panic");
    });
}
