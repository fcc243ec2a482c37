//! Reports, on virtual time: what is in them, who is shown them, which are kept.
//!
//! Guards that an escalation can be followed through the data, that no hook harms the system or is lost, and that the history is
//! bounded and never drops foreign values under its lock.

use bastion_supervision::plan::{self, ExitReason, Finish, RestartType, Strategy};
use bastion_supervision::{
    Address, Child, Context, CrashReport, Exit, Report, Runtime, Sim, Supervisor, SupervisorError,
    System, child, current_pid,
};
use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Once, Weak};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Silences the panics of processes, and says when others are.
fn quiet() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            if current_pid().is_none() && !info.to_string().contains("on purpose") {
                eprintln!("{info}");
            }
        }));
    });
}

enum Job {
    End,
    Fail,
    Panic,
    /// End with an error that holds something.
    Hold(Box<dyn Error + Send + Sync>),
}

/// A child that fails as it is told.
fn worker() -> Child<Job> {
    child(|mut cx: Context<Job>| async move {
        match cx.recv().await {
            Some(Job::Fail) => Err(Exit::error("no disk")),
            Some(Job::Panic) => panic!("on purpose"),
            Some(Job::Hold(error)) => Err(Exit::boxed(error)),
            Some(Job::End) | None => Ok(()),
        }
    })
}

fn crashes(system: &System) -> Vec<(Duration, CrashReport)> {
    let records = system.history().records.into_iter();
    let crash = |record: bastion_supervision::Record| match record.report {
        Report::Crash(crash) => Some((record.at, crash)),
        _ => None,
    };
    records.filter_map(crash).collect()
}

#[test]
fn a_crash_report_says_where_and_how_often() {
    quiet();
    let sim = Sim::new(1);
    let system = System::new(Runtime::sim(&sim));
    sim.run(async {
        let disk = worker().named("disk");
        let address = disk.address();
        let store = Supervisor::new("store").unlimited().child(disk);
        system.supervise(Supervisor::new("outer").supervisor(store)).await.unwrap();
        for second in 1..=6 {
            sim.sleep(SECOND).await;
            address.tell(if second == 6 { Job::Panic } else { Job::Fail }).unwrap();
            // What the crash finds waiting comes after what it has taken in one batch.
            sim.sleep(SECOND / 2).await;
            sim.sleep(SECOND / 2).await;
        }
        let crashes = crashes(&system);
        assert_eq!(crashes.len(), 6);
        for (index, (at, crash)) in crashes.iter().enumerate() {
            assert_eq!(crash.incarnation as usize, index + 1);
            assert_eq!(*at, SECOND * (2 * index as u32 + 1));
            assert_eq!((crash.pid, crash.name.as_deref()), (address.pid(), Some("disk")));
            assert_eq!(crash.supervisor.as_deref(), Some("store"));
            assert_eq!(crash.path(), "root/outer/store/disk");
            let earlier = crashes[..index].iter().map(|(at, _)| *at);
            let expected: Vec<_> = earlier.skip(index.saturating_sub(4)).collect();
            assert_eq!(crash.restarts(), expected, "restarted when it had crashed, at once");
        }
        let ExitReason::Panic(panic) = &crashes[5].1.reason else { panic!("{crashes:?}") };
        assert_eq!(&*panic.message, "on purpose");
        assert!(panic.location.as_deref().unwrap().contains("reports.rs:"), "{panic:?}");
    });
}

#[test]
fn a_process_without_a_name_has_its_pid_in_its_path_and_its_mailbox_in_its_report() {
    quiet();
    let sim = Sim::new(1);
    let system = System::new(Runtime::sim(&sim));
    sim.run(async {
        let worker = child(|mut cx: Context<u8>| async move {
            cx.recv().await;
            let own = cx.address();
            (0..5).for_each(|number| own.tell(number).unwrap());
            Err(Exit::error("full"))
        });
        let worker = system.spawn_child(worker.restart(RestartType::Temporary)).unwrap();
        worker.tell(0).unwrap();
        worker.ended().await;
        let crash = &crashes(&system)[0].1;
        assert_eq!(crash.path(), format!("root/processes/{}", worker.pid().unwrap()));
        assert_eq!((crash.queued, crash.restarts()), (5, &[] as &[Duration]));
    });
}

/// Every decision in the history, as supervisor, child, incarnation and report.
fn decisions(system: &System) -> Vec<(String, String, plan::Report)> {
    let records = system.history().records.into_iter();
    let decision = |record: bastion_supervision::Record| match record.report {
        Report::Supervisor { path, child, report, .. } => {
            Some((path.to_string(), child.unwrap_or_default().to_string(), report))
        }
        _ => None,
    };
    records.filter_map(decision).collect()
}

/// What one level up the chain says: who gave up, and why.
fn gave_up(reason: &ExitReason) -> Option<(&str, &ExitReason)> {
    let ExitReason::ShutdownWith(failure) = reason else { return None };
    match failure.downcast_ref()? {
        SupervisorError::Finished { supervisor, finish: Finish::GaveUp { reason, .. } } => {
            Some((supervisor, reason))
        }
        _ => None,
    }
}

#[test]
fn an_escalation_is_a_chain_from_the_child_to_the_one_who_puts_it_right() {
    quiet();
    let sim = Sim::new(1);
    let system = System::new(Runtime::sim(&sim));
    sim.run(async {
        let leaf = worker().named("leaf");
        let address = leaf.address();
        let inner = Supervisor::new("inner").intensity(0, SECOND).child(leaf);
        let middle = Supervisor::new("middle").intensity(0, SECOND).supervisor(inner);
        let outer = Supervisor::new("outer").intensity(1, SECOND).supervisor(middle);
        system.supervise(outer).await.unwrap();
        address.tell(Job::Fail).unwrap();
        sim.sleep(SECOND).await;

        let decisions = decisions(&system);
        let [inner, middle, outer] = &decisions[..] else { panic!("{decisions:#?}") };
        assert_eq!((&*inner.0, &*inner.1), ("root/outer/middle/inner", "leaf"));
        let plan::Report::GaveUp { reason, .. } = &inner.2 else { panic!("{inner:?}") };
        assert_eq!(reason.to_string(), "error: no disk");
        assert_eq!((&*middle.0, &*middle.1), ("root/outer/middle", "inner"));
        let plan::Report::GaveUp { reason, .. } = &middle.2 else { panic!("{middle:?}") };
        let (who, reason) = gave_up(reason).expect("the inner supervisor's error");
        assert_eq!((who, reason.to_string()), ("inner", "error: no disk".to_owned()));
        assert_eq!((&*outer.0, &*outer.1), ("root/outer", "middle"));
        let plan::Report::Restarting { reason, .. } = &outer.2 else { panic!("{outer:?}") };
        let (who, reason) = gave_up(reason).expect("the middle supervisor's error");
        assert_eq!(who, "middle");
        assert_eq!(gave_up(reason).expect("what it gave up for").0, "inner");
        assert_eq!(system.stats().restarts, 1);
    });
}

#[test]
fn a_decision_names_the_incarnation_by_the_processs_own_number() {
    quiet();
    let sim = Sim::new(1);
    let system = System::new(Runtime::sim(&sim));
    sim.run(async {
        let (leaf, trigger) = (worker().named("leaf"), worker().named("trigger"));
        let (address, restart) = (leaf.address(), trigger.address());
        let inner = Supervisor::new("inner").unlimited().child(leaf);
        let outer = Supervisor::new("outer").unlimited().strategy(Strategy::OneForAll);
        system.supervise(outer.child(trigger).supervisor(inner)).await.unwrap();
        // The supervisor of the leaf is a new one now, to which this is its first.
        restart.tell(Job::Fail).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(address.incarnation(), 2);
        address.tell(Job::Fail).unwrap();
        sim.sleep(SECOND).await;
        let decisions = decisions(&system);
        let leaf = decisions.iter().find(|decision| decision.1 == "leaf").unwrap();
        let plan::Report::Restarting { incarnation, .. } = leaf.2 else { panic!("{leaf:?}") };
        assert_eq!((incarnation, address.incarnation()), (2, 3));
        let crashes = crashes(&system);
        assert_eq!(crashes[1].1.incarnation, 2);
        assert_eq!(crashes[1].1.restarts(), [Duration::ZERO], "also by another supervisor");
    });
}

#[test]
fn the_history_keeps_the_last_ones_and_counts_the_others() {
    quiet();
    for (limit, kept) in [(0, 0), (1, 1), (7, 7), (1000, 40)] {
        let sim = Sim::new(1);
        let system = System::builder(Runtime::sim(&sim)).history(limit).build();
        let token = Arc::new(());
        sim.run(async {
            let worker = worker();
            let address = worker.address();
            system.supervise(Supervisor::new("s").unlimited().child(worker)).await.unwrap();
            for _ in 0..20 {
                address.tell(Job::Hold(Box::new(Holding(token.clone())))).unwrap();
                sim.sleep(SECOND).await;
            }
            assert_eq!(system.stats().crashes, 20);
            let history = system.history();
            assert_eq!(history.records.len(), kept);
            assert_eq!(history.dropped, if limit == 0 { 0 } else { 40 - kept as u64 });
            assert!(history.records.is_sorted_by_key(|record| record.at));
            if let Some(last) = history.records.last() {
                assert_eq!(last.at, 19 * SECOND);
            }
            // Each error is in two reports, the crash and the restart, and exists once. The last one is known of the process too.
            drop(history);
            assert_eq!(Arc::strong_count(&token) - 1, kept.div_ceil(2).max(1), "of {limit}");
            system.stop(SECOND).await;
            assert_eq!(
                system.history().records.len(),
                kept,
                "a system that has ended can be asked"
            );
        });
        drop(system);
        assert_eq!(Arc::strong_count(&token), 1, "with the last handle it is dropped");
    }
}

/// An error that holds something.
#[derive(Debug)]
struct Holding<T>(#[allow(dead_code, reason = "it is only held")] T);

impl<T> fmt::Display for Holding<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("told to")
    }
}

impl<T: fmt::Debug> Error for Holding<T> {}

#[test]
fn an_error_with_an_address_in_it_does_not_keep_the_system() {
    quiet();
    let token = Arc::new(());
    let held = token.clone();
    let sim = Sim::new(1);
    let hook = move |_: &Report| {
        let _held = &held;
    };
    let system = System::with_reports(Runtime::sim(&sim), hook);
    sim.run(async {
        let worker = worker().restart(RestartType::Temporary);
        let address = system.spawn_child(worker).unwrap();
        let other: Address<Job> = system.spawn_child(self::worker()).unwrap();
        address.tell(Job::Hold(Box::new(Holding(other)))).unwrap();
        address.ended().await;
        assert_eq!(system.history().records.len(), 2);
        system.stop(SECOND).await;
    });
    drop((system, sim));
    assert_eq!(Arc::strong_count(&token), 1, "what all processes share is kept by the history");
}

#[test]
fn what_ends_as_it_should_is_told_and_not_kept() {
    quiet();
    let sim = Sim::new(1);
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = events.clone();
    let hook = move |report: &Report| told.lock().unwrap().push(report.event());
    let system = System::with_reports(Runtime::sim(&sim), hook);
    sim.run(async {
        for job in [Job::End, Job::Fail] {
            let worker = system.spawn_child(worker().restart(RestartType::Temporary)).unwrap();
            worker.tell(job).unwrap();
            worker.ended().await;
        }
    });
    assert_eq!(*events.lock().unwrap(), ["not_restarted", "crash", "not_restarted"]);
    let kept = system.history().records.into_iter().map(|record| record.report.event());
    assert_eq!(kept.collect::<Vec<_>>(), ["crash", "not_restarted"]);
}

#[test]
fn errors_are_dropped_where_the_history_can_be_asked() {
    /// An error whose destructor looks into the history, and panics.
    struct Looking(Arc<Mutex<Option<System>>>, Arc<AtomicUsize>);
    impl fmt::Debug for Looking {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Looking")
        }
    }
    impl fmt::Display for Looking {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("looking")
        }
    }
    impl Error for Looking {}
    impl Drop for Looking {
        fn drop(&mut self) {
            let system = self.0.lock().unwrap().clone();
            if let Some(system) = system {
                self.1.fetch_add(system.history().records.len(), SeqCst);
                panic!("on purpose");
            }
        }
    }
    quiet();
    let sim = Sim::new(1);
    let system = System::builder(Runtime::sim(&sim)).history(3).build();
    let (slot, seen) = (Arc::new(Mutex::new(Some(system.clone()))), Arc::default());
    sim.run(async {
        let worker = worker();
        let address = worker.address();
        system.supervise(Supervisor::new("s").unlimited().child(worker)).await.unwrap();
        for _ in 0..5 {
            let error = Looking(slot.clone(), Arc::clone(&seen));
            address.tell(Job::Hold(Box::new(error))).unwrap();
            sim.sleep(SECOND).await;
        }
        system.stop(SECOND).await;
    });
    assert!(seen.load(SeqCst) >= 9, "three were dropped beside a full history");
    *slot.lock().unwrap() = None;
}

#[test]
fn hooks_are_called_in_order_and_one_that_panics_is_reported_once() {
    quiet();
    let sim = Sim::new(1);
    let log = Arc::new(Mutex::new(Vec::new()));
    let (first, last, calls) = (log.clone(), log.clone(), Arc::new(AtomicUsize::new(0)));
    let called = calls.clone();
    let system = System::builder(Runtime::sim(&sim))
        .on_report(move |report| first.lock().unwrap().push(format!("1 {}", report.event())))
        .on_report(move |_| {
            called.fetch_add(1, SeqCst);
            panic!("on purpose");
        })
        .on_report(move |report| last.lock().unwrap().push(format!("3 {}", report.event())))
        .build();
    sim.run(async {
        let worker = worker();
        let address = worker.address();
        system.supervise(Supervisor::new("s").unlimited().child(worker)).await.unwrap();
        for _ in 0..3 {
            address.tell(Job::Fail).unwrap();
            sim.sleep(SECOND).await;
        }
        let events = |prefix: &str| {
            let log = log.lock().unwrap();
            log.iter().filter_map(|line| Some(line.strip_prefix(prefix)?.to_owned())).collect()
        };
        let once = ["crash", "hook_panicked", "restarting", "crash", "restarting", "crash"];
        let expected: Vec<String> =
            once.iter().chain(&["restarting"]).map(|event| event.to_string()).collect();
        let (first, last): (Vec<String>, Vec<String>) = (events("1 "), events("3 "));
        assert_eq!(first, expected);
        assert_eq!(last, expected, "those after it are called all the same");
        assert!(log.lock().unwrap()[0].starts_with('1') && log.lock().unwrap()[1].starts_with('3'));
        assert_eq!(calls.load(SeqCst), expected.len());
        assert_eq!(system.stats().hook_panics as usize, expected.len(), "each is counted");
        let panics =
            system.history().records.into_iter().filter_map(|record| match record.report {
                Report::HookPanicked { panic } => Some(panic.message.to_string()),
                _ => None,
            });
        assert_eq!(panics.collect::<Vec<_>>(), ["on purpose"]);
        assert_eq!(address.incarnation(), 4, "the system does not care");
    });
}

#[test]
fn a_tree_in_a_history_keeps_no_system() {
    let sim = Sim::new(1);
    let token = Arc::new(());
    let (held, weak): (_, Weak<()>) = (token.clone(), Arc::downgrade(&token));
    drop(token);
    let system = System::with_reports(Runtime::sim(&sim), move |_| {
        let _held = &held;
    });
    let tree = sim.run(system.tree());
    let history = system.history();
    drop((system, sim));
    assert!(weak.upgrade().is_none(), "a snapshot is plain data");
    assert_eq!(tree.totals.supervisors, 2);
    assert!(history.records.is_empty());
}
