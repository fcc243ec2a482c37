//! The blocking pool: every job that is taken runs once, whatever comes and goes; what is not taken is told; nothing outlives its
//! executor.
#![cfg(not(loom))]

use bastion_executor::{
    BlockingMetrics, Builder, Executor, Outcome, Placement, RecoverableHandle, affinity, run,
    spawn_blocking, try_spawn_blocking,
};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

fn builder() -> Builder {
    Executor::builder().workers(1)
}

/// Waits until the pool's figures are as they should be.
fn reached(executor: &Executor, is: impl Fn(&BlockingMetrics) -> bool) {
    let begin = Instant::now();
    while !is(&executor.metrics().blocking) {
        assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", executor.metrics().blocking);
        thread::yield_now();
    }
}

/// A job that has begun, and ends when its sender is dropped.
fn busy(executor: &Executor) -> (mpsc::Sender<()>, RecoverableHandle<()>) {
    let (release, released) = mpsc::channel::<()>();
    let (begun, has_begun) = mpsc::channel();
    let job = executor.spawn_blocking(move || {
        begun.send(()).unwrap();
        let _ = released.recv();
    });
    has_begun.recv().unwrap();
    (release, job)
}

fn thread_name() -> String {
    thread::current().name().unwrap_or_default().to_owned()
}

#[test]
fn it_grows_at_once_and_up_to_its_limit() {
    let executor = builder().blocking_threads(8).build().unwrap();
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    // Eight at a time must meet: with fewer threads this would never end.
    let barrier = Arc::new(Barrier::new(8));
    let jobs: Vec<_> = (0..64)
        .map(|_| {
            let (running, most, barrier) = (running.clone(), most.clone(), barrier.clone());
            executor.spawn_blocking(move || {
                most.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
                barrier.wait();
                running.fetch_sub(1, SeqCst);
            })
        })
        .collect();
    jobs.into_iter().for_each(|job| run(job).unwrap());
    assert_eq!(most.load(SeqCst), 8);
    assert_eq!(executor.metrics().blocking.threads, 8);
}

#[test]
fn jobs_that_wait_begin_in_order() {
    let executor = builder().blocking_threads(1).build().unwrap();
    let (release, _busy) = busy(&executor);
    let (tell, told) = mpsc::channel();
    for n in 0..100 {
        let tell = tell.clone();
        executor.spawn_blocking(move || tell.send(n).unwrap()).detach();
    }
    drop((release, tell));
    assert_eq!(told.iter().collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
}

#[test]
fn a_full_pool_tells_and_gives_the_closure_back() {
    let executor = builder().blocking_threads(1).blocking_queue(2).build().unwrap();
    let (release, first) = busy(&executor);
    let waiting = [executor.spawn_blocking(|| 1), executor.spawn_blocking(|| 2)];
    let refused = executor.try_spawn_blocking(|| 3).unwrap_err();
    assert!(refused.is_full() && !refused.is_closed(), "{refused:?}");
    assert_eq!(refused.into_job()(), 3);
    let mut lost = executor.spawn_blocking(|| 4);
    assert!(matches!(executor.run(lost.outcome()), Outcome::Cancelled));
    assert_eq!(executor.metrics().blocking.rejected, 2);
    drop(release);
    assert_eq!(run(first), Some(()));
    assert_eq!(waiting.map(run), [Some(1), Some(2)]);
    assert_eq!(run(executor.spawn_blocking(|| 5)), Some(5), "there is room again");
}

#[test]
fn with_a_queue_of_nothing_a_job_begins_at_once_or_not_at_all() {
    let executor = builder().blocking_threads(2).blocking_queue(0).build().unwrap();
    for _ in 0..100 {
        let (one, two) = (busy(&executor), busy(&executor));
        assert!(executor.try_spawn_blocking(|| ()).is_err());
        drop((one.0, two.0));
        assert_eq!((run(one.1), run(two.1)), (Some(()), Some(())));
    }
    assert_eq!(executor.metrics().blocking.rejected, 100);
}

#[test]
fn idle_threads_end_and_others_take_their_place() {
    let executor = builder().blocking_keep_alive(Duration::from_millis(1)).build().unwrap();
    for _ in 0..3 {
        let jobs: Vec<_> = (0..4).map(|_| busy(&executor)).collect();
        assert_eq!(executor.metrics().blocking.threads, 4);
        drop(jobs);
        reached(&executor, |blocking| blocking.threads == 0);
    }
}

#[test]
fn the_thread_that_went_idle_last_is_woken_first() {
    let executor = builder().build().unwrap();
    let jobs: Vec<_> = (0..4).map(|_| busy(&executor)).collect();
    drop(jobs);
    let names = (0..20).map(|_| {
        reached(&executor, |blocking| blocking.idle == 4);
        run(executor.spawn_blocking(thread_name)).unwrap()
    });
    let names: Vec<_> = names.collect();
    assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
}

#[test]
fn each_executor_has_its_own() {
    let one = builder().name("one").build().unwrap();
    let two = builder().name("two").build().unwrap();
    let inside = one.spawn(async { spawn_blocking(thread_name).await.unwrap() });
    assert_eq!(run(inside).as_deref(), Some("one-blocking-0"));
    let nested = || run(spawn_blocking(thread_name)).unwrap();
    assert_eq!(run(two.spawn_blocking(nested)).as_deref(), Some("two-blocking-1"));
    assert_eq!((one.metrics().blocking.threads, two.metrics().blocking.threads), (1, 2));
}

#[test]
fn a_panic_ends_the_job_only() {
    std::panic::set_hook(Box::new(|_| {}));
    let executor = builder().blocking_threads(1).build().unwrap();
    let mut job = executor.spawn_blocking(|| panic!("lost"));
    match executor.run(job.outcome()) {
        Outcome::Panicked(panic) => assert_eq!(panic.message(), Some("lost")),
        other => panic!("{other:?}"),
    }
    assert_eq!(run(executor.spawn_blocking(|| 1)), Some(1));
}

#[test]
fn a_job_that_was_cancelled_before_it_began_is_not_called() {
    let executor = builder().blocking_threads(1).build().unwrap();
    let (release, _busy) = busy(&executor);
    let held = Arc::new(());
    let inside = held.clone();
    let job = executor.spawn_blocking(move || drop(inside));
    job.cancel();
    drop(release);
    assert_eq!(run(job), None);
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn a_dropped_executor_drops_what_waits_and_leaves_what_runs() {
    let executor = builder().blocking_threads(1).build().unwrap();
    let (release, released) = mpsc::channel::<()>();
    let (begun, has_begun) = mpsc::channel();
    let running = executor.spawn_blocking(move || {
        begun.send(()).unwrap();
        let _ = released.recv();
        let refused = try_spawn_blocking(|| ()).unwrap_err();
        (refused.is_closed(), run(spawn_blocking(|| 1)))
    });
    has_begun.recv().unwrap();
    let held = Arc::new(());
    let inside = held.clone();
    let waiting = executor.spawn_blocking(move || drop(inside));
    drop(executor);
    assert_eq!(Arc::strong_count(&held), 1);
    assert_eq!(run(waiting), None);
    drop(release);
    assert_eq!(run(running), Some((true, None)), "it takes no more jobs");
}

#[test]
fn an_executor_dropped_by_its_own_job_ends() {
    for _ in 0..100 {
        let executor = Arc::new(builder().build().unwrap());
        let inside = executor.clone();
        let (go, told) = mpsc::channel::<()>();
        let job = executor.spawn_blocking(move || {
            let _ = told.recv();
            Arc::into_inner(inside).is_some()
        });
        drop(executor);
        drop(go);
        assert_eq!(run(job), Some(true));
    }
}

/// How many threads have a name that begins like this.
#[cfg(target_os = "linux")]
fn threads(prefix: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    // Other tests' threads come and go.
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.filter(|name| name.starts_with(prefix)).count()
}

#[cfg(target_os = "linux")]
#[test]
fn no_thread_of_a_dropped_executor_stays() {
    for round in 0..100 {
        // Some end by themselves just then.
        let keep_alive = Duration::from_micros(if round % 2 == 0 { 10_000_000 } else { round });
        let executor = builder().name("ended").blocking_keep_alive(keep_alive).build().unwrap();
        let jobs: Vec<_> = (0..4).map(|_| busy(&executor)).collect();
        assert!(threads("ended-blocking") >= 1);
        let (releases, handles): (Vec<_>, Vec<_>) = jobs.into_iter().unzip();
        drop(releases);
        handles.into_iter().for_each(|job| run(job).unwrap());
        reached(&executor, |blocking| blocking.idle == blocking.threads);
        drop(executor);
        // The system lets go of a thread's name a moment after it lets those go on that wait for its end.
        let is_gone = (0..10_000).any(|_| threads("ended") == 0);
        assert!(is_gone, "round {round}");
    }
}

#[test]
fn a_bound_worker_does_not_bind_the_threads_that_it_starts() {
    let executor = builder().placement(Placement::Compact).build().unwrap();
    let job = executor.spawn(async { spawn_blocking(affinity::allowed).await.unwrap() });
    assert_eq!(run(job), Some(affinity::allowed()));
}

#[test]
fn reserved_cores_are_left_to_the_threads_that_block() {
    let reserving = builder().reserve_cores(1);
    // One core cannot be both reserved and used.
    let Ok(executor) = reserving.build() else { return };
    let seen =
        executor.spawn(async { (affinity::allowed(), spawn_blocking(affinity::allowed).await) });
    let (worker, blocking) = run(seen).unwrap();
    if let (Some(worker), Some(all)) = (worker, affinity::allowed()) {
        assert!(worker.iter().all(|pu| all.contains(pu)) && worker.len() < all.len());
        assert_eq!(blocking.unwrap(), Some(all));
    }
}

/// Threads that end as soon as they are idle, jobs that come from everywhere, and a queue that is full now and then.
#[test]
fn no_job_is_lost_while_threads_come_and_go() {
    let executor = builder().blocking_threads(4).blocking_queue(16);
    let executor = Arc::new(executor.blocking_keep_alive(Duration::ZERO).build().unwrap());
    let (ran, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let spawn = |jobs: usize| {
        let (executor, ran, refused) = (executor.clone(), ran.clone(), refused.clone());
        move || {
            let mut handles = Vec::new();
            for n in 0..jobs {
                let ran = ran.clone();
                let job = executor.try_spawn_blocking(move || ran.fetch_add(1, SeqCst));
                match job {
                    Ok(handle) => handles.push(handle),
                    Err(_) => drop(refused.fetch_add(1, SeqCst)),
                }
                if n % 7 == 0 {
                    handles.drain(..).for_each(|handle| assert!(run(handle).is_some()));
                }
            }
            handles.into_iter().for_each(|handle| assert!(run(handle).is_some()));
        }
    };
    let threads: Vec<_> = (0..4).map(|_| thread::spawn(spawn(2_000))).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(ran.load(SeqCst) + refused.load(SeqCst), 8_000);
    assert_eq!(executor.metrics().blocking.rejected, refused.load(SeqCst) as u64);
    assert_eq!(executor.metrics().blocking.queued, 0);
}
