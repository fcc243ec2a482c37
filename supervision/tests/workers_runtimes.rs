//! Plain futures on threads: `run` on each runtime, and subtrees that have a runtime of their own.
#![cfg(any(feature = "executor", feature = "tokio"))]

use bastion_supervision::plan::{AutoShutdown, Finish, RestartType, Shutdown};
use bastion_supervision::{
    Address, Child, Context, Exit, InvalidSupervisor, ProcessShutdown, Reply, RestartStrategy,
    Runtime, Sim, Stopped, Supervisor, SupervisorError, System, child, one_shot, spawn, worker,
};
use std::collections::HashSet;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

type Test = Pin<Box<dyn Future<Output = ()>>>;

/// Runs a test on the executor and on tokio, whose threads are all named `base`.
fn on_each(test: impl Fn() -> Test) {
    std::panic::set_hook(Box::new(|_| {}));
    #[cfg(feature = "executor")]
    {
        let executor = bastion_executor::Executor::builder().workers(2).name("base");
        executor.build().unwrap().run(test());
    }
    #[cfg(feature = "tokio")]
    {
        let mut tokio = tokio::runtime::Builder::new_multi_thread();
        let tokio = tokio.worker_threads(2).thread_name("base").enable_time().build().unwrap();
        tokio.block_on(test());
    }
}

/// The runtime that the caller is on.
fn here() -> Runtime {
    Runtime::current().unwrap()
}

enum Question {
    Where(Reply<(String, ThreadId)>),
    Crash,
    /// Spawn a guide there.
    Spawn(System, Reply<Address<Question>>),
}

/// Says on which thread it runs.
fn guide() -> Child<Question> {
    child(|mut cx: Context<Question>| async move {
        while let Some(question) = cx.recv().await {
            match question {
                Question::Where(reply) => reply.send((thread(), std::thread::current().id())),
                Question::Crash => return Err(Exit::error("told to")),
                Question::Spawn(system, reply) => reply.send(system.spawn_child(guide())?),
            }
        }
        Ok(())
    })
}

fn thread() -> String {
    std::thread::current().name().unwrap_or_default().to_owned()
}

async fn ask(guide: &Address<Question>) -> (String, ThreadId) {
    guide.ask(Question::Where).await.unwrap()
}

/// Says whether the guide is on threads whose name begins so, and collects them.
async fn is_on(guide: &Address<Question>, name: &str, ids: &mut HashSet<ThreadId>) -> bool {
    for _ in 0..20 {
        let (thread, id) = ask(guide).await;
        if !thread.starts_with(name) {
            return false;
        }
        ids.insert(id);
    }
    true
}

/// How many threads of this program have a name that begins so.
#[cfg(target_os = "linux")]
fn threads(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.filter(|thread| thread.starts_with(name)).count()
}

#[cfg(not(target_os = "linux"))]
fn threads(_: &str) -> usize {
    0
}

/// Waits until such threads are gone: nobody else can say that they are.
fn are_gone(name: &str) -> bool {
    let begin = Instant::now();
    while threads(name) > 0 {
        if begin.elapsed() > 10 * SECOND {
            return false;
        }
        std::thread::yield_now();
    }
    true
}

#[test]
fn run_uses_the_runtime_of_the_caller() {
    on_each(|| {
        Box::pin(async {
            let (tell, told) = channel();
            let tell = Mutex::new(tell);
            let leaf = worker("leaf", move |shutdown| {
                let tell = tell.lock().unwrap().clone();
                async move {
                    // One of its kind, once more.
                    spawn(one_shot(async move { Ok(tell.send((thread(), here()))?) }))?;
                    shutdown.await;
                    Ok(())
                }
            });
            let (handle, shutdown) = ProcessShutdown::paired();
            let low = Supervisor::new("low").add_worker(leaf);
            let top = Supervisor::new("top").supervisor(low);
            let stop = std::thread::spawn(move || {
                let found = told.recv().unwrap();
                handle.shutdown();
                found
            });
            let stopped = top.run_with_shutdown(shutdown).await.unwrap();
            assert_eq!(stopped, Stopped::default());
            let (thread, runtime) = stop.join().unwrap();
            assert!(thread.starts_with("base"), "{thread}");
            assert_eq!(format!("{runtime:?}"), format!("{:?}", here()));
        })
    });
}

#[test]
fn a_failing_tree_ends_run_with_its_error() {
    on_each(|| {
        Box::pin(async {
            let bad = worker("bad", |_| async { panic!("told to") });
            let error = Supervisor::new("top").add_worker(bad).run().await.unwrap_err();
            assert_eq!(error.path(), "top/bad");
            assert!(matches!(
                error,
                SupervisorError::Finished { finish: Finish::GaveUp { restarts: 2, .. }, .. }
            ));
        })
    });
}

#[test]
fn a_tree_with_deaf_leaves_ends_in_its_budget_also_on_other_threads() {
    on_each(|| {
        Box::pin(async {
            let (handle, shutdown) = ProcessShutdown::paired();
            let handle = Arc::new(handle);
            let deaf = |name| {
                let handle = handle.clone();
                let deaf = worker(name, move |_| {
                    if name == "b" {
                        handle.shutdown();
                    }
                    pending()
                });
                deaf.shutdown(Shutdown::Infinity)
            };
            let low = Supervisor::new("low").add_worker(deaf("a")).add_worker(deaf("b"));
            let middle = Supervisor::new("middle").dedicated(1).supervisor(low.dedicated(1));
            let budget = Shutdown::Timeout(SECOND / 2);
            let top = Supervisor::new("top").shutdown(budget).supervisor(middle);
            let begin = Instant::now();
            let stopped = top.run_with_shutdown(shutdown).await.unwrap();
            assert!(begin.elapsed() < 10 * SECOND, "{:?}", begin.elapsed());
            let mut forced = stopped.forced;
            forced.sort();
            assert_eq!((forced, stopped.abandoned), (vec!["a".into(), "b".into()], 0));
            assert!(are_gone("low") && are_gone("middle"));
        })
    });
}

#[test]
fn a_subtree_runs_on_threads_of_its_own_over_all_restarts() {
    on_each(|| {
        Box::pin(async {
            let system = System::new(here());
            let (inside, below, outside) = (guide(), guide(), guide());
            let guides = [inside.address(), below.address()];
            let outsider = outside.address();
            let low = Supervisor::new("low").child(below);
            // It bears one restart, and is restarted itself with the next.
            let own = Supervisor::new("own-t").dedicated(2).child(inside).supervisor(low);
            let reference = own.reference();
            let top = Supervisor::new("top").unlimited().child(outside).supervisor(own);
            system.supervise(top).await.unwrap();
            let (mut ids, mut others) = (HashSet::new(), HashSet::new());
            for incarnation in 1..=6 {
                for guide in &guides {
                    assert!(is_on(guide, "own-t", &mut ids).await);
                }
                assert!(is_on(&outsider, "base", &mut others).await);
                assert_eq!(guides[0].incarnation(), incarnation);
                guides[0].tell(Question::Crash).unwrap();
                assert!(is_on(&guides[0], "own-t", &mut ids).await);
            }
            let spawned = reference.spawn_child(guide()).unwrap();
            assert!(is_on(&spawned, "own-t", &mut ids).await);
            assert!(ids.len() <= 2, "always the same threads: {ids:?}");
            assert!(system.stats().restarts >= 6);
            assert!(system.stop(10 * SECOND).await.forced.is_empty());
            assert!(are_gone("own-t"));
        })
    });
}

#[test]
fn a_process_that_is_spawned_from_a_subtree_runs_where_its_own_supervisor_says() {
    on_each(|| {
        Box::pin(async {
            let system = System::new(here());
            let (inside, deeper) = (guide(), guide());
            let (inner, deepest) = (inside.address(), deeper.address());
            let deep = Supervisor::new("deep-s").dedicated(1).child(deeper);
            let own = Supervisor::new("own-s").dedicated(1).child(inside).supervisor(deep);
            system.supervise(own).await.unwrap();
            let mut ids = HashSet::new();
            assert!(is_on(&inner, "own-s", &mut ids).await);
            assert!(is_on(&deepest, "deep-s", &mut ids).await);
            for guide in [inner, deepest] {
                let spawned = guide.ask(|reply| Question::Spawn(system.clone(), reply)).await;
                assert!(is_on(&spawned.unwrap(), "base", &mut ids).await);
            }
            system.stop(10 * SECOND).await;
            assert!(are_gone("own-s") && are_gone("deep-s"));
        })
    });
}

#[test]
fn a_subtree_that_blocks_its_threads_harms_nobody_else() {
    on_each(|| {
        Box::pin(async {
            let (release, wait) = channel::<()>();
            let (entered, inside) = channel();
            let (wait, entered) = (Arc::new(Mutex::new(wait)), Mutex::new(entered));
            let stuck = worker("stuck", move |_| {
                let (wait, entered) = (wait.clone(), entered.lock().unwrap().clone());
                async move {
                    let _ = entered.send(());
                    let _ = wait.lock().unwrap().recv();
                    Ok(())
                }
            });
            let stuck = stuck.shutdown(Shutdown::Timeout(Duration::from_millis(10)));
            let own = Supervisor::new("own-b").dedicated(1).kill_grace(Duration::from_millis(10));
            let own = own.add_worker(stuck);
            let reference = own.reference();
            let system = System::new(here());
            let outsider = system.spawn_child(guide()).unwrap();
            system.supervise(own).await.unwrap();
            inside.recv().unwrap();
            assert_eq!(reference.counts().await.unwrap().active, 1, "it answers");
            assert!(is_on(&outsider, "base", &mut HashSet::new()).await);
            let stopped = system.stop(10 * SECOND).await;
            assert_eq!((stopped.forced, stopped.abandoned), (vec!["stuck".to_owned()], 1));
            drop(release);
            assert!(are_gone("own-b"));
        })
    });
}

#[test]
fn a_subtree_that_is_killed_ends_its_threads() {
    on_each(|| {
        Box::pin(async {
            let own = Supervisor::new("own-k").dedicated(1).add_worker(worker("w", |_| pending()));
            let reference = own.reference();
            let top = Supervisor::new("top").supervisor(own);
            let mut run = Box::pin(top.run());
            std::future::poll_fn(|task| {
                assert!(run.as_mut().poll(task).is_pending());
                std::task::Poll::Ready(())
            })
            .await;
            while reference.counts().await.map_or(0, |counts| counts.active) == 0 {
                std::thread::yield_now();
            }
            assert_eq!(threads("own-k") > 0, cfg!(target_os = "linux"));
            drop(run);
            reference.ended().await;
            assert!(are_gone("own-k"));
        })
    });
}

#[test]
fn a_temporary_subtree_ends_its_threads_and_one_that_rests_keeps_them() {
    on_each(|| {
        Box::pin(async {
            let system = System::new(here());
            let inside = guide();
            let address = inside.address();
            let own = Supervisor::new("own-r").dedicated(1).child(inside);
            let top = Supervisor::new("top").supervisor(own);
            let top = system.supervise(top).await.unwrap();
            let mut ids = HashSet::new();
            assert!(is_on(&address, "own-r", &mut ids).await);
            top.stop_child("own-r").await.unwrap();
            top.restart_child("own-r").await.unwrap();
            assert!(is_on(&address, "own-r", &mut ids).await);
            assert_eq!(ids.len(), 1, "the same thread");
            top.stop_child("own-r").await.unwrap();
            top.delete_child("own-r").await.unwrap();
            assert!(are_gone("own-r"));

            let failing = one_shot(async { Err(Exit::error("told to")) });
            let failing = failing.restart(RestartType::Permanent).named("failing");
            let rules = RestartStrategy::new(Default::default(), 0, SECOND);
            let own = Supervisor::new("own-e").dedicated(1).restart_strategy(rules);
            let own = own.restart(RestartType::Temporary).add_worker(failing);
            let own = top.start_supervisor(own).await.unwrap();
            own.ended().await;
            assert!(are_gone("own-e"));
            system.stop(10 * SECOND).await;
        })
    });
}

#[test]
fn what_a_process_of_a_subtree_runs_is_in_its_runtime() {
    on_each(|| {
        Box::pin(async {
            let (tell, told) = channel();
            let nested_run = worker("runs", move |_| {
                let tell = tell.clone();
                async move {
                    let leaf = one_shot(async move { Ok(tell.send(thread())?) });
                    let leaf = leaf.named("leaf").significant(true);
                    Supervisor::new("inner")
                        .auto_shutdown(AutoShutdown::AnySignificant)
                        .add_worker(leaf)
                        .run()
                        .await?;
                    Ok(())
                }
            });
            let runs = nested_run.restart(RestartType::Transient).significant(true);
            let own = Supervisor::new("own-n").dedicated(1);
            let own = own.auto_shutdown(AutoShutdown::AnySignificant);
            own.add_worker(runs).run().await.unwrap();
            let thread = told.recv().unwrap();
            assert!(thread.starts_with("own-n"), "{thread}");
            assert!(are_gone("own-n"));
        })
    });
}

/// The error at the start of `top`, with `own` below.
async fn refused(own: Supervisor, runtime: Runtime) -> SupervisorError {
    let top = Supervisor::new("top").supervisor(own);
    let error = top.run_on(runtime, pending()).await.unwrap_err();
    assert_eq!(error.path(), "top/own");
    let source = std::error::Error::source(&error).unwrap();
    source.downcast_ref::<SupervisorError>().unwrap().clone()
}

#[test]
fn a_runtime_without_threads_is_refused_everywhere() {
    let check = |error: SupervisorError| match error {
        SupervisorError::Invalid { error, .. } => {
            assert_eq!(error.downcast_ref(), Some(&InvalidSupervisor::NoThreads));
        }
        error => panic!("{error}"),
    };
    let own = || {
        let unreachable = worker("w", |_| async { unreachable!("it is not started") });
        Supervisor::new("own").dedicated(0).add_worker(unreachable)
    };
    let sim = Sim::new(1);
    check(sim.run(refused(own(), Runtime::sim(&sim))));
    on_each(|| Box::pin(async move { check(refused(own(), here()).await) }));
}

#[cfg(feature = "executor")]
#[test]
fn threads_that_the_machine_refuses_fail_the_start() {
    use bastion_supervision::RuntimeError;
    let executor = bastion_executor::Executor::builder().workers(1).build().unwrap();
    let own = Supervisor::new("own").dedicated(usize::MAX);
    match executor.run(refused(own, Runtime::executor())) {
        SupervisorError::Runtime { error: RuntimeError::Threads { threads, .. }, .. } => {
            assert_eq!(threads, usize::MAX);
        }
        error => panic!("{error}"),
    }
}

#[test]
fn in_a_simulation_a_subtree_is_in_the_simulation() {
    let sim = Sim::new(1);
    let me = std::thread::current().id();
    sim.run(async {
        let leaf = guide();
        let address = leaf.address();
        let own = Supervisor::new("own-i").dedicated(2).child(leaf);
        let look = async {
            sim.sleep(SECOND).await;
            assert_eq!(ask(&address).await.1, me);
        };
        Supervisor::new("top").supervisor(own).run_on(Runtime::sim(&sim), look).await.unwrap();
    });
}
