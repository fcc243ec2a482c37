//! The figures of a system by way of the crate `metrics`: each under its name, with its labels, its kind and its unit.
#![cfg(feature = "metrics")]

use bastion_supervision::plan::RestartType;
use bastion_supervision::{Context, Exit, Runtime, Sim, Stats, Supervisor, System, Tree, child};
use metrics::{Unit, with_local_recorder};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// What is published, a line each: kind, name, labels, value, and the unit where it was described.
fn published(publish: impl FnOnce()) -> Vec<String> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    with_local_recorder(&recorder, publish);
    let figures = snapshotter.snapshot().into_vec();
    let mut lines: Vec<String> = figures
        .into_iter()
        .map(|(key, unit, about, value)| {
            assert_eq!(unit.is_some(), about.is_some_and(|about| !about.is_empty()));
            let labels: Vec<_> = (key.key().labels())
                .map(|label| format!("{}={}", label.key(), label.value()))
                .collect();
            let unit = unit.map_or(String::new(), |unit: Unit| format!(" {}", unit.as_str()));
            let value = match value {
                DebugValue::Counter(value) => format!("counter {value}"),
                DebugValue::Gauge(value) => format!("gauge {value}"),
                DebugValue::Histogram(_) => "histogram".to_owned(),
            };
            format!("{}[{}] {value}{unit}", key.key().name(), labels.join(","))
        })
        .collect();
    lines.sort_unstable();
    lines
}

fn check(publish: impl FnOnce(), expected: &str) {
    let mut expected: Vec<_> = expected.trim().lines().map(str::trim).collect();
    expected.sort_unstable();
    assert_eq!(published(publish), expected);
}

fn in_sim(measures: bool, body: impl AsyncFnOnce(Sim, System)) {
    let sim = Sim::new(7);
    let inner = sim.clone();
    sim.run(async move {
        let system = System::builder(Runtime::sim(&inner)).measure_handlers(measures).build();
        body(inner, system.clone()).await;
        system.stop(50 * SECOND).await;
    });
}

/// Takes so many seconds for each message; fails at 0.
async fn work(mut cx: Context<u32>) -> Result<(), Exit> {
    while let Some(seconds) = cx.recv().await {
        if seconds == 0 {
            return Err(Exit::error("told to"));
        }
        cx.sleep(SECOND * seconds).await;
    }
    Ok(())
}

/// A supervisor with a worker that has a name and one that has none, each told to work for 1, 2 and 3 seconds, two of which have passed.
async fn at_work(sim: &Sim, system: &System) {
    let (named, nameless) = (child(work).named("disk"), child(work));
    let addresses = [named.address(), nameless.address()];
    let store = Supervisor::new("store").child(named).child(nameless);
    system.supervise(store).await.unwrap();
    for address in &addresses {
        (1..=3).for_each(|seconds| address.tell(seconds).unwrap());
    }
    sim.sleep(2 * SECOND).await;
    // What they have taken at once is in their hands; these wait.
    [0, 0, 1].iter().for_each(|who| addresses[*who].tell(4).unwrap());
}

#[test]
fn what_has_happened_is_counted() {
    in_sim(false, async |sim, system| {
        let failing = child(work).named("failing");
        let address = failing.address();
        // It bears one restart in five seconds.
        let store = Supervisor::new("store").child(failing.restart(RestartType::Permanent));
        system.supervise(store.intensity(1, 5 * SECOND)).await.unwrap();
        address.tell(0).unwrap();
        address.tell(0).unwrap();
        sim.sleep(SECOND / 2).await;
        let deaf = child(async |_: Context<u32>| {
            std::future::pending::<()>().await;
            Ok(())
        });
        let deaf = system.spawn_child(deaf.restart(RestartType::Temporary)).unwrap();
        (1..=3).for_each(|number| deaf.tell(number).unwrap());
        sim.sleep(SECOND).await;
        system.stop(SECOND).await;
        let stats = system.stats();
        assert_eq!((stats.give_ups, stats.forced_kills, stats.dead_letters), (1, 1, 3));
        assert!(stats.crashes > 2 && stats.restarts > 1, "{stats:?}");
        let (crashes, restarts) = (stats.crashes, stats.restarts);
        check(
            || {
                Stats::describe();
                stats.publish("main");
            },
            &format!(
                "bastion_system_crashes[system=main] counter {crashes} count
                 bastion_system_restarts[system=main] counter {restarts} count
                 bastion_system_give_ups[system=main] counter 1 count
                 bastion_system_forced_kills[system=main] counter 1 count
                 bastion_system_abandoned[system=main] counter 0 count
                 bastion_system_dead_letters[system=main] counter 3 count
                 bastion_system_superseded[system=main] counter 0 count
                 bastion_system_hook_panics[system=main] counter 0 count"
            ),
        );
    });
}

#[test]
fn the_processes_with_names_have_figures_of_their_own() {
    in_sim(true, async |sim, system| {
        at_work(&sim, &system).await;
        let tree = system.tree().await;
        check(
            || {
                Tree::describe();
                tree.publish("main");
            },
            "bastion_system_supervisors[system=main] gauge 3 count
             bastion_system_workers[system=main] gauge 2 count
             bastion_system_running[system=main] gauge 5 count
             bastion_system_unknown[system=main] gauge 0 count
             bastion_system_queued[system=main] gauge 3 count
             bastion_process_queued[system=main,process=root] gauge 0 count
             bastion_process_queued[system=main,process=root/processes] gauge 0 count
             bastion_process_queued[system=main,process=root/store] gauge 0 count
             bastion_process_queued[system=main,process=root/store/disk] gauge 2 count
             bastion_process_messages[system=main,process=root/store/disk] counter 2 count
             bastion_process_busy[system=main,process=root/store/disk] counter 1000000000 nanoseconds
             bastion_process_longest[system=main,process=root/store/disk] gauge 1 seconds
             bastion_process_current[system=main,process=root/store/disk] gauge 1 seconds",
        );
    });
}

#[test]
fn where_nothing_is_measured_nothing_is_told_of_it() {
    in_sim(false, async |sim, system| {
        at_work(&sim, &system).await;
        let tree = system.tree().await;
        let lines = published(|| tree.publish("main"));
        assert_eq!(lines.len(), 5 + 4, "{lines:?}");
        assert!(!lines.iter().any(|line| line.contains("messages") || line.contains("busy")));
    });
}
