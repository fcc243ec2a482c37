//! Full mailboxes, and ways to receive: nothing is lost silently.

use bastion_supervision::plan::{Backoff, ExitReason, RestartType};
use bastion_supervision::{
    Child, Context, Down, Exit, MailboxFull, Overflow, Report, Runtime, Sim, Supervisor, System,
    TellError, TimedOut, child,
};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context as Task, Poll};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn in_sim<T>(body: impl AsyncFnOnce(Sim, System) -> T) -> T {
    let sim = Sim::new(7);
    let inner = sim.clone();
    sim.run(async move {
        let system = System::new(Runtime::sim(&inner));
        let result = body(inner, system.clone()).await;
        system.stop(5 * SECOND).await;
        result
    })
}

type Heard<M> = Arc<Mutex<Vec<M>>>;

/// One that waits until it is let go, and then receives all.
fn held<M: Send + Clone + 'static>() -> (Child<M>, Heard<M>, Arc<AtomicUsize>) {
    let (heard, gate) = (Heard::default(), Arc::new(AtomicUsize::new(0)));
    let (record, open) = (heard.clone(), gate.clone());
    let body = move |mut cx: Context<M>| {
        let (heard, open) = (record.clone(), open.clone());
        async move {
            while open.load(SeqCst) == 0 {
                cx.sleep(SECOND).await;
            }
            while let Some(message) = cx.recv().await {
                heard.lock().unwrap().push(message);
            }
            Ok(())
        }
    };
    (child(body).named("held").restart(RestartType::Temporary), heard, gate)
}

#[test]
fn a_full_mailbox_gives_back_drops_the_newest_or_the_oldest() {
    for (rule, expected, dropped) in [
        (Overflow::Refuse, [0, 1, 2], 0),
        (Overflow::DropNewest, [0, 1, 2], 7),
        (Overflow::DropOldest, [7, 8, 9], 7),
    ] {
        in_sim(async |sim, system| {
            let (child, heard, gate) = held();
            let child = child.mailbox_capacity(3).overflow(rule);
            let address = system.spawn_child(child).unwrap();
            sim.sleep(SECOND).await;
            for number in 0..10 {
                let told = address.tell(number);
                let refused = rule == Overflow::Refuse && number >= 3;
                assert_eq!(matches!(told, Err(TellError::Full(back)) if back == number), refused);
                assert_eq!(told.is_ok(), !refused);
            }
            assert_eq!(address.queued(), 3);
            gate.store(1, SeqCst);
            sim.sleep(2 * SECOND).await;
            assert_eq!(*heard.lock().unwrap(), expected, "{rule:?}");
            address.exit(ExitReason::Killed);
            address.ended().await;
            assert_eq!(system.stats().dead_letters, dropped, "{rule:?}");
            let history = system.history();
            let reports = history.records.iter().filter_map(|record| match record.report {
                Report::DeadLetters { count, .. } => Some(count as u64),
                _ => None,
            });
            let counts: Vec<_> = reports.collect();
            assert_eq!(counts.iter().sum::<u64>(), dropped);
            assert!(counts.len() <= 4, "few reports: {counts:?}");
        });
    }
}

#[test]
fn a_full_mailbox_can_end_its_process_and_what_waits_is_the_next_ones() {
    in_sim(async |sim, system| {
        let (child, heard, gate) = held();
        let child = child.mailbox_capacity(3).overflow(Overflow::Stop);
        let child = child.restart(RestartType::Permanent).backoff(Backoff::immediate());
        let address = system.spawn_child(child).unwrap();
        sim.sleep(SECOND).await;
        for number in 0..3 {
            address.tell(number).unwrap();
        }
        assert!(matches!(address.tell(3), Err(TellError::Full(3))));
        gate.store(1, SeqCst);
        sim.sleep(2 * SECOND).await;
        assert_eq!(address.incarnation(), 2);
        assert_eq!(*heard.lock().unwrap(), [0, 1, 2]);
        let history = system.history();
        let crash = history.records.iter().find_map(|record| match &record.report {
            Report::Crash(crash) => Some(crash.reason.clone()),
            _ => None,
        });
        let Some(ExitReason::Error(error)) = crash else { panic!("{history:?}") };
        assert_eq!(error.downcast_ref(), Some(&MailboxFull { queued: 3 }));
    });
}

#[test]
fn who_waits_for_room_has_it_in_turn_and_hears_of_the_end() {
    in_sim(async |sim, system| {
        let (child, heard, gate) = held();
        let address = system.spawn_child(child.mailbox_capacity(1)).unwrap();
        sim.sleep(SECOND).await;
        let (late, dead) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        for sender in 0..3_u32 {
            let (address, late, dead) = (address.clone(), late.clone(), dead.clone());
            let body = move |cx: Context<()>| {
                let (address, late, dead) = (address.clone(), late.clone(), dead.clone());
                async move {
                    cx.sleep(sender * SECOND / 10).await;
                    for number in 0..2 {
                        match address.send(10 * sender + number).await {
                            Ok(()) => late.fetch_add(1, SeqCst),
                            Err(TellError::Dead(back)) => {
                                assert_eq!(back / 10, sender);
                                dead.fetch_add(1, SeqCst)
                            }
                            Err(error) => panic!("it waits: {error}"),
                        };
                    }
                    Ok(())
                }
            };
            system.spawn_child(child_of(body)).unwrap();
        }
        sim.sleep(2 * SECOND).await;
        assert_eq!(late.load(SeqCst), 1, "one has room");
        gate.store(1, SeqCst);
        sim.sleep(2 * SECOND).await;
        assert_eq!(*heard.lock().unwrap(), [0, 1, 10, 20, 11, 21]);
        // And those that wait when it ends are told.
        let (child, ..) = held::<u32>();
        let full = system.spawn_child(child.mailbox_capacity(1)).unwrap();
        full.tell(0).unwrap();
        let waiting = full.clone();
        let (told, record) = (Arc::new(AtomicUsize::new(0)), dead.clone());
        let result = told.clone();
        let sender = child_of(move |_: Context<()>| {
            let (waiting, told, record) = (waiting.clone(), result.clone(), record.clone());
            async move {
                if let Err(TellError::Dead(7)) = waiting.send(7).await {
                    told.store(1, SeqCst);
                }
                record.fetch_add(0, SeqCst);
                Ok(())
            }
        });
        let sender = system.spawn_child(sender).unwrap();
        sim.sleep(SECOND).await;
        full.exit(ExitReason::Killed);
        sender.ended().await;
        assert_eq!((told.load(SeqCst), dead.load(SeqCst)), (1, 0));
    });
}

fn child_of<F, Fut>(body: F) -> Child<()>
where
    F: Fn(Context<()>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Exit>> + Send + 'static,
{
    child(body).restart(RestartType::Temporary)
}

#[test]
fn what_a_process_sends_to_itself_does_not_wait() {
    in_sim(async |_, system| {
        let own = child(|cx: Context<u32>| async move {
            let own = cx.address();
            assert!(own.send(1).await.is_ok());
            assert!(matches!(own.send(2).await, Err(TellError::Full(2))));
            Ok(())
        });
        let own = own.mailbox_capacity(1).restart(RestartType::Temporary);
        let own = system.spawn_child(own).unwrap();
        assert_eq!(own.ended().await.to_string(), "normal");
    });
}

#[test]
fn a_flood_delays_neither_a_stop_nor_the_word_of_an_end() {
    in_sim(async |sim, system| {
        enum Hear {
            Number,
            Down(Down),
        }
        let watched = child_of(|cx: Context<()>| async move {
            cx.stop_signal().requested().await;
            Ok(())
        });
        let watched = system.spawn_child(watched).unwrap();
        let other = watched.clone();
        let handled = Arc::new(AtomicUsize::new(0));
        let counter = handled.clone();
        let flooded = child(move |mut cx: Context<Hear>| {
            cx.monitor(&other, Hear::Down);
            let counter = counter.clone();
            async move {
                while let Some(message) = cx.recv().await {
                    match message {
                        Hear::Number => {
                            counter.fetch_add(1, SeqCst);
                            cx.sleep(SECOND).await;
                        }
                        Hear::Down(down) => {
                            assert_eq!(down.reason.to_string(), "shutdown");
                            assert_eq!(counter.load(SeqCst), 1, "after one handler");
                            return Ok(());
                        }
                    }
                }
                Ok(())
            }
        });
        let flooded = flooded.mailbox_capacity(100).restart(RestartType::Temporary);
        let flooded = system.spawn_child(flooded).unwrap();
        for _ in 0..100 {
            assert!(flooded.tell(Hear::Number).is_ok());
        }
        sim.sleep(SECOND / 2).await;
        watched.exit(ExitReason::Shutdown);
        assert_eq!(flooded.ended().await.to_string(), "normal");
        assert_eq!(handled.load(SeqCst), 1);
    });
}

/// Runs a body to which messages were sent before it starts, and returns what it has heard.
fn with_messages<F, Fut>(messages: impl IntoIterator<Item = u32>, body: F) -> Vec<u32>
where
    F: Fn(Context<u32>, Heard<u32>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Exit>> + Send + 'static,
{
    in_sim(async |_, system| {
        let heard = Heard::default();
        let record = heard.clone();
        // A kill is no normal end: then it is started once more.
        let child = child(move |cx| body(cx, record.clone())).restart(RestartType::Transient);
        let address = child.address();
        messages.into_iter().for_each(|number| address.tell(number).unwrap());
        system.spawn_child(child).unwrap();
        assert_eq!(address.ended().await.to_string(), "normal");
        std::mem::take(&mut *heard.lock().unwrap())
    })
}

/// Polls once, and drops.
async fn give_up(future: impl Future) {
    let mut future = pin!(future);
    poll_fn(|task| {
        assert!(future.as_mut().poll(task).is_pending());
        Poll::Ready(())
    })
    .await;
}

#[test]
fn a_time_limit_ends_a_wait_and_loses_nothing() {
    let heard = with_messages([1, 2], |mut cx, heard| async move {
        let own = cx.address();
        for expected in [Ok(Some(1)), Ok(Some(2)), Err(TimedOut(SECOND))] {
            assert_eq!(cx.recv_timeout(SECOND).await, expected);
        }
        give_up(cx.recv_timeout(SECOND)).await;
        own.tell(3)?;
        assert_eq!(cx.recv_timeout(SECOND).await, Ok(Some(3)));
        heard.lock().unwrap().push(9);
        Ok(())
    });
    assert_eq!(heard, [9]);
}

#[test]
fn several_are_received_at_once_but_not_more_than_there_are() {
    let heard = with_messages(0..150, |mut cx, heard| async move {
        assert_eq!(cx.recv_many(1).await, [0]);
        let many = cx.recv_many(100).await;
        assert_eq!(many, (1..101).collect::<Vec<_>>());
        let rest = cx.recv_many(1000).await;
        assert_eq!(rest, (101..150).collect::<Vec<_>>());
        give_up(cx.recv_many(5)).await;
        cx.address().tell(7)?;
        let last = cx.recv_many(5).await;
        heard.lock().unwrap().extend(last);
        Ok(())
    });
    assert_eq!(heard, [7]);
}

/// A stream of a few numbers that panics instead of ending.
struct Breaks(std::ops::Range<u32>);

impl futures_core::Stream for Breaks {
    type Item = u32;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, _: &mut Task<'_>) -> Poll<Option<u32>> {
        Poll::Ready(Some(self.0.next().expect("a stream")))
    }
}

/// What a stream does is foreign code. What was taken before it panics is handled first.
#[test]
fn a_stream_that_panics_while_several_are_received_takes_none_along() {
    let heard = with_messages(0..3, |mut cx, heard| async move {
        if cx.incarnation() == 1 {
            cx.attach(Breaks(0..2), |item| item.map(|item| 10 + item));
        }
        while let many = cx.recv_many(9).await
            && !many.is_empty()
        {
            heard.lock().unwrap().extend(many);
            heard.lock().unwrap().push(99);
            if cx.incarnation() == 2 {
                break;
            }
        }
        Ok(())
    });
    // In turns: the stream, the mailbox. The last one is the next incarnation's.
    assert_eq!(heard, [10, 0, 11, 1, 99, 2, 99]);
}

#[test]
fn what_a_selective_receive_passes_over_keeps_its_order() {
    let heard = with_messages(0..200, |mut cx, heard| async move {
        let mut found = Vec::new();
        for wanted in [150, 3] {
            found.extend(cx.recv_matching(|number| *number == wanted).await);
        }
        give_up(cx.recv_matching(|_| false)).await;
        cx.address().tell(777)?;
        found.extend(cx.recv_matching(|number| *number == 777).await);
        found.extend(cx.recv().await);
        found.extend(cx.recv_many(1000).await);
        heard.lock().unwrap().extend(found);
        Ok(())
    });
    let rest = (0..200).filter(|number| ![150, 3].contains(number));
    assert_eq!(heard, [150, 3, 777].into_iter().chain(rest).collect::<Vec<_>>());
}

#[test]
fn what_was_passed_over_is_the_next_incarnations() {
    let heard = with_messages(0..5, |mut cx, heard| async move {
        if cx.incarnation() == 1 {
            let found = cx.recv_matching(|number| *number == 2).await;
            heard.lock().unwrap().extend(found);
            // Its own restart: the exit is not normal.
            cx.address().exit(ExitReason::Killed);
            cx.recv_matching(|_| false).await;
            return Ok(());
        }
        let rest = cx.recv_many(9).await;
        heard.lock().unwrap().extend(rest);
        Ok(())
    });
    assert_eq!(heard, [2, 0, 1, 3, 4]);
}

#[test]
fn each_way_to_receive_ends_with_the_stop_request() {
    in_sim(async |sim, system| {
        for way in 0..4 {
            let waits = child(move |mut cx: Context<u32>| async move {
                let none = match way {
                    0 => cx.recv().await.is_none(),
                    1 => cx.recv_timeout(3600 * SECOND).await == Ok(None),
                    2 => cx.recv_many(3).await.is_empty(),
                    _ => cx.recv_matching(|_| true).await.is_none(),
                };
                assert!(none);
                Ok(())
            });
            let name = format!("way {way}");
            let waits = waits.named(name.clone()).restart(RestartType::Temporary);
            let s = Supervisor::new(name.clone()).child(waits).restart(RestartType::Temporary);
            let s = system.supervise(s).await.unwrap();
            sim.sleep(SECOND).await;
            system.root().stop_child(name.as_str()).await.unwrap();
            s.ended().await;
        }
        assert_eq!(system.stats().crashes, 0);
    });
}

#[test]
fn old_messages_give_way_until_each_is_received() {
    in_sim(async |sim, system| {
        let heard = Heard::default();
        let record = heard.clone();
        let slow = child(move |mut cx: Context<u32>| {
            let heard = record.clone();
            async move {
                while let Some(number) = cx.recv().await {
                    heard.lock().unwrap().push(number);
                    cx.sleep(SECOND).await;
                }
                Ok(())
            }
        });
        let slow = slow.mailbox_capacity(3).overflow(Overflow::DropOldest);
        let slow = system.spawn_child(slow).unwrap();
        for numbers in [0..3, 3..6] {
            numbers.for_each(|number| slow.tell(number).unwrap());
            sim.sleep(SECOND / 10).await;
        }
        sim.sleep(9 * SECOND).await;
        assert_eq!(*heard.lock().unwrap(), [0, 3, 4, 5]);
    });
}

/// The signal comes after the look at the control lane, and before the process waits: nothing but a second look finds it.
#[test]
fn what_comes_by_the_control_lane_in_the_last_moment_is_received() {
    let heard = with_messages([1, 2], |mut cx, heard| async move {
        let own = cx.address();
        cx.trap_exit(|_| 777);
        let mut sent = false;
        let found = cx.recv_matching(|number| {
            if *number == 2 && !std::mem::replace(&mut sent, true) {
                own.exit(ExitReason::Shutdown);
            }
            *number == 777
        });
        let found = found.await;
        heard.lock().unwrap().extend(found);
        Ok(())
    });
    assert_eq!(heard, [777]);
}
