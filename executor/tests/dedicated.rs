//! Processes with a thread of their own.
#![cfg(not(loom))]

use bastion_executor::{
    Clock, Executor, InPlace, Outcome, Place, PlaceError, affinity, now, sleep, spawn,
    spawn_blocking, spawn_on, yield_now,
};
use std::future::{Pending, pending};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

fn executor(workers: usize) -> Executor {
    Executor::builder().workers(workers).name("w").build().unwrap()
}

fn thread_name() -> String {
    thread::current().name().unwrap_or_default().to_owned()
}

#[test]
fn it_may_block_and_the_only_worker_goes_on() {
    let executor = executor(1);
    let (tell, told) = mpsc::channel();
    let blocks = executor.spawn_on(Place::Thread, async move { (told.recv(), thread_name()) });
    let tells = executor.spawn(async move { tell.send(1).map(|()| thread_name()) });
    assert_eq!(executor.run(tells).unwrap().unwrap(), "w-0");
    assert_eq!(executor.run(blocks.unwrap()), Some((Ok(1), "w-own".to_owned())));
}

#[test]
fn all_its_polls_are_there_and_what_it_spawns_is_with_the_workers() {
    let executor = executor(2);
    let process = executor.spawn_on(Place::Thread, async {
        let (own, mut names) = (thread::current().id(), Vec::new());
        for round in 0..20 {
            match round % 3 {
                0 => yield_now().await,
                1 => sleep(Duration::from_micros(100)).await,
                _ => names.push(spawn(async { thread_name() }).await.unwrap()),
            }
            assert_eq!(thread::current().id(), own);
        }
        names
    });
    let names = executor.run(process.unwrap()).unwrap();
    assert!(names.len() == 6 && names.iter().all(|name| ["w-0", "w-1"].contains(&&**name)));
}

#[test]
fn it_has_the_executors_clock_also_one_that_skips() {
    let executor = Executor::builder().workers(1).clock(Clock::skipping()).build().unwrap();
    let day = Duration::from_secs(86_400);
    let process = executor.spawn_on(Place::Thread, async move {
        let start = now();
        sleep(day).await;
        now().duration_since(start)
    });
    assert_eq!(executor.run(process.unwrap()), Some(day));
}

#[test]
fn the_time_stands_still_until_its_first_poll() {
    // Its thread takes a while to start, and all workers sleep.
    for _ in 0..100 {
        let executor = Executor::builder().workers(1).clock(Clock::skipping()).build().unwrap();
        let start = executor.clock().now();
        let began = executor.run(async {
            drop(spawn(sleep(Duration::from_secs(86_400))));
            spawn_on(Place::Thread, async { now() }).unwrap().await
        });
        assert_eq!(began, Some(start));
    }
}

#[test]
fn a_future_whose_making_panics_leaves_no_thread() {
    let executor = executor(1);
    let made = catch_unwind(AssertUnwindSafe(|| {
        let panics = || -> Pending<()> { resume_unwind(Box::new("told to")) };
        executor.spawn_on(Place::Thread, InPlace(panics))
    }));
    assert!(made.is_err());
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        drop(executor);
        tell.send(()).unwrap();
    });
    assert_eq!(told.recv_timeout(Duration::from_secs(20)), Ok(()), "the drop waits for ever");
}

#[test]
fn its_panic_is_told_and_its_end_ends_the_thread() {
    std::panic::set_hook(Box::new(|_| {}));
    let executor = executor(1);
    let mut process = executor.spawn_on(Place::Thread, async { panic!("lost") }).unwrap();
    let outcome: Outcome<()> = executor.run(process.outcome());
    assert!(matches!(outcome, Outcome::Panicked(panic) if panic.to_string().starts_with("lost")));
}

#[test]
fn one_that_is_cancelled_is_dropped_by_its_own_thread() {
    let executor = executor(1);
    struct Tells(mpsc::Sender<String>);
    impl Drop for Tells {
        fn drop(&mut self) {
            let _ = self.0.send(thread_name());
        }
    }
    let (tell, told) = mpsc::channel();
    let tells = Tells(tell);
    let process = executor.spawn_on(Place::Thread, async move {
        pending::<()>().await;
        drop(tells);
    });
    let process = process.unwrap();
    process.cancel();
    assert_eq!(executor.run(process), None);
    assert_eq!(told.recv().unwrap(), "w-own");
}

#[test]
fn a_dropped_executor_drops_those_that_wait_for_ever() {
    let executor = executor(1);
    let part = Arc::new(());
    for _ in 0..5 {
        let part = part.clone();
        let waits = async move {
            yield_now().await;
            pending::<()>().await;
            drop(part);
        };
        drop(executor.spawn_on(Place::Thread, waits).unwrap());
    }
    drop(executor);
    assert_eq!(Arc::strong_count(&part), 1);
}

#[test]
fn a_dropped_executor_waits_for_the_poll_that_goes_on() {
    let executor = executor(1);
    let (release, released) = mpsc::channel::<()>();
    let (begin, begun) = mpsc::channel();
    let process = executor.spawn_on(Place::Thread, async move {
        begin.send(()).unwrap();
        let _ = released.recv();
        pending::<()>().await;
    });
    begun.recv().unwrap();
    let drops = thread::spawn(move || drop(executor));
    drop(release);
    drops.join().unwrap();
    assert_eq!(bastion_executor::run(process.unwrap()), None);
}

#[test]
fn the_process_that_drops_its_executor_ends_its_poll_first() {
    let executor = executor(1);
    let (give, given) = mpsc::channel::<Executor>();
    let (tell, told) = mpsc::channel();
    let process = executor.spawn_on(Place::Thread, async move {
        drop(given.recv().unwrap());
        tell.send("behind the drop").unwrap();
        // What waits after that is dropped.
        yield_now().await;
    });
    give.send(executor).unwrap();
    assert_eq!(told.recv(), Ok("behind the drop"));
    assert_eq!(bastion_executor::run(process.unwrap()), None);
}

#[test]
fn one_of_the_global_executor_that_nobody_can_wake_leaves_no_thread() {
    let (tell, told) = mpsc::channel::<()>();
    drop(spawn_on(Place::Thread, async move {
        let _tell = tell;
        pending::<()>().await;
    }));
    // Its future is dropped.
    assert!(told.recv().is_err());
    let start = Instant::now();
    while own_threads() > 0 {
        assert!(start.elapsed() < Duration::from_secs(20), "its thread stays");
        thread::yield_now();
    }
}

/// How many threads of this program, which has one test, are one process's own. Zero where that cannot be seen.
fn own_threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.trim() == "worker-own").count()
}

#[test]
fn a_pu_that_may_not_be_used_is_named() {
    let executor = executor(1);
    let refused = |pus: &[u32]| {
        let place = Place::Pinned(pus.iter().copied().collect());
        executor.spawn_on(place, async {}).unwrap_err()
    };
    assert!(matches!(refused(&[]).error, PlaceError::NoPus));
    if affinity::allowed().is_some() {
        let error = refused(&[60_000]);
        assert!(matches!(error.error, PlaceError::NotAllowed { pu: 60_000 }));
        assert_eq!(error.to_string(), "PU 60000 does not exist or may not be used");
    }
}

#[test]
fn a_pinned_one_runs_on_its_pus_only() {
    let Some(allowed) = affinity::allowed() else { return };
    let executor = executor(2);
    let last = *allowed.last().unwrap();
    let place = Place::Pinned([last].into_iter().collect());
    let process = executor.spawn_on(place, async { affinity::allowed() }).unwrap();
    assert_eq!(executor.run(process), Some(Some(vec![last])));
    // One that is not pinned has all, also when a bound worker spawns it.
    let bound = Executor::builder().placement(bastion_executor::Placement::Compact);
    let bound = bound.workers(1).build().unwrap();
    let inner = bound.spawn(async {
        let here = affinity::allowed();
        (here, spawn_on(Place::Thread, async { affinity::allowed() }).unwrap().await)
    });
    let (worker, own) = bound.run(inner).unwrap();
    assert_eq!((worker.map(|pus| pus.len()), own), (Some(1), Some(Some(allowed))));
}

#[test]
fn no_thread_has_the_pus_of_a_pinned_one_by_accident() {
    let Some(allowed) = affinity::allowed() else { return };
    let executor = executor(1);
    let pinned = |pu: u32| Place::Pinned([pu].into_iter().collect());
    let (first, last) = (allowed[0], *allowed.last().unwrap());
    let process = executor.spawn_on(pinned(first), async move {
        // It starts these threads, of which the second serves others, too.
        let own = spawn_on(Place::Thread, async { affinity::allowed() }).unwrap().await;
        let pool = spawn_blocking(affinity::allowed).await;
        let other = spawn_on(pinned(last), async { affinity::allowed() }).unwrap().await;
        (own, pool, other)
    });
    let all = Some(Some(allowed));
    assert_eq!(executor.run(process.unwrap()), Some((all.clone(), all, Some(Some(vec![last])))));
}
