//! The defects of bastion-executor 0.4 that must not come back; the table in `main.rs` says where else they are tested.

use crate::{LIMIT, executor, on, quiet};
use bastion_executor::{Executor, blocking, pool, prelude::run};
use futures_lite::future::{block_on, pending};
use lightproc::prelude::*;
use std::sync::{Arc, Barrier, mpsc};

#[test]
fn e1_another_worker_does_what_a_blocked_one_has_spawned() {
    let executor = executor(2);
    let blocks = async {
        let (told, tells) = mpsc::channel();
        let other = pool::spawn(async move { told.send(7).unwrap() }, ProcStack::default());
        (tells.recv_timeout(LIMIT), other.await)
    };
    let handle = on(&executor, || pool::spawn(blocks, ProcStack::default()));
    assert_eq!(executor.run(handle), Some((Ok(7), Some(()))));
}

#[test]
fn e2_as_many_block_as_need_to() {
    const MANY: usize = 64;
    let executor = executor(1);
    let barrier = Arc::new(Barrier::new(MANY));
    let meet = || {
        let barrier = barrier.clone();
        async move { barrier.wait().is_leader() }
    };
    let spawn = |_| blocking::spawn_blocking(meet(), ProcStack::default());
    let handles: Vec<_> = on(&executor, || (0..MANY).map(spawn).collect());
    let led = handles.into_iter().filter_map(block_on).filter(|leads| *leads).count();
    assert_eq!(led, 1);
}

#[cfg(target_os = "linux")]
#[test]
fn e3_cores_are_those_that_are_allowed() {
    use bastion_executor::affinity::allowed;
    use bastion_executor::placement::{CoreId, get_core_ids, get_num_cores, set_for_current};
    let ids = || get_core_ids().unwrap().into_iter().map(|core| core.id as u32);
    // On a thread of its own: it stays bound.
    let check = move || {
        assert_eq!(Some(ids().collect()), allowed());
        let last = ids().next_back().unwrap();
        set_for_current(CoreId { id: last as usize });
        assert_eq!((allowed(), ids().collect()), (Some(vec![last]), vec![last]));
        // The first of what is allowed, which is not the first of the machine.
        set_for_current(get_core_ids().unwrap()[0]);
        assert_eq!((allowed(), get_num_cores()), (Some(vec![last]), Some(1)));
        set_for_current(CoreId { id: usize::MAX });
        assert_eq!(allowed(), Some(vec![last]), "there is no such core");
    };
    std::thread::spawn(check).join().unwrap();
}

#[test]
fn e4_run_calls_the_hooks() {
    quiet();
    let of = |panics: bool| {
        let stack = ProcStack::default()
            .with_state(0)
            .with_before_start(|sum: &mut i32| *sum += 1)
            .with_after_complete(|sum: &mut i32| *sum += 10)
            .with_after_panic(|sum: &mut i32| *sum += 100);
        let body = async move { assert!(!panics, "as asked") };
        let ran = lightproc::Panic::catch(|| run(body, stack.clone()));
        (ran.map_err(|panic| panic.message().map(str::to_owned)), stack.get_state::<i32>())
    };
    assert_eq!(of(false), (Ok(()), 11));
    assert_eq!(of(true), (Err(Some("as asked".to_owned())), 101));
}

#[test]
fn e4_a_hook_that_panics_is_the_futures_panic_before_it_and_nobodys_behind_it() {
    quiet();
    let run_with = |stack| lightproc::Panic::catch(|| run(async { 7 }, stack)).ok();
    let panics = |_: &mut EmptyProcState| panic!("a hook");
    assert_eq!(run_with(ProcStack::default().with_before_start(panics)), None);
    assert_eq!(run_with(ProcStack::default().with_after_complete(panics)), Some(7));
}

#[cfg(feature = "tokio-runtime")]
#[test]
fn e5_no_runtime_need_be_around() {
    use std::time::Duration;
    assert!(tokio::runtime::Handle::try_current().is_err());
    let sleeps = || tokio::time::sleep(Duration::from_millis(1));
    let woken =
        run(pool::spawn(async move { sleeps().await }, ProcStack::default()), ProcStack::default());
    assert_eq!(woken, Some(()));
    let woken = blocking::spawn_blocking(async move { sleeps().await }, ProcStack::default());
    assert_eq!(run(woken, ProcStack::default()), Some(()));
    run(async move { sleeps().await }, ProcStack::default());
}

#[test]
fn e6_an_executor_has_settings_metrics_and_an_end() {
    let executor = Executor::builder().workers(1).blocking_threads(3).build().unwrap();
    let spawned = executor.run(async {
        let blocking = blocking::spawn_blocking(async {}, ProcStack::default());
        (pool::spawn(async {}, ProcStack::default()).await, blocking.await)
    });
    assert_eq!(spawned, (Some(()), Some(())));
    let metrics = executor.metrics();
    assert_eq!((metrics.workers.len(), metrics.total().polls), (1, 1));
    assert_eq!(metrics.blocking.threads, 1);
    let waits = on(&executor, || pool::spawn(pending::<()>(), ProcStack::default()));
    drop(executor);
    assert!(waits.is_finished(), "it was dropped with its executor");
}

#[test]
fn e7_processes_with_stacks_that_wait_cost_nothing() {
    let executor = executor(2);
    let spawn = |n: usize| {
        let stack = ProcStack::default().with_pid(n);
        match n % 2 {
            0 => pool::spawn(pending::<()>(), stack),
            _ => blocking::spawn_blocking(pending::<()>(), stack),
        }
    };
    let handles: Vec<_> = on(&executor, || (0..1_000).map(spawn).collect());
    let is_at_rest = |metrics: &bastion_executor::Metrics| {
        let blocking = &metrics.blocking;
        metrics.sleeping == 2 && blocking.queued == 0 && blocking.idle == blocking.threads
    };
    while !is_at_rest(&executor.metrics()) {
        std::thread::yield_now();
    }
    // All were polled once, and nothing polls them again.
    let polls = executor.metrics().total().polls;
    executor.run(bastion_executor::sleep(std::time::Duration::from_millis(300)));
    assert_eq!((polls, executor.metrics().total().polls), (500, 500));
    drop(handles);
}
