//! The executor's figures by way of the crate `metrics`: each under its name, with its labels, its kind and its unit.
#![cfg(all(not(loom), feature = "metrics"))]

use bastion_executor::{Metrics, WorkerMetrics};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString,
    Unit, with_local_recorder,
};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Writes down whatever it is told.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

/// One figure of the log.
struct Figure {
    log: Log,
    name: String,
}

impl CounterFn for Figure {
    fn increment(&self, value: u64) {
        panic!("{} is incremented by {value}", self.name);
    }

    fn absolute(&self, value: u64) {
        self.log.add(format!("counter {} {value}", self.name));
    }
}

impl GaugeFn for Figure {
    fn increment(&self, value: f64) {
        panic!("{} is incremented by {value}", self.name);
    }

    fn decrement(&self, value: f64) {
        panic!("{} is decremented by {value}", self.name);
    }

    fn set(&self, value: f64) {
        self.log.add(format!("gauge {} {value}", self.name));
    }
}

impl Log {
    fn figure(&self, key: &Key) -> Arc<Figure> {
        let labels: Vec<_> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{}[{}]", key.name(), labels.join(","));
        Arc::new(Figure { log: self.clone(), name })
    }

    fn describe(&self, kind: &str, key: &KeyName, unit: Option<Unit>, about: &str) {
        assert!(!about.is_empty(), "{key:?}");
        self.add(format!("{kind} {} {}", key.as_str(), unit.unwrap().as_str()));
    }
}

impl Recorder for Log {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, about: SharedString) {
        self.describe("counter", &key, unit, &about);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, about: SharedString) {
        self.describe("gauge", &key, unit, &about);
    }

    fn describe_histogram(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("{key:?} is a histogram");
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.figure(key).into()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.figure(key).into()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        panic!("{key} is a histogram");
    }
}

fn check(tell: impl FnOnce(), expected: &str) {
    let log = Log::default();
    with_local_recorder(&log, tell);
    let mut told = log.0.lock().unwrap().clone();
    told.sort_unstable();
    let mut expected: Vec<_> = expected.trim().lines().map(str::trim).collect();
    expected.sort_unstable();
    assert_eq!(told, expected);
}

#[test]
fn every_figure_is_published_under_its_name() {
    let mut metrics = Metrics::default();
    for busy in [Duration::from_nanos(1_000_000_007), Duration::ZERO] {
        let mut worker = WorkerMetrics::default();
        worker.busy = busy;
        metrics.workers.push(worker);
    }
    let worker = &mut metrics.workers[0];
    (worker.polls, worker.steals, worker.stolen, worker.parks, worker.unparks) = (1, 2, 3, 4, 5);
    (worker.longest_poll, worker.queued, worker.rescued) = (Duration::from_millis(1500), 6, 10);
    worker.abroad = 11;
    (metrics.sleeping, metrics.injected, metrics.outside_unparks) = (1, 7, 8);
    let blocking = &mut metrics.blocking;
    (blocking.threads, blocking.idle, blocking.queued) = (9, 5, 4);
    (blocking.rejected, blocking.longest_wait) = (3, Duration::from_millis(500));
    check(
        || metrics.publish("main"),
        "counter bastion_executor_polls[executor=main,worker=0] 1
         counter bastion_executor_steals[executor=main,worker=0] 2
         counter bastion_executor_stolen[executor=main,worker=0] 3
         counter bastion_executor_abroad[executor=main,worker=0] 11
         counter bastion_executor_rescued[executor=main,worker=0] 10
         counter bastion_executor_parks[executor=main,worker=0] 4
         counter bastion_executor_unparks[executor=main,worker=0] 5
         counter bastion_executor_busy[executor=main,worker=0] 1000000007
         gauge bastion_executor_longest_poll[executor=main,worker=0] 1.5
         gauge bastion_executor_queued[executor=main,worker=0] 6
         counter bastion_executor_polls[executor=main,worker=1] 0
         counter bastion_executor_steals[executor=main,worker=1] 0
         counter bastion_executor_stolen[executor=main,worker=1] 0
         counter bastion_executor_abroad[executor=main,worker=1] 0
         counter bastion_executor_rescued[executor=main,worker=1] 0
         counter bastion_executor_parks[executor=main,worker=1] 0
         counter bastion_executor_unparks[executor=main,worker=1] 0
         counter bastion_executor_busy[executor=main,worker=1] 0
         gauge bastion_executor_longest_poll[executor=main,worker=1] 0
         gauge bastion_executor_queued[executor=main,worker=1] 0
         counter bastion_executor_outside_unparks[executor=main] 8
         counter bastion_blocking_rejected[executor=main] 3
         gauge bastion_executor_sleeping[executor=main] 1
         gauge bastion_executor_injected[executor=main] 7
         gauge bastion_blocking_threads[executor=main] 9
         gauge bastion_blocking_idle[executor=main] 5
         gauge bastion_blocking_queued[executor=main] 4
         gauge bastion_blocking_longest_wait[executor=main] 0.5",
    );
}

#[test]
fn every_figure_is_described_with_its_unit() {
    check(
        Metrics::describe,
        "counter bastion_executor_polls count
         counter bastion_executor_steals count
         counter bastion_executor_stolen count
         counter bastion_executor_abroad count
         counter bastion_executor_rescued count
         counter bastion_executor_parks count
         counter bastion_executor_unparks count
         counter bastion_executor_busy nanoseconds
         gauge bastion_executor_longest_poll seconds
         gauge bastion_executor_queued count
         counter bastion_executor_outside_unparks count
         counter bastion_blocking_rejected count
         gauge bastion_executor_sleeping count
         gauge bastion_executor_injected count
         gauge bastion_blocking_threads count
         gauge bastion_blocking_idle count
         gauge bastion_blocking_queued count
         gauge bastion_blocking_longest_wait seconds",
    );
}
