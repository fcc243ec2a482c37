//! Supervisors that are observed, that end when they are empty, and to which things are said without waiting.

use bastion_supervision::plan::{
    AutoShutdown, Backoff, ExitReason, Intensity, RestartPolicy, RestartType, Settings, Strategy,
};
use bastion_supervision::{
    Child, Context, Exit, Observer, Report, Runtime, Sim, Supervisor, System, child,
};
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, entry: impl Into<String>) {
        self.0.lock().unwrap().push(entry.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn observer(&self, name: &'static str) -> Arc<Named> {
        Arc::new(Named(self.clone(), name))
    }
}

struct Named(Log, &'static str);

impl Observer for Named {
    fn starting(&self) {
        self.0.add(format!("{} starting", self.1));
    }

    fn started(&self) {
        self.0.add(format!("{} started", self.1));
    }

    fn stopped(&self) {
        self.0.add(format!("{} stopped", self.1));
    }
}

/// Ends with what it is told.
fn told() -> Child<Result<(), &'static str>> {
    child(|mut cx: Context<Result<(), &'static str>>| async move {
        match cx.recv().await {
            Some(Err(text)) => Err(Exit::error(text)),
            _ => Ok(()),
        }
    })
}

fn run<F: Future>(test: impl FnOnce(System, Sim) -> F) -> F::Output {
    let sim = Sim::new(3);
    sim.run(test(System::new(Runtime::sim(&sim)), sim.clone()))
}

#[test]
fn an_observer_is_told_of_starts_and_of_ends_that_are_no_restarts() {
    run(|system, sim| async move {
        let log = Log::default();
        let failing = told();
        let fails = failing.address();
        let inner = |name| Supervisor::new(name).observed_by(log.observer(name));
        let outer = Supervisor::new("outer")
            .strategy(Strategy::OneForAll)
            .intensity(1, SECOND)
            .observed_by(log.observer("outer"))
            .supervisor(inner("a").child(told()))
            .supervisor(inner("b").child(told()))
            .child(failing);
        system.supervise(outer).await.unwrap();
        let started = ["a starting", "a started", "b starting", "b started"];
        assert_eq!(log.take(), [&["outer starting"][..], &started, &["outer started"]].concat());
        fails.tell(Err("on purpose")).unwrap();
        sim.sleep(SECOND / 10).await;
        assert_eq!(log.take(), started, "a restart is no end");
        // It gives up, and is restarted itself, with its children.
        fails.tell(Err("on purpose")).unwrap();
        sim.sleep(SECOND / 10).await;
        assert_eq!(log.take(), [&["outer starting"][..], &started, &["outer started"]].concat());
        system.stop(SECOND).await;
        let stopped = log.take();
        let first = |name: &str| stopped.iter().position(|entry| entry == name).unwrap();
        assert!(first("b stopped") < first("a stopped"), "{stopped:?}");
        assert!(first("a stopped") < first("outer stopped"), "{stopped:?}");
    });
}

#[test]
fn an_observer_is_told_of_what_is_given_up_and_killed() {
    run(|system, sim| async move {
        let log = Log::default();
        let failing = told();
        let fails = failing.address();
        let one = Supervisor::new("one")
            .observed_by(log.observer("one"))
            .policy(RestartPolicy::Never)
            .intensity(0, SECOND)
            .child(failing);
        let two = Supervisor::new("two").observed_by(log.observer("two")).child(told());
        let above = Supervisor::new("above").supervisor(one).supervisor(two);
        let above = system.supervise(above).await.unwrap();
        log.take();
        fails.tell(Err("on purpose")).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(log.take(), ["one stopped"]);
        above.request_kill("two").unwrap();
        sim.sleep(SECOND).await;
        let entries = log.take();
        assert!(!entries.is_empty() && entries.iter().all(|entry| entry == "two stopped"));
        above.restart_child("two").await.unwrap();
        assert_eq!(log.take(), ["two starting", "two started"]);
        system.kill();
        system.stop(SECOND).await;
        assert!(log.take().contains(&"two stopped".to_owned()));
    });
}

struct Panics;

impl Observer for Panics {
    fn starting(&self) {
        panic!("on purpose");
    }
}

#[test]
fn an_observer_that_panics_is_reported_and_harms_nobody() {
    run(|system, _| async move {
        let log = Log::default();
        let sup = Supervisor::new("s").observed_by(Arc::new(Panics));
        let sup = sup.observed_by(log.observer("s")).child(told());
        system.supervise(sup).await.unwrap();
        assert_eq!(log.take(), ["s starting", "s started"]);
        let told = |report: &Report| matches!(report, Report::HookPanicked { panic } if &*panic.message == "on purpose");
        assert!(system.history().records.iter().any(|record| told(&record.report)));
    });
}

#[test]
fn a_supervisor_ends_when_it_is_empty() {
    run(|system, sim| async move {
        let (ends, stops, fails) = (told(), told(), told());
        let (end, fail) = (ends.address(), fails.address());
        let batch = Supervisor::dynamic("batch")
            .auto_shutdown(AutoShutdown::WhenEmpty)
            .restart(RestartType::Transient)
            .child(ends.restart(RestartType::Transient))
            .child(stops.named("stops"))
            .child(fails.policy(RestartPolicy::Tries(1)));
        let above = Supervisor::new("above").supervisor(batch);
        let above = system.supervise(above).await.unwrap();
        let batch = above.child("batch").await.unwrap().supervisor.unwrap();
        end.tell(Ok(())).unwrap();
        batch.request_stop("stops").unwrap();
        fail.tell(Err("once")).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(batch.counts().await.unwrap().specs, 1, "one has been restarted");
        fail.tell(Err("twice")).unwrap();
        sim.sleep(SECOND).await;
        assert!(batch.counts().await.is_err());
        assert_eq!(above.counts().await.unwrap().active, 0);
    });
}

#[test]
fn one_that_is_empty_before_it_is_ready_has_started_all_the_same() {
    run(|system, sim| async move {
        let batch = Supervisor::dynamic("batch").auto_shutdown(AutoShutdown::WhenEmpty);
        let batch = batch.restart(RestartType::Transient).child(told().named("only"));
        batch.reference().request_kill("only").unwrap();
        let above = Supervisor::new("above").supervisor(batch).child(told());
        let above = system.supervise(above).await.unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(above.counts().await.unwrap().active, 1);
    });
}

#[test]
fn one_that_never_had_a_child_does_not_end() {
    run(|system, sim| async move {
        let pool = Supervisor::dynamic("pool").auto_shutdown(AutoShutdown::WhenEmpty);
        let pool = system.supervise(pool.restart(RestartType::Temporary)).await.unwrap();
        sim.sleep(SECOND).await;
        let only = pool.start_child(told().restart(RestartType::Temporary)).await.unwrap();
        only.tell(Ok(())).unwrap();
        assert!(matches!(pool.ended().await, ExitReason::Shutdown));
        assert!(pool.has_ended());
    });
}

#[test]
fn a_transient_supervisor_that_gives_up_with_an_error_is_restarted() {
    run(|system, sim| async move {
        for (with_error, incarnation) in [(false, 1), (true, 2)] {
            let failing = told();
            let fails = failing.address();
            let group = Supervisor::new("group").intensity(0, SECOND).child(failing);
            let group = group.restart(RestartType::Transient);
            let group = if with_error { group.gives_up_with_error() } else { group };
            let above = Supervisor::new(format!("above {with_error}")).supervisor(group);
            let above = system.supervise(above).await.unwrap();
            fails.tell(Err("on purpose")).unwrap();
            sim.sleep(SECOND).await;
            assert_eq!(above.child("group").await.unwrap().incarnation, incarnation);
        }
    });
}

/// Has the rules of a supervisor, or none.
struct Keeper(Mutex<Option<Settings>>);

impl Observer for Keeper {
    fn rules(&self) -> Option<Settings> {
        self.0.lock().unwrap().clone()
    }
}

#[test]
fn an_incarnation_begins_with_the_rules_that_an_observer_has_or_its_own() {
    run(|system, sim| async move {
        for keeps in [false, true] {
            let name = format!("above {keeps}");
            let keeper = Arc::new(Keeper(Mutex::new(None)));
            let group = Supervisor::new("group").child(told()).observed_by(keeper.clone());
            let reference = group.reference();
            let above = system.supervise(Supervisor::new(name).supervisor(group)).await.unwrap();
            let rules = reference.settings().await.unwrap();
            let rules = rules.intensity(Some(Intensity::new(7, SECOND)));
            reference.request_settings(rules.clone()).unwrap();
            assert_eq!(reference.settings().await.unwrap(), rules);
            if keeps {
                *keeper.0.lock().unwrap() = Some(rules.clone());
            }
            above.recycle_child("group", Duration::ZERO).await.unwrap();
            sim.sleep(SECOND).await;
            assert_eq!(reference.settings().await.unwrap() == rules, keeps);
        }
    });
}

#[test]
fn what_is_given_before_a_supervisor_runs_waits_for_it() {
    run(|system, sim| async move {
        let log = Log::default();
        let above = Supervisor::new("above");
        let reference = above.reference();
        let later = Supervisor::new("later").observed_by(log.observer("later"));
        let later = reference.spawn_supervisor(later).unwrap();
        sim.sleep(SECOND).await;
        assert!(log.take().is_empty());
        system.supervise(above).await.unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(log.take(), ["later starting", "later started"]);
        assert!(later.pid().is_some());
        system.stop(SECOND).await;
        assert!(reference.spawn_supervisor(Supervisor::new("too late")).is_err());
        assert!(
            reference.request_stop("later").is_err() && reference.request_kill("later").is_err()
        );
    });
}

#[test]
fn a_child_that_is_closed_at_rest_refuses_what_is_sent_meanwhile() {
    run(|system, sim| async move {
        for (closed, refused) in [(false, false), (true, true)] {
            let resting = told().named("resting").restart(RestartType::Transient);
            let resting = if closed { resting.closed_at_rest() } else { resting };
            let address = resting.address();
            let above = Supervisor::new(format!("above {closed}")).child(resting);
            let above = system.supervise(above).await.unwrap();
            address.tell(Ok(())).unwrap();
            address.tell(Ok(())).unwrap();
            sim.sleep(SECOND).await;
            assert_eq!(address.queued(), usize::from(!closed));
            assert_eq!(address.tell(Ok(())).is_err(), refused);
            assert!(!address.has_ended());
            above.restart_child("resting").await.unwrap();
            assert!(address.tell(Ok(())).is_ok(), "it runs again");
        }
        assert_eq!(system.stats().dead_letters, 1);
    });
}

#[test]
fn what_waits_for_a_child_that_is_closed_at_rest_survives_a_restart_with_its_supervisor() {
    run(|system, sim| async move {
        let (waiting, failing) = (told().closed_at_rest(), told());
        let (waits, fails) = (waiting.address(), failing.address());
        let group = Supervisor::new("group").child(waiting);
        let above = Supervisor::new("above").strategy(Strategy::OneForAll);
        system.supervise(above.supervisor(group).child(failing)).await.unwrap();
        fails.tell(Err("on purpose")).unwrap();
        // In this order: it is asked to stop before it runs.
        sim.sleep(Duration::ZERO).await;
        waits.tell(Err("received by the second")).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!((system.stats().dead_letters, waits.queued()), (0, 0));
        assert!(waits.incarnation() >= 2);
    });
}

#[test]
fn a_context_in_another_task_receives_nothing_after_its_process_has_ended() {
    run(|system, sim| async move {
        let stale = Arc::new(Mutex::new(None));
        let (given, spawner) = (stale.clone(), sim.clone());
        let leaving = child(move |cx: Context<u32>| {
            *given.lock().unwrap() = Some(cx);
            async { Ok(()) }
        });
        let leaving = leaving.restart(RestartType::Transient);
        let leaving = leaving.backoff(Backoff::immediate());
        let address = leaving.address();
        system.supervise(Supervisor::new("s").child(leaving)).await.unwrap();
        spawner.sleep(SECOND).await;
        let mut context = stale.lock().unwrap().take().unwrap();
        address.tell(1).unwrap();
        assert_eq!(context.recv().await, None);
        assert_eq!(address.queued(), 1);
    });
}

#[test]
fn what_a_process_contains_is_no_failure_of_its_own() {
    run(|system, _| async move {
        let worker = child(|cx: Context<()>| async move {
            cx.contain(|| panic!("on purpose"));
            Ok(())
        });
        let worker = system.spawn_child(worker.restart(RestartType::Temporary)).unwrap();
        assert!(matches!(worker.ended().await, ExitReason::Normal));
    });
}

#[test]
fn a_linear_back_off_may_begin_elsewhere() {
    let backoff = Backoff::linear_from(SECOND, 5 * SECOND, 12 * SECOND);
    assert_eq!([0, 1, 2, 3].map(|n| backoff.delay(n).as_secs()), [1, 6, 11, 12]);
    assert_eq!(Backoff::linear_from(SECOND, Duration::MAX, Duration::MAX).delay(9), Duration::MAX);
    assert_eq!(Backoff::linear_from(SECOND, Duration::ZERO, SECOND).delay(9), SECOND);
}
