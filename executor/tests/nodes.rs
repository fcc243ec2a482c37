//! Executors of several domains, on described machines: nothing is lost between domains, and what belongs to one stays there. Where
//! workers and memory really are is for `cargo xtask numa-test`, because it takes a machine that has nodes.
#![cfg(not(loom))]

use bastion_executor::{Executor, Placement, spawn, spawn_on, yield_now};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// An executor on a described machine, where nothing is bound. Its workers are called `NAME-N`.
fn executor(machine: &str, placement: Placement, name: &str) -> Executor {
    let topology = machine.parse().unwrap_or_else(|error| panic!("{machine}: {error}"));
    let builder = Executor::builder().topology(topology).placement(placement).name(name);
    builder.build().unwrap()
}

/// The number of the worker that this runs on.
fn worker() -> usize {
    let thread = thread::current();
    let name = thread.name().expect("workers have names");
    name.rsplit('-').next().unwrap().parse().unwrap()
}

/// Keeps the thread in its poll for so long.
fn toil(time: Duration) {
    let (_tell, never) = mpsc::channel::<()>();
    let _ = never.recv_timeout(time);
}

/// Polls often, now and then for long, and says on which workers.
async fn wander() -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    for round in 0..200 {
        seen.insert(worker());
        if round % 20 == 0 {
            toil(Duration::from_micros(200));
        }
        yield_now().await;
    }
    seen
}

#[test]
fn what_belongs_to_a_node_is_polled_by_its_workers_only() {
    let executor = executor("node:3 core:2", Placement::PerNode, "kept");
    let handles: Vec<_> = (0..48)
        .map(|n| {
            let node = n % 3;
            let wandering = async move {
                // The child is spawned from one node, and woken from another.
                let far = spawn_on((node + 1) % 3, wander()).unwrap();
                let near = wander().await;
                (near, far.await.unwrap())
            };
            (node, executor.spawn_on(node, wandering).unwrap())
        })
        .collect();
    let mut workers = BTreeSet::new();
    for (node, handle) in handles {
        let (near, far) = executor.run(handle).expect("it ends");
        let of = |node: u32| [2 * node as usize, 2 * node as usize + 1];
        assert!(near.iter().all(|worker| of(node).contains(worker)), "{node}: {near:?}");
        let next = (node + 1) % 3;
        assert!(far.iter().all(|worker| of(next).contains(worker)), "{next}: {far:?}");
        workers.extend(near);
    }
    assert_eq!(workers.len(), 6, "all workers of a node take part");
}

#[test]
fn a_node_without_workers_is_named_and_the_future_comes_back() {
    let executor = executor("node:4 core:1", Placement::Explicit(vec![1, 3]), "few");
    let refused = executor.spawn_on(2, async { 7 }).unwrap_err();
    assert_eq!(refused.to_string(), "no worker belongs to node 2, only to 1, 3");
    assert_eq!(executor.run(refused.future), 7);
    let unbound = self::executor("node:2 core:1", Placement::Unbound, "loose");
    let refused = unbound.spawn_on(0, async {}).unwrap_err();
    assert_eq!(refused.to_string(), "no worker belongs to node 0: the workers run anywhere");
    let small = self::executor("core:2", Placement::Unbound, "small");
    assert_eq!(small.run(small.spawn_on(0, async { 7 }).unwrap()), Some(7));
}

#[test]
fn the_other_nodes_help_one_that_is_overloaded() {
    let executor = executor("node:2 core:2", Placement::PerNode, "help");
    // All are born on one node, and each takes a while.
    let births = async {
        let parts: Vec<_> = (0..64)
            .map(|_| {
                spawn(async {
                    toil(Duration::from_millis(2));
                    worker()
                })
            })
            .collect();
        let mut seen = BTreeSet::new();
        for part in parts {
            seen.extend(part.await);
        }
        seen
    };
    let seen = executor.run(executor.spawn(births)).unwrap();
    assert_eq!(seen, (0..4).collect(), "nobody is idle while there is something to do");
    let metrics = executor.metrics();
    assert!(metrics.total().abroad > 0, "{metrics}");
}

#[test]
fn a_worker_that_blocks_leaves_what_belongs_to_its_node_to_the_others_of_it() {
    let executor = executor("node:2 core:2", Placement::PerNode, "block");
    let (release, released) = mpsc::channel::<()>();
    let held = executor.spawn_on(0, async move { released.recv().is_err() }).unwrap();
    let start = Instant::now();
    for _ in 0..20 {
        assert_eq!(executor.run(executor.spawn_on(0, async { 1 }).unwrap()), Some(1));
    }
    assert!(start.elapsed() < Duration::from_secs(10));
    drop(release);
    assert_eq!(executor.run(held), Some(true));
}

#[test]
fn what_is_behind_a_long_poll_of_its_own_node_is_run() {
    let executor = executor("node:2 core:2", Placement::PerNode, "long");
    // Its child belongs to the same node, and only this worker has been told of it: the wait is inside the poll.
    let parent = async {
        let (done, is_done) = mpsc::channel();
        let child = spawn_on(0, async move { done.send(worker()) }).unwrap();
        let ran_on =
            is_done.recv_timeout(Duration::from_secs(20)).expect("the other worker runs it");
        child.await.unwrap().unwrap();
        (worker(), ran_on)
    };
    let (parent, child) = executor.run(executor.spawn_on(0, parent).unwrap()).unwrap();
    assert!(parent < 2 && child < 2, "{parent} {child}");
}

#[test]
fn what_comes_from_outside_is_done_by_all_domains() {
    let executor = Arc::new(executor("node:4 core:1", Placement::PerNode, "outside"));
    let sum = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (executor, sum) = (executor.clone(), sum.clone());
            thread::spawn(move || {
                let handles: Vec<_> = (0..2_000)
                    .map(|_| {
                        let sum = sum.clone();
                        executor.spawn(async move { sum.fetch_add(1, SeqCst) })
                    })
                    .collect();
                handles.into_iter().for_each(|handle| {
                    executor.run(handle);
                });
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(sum.load(SeqCst), 8_000);
    let metrics = executor.metrics();
    assert_eq!(metrics.total().polls, 8_000, "{metrics}");
}

#[test]
fn an_executor_drops_what_belongs_to_its_nodes() {
    let executor = executor("node:2 core:1", Placement::PerNode, "end");
    let part = Arc::new(());
    for node in [0, 1] {
        for _ in 0..50 {
            let (waits, yields) = (part.clone(), part.clone());
            drop(executor.spawn_on(node, async move {
                std::future::pending::<()>().await;
                drop(waits);
            }));
            drop(executor.spawn_on(node, async move {
                loop {
                    yield_now().await;
                    let _ = &yields;
                }
            }));
        }
    }
    drop(executor);
    assert_eq!(Arc::strong_count(&part), 1);
}

#[test]
fn those_of_a_node_and_the_others_take_turns() {
    let executor = executor("core:1", Placement::Compact, "turns");
    let counts: [Arc<AtomicUsize>; 2] = Default::default();
    let spin = |count: &Arc<AtomicUsize>| {
        let count = count.clone();
        async move {
            loop {
                count.fetch_add(1, SeqCst);
                yield_now().await;
            }
        }
    };
    for _ in 0..3 {
        drop(executor.spawn_on(0, spin(&counts[0])));
        drop(executor.spawn(spin(&counts[1])));
    }
    let start = Instant::now();
    let fair = || counts.iter().all(|count| count.load(SeqCst) > 10_000);
    while !fair() && start.elapsed() < Duration::from_secs(20) {
        thread::yield_now();
    }
    assert!(fair(), "{counts:?}");
}

#[test]
fn what_belongs_to_a_node_wakes_no_other() {
    let executor = executor("node:2 core:1", Placement::PerNode, "alone");
    let parks = || executor.metrics().workers[1].parks;
    let start = Instant::now();
    while parks() == 0 {
        assert!(start.elapsed() < Duration::from_secs(20), "it has nothing to do");
        thread::yield_now();
    }
    let (before, sum) = (parks(), Arc::new(AtomicUsize::new(0)));
    for _ in 0..100 {
        // The worker finds several as it wakes up, and nobody else of its node is idle.
        let handles: Vec<_> = (0..4)
            .map(|_| {
                let sum = sum.clone();
                executor.spawn_on(0, async move { sum.fetch_add(1, SeqCst) }).unwrap()
            })
            .collect();
        assert!(handles.into_iter().all(|handle| executor.run(handle).is_some()));
        toil(Duration::from_micros(300));
    }
    assert_eq!((sum.load(SeqCst), parks() - before), (400, 0));
}
