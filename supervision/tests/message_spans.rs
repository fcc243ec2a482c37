//! Spans of messages: what is handled is handled in a span that follows from the sender's, and that ends with the handling.
//!
//! The subscriber is that of the thread, and all of a simulation happens on the thread that runs it.

use bastion_supervision::plan::Backoff;
use bastion_supervision::{
    Address, Context, Exit, Pool, Reply, Route, Runtime, Sim, System, child,
};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber, info, info_span};
use tracing_subscriber::layer::{Context as Spans, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

const SECOND: Duration = Duration::from_secs(1);

/// What happens, a line each; spans by their names, those of messages with their numbers.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<(Vec<String>, u32)>>);

struct Label(String);

/// The text of an event, or the fields of a span.
#[derive(Default)]
struct Text(Vec<String>);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "event" => self.0.insert(0, format!("{value:?}")),
            "message" => self.0.push(format!("{value:?}")),
            "name" | "message_type" => self.0.push(format!("{}={value:?}", field.name())),
            _ => {}
        }
    }
}

impl Log {
    fn add(&self, line: String) {
        self.0.lock().unwrap().0.push(line);
    }
}

fn label<S: Subscriber + for<'a> LookupSpan<'a>>(spans: &Spans<'_, S>, id: &Id) -> String {
    spans.span(id).unwrap().extensions().get::<Label>().unwrap().0.clone()
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Log {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, spans: Spans<'_, S>) {
        let mut name = attributes.metadata().name().to_owned();
        let span = spans.span(id).unwrap();
        if attributes.metadata().target() == "bastion::message" {
            assert!(span.parent().is_none());
            let mut fields = Text::default();
            attributes.record(&mut fields);
            let mut log = self.0.lock().unwrap();
            log.1 += 1;
            name = format!("message {}", log.1);
            log.0.push(format!("{name} {}", fields.0.join(" ")));
        }
        span.extensions_mut().insert(Label(name));
    }

    fn on_follows_from(&self, id: &Id, from: &Id, spans: Spans<'_, S>) {
        self.add(format!("{} follows {}", label(&spans, id), label(&spans, from)));
    }

    fn on_event(&self, event: &Event<'_>, spans: Spans<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        let span = spans.lookup_current().map(|span| label(&spans, &span.id()));
        self.add(format!("{} in {}", text.0[0], span.as_deref().unwrap_or("none")));
    }

    fn on_close(&self, id: Id, spans: Spans<'_, S>) {
        self.add(format!("{} ends", label(&spans, &id)));
    }
}

/// What happens in a scenario, but for the reports of supervisors; every span has ended with its system.
fn logged(traces: bool, scenario: impl AsyncFnOnce(Sim, System)) -> Vec<String> {
    let log = Log::default();
    let subscriber = tracing_subscriber::registry().with(log.clone());
    tracing::subscriber::with_default(subscriber, || {
        let sim = Sim::new(1);
        let runtime = Runtime::sim(&sim);
        let system = System::builder(runtime).trace_messages(traces).history(0).build();
        sim.run(async {
            scenario(sim.clone(), system.clone()).await;
            system.stop(SECOND).await;
        });
        info!("over");
    });
    let mut lines = std::mem::take(&mut log.0.lock().unwrap().0);
    assert_eq!(lines.pop().as_deref(), Some("over in none"));
    let begun = lines.iter().filter(|line| line.contains("message_type")).count();
    let ended = lines.iter().filter(|line| line.starts_with("message") && line.ends_with("ends"));
    assert_eq!(begun, ended.count(), "{lines:#?}");
    lines.retain(|line| !line.contains("\"restarting\""));
    lines
}

fn check(lines: &[String], expected: &str) {
    let expected: Vec<_> = expected.trim().lines().map(str::trim).collect();
    assert_eq!(lines, expected, "{lines:#?}");
}

enum Work {
    For(u32),
    Fail,
    /// Takes all that is there.
    Many,
    /// Takes the next question, whatever is before it.
    Question,
    Ask(Reply<()>),
    Pass(Address<Work>),
}

async fn work(mut cx: Context<Work>) -> Result<(), Exit> {
    while let Some(work) = cx.recv().await {
        match work {
            Work::For(seconds) => {
                info!("begin");
                cx.sleep(SECOND * seconds).await;
                info!("end");
            }
            Work::Fail => {
                cx.sleep(SECOND).await;
                return Err(Exit::error("told to"));
            }
            Work::Many => {
                let many = cx.recv_many(10).await;
                cx.sleep(SECOND).await;
                info!("{} messages", many.len());
            }
            Work::Question => {
                let question = cx.recv_matching(|work| matches!(work, Work::Ask(_))).await;
                info!("question");
                drop(question);
            }
            Work::Ask(reply) => reply.send(()),
            Work::Pass(next) => next.tell(Work::For(0)).unwrap(),
        }
    }
    info!("stopped");
    Ok(())
}

fn worker(system: &System, name: &str) -> Address<Work> {
    system.spawn_child(child(work).named(name).backoff(Backoff::immediate())).unwrap()
}

#[test]
fn a_message_is_handled_in_a_span_that_follows_from_the_senders() {
    let lines = logged(true, async |sim, system| {
        let worker = worker(&system, "a");
        info_span!("request").in_scope(|| worker.tell(Work::For(1)).unwrap());
        worker.tell(Work::For(2)).unwrap();
        sim.sleep(SECOND / 2).await;
        info!("meanwhile");
        sim.sleep(5 * SECOND).await;
    });
    check(
        &lines,
        r#"message 1 name="a" message_type="message_spans::Work"
        message 1 follows request
        request ends
        message 2 name="a" message_type="message_spans::Work"
        begin in message 1
        meanwhile in none
        end in message 1
        message 1 ends
        begin in message 2
        end in message 2
        message 2 ends
        stopped in none"#,
    );
}

#[test]
fn what_a_handler_sends_follows_from_the_message_that_it_handles() {
    let lines = logged(true, async |sim, system| {
        let (first, second) = (worker(&system, "a"), worker(&system, "b"));
        first.tell(Work::Pass(second)).unwrap();
        sim.sleep(SECOND).await;
        // One that waits is woken as others are.
        first.tell(Work::For(0)).unwrap();
        sim.sleep(SECOND).await;
    });
    check(
        &lines,
        r#"message 1 name="a" message_type="message_spans::Work"
        message 2 name="b" message_type="message_spans::Work"
        message 2 follows message 1
        message 1 ends
        begin in message 2
        end in message 2
        message 2 ends
        message 3 name="a" message_type="message_spans::Work"
        begin in message 3
        end in message 3
        message 3 ends
        stopped in none
        stopped in none"#,
    );
}

#[test]
fn a_crash_is_reported_in_the_span_of_its_message_and_ends_it() {
    let lines = logged(true, async |sim, system| {
        let worker = worker(&system, "a");
        worker.tell(Work::Fail).unwrap();
        worker.tell(Work::For(0)).unwrap();
        sim.sleep(3 * SECOND).await;
    });
    check(
        &lines,
        r#"message 1 name="a" message_type="message_spans::Work"
        message 2 name="a" message_type="message_spans::Work"
        "crash" in message 1
        message 1 ends
        begin in message 2
        end in message 2
        message 2 ends
        stopped in none"#,
    );
}

#[test]
fn a_message_that_was_passed_over_keeps_its_span() {
    let lines = logged(true, async |sim, system| {
        let worker = worker(&system, "a");
        for work in [Work::Question, Work::For(0)] {
            worker.tell(work).unwrap();
        }
        worker.ask(Work::Ask).await.unwrap_err();
        sim.sleep(SECOND).await;
    });
    check(
        &lines,
        r#"message 1 name="a" message_type="message_spans::Work"
        message 2 name="a" message_type="message_spans::Work"
        message 3 name="a" message_type="message_spans::Work"
        message 1 ends
        question in message 3
        message 3 ends
        begin in message 2
        end in message 2
        message 2 ends
        stopped in none"#,
    );
}

#[test]
fn of_several_that_are_received_at_once_the_first_ones_span_is_entered() {
    let lines = logged(true, async |sim, system| {
        let worker = worker(&system, "a");
        for work in [Work::Many, Work::For(0), Work::For(0), Work::For(0)] {
            worker.tell(work).unwrap();
        }
        sim.sleep(3 * SECOND).await;
    });
    let rest: Vec<_> = lines.into_iter().skip(4).collect();
    check(
        &rest,
        "message 1 ends
        3 messages in message 2
        message 2 ends
        message 3 ends
        message 4 ends
        stopped in none",
    );
}

#[test]
fn what_is_killed_with_a_message_in_hand_ends_its_span() {
    let lines = logged(true, async |sim, system| {
        let worker = worker(&system, "a");
        worker.tell(Work::For(1_000)).unwrap();
        worker.tell(Work::For(1)).unwrap();
        sim.sleep(SECOND).await;
        let spill = worker.clone();
        system.stop(SECOND).await;
        assert!(spill.tell(Work::Fail).is_err());
    });
    assert!(lines.iter().any(|line| line == "message 1 ends"), "{lines:#?}");
    assert!(lines.iter().any(|line| line == "message 2 ends"), "{lines:#?}");
}

#[test]
fn a_message_to_a_pool_has_a_span_from_the_sender_to_the_worker() {
    for route in [Route::shared_queue(), Route::round_robin()] {
        let lines = logged(true, async |sim, system| {
            let (pool, address) = Pool::new("pool", work).size(2..=2).route(route).build();
            system.supervise(pool).await.unwrap();
            for _ in 0..2 {
                info_span!("request").in_scope(|| address.tell(Work::For(1)).unwrap());
            }
            sim.sleep(5 * SECOND).await;
        });
        let mut of_each = [1, 2].map(|number| {
            let own = format!("message {number}");
            lines.iter().filter(|line| line.contains(&own)).cloned().collect::<Vec<_>>()
        });
        for (lines, number) in of_each.iter_mut().zip(1..) {
            assert!(lines[0].starts_with(&format!("message {number} name=")), "{lines:?}");
            assert!(lines[0].contains("pool") && lines[0].contains("Work"), "{lines:?}");
            lines.remove(0);
            let expected = [
                format!("message {number} follows request"),
                format!("begin in message {number}"),
                format!("end in message {number}"),
                format!("message {number} ends"),
            ];
            assert_eq!(*lines, expected);
        }
    }
}

#[test]
fn what_a_pool_throws_away_or_gives_back_leaves_no_span() {
    logged(true, async |sim, system| {
        let discarded = Pool::new("pool", work).time_to_live(SECOND).capacity(2);
        let (pool, address) = discarded.build();
        system.supervise(pool).await.unwrap();
        address.tell(Work::For(5)).unwrap();
        sim.sleep(SECOND).await;
        (0..2).for_each(|_| address.tell(Work::For(1)).unwrap());
        assert!(address.tell(Work::For(1)).is_err());
        sim.sleep(10 * SECOND).await;
        assert_eq!(system.stats().dead_letters, 2);
    });
}

#[test]
fn without_the_switch_there_are_no_spans() {
    let lines = logged(false, async |sim, system| {
        let worker = worker(&system, "a");
        info_span!("request").in_scope(|| worker.tell(Work::For(1)).unwrap());
        sim.sleep(5 * SECOND).await;
    });
    check(&lines, "request ends\nbegin in none\nend in none\nstopped in none");
}
