//! Plain futures under supervision, on virtual time: initialisation, the signal to stop, `run`, and spawning beside oneself.

use bastion_supervision::plan::{ExitReason, Finish, RestartType, Shutdown};
use bastion_supervision::{
    Exit, InitializationError, InvalidSupervisor, NoSupervisor, ProcessShutdown, RestartMode,
    RestartStrategy, Runtime, ShutdownStrategy, Sim, StartChildError, Stopped, Supervisable,
    Supervisor, SupervisorError, SupervisorFuture, System, current_pid, current_supervisor,
    one_shot, spawn, supervised, worker,
};
use std::future::{Future, pending};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, entry: impl Into<String>) {
        self.0.lock().unwrap().push(entry.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Logs the end of a future, however it comes.
struct LogEnd(Log, String);

impl Drop for LogEnd {
    fn drop(&mut self) {
        self.0.add(format!("-{}", self.1));
    }
}

/// Runs a scenario under several seeds: the order of execution must not matter.
fn scenario<F: Future<Output = ()>>(f: impl Fn(Sim, Log) -> F) {
    std::panic::set_hook(Box::new(|_| {}));
    for seed in 0..20 {
        let sim = Sim::new(seed);
        let outer = std::panic::AssertUnwindSafe(|| sim.run(f(sim.clone(), Log::default())));
        if let Err(payload) = std::panic::catch_unwind(outer) {
            let text = payload.downcast_ref::<String>().cloned();
            let text = text.or(payload.downcast_ref::<&str>().map(|text| text.to_string()));
            eprintln!("seed {seed}: {}", text.unwrap_or_default());
            std::panic::resume_unwind(payload);
        }
    }
}

/// What an incarnation of [`Scripted`] does.
#[derive(Clone, Copy)]
enum Act {
    FailToStart,
    Panic,
    Fail,
    Wait,
}

/// Does one thing after another, an incarnation each, and the last one for ever.
struct Scripted {
    name: &'static str,
    log: Log,
    acts: Mutex<Vec<Act>>,
}

fn scripted(log: &Log, name: &'static str, acts: &[Act]) -> Scripted {
    let acts = acts.iter().rev().copied().collect();
    Scripted { name, log: log.clone(), acts: Mutex::new(acts) }
}

impl Supervisable for Scripted {
    fn name(&self) -> &str {
        self.name
    }

    async fn initialize(
        &self,
        shutdown: ProcessShutdown,
    ) -> Result<SupervisorFuture, InitializationError> {
        let name = self.name;
        self.log.add(format!("init {name}"));
        let act = {
            let mut acts = self.acts.lock().unwrap();
            if acts.len() > 1 { acts.pop() } else { acts.last().copied() }
        };
        if let Some(Act::FailToStart) = act {
            "no number".parse::<u32>()?;
        }
        let log = self.log.clone();
        Ok(Box::pin(async move {
            log.add(format!("run {name}"));
            match act {
                Some(Act::Panic) => panic!("told to"),
                Some(Act::Fail) => return Err(Exit::error("told to")),
                _ => shutdown.requested().await,
            }
            log.add(format!("stop {name}"));
            Ok(())
        }))
    }
}

/// A worker that logs its end, and stops when it is told to.
fn obedient(log: &Log, name: &'static str) -> bastion_supervision::Worker {
    let log = log.clone();
    worker(name, move |shutdown| {
        let end = LogEnd(log.clone(), name.to_owned());
        async move {
            let _end = end;
            shutdown.await;
            Ok(())
        }
    })
}

/// A worker that ignores the signal.
fn deaf(name: &'static str) -> bastion_supervision::Worker {
    worker(name, |_| pending())
}

#[test]
fn an_error_of_the_initialisation_fails_the_start_which_is_undone() {
    scenario(|sim, log| async move {
        let top = Supervisor::new("top")
            .add_worker(scripted(&log, "a", &[Act::Wait]))
            .supervisor(Supervisor::new("nested").add_worker(scripted(
                &log,
                "b",
                &[Act::FailToStart, Act::Wait],
            )))
            .add_worker(scripted(&log, "c", &[Act::Wait]));
        let error = top.run_on(Runtime::sim(&sim), pending()).await.unwrap_err();
        assert_eq!(log.take(), ["init a", "run a", "init b", "stop a"], "no second try");
        assert_eq!(error.path(), "top/nested/b");
        assert!(matches!(error.reason(), Some(ExitReason::InitFailed(_))), "{error}");
        assert!(error.to_string().contains("failed to initialise: invalid digit"), "{error}");
        // The chain of sources ends with what the worker said.
        let mut source = std::error::Error::source(&error).unwrap();
        while let Some(next) = source.source() {
            source = next;
        }
        assert!(source.is::<std::num::ParseIntError>());
    });
}

#[test]
fn an_error_of_the_run_is_judged_by_the_restart_rules() {
    for act in [Act::Fail, Act::Panic] {
        scenario(|sim, log| async move {
            let top = Supervisor::new("top").add_worker(scripted(&log, "a", &[act, Act::Wait]));
            let stopped = top.run_on(Runtime::sim(&sim), sim.sleep(SECOND)).await;
            assert_eq!(stopped.unwrap(), Stopped::default());
            assert_eq!(log.take(), ["init a", "run a", "init a", "run a", "stop a"]);
        });
    }
}

#[test]
fn row_071_an_initialisation_that_fails_at_a_restart_is_tried_again_and_counts() {
    scenario(|sim, log| async move {
        let acts = [Act::Fail, Act::FailToStart, Act::FailToStart, Act::Wait];
        let rules = |intensity| RestartStrategy::new(RestartMode::OneForOne, intensity, SECOND);
        let top = Supervisor::new("top").restart_strategy(rules(3));
        let top = top.add_worker(scripted(&log, "a", &acts));
        top.run_on(Runtime::sim(&sim), sim.sleep(SECOND)).await.unwrap();
        let again = ["init a", "run a", "init a", "init a", "init a", "run a", "stop a"];
        assert_eq!(log.take(), again);

        let top = Supervisor::new("top").restart_strategy(rules(2));
        let top = top.add_worker(scripted(&log, "a", &acts));
        let error = top.run_on(Runtime::sim(&sim), sim.sleep(SECOND)).await.unwrap_err();
        assert!(matches!(error.reason(), Some(ExitReason::InitFailed(_))), "{error}");
        assert_eq!(log.take(), again[..4]);
    });
}

#[test]
fn the_next_worker_is_initialised_when_the_one_before_is() {
    scenario(|sim, log| async move {
        struct Slow(Sim, Log);
        impl Supervisable for Slow {
            fn name(&self) -> &str {
                "slow"
            }

            fn shutdown_strategy(&self) -> ShutdownStrategy {
                ShutdownStrategy::Brutal
            }

            async fn initialize(
                &self,
                _: ProcessShutdown,
            ) -> Result<SupervisorFuture, InitializationError> {
                self.0.sleep(SECOND).await;
                self.1.add("slow is ready");
                let end = LogEnd(self.1.clone(), "slow".to_owned());
                Ok(Box::pin(async move {
                    let _end = end;
                    pending().await
                }))
            }
        }
        let top = Supervisor::new("top").add_worker(Slow(sim.clone(), log.clone()));
        let top = top.add_worker(scripted(&log, "a", &[Act::Wait]));
        let stopped = top.run_on(Runtime::sim(&sim), sim.sleep(2 * SECOND)).await.unwrap();
        assert_eq!(log.take(), ["slow is ready", "init a", "run a", "stop a", "-slow"]);
        // That it is killed is its own wish.
        assert_eq!(stopped.forced, [""; 0]);
    });
}

#[test]
fn what_a_supervisor_does_not_bear_is_the_error_of_run() {
    scenario(|sim, log| async move {
        let nested = Supervisor::new("nested").add_worker(worker("bad", |_| async {
            Err(std::fs::File::open("/no/such/file").unwrap_err().into())
        }));
        let top = Supervisor::new("top").add_worker(obedient(&log, "good")).supervisor(nested);
        let error = top.run_on(Runtime::sim(&sim), pending()).await.unwrap_err();
        assert_eq!(log.take(), ["-good"]);
        assert_eq!(error.supervisor(), "top");
        assert_eq!(error.path(), "top/nested/bad");
        assert!(matches!(
            error,
            SupervisorError::Finished { finish: Finish::GaveUp { restarts: 2, .. }, .. }
        ));
        let Some(ExitReason::Error(failure)) = error.reason() else { panic!("{error}") };
        assert!(failure.downcast_ref::<std::io::Error>().is_some());
    });
}

#[test]
fn a_supervisor_without_children_idles_until_it_is_told_to_stop() {
    scenario(|sim, _| async move {
        let idle = Supervisor::new("idle").run_on(Runtime::sim(&sim), sim.sleep(SECOND));
        assert_eq!(idle.await.unwrap(), Stopped::default());
        assert_eq!(sim.now(), SECOND);
    });
}

#[test]
fn an_empty_name_is_refused_and_nothing_is_started() {
    scenario(|sim, log| async move {
        let nested = Supervisor::new("").add_worker(obedient(&log, "b"));
        let nested = Supervisor::new("top").add_worker(obedient(&log, "a")).supervisor(nested);
        let error = nested.run_on(Runtime::sim(&sim), pending()).await.unwrap_err();
        // The description of the upper one is wrong already.
        assert_eq!(error.path(), "top");
        assert!(matches!(error, SupervisorError::Invalid { .. }), "{error}");

        let alone = Supervisor::new("").add_worker(obedient(&log, "a"));
        let error = alone.run_on(Runtime::sim(&sim), pending()).await.unwrap_err();
        let SupervisorError::Invalid { error, .. } = error else { panic!("{error}") };
        assert_eq!(error.downcast_ref(), Some(&InvalidSupervisor::EmptyName));
        assert_eq!(log.take(), [""; 0]);
    });
}

#[test]
fn without_a_runtime_run_says_so_or_uses_the_global_one() {
    let runtime = Runtime::current();
    assert_eq!(runtime.is_ok(), cfg!(feature = "executor"), "{runtime:?}");
}

#[test]
fn the_budget_reaches_down_to_the_leaves() {
    scenario(|sim, _| async move {
        let leaves = ["a", "b", "c"].map(|name| deaf(name).shutdown(Shutdown::Infinity));
        let low = leaves.into_iter().fold(Supervisor::new("low"), Supervisor::add_worker);
        let middle = Supervisor::new("middle").add_worker(deaf("d")).supervisor(low);
        let budget = Shutdown::Timeout(3 * SECOND);
        let top = Supervisor::new("top").shutdown(budget).supervisor(middle);
        let stopped = top.run_on(Runtime::sim(&sim), sim.sleep(SECOND)).await.unwrap();
        assert!(sim.now() <= 4 * SECOND, "{:?}", sim.now());
        let mut forced = stopped.forced;
        forced.sort();
        assert_eq!(forced, ["a", "b", "c", "d"]);
        assert_eq!(stopped.abandoned, 0);
    });
}

#[test]
fn a_worker_knows_how_much_time_it_has_to_stop() {
    scenario(|sim, log| async move {
        let rules = [
            (Shutdown::Infinity, Shutdown::Infinity, "None"),
            (Shutdown::Infinity, Shutdown::Timeout(2 * SECOND), "Some(2s)"),
            (Shutdown::Timeout(SECOND), Shutdown::Timeout(2 * SECOND), "Some(1s)"),
        ];
        for (own, asked, expected) in rules {
            let told = log.clone();
            let asks = worker("asks", move |shutdown| {
                let log = told.clone();
                async move {
                    assert_eq!(shutdown.deadline(), None);
                    shutdown.requested().await;
                    log.add(format!("{:?}", shutdown.deadline()));
                    Ok(())
                }
            });
            let top = Supervisor::new("top").shutdown(asked).add_worker(asks.shutdown(own));
            top.run_on(Runtime::sim(&sim), sim.sleep(SECOND)).await.unwrap();
            assert_eq!(log.take(), [expected]);
        }
    });
}

#[test]
fn a_dropped_run_kills_all_that_is_below() {
    scenario(|sim, log| async move {
        let deep = Supervisor::new("deep").add_worker(obedient(&log, "b"));
        let top = Supervisor::new("top").add_worker(obedient(&log, "a")).supervisor(deep);
        let reference = top.reference();
        let mut run = Box::pin(top.run_on(Runtime::sim(&sim), pending()));
        let mut second = Box::pin(sim.sleep(SECOND));
        std::future::poll_fn(|task| {
            assert!(run.as_mut().poll(task).is_pending());
            second.as_mut().poll(task)
        })
        .await;
        assert_eq!(log.take(), [""; 0]);
        drop(run);
        assert!(matches!(reference.ended().await, ExitReason::Killed));
        // It does not wait for those below.
        sim.sleep(SECOND).await;
        let mut log = log.take();
        log.sort();
        assert_eq!(log, ["-a", "-b"]);
    });
}

#[test]
fn a_spawned_worker_is_a_sibling_and_ends_with_the_supervisor() {
    scenario(|sim, log| async move {
        let told = log.clone();
        let parent = worker("parent", move |_| {
            let log = told.clone();
            async move {
                assert_eq!(current_supervisor().unwrap().name(), "pool");
                let own = current_pid();
                let end = LogEnd(log.clone(), "child".to_owned());
                let child = one_shot(async move {
                    let _end = end;
                    assert_ne!(current_pid(), own);
                    assert_eq!(current_supervisor().unwrap().name(), "pool");
                    pending().await
                });
                spawn(child.shutdown(Shutdown::Timeout(SECOND / 2)))?;
                // A name is an id among the siblings, whoever has spawned it.
                spawn(obedient(&log, "named"))?;
                log.add("parent is done");
                Ok(())
            }
        });
        let parent = parent.restart(RestartType::Temporary);
        let pool = Supervisor::new("pool").shutdown(Shutdown::Timeout(SECOND));
        let pool = pool.add_worker(obedient(&log, "first")).add_worker(parent);
        let (reference, stop) = (pool.reference(), sim.sleep(2 * SECOND));
        let look = async {
            sim.sleep(SECOND).await;
            let children = reference.children().await.unwrap();
            let names: Vec<_> = children.iter().map(|child| child.name.as_deref()).collect();
            assert_eq!(names, [Some("first"), None, Some("named")]);
            assert_eq!(children[1].restart, RestartType::Temporary);
            stop.await;
        };
        let stopped = pool.run_on(Runtime::sim(&sim), look).await.unwrap();
        // It is not told to stop, and has all its time.
        assert_eq!(stopped.forced.len(), 1);
        assert_eq!(log.take(), ["parent is done", "-named", "-child", "-first"]);
    });
    assert_eq!(spawn(one_shot(pending())).unwrap_err(), NoSupervisor::Outside);
    assert!(current_supervisor().is_none());
}

#[test]
fn a_foreign_task_has_no_supervisor() {
    scenario(|sim, _| async move {
        let (tell, told) = std::sync::mpsc::channel();
        let pool = Supervisor::new("pool").add_worker(worker("thread", move |_| {
            let tell = tell.clone();
            async move {
                let thread = std::thread::spawn(|| spawn(one_shot(pending())).unwrap_err());
                tell.send(thread.join().unwrap())?;
                Ok(())
            }
        }));
        let _ = pool.run_on(Runtime::sim(&sim), pending()).await;
        assert_eq!(told.recv(), Ok(NoSupervisor::Outside));
    });
}

#[test]
fn a_one_shot_runs_once_also_when_its_supervisor_is_restarted() {
    scenario(|sim, log| async move {
        let told = log.clone();
        let once = one_shot(async move {
            told.add("once");
            Ok(())
        });
        let rules = RestartStrategy::new(RestartMode::OneForOne, 0, SECOND);
        let low = Supervisor::new("low").restart_strategy(rules);
        let low = low.add_worker(once.named("once"));
        let low = low.add_worker(scripted(&log, "a", &[Act::Fail, Act::Wait]));
        let top = Supervisor::new("top").supervisor(low);
        top.run_on(Runtime::sim(&sim), sim.sleep(SECOND)).await.unwrap();
        let mut log = log.take();
        log.sort();
        assert_eq!(log, ["init a", "init a", "once", "run a", "run a", "stop a"]);
    });
}

#[test]
fn a_worker_is_a_child_with_all_that_can_be_said_of_one() {
    scenario(|sim, log| async move {
        let system = System::new(Runtime::sim(&sim));
        let pool = system.supervise(Supervisor::dynamic("pool")).await.unwrap();
        let acts = [Act::Fail, Act::Wait];
        let child = supervised(scripted(&log, "a", &acts)).restart(RestartType::Temporary);
        let address = pool.start_child(child).await.unwrap();
        assert_eq!(address.name(), Some("a"));
        assert!(matches!(address.ended().await, ExitReason::Error(_)));
        assert_eq!(log.take(), ["init a", "run a"]);
        let failing = supervised(scripted(&log, "b", &[Act::FailToStart]));
        let error = pool.start_child(failing).await.unwrap_err();
        assert!(matches!(error, StartChildError::Failed(ExitReason::InitFailed(_))), "{error}");
        system.stop(SECOND).await;
    });
}

#[test]
fn a_pair_is_requested_by_its_handle_or_by_the_drop_of_it() {
    scenario(|sim, _| async move {
        for by_drop in [true, false] {
            let (handle, shutdown) = ProcessShutdown::paired();
            let waits = shutdown.clone();
            let mut waits = Box::pin(waits.into_future());
            let first = std::future::poll_fn(|task| {
                std::task::Poll::Ready(waits.as_mut().poll(task).is_pending())
            });
            assert!(first.await && !shutdown.is_requested());
            let kept = if by_drop {
                drop(handle);
                None
            } else {
                handle.shutdown();
                Some(handle)
            };
            waits.await;
            drop(kept);
            assert!(shutdown.is_requested());
            shutdown.requested().await;
            assert_eq!(shutdown.deadline(), None);
        }
        // It tells a tree to stop as well.
        let (handle, shutdown) = ProcessShutdown::paired();
        let run = Supervisor::new("top").run_on(Runtime::sim(&sim), shutdown);
        handle.shutdown();
        run.await.unwrap();
        assert!(!ProcessShutdown::never().is_requested());
    });
}
