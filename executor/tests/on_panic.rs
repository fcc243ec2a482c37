//! A panic that no handle tells of is not silent: the executor's handler hears of it, once, and of no other.
#![cfg(not(loom))]

use bastion_executor::{Executor, LocalExecutor, Outcome, run, spawn, spawn_blocking, yield_now};
use std::fmt;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};

/// An executor whose handler tells each message.
fn executor() -> (Executor, Receiver<String>) {
    std::panic::set_hook(Box::new(|_| {}));
    let (tell, told) = mpsc::channel();
    let on_panic = move |panic: &bastion_executor::Panic| {
        assert!(panic.location().is_none_or(|location| location.file().ends_with("on_panic.rs")));
        tell.send(panic.message().unwrap_or_default().to_owned()).unwrap();
    };
    (Executor::builder().workers(1).on_panic(on_panic).build().unwrap(), told)
}

/// Panics at its second poll.
async fn fails(message: &'static str) {
    yield_now().await;
    panic!("{message}");
}

/// Everything that the handler was told until the executor's end.
fn all(executor: Executor, told: Receiver<String>) -> Vec<String> {
    drop(executor);
    told.iter().collect()
}

#[test]
fn of_each_process_that_nobody_can_ask() {
    let (executor, told) = executor();
    executor.spawn_detached(fails("without a handle"));
    assert_eq!(told.recv().unwrap(), "without a handle");
    executor.spawn(fails("detached")).detach();
    assert_eq!(told.recv().unwrap(), "detached");
    let handle = executor.spawn(fails("the handle was dropped after the end"));
    while !handle.is_finished() {
        std::thread::yield_now();
    }
    assert!(told.try_recv().is_err(), "somebody could ask still");
    drop(handle);
    assert_eq!(told.recv().unwrap(), "the handle was dropped after the end");
    executor.spawn_blocking(|| panic!("a job")).detach();
    assert_eq!(told.recv().unwrap(), "a job");
    // Inside, by the free functions.
    executor.spawn_detached(async {
        spawn(fails("inside")).detach();
        spawn_blocking(|| panic!("inside")).detach();
    });
    assert_eq!([told.recv().unwrap(), told.recv().unwrap()], ["inside", "inside"]);
    assert_eq!(all(executor, told), [""; 0]);
}

#[test]
fn of_none_that_somebody_has_asked_for() {
    let (executor, told) = executor();
    assert_eq!(executor.run(executor.spawn(fails("as a future"))), None);
    let mut handle = executor.spawn(fails("by its outcome"));
    assert!(matches!(executor.run(handle.outcome()), Outcome::Panicked(_)));
    executor.scope(|s| {
        let handle = s.spawn(fails("in a scope"));
        assert!(matches!(handle.join(), Outcome::Panicked(_)));
    });
    let waits = executor.spawn(std::future::pending::<()>());
    waits.cancel();
    assert_eq!(executor.run(waits), None);
    assert_eq!(all(executor, told), [""; 0]);
}

#[test]
fn a_handler_that_panics_harms_nobody() {
    std::panic::set_hook(Box::new(|_| {}));
    let (tell, told) = mpsc::channel();
    let executor = Executor::builder().workers(1).on_panic(move |_| {
        tell.send(()).unwrap();
        panic!("again");
    });
    let executor = executor.build().unwrap();
    for _ in 0..10 {
        executor.spawn_detached(fails("once"));
        told.recv().unwrap();
    }
    assert_eq!(executor.run(executor.spawn(async { 1 })), Some(1));
}

/// Keeps the errors that are reported on its thread.
struct Reports(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Reports {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::ERROR
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Fields(Vec<String>);
        impl Visit for Fields {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                self.0.push(format!("{field}={value:?}"));
            }
        }
        let mut fields = Fields(Vec::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0.join(" "));
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

/// On this thread, where the reports of a test can be told from those of the others.
#[test]
fn without_a_handler_it_is_reported() {
    std::panic::set_hook(Box::new(|_| {}));
    let reports = Arc::new(Mutex::new(Vec::new()));
    tracing::subscriber::with_default(Reports(reports.clone()), || {
        let local = LocalExecutor::new();
        let failed = local.spawn_local(fails("on this thread"));
        local.run(async {
            while !failed.is_finished() {
                yield_now().await;
            }
        });
        drop(failed);
        let workers = Executor::builder().workers(1).build().unwrap();
        let failed = workers.spawn(fails("on a worker"));
        while !failed.is_finished() {
            std::thread::yield_now();
        }
        drop(failed);
        assert_eq!(run(workers.spawn(fails("heard"))), None);
    });
    let reports = reports.lock().unwrap();
    let expected = ["on this thread", "on a worker"];
    assert_eq!(reports.len(), expected.len(), "{reports:?}");
    for (report, message) in reports.iter().zip(expected) {
        assert!(report.starts_with("message=a process without a handle panicked"), "{report}");
        assert!(report.contains(&format!("panic={message}")), "{report}");
    }
}
