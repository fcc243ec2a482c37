//! Reports in the log: events of `tracing`, with fields that programs can rely on.
//!
//! The subscriber is that of the thread, and all of a simulation happens on the thread that runs it.

use bastion_supervision::plan::{RestartType, Shutdown};
use bastion_supervision::{Context, Exit, Runtime, Sim, Supervisor, System, child};
use std::collections::BTreeMap;
use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

const SECOND: Duration = Duration::from_secs(1);

/// An event: its level, and its fields as text.
type Line = (Level, BTreeMap<&'static str, String>);

/// Keeps the events with our target.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Line>>>);

struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "bastion"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push((*event.metadata().level(), fields.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

async fn fail_when_told(mut cx: Context<()>) -> Result<(), Exit> {
    match cx.recv().await {
        Some(()) => Err(Exit::error("no disk")),
        None => Ok(()),
    }
}

/// What a scenario logs.
fn logged<F: Future<Output = ()>>(scenario: impl FnOnce(Sim, System) -> F) -> Vec<Line> {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        let sim = Sim::new(1);
        let system = System::new(Runtime::sim(&sim));
        sim.run(scenario(sim.clone(), system));
    });
    std::mem::take(&mut *log.0.lock().unwrap())
}

/// Checks the fields of the only event of this name.
fn check(lines: &[Line], event: &str, level: Level, expected: &[(&str, &str)]) {
    let is_meant = |line: &&Line| line.1.get("event").is_some_and(|name| name == event);
    let found: Vec<_> = lines.iter().filter(is_meant).collect();
    let [(found_level, fields)] = &found[..] else { panic!("{event} in {lines:#?}") };
    assert_eq!(*found_level, level, "{event}");
    let fields: Vec<_> = fields.iter().map(|(name, text)| (*name, &**text)).collect();
    let mut expected: Vec<_> = expected.iter().copied().chain([("event", event)]).collect();
    expected.sort_unstable();
    assert_eq!(fields, expected, "{event}");
}

#[test]
fn a_crash_and_a_restart_have_fields() {
    let mut pid = String::new();
    let lines = logged(async |sim: Sim, system: System| {
        let failing = child(fail_when_told);
        let failing = failing.named("disk");
        let address = failing.address();
        system.supervise(Supervisor::new("store").unlimited().child(failing)).await.unwrap();
        address.tell(()).unwrap();
        sim.sleep(SECOND).await;
        pid = address.pid().unwrap().to_string();
        system.stop(SECOND).await;
    });
    let crashed = format!("disk {pid} crashed: error: no disk; incarnation 1, 0 messages waiting");
    let restarted = format!("store: disk {pid} is restarted: error: no disk");
    let crash = [
        ("count", "0"),
        ("incarnation", "1"),
        ("message", &crashed),
        ("name", "disk"),
        ("path", "root/store/disk"),
        ("pid", &pid),
        ("reason", "error: no disk"),
        ("supervisor", "store"),
    ];
    check(&lines, "crash", Level::ERROR, &crash);
    let restart = [
        ("delay_ms", "0"),
        ("incarnation", "1"),
        ("message", &restarted),
        ("name", "disk"),
        ("path", "root/store"),
        ("pid", &pid),
        ("reason", "error: no disk"),
        ("supervisor", "store"),
    ];
    check(&lines, "restarting", Level::INFO, &restart);
}

#[test]
fn what_went_wrong_for_good_is_an_error() {
    let mut pid = String::new();
    let lines = logged(async |sim: Sim, system: System| {
        let deaf = child(|_: Context<()>| pending()).shutdown(Shutdown::Timeout(SECOND));
        let failing = child(fail_when_told);
        let address = failing.address();
        let store = Supervisor::new("store").restart(RestartType::Temporary).intensity(0, SECOND);
        system.supervise(store.child(deaf.named("deaf")).child(failing)).await.unwrap();
        address.tell(()).unwrap();
        sim.sleep(10 * SECOND).await;
        pid = address.pid().unwrap().to_string();
    });
    let message = format!("store: {pid} failed, 1 failures are more than is borne: error: no disk");
    let gave_up = [
        ("incarnation", "1"),
        ("message", &message),
        ("path", "root/store"),
        ("pid", &pid),
        ("reason", "error: no disk"),
        ("restarts", "1"),
        ("supervisor", "store"),
    ];
    check(&lines, "gave_up", Level::ERROR, &gave_up);
    let events: Vec<&str> = lines.iter().map(|line| &*line.1["event"]).collect();
    assert_eq!(events, ["crash", "gave_up", "forced_kill", "crash", "not_restarted"]);
}

/// An error that cannot be written.
#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no words")
    }
}

impl std::error::Error for Unspeakable {}

#[test]
fn a_report_that_cannot_be_written_is_logged_without_its_text() {
    let lines = logged(async |_, system: System| {
        let failing = child(|_: Context<()>| async { Err(Unspeakable.into()) });
        let failing = system.spawn_child(failing.restart(RestartType::Temporary)).unwrap();
        failing.ended().await;
        assert_eq!(system.history().records.len(), 2, "it is kept all the same");
    });
    let without_text = [("message", "logging a report panicked")];
    check(&lines, "crash", Level::ERROR, &without_text);
}
