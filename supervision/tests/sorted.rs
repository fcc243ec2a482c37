//! Mailboxes that look at their messages: by priority, by key, by weight. Nothing is lost silently there either.

use bastion_supervision::plan::{Backoff, ExitReason, RestartType};
use bastion_supervision::{
    Address, AskError, Child, Context, MailboxFull, Overflow, Reply, Runtime, Sim, System,
    TellError, child,
};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Once};
use std::task::{Context as Task, Poll, Wake};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn in_sim(body: impl AsyncFnOnce(Sim, System)) {
    let sim = Sim::new(5);
    let inner = sim.clone();
    sim.run(async move {
        let system = System::new(Runtime::sim(&inner));
        body(inner, system.clone()).await;
        system.stop(5 * SECOND).await;
    });
}

type Heard = Arc<Mutex<Vec<u32>>>;

/// One that waits until it is let go, and then receives one message a second.
struct Held {
    child: Child<u32>,
    heard: Heard,
    gate: Arc<AtomicUsize>,
}

fn held() -> Held {
    let (heard, gate) = (Heard::default(), Arc::new(AtomicUsize::new(0)));
    let (record, open) = (heard.clone(), gate.clone());
    let body = move |mut cx: Context<u32>| {
        let (heard, open) = (record.clone(), open.clone());
        async move {
            while open.load(SeqCst) == 0 {
                cx.sleep(SECOND).await;
            }
            while let Some(message) = cx.recv().await {
                heard.lock().unwrap().push(message);
                cx.sleep(SECOND).await;
            }
            Ok(())
        }
    };
    let child = child(body).named("held").backoff(Backoff::immediate());
    Held { child, heard, gate }
}

/// Messages are numbers: their hundreds are the priority.
fn by_hundreds(number: &u32) -> u8 {
    (number / 100) as u8
}

fn heard(heard: &Heard) -> Vec<u32> {
    heard.lock().unwrap().clone()
}

#[test]
fn the_most_urgent_message_is_received_first_also_one_that_comes_late() {
    in_sim(async |sim, system| {
        let held = held();
        let address = system.spawn_child(held.child.priority(by_hundreds)).unwrap();
        for number in [1, 201, 2, 101, 202, 3] {
            address.tell(number).unwrap();
        }
        held.gate.store(1, SeqCst);
        // The first one is being handled.
        sim.sleep(SECOND / 2).await;
        assert_eq!(address.queued(), 5);
        address.tell(203).unwrap();
        address.tell(102).unwrap();
        sim.sleep(20 * SECOND).await;
        assert_eq!(heard(&held.heard), [201, 202, 203, 101, 102, 1, 2, 3]);
    });
}

#[test]
fn what_was_sent_before_there_was_a_rule_comes_first_in_its_order() {
    in_sim(async |sim, system| {
        let held = held();
        let address = held.child.address();
        (1..4).for_each(|number| address.tell(number).unwrap());
        let child = held.child.priority(|_| 0);
        (4..6).for_each(|number| address.tell(number).unwrap());
        assert_eq!(address.queued(), 5);
        system.spawn_child(child).unwrap();
        held.gate.store(1, SeqCst);
        sim.sleep(20 * SECOND).await;
        assert_eq!(heard(&held.heard), [1, 2, 3, 4, 5]);
    });
}

#[test]
fn who_waits_for_room_when_a_rule_is_set_is_not_forgotten() {
    in_sim(async |sim, system| {
        let held = held();
        let address = held.child.address();
        let child = held.child.mailbox_capacity(1);
        address.tell(1).unwrap();
        let mut waits = pin!(address.send(2));
        let waiting = poll_fn(|task| Poll::Ready(waits.as_mut().poll(task).is_pending())).await;
        assert!(waiting);
        system.spawn_child(child.priority(by_hundreds)).unwrap();
        held.gate.store(1, SeqCst);
        assert!(waits.await.is_ok());
        sim.sleep(3 * SECOND).await;
        assert_eq!(heard(&held.heard), [1, 2]);
    });
}

#[test]
fn a_newer_message_of_the_same_key_stands_where_the_older_one_stood() {
    in_sim(async |sim, system| {
        let held = held();
        // Their tens are the key; 0 is none.
        let child = held.child.priority(by_hundreds).mailbox_capacity(4);
        let child = child.coalesce_by(|number| Some(number % 100 / 10).filter(|key| *key > 0));
        let address = system.spawn_child(child).unwrap();
        for number in [1, 11, 21, 2] {
            address.tell(number).unwrap();
        }
        // There is no room, and none is needed. A more urgent one is more urgent.
        for number in [12, 13, 122, 23] {
            address.tell(number).unwrap();
        }
        assert!(matches!(address.tell(3), Err(TellError::Full(3))));
        assert_eq!(address.queued(), 4);
        held.gate.store(1, SeqCst);
        sim.sleep(20 * SECOND).await;
        assert_eq!(heard(&held.heard), [23, 1, 13, 2]);
        address.exit(ExitReason::Killed);
        sim.sleep(SECOND).await;
        system.stop(5 * SECOND).await;
        assert_eq!((system.stats().superseded, system.stats().dead_letters), (4, 0));
    });
}

#[test]
fn weights_are_limited_exactly_and_what_never_has_room_comes_back_at_once() {
    for rule in [Overflow::Refuse, Overflow::DropNewest, Overflow::DropOldest, Overflow::Stop] {
        in_sim(async |sim, system| {
            let held = held();
            let child = held.child.mailbox_bytes(10, |number| *number as usize).overflow(rule);
            let address = system.spawn_child(child).unwrap();
            sim.sleep(SECOND / 2).await;
            assert!(matches!(address.tell(11), Err(TellError::TooLarge(11))), "{rule:?}");
            assert!(matches!(address.send(11).await, Err(TellError::TooLarge(11))));
            assert_eq!(address.ask(|_: Reply<()>| 11).await, Err(AskError::TooLarge));
            for number in [3, 4, 3, 0] {
                address.tell(number).unwrap();
            }
            let refuses = matches!(rule, Overflow::Refuse | Overflow::Stop);
            assert_eq!(address.tell(5).is_err(), refuses, "{rule:?}");
            held.gate.store(1, SeqCst);
            sim.sleep(20 * SECOND).await;
            let kept = if rule == Overflow::DropOldest { vec![3, 0, 5] } else { vec![3, 4, 3, 0] };
            assert_eq!(heard(&held.heard), kept, "{rule:?}");
            assert_eq!(address.incarnation(), 1 + u32::from(rule == Overflow::Stop));
            system.stop(5 * SECOND).await;
            let dropped = match rule {
                Overflow::DropNewest => 1,
                Overflow::DropOldest => 2,
                _ => 0,
            };
            assert_eq!(system.stats().dead_letters, dropped, "{rule:?}");
        });
    }
}

#[test]
fn the_oldest_of_the_lowest_priority_gives_way_or_what_is_still_lower() {
    in_sim(async |sim, system| {
        let held = held();
        let child = held.child.priority(by_hundreds).mailbox_capacity(4);
        let address = system.spawn_child(child.overflow(Overflow::DropOldest)).unwrap();
        for number in [201, 101, 202, 102] {
            address.tell(number).unwrap();
        }
        // In the place of 101, 102, and of nobody.
        for number in [103, 203, 1] {
            address.tell(number).unwrap();
        }
        held.gate.store(1, SeqCst);
        sim.sleep(20 * SECOND).await;
        assert_eq!(heard(&held.heard), [201, 202, 203, 103]);
        system.stop(5 * SECOND).await;
        assert_eq!(system.stats().dead_letters, 3);
    });
}

#[test]
fn a_full_sorted_mailbox_can_end_its_process_and_what_waits_is_the_next_ones() {
    in_sim(async |sim, system| {
        let held = held();
        let child = held.child.mailbox_capacity(2).priority(by_hundreds).overflow(Overflow::Stop);
        let address = system.spawn_child(child).unwrap();
        sim.sleep(SECOND / 2).await;
        for number in [1, 101] {
            address.tell(number).unwrap();
        }
        assert!(matches!(address.tell(2), Err(TellError::Full(2))));
        held.gate.store(1, SeqCst);
        sim.sleep(5 * SECOND).await;
        assert_eq!((address.incarnation(), heard(&held.heard)), (2, vec![101, 1]));
        let history = system.history();
        let full = history.records.iter().any(|record| {
            let bastion_supervision::Report::Crash(crash) = &record.report else { return false };
            let ExitReason::Error(error) = &crash.reason else { return false };
            error.downcast_ref() == Some(&MailboxFull { queued: 2 })
        });
        assert!(full, "{history:?}");
    });
}

/// Sends messages one after another, as there is room.
fn sender(address: &Address<u32>, numbers: &'static [u32]) -> Child<()> {
    let address = address.clone();
    let body = move |_: Context<()>| {
        let address = address.clone();
        async move {
            for number in numbers {
                address.send(*number).await?;
            }
            Ok(())
        }
    };
    child(body).restart(RestartType::Temporary)
}

#[test]
fn those_who_wait_for_room_have_it_in_turn_whatever_they_send() {
    in_sim(async |sim, system| {
        let held = held();
        let child = held.child.mailbox_bytes(10, |number| *number as usize);
        let address = system.spawn_child(child).unwrap();
        sim.sleep(SECOND / 2).await;
        address.tell(5).unwrap();
        address.tell(4).unwrap();
        let mut senders = Vec::new();
        // The first one is too large to come after the 5 alone, and those behind it are not.
        for numbers in [&[9][..], &[2, 1], &[3], &[10]] {
            senders.push(system.spawn_child(sender(&address, numbers)).unwrap());
            sim.sleep(SECOND / 10).await;
        }
        held.gate.store(1, SeqCst);
        sim.sleep(20 * SECOND).await;
        assert_eq!(heard(&held.heard), [5, 4, 9, 2, 3, 10, 1]);
        for sender in senders {
            assert_eq!(sender.ended().await.to_string(), "normal");
        }
    });
}

#[test]
fn who_gives_up_waiting_leaves_its_turn_and_an_end_is_told_to_all() {
    in_sim(async |sim, system| {
        let held = held();
        let child = held.child.mailbox_capacity(1).priority(by_hundreds);
        let address = system.spawn_child(child.restart(RestartType::Temporary)).unwrap();
        sim.sleep(SECOND / 2).await;
        address.tell(1).unwrap();
        let mut senders = Vec::new();
        for numbers in [&[2][..], &[3], &[4], &[5]] {
            senders.push(system.spawn_child(sender(&address, numbers)).unwrap());
            sim.sleep(SECOND / 100).await;
        }
        senders[0].exit(ExitReason::Killed);
        sim.sleep(SECOND / 10).await;
        held.gate.store(1, SeqCst);
        sim.sleep(SECOND).await;
        // The message of the second one waits now; two wait for room.
        address.exit(ExitReason::Killed);
        assert_eq!(senders[1].ended().await.to_string(), "normal");
        for sender in &senders[2..] {
            let reason = sender.ended().await.to_string();
            assert_eq!(reason, "error: the process has ended");
        }
        assert_eq!(heard(&held.heard), [1]);
        assert_eq!(system.stats().dead_letters, 1);
    });
}

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn a_sender_that_was_woken_and_is_dropped_passes_its_turn_on() {
    in_sim(async |sim, system| {
        let held = held();
        let child = held.child.mailbox_capacity(1).priority(by_hundreds);
        let address = system.spawn_child(child).unwrap();
        address.tell(1).unwrap();
        let wakes = [0, 0].map(|none| Arc::new(Count(AtomicUsize::new(none))));
        let woken = || [&wakes[0], &wakes[1]].map(|count| count.0.load(SeqCst));
        let mut senders = [2, 3].map(|number| Box::pin(address.send(number)));
        for (sender, count) in senders.iter_mut().zip(&wakes) {
            let waker = count.clone().into();
            assert!(sender.as_mut().poll(&mut Task::from_waker(&waker)).is_pending());
        }
        held.gate.store(1, SeqCst);
        sim.sleep(SECOND + SECOND / 2).await;
        assert_eq!(woken(), [1, 0]);
        let [first, second] = senders;
        drop(first);
        assert_eq!(woken(), [1, 1]);
        assert!(second.await.is_ok());
        sim.sleep(5 * SECOND).await;
        assert_eq!(heard(&held.heard), [1, 3]);
    });
}

#[test]
fn a_larger_capacity_wakes_who_waits_for_room() {
    let child = held().child.mailbox_capacity(1).priority(by_hundreds);
    let address = child.address();
    address.tell(1).unwrap();
    let wakes = Arc::new(Count(AtomicUsize::new(0)));
    let waker = wakes.clone().into();
    let mut task = Task::from_waker(&waker);
    let mut waits = pin!(address.send(2));
    assert!(waits.as_mut().poll(&mut task).is_pending());
    let _child = child.mailbox_capacity(2);
    assert_eq!(wakes.0.load(SeqCst), 1);
    assert!(waits.as_mut().poll(&mut task).is_ready());
}

#[test]
fn what_a_process_sends_to_its_own_sorted_mailbox_does_not_wait() {
    in_sim(async |_, system| {
        let own = child(|cx: Context<u32>| async move {
            let own = cx.address();
            assert!(own.send(1).await.is_ok());
            assert!(matches!(own.send(2).await, Err(TellError::Full(2))));
            Ok(())
        });
        let own = own.mailbox_capacity(1).priority(by_hundreds);
        let own = system.spawn_child(own.restart(RestartType::Temporary)).unwrap();
        assert_eq!(own.ended().await.to_string(), "normal");
    });
}

#[test]
fn what_a_selective_receive_passes_over_goes_back_to_its_place() {
    in_sim(async |sim, system| {
        let heard = Heard::default();
        let record = heard.clone();
        let selective = child(move |mut cx: Context<u32>| {
            let heard = record.clone();
            async move {
                let own = cx.address();
                let mut found = Vec::new();
                if cx.incarnation() == 1 {
                    found.extend(cx.recv_matching(|number| *number == 103).await);
                    // In its hands are 201, 101 and 102. They come after 202, and before 104; again they are looked at in that order.
                    own.tell(202)?;
                    own.tell(104)?;
                    found.extend(cx.recv_matching(|number| *number < 200).await);
                    // One that comes late, while others are in its hands, and more urgent than they are.
                    own.tell(301)?;
                    found.extend(cx.recv().await);
                    found.extend(cx.recv().await);
                    found.extend(cx.recv_matching(|number| *number == 1).await);
                    heard.lock().unwrap().extend(found);
                    own.tell(203)?;
                    own.exit(ExitReason::Killed);
                    cx.recv_matching(|_| false).await;
                    return Ok(());
                }
                found.extend(cx.recv_many(9).await);
                heard.lock().unwrap().extend(found);
                Ok(())
            }
        });
        let selective = selective.priority(by_hundreds).restart(RestartType::Transient);
        let address = selective.address();
        for number in [101, 102, 1, 103, 201] {
            address.tell(number).unwrap();
        }
        system.spawn_child(selective).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(address.ended().await.to_string(), "normal");
        let heard = heard.lock().unwrap().clone();
        assert_eq!(heard, [103, 101, 301, 201, 1, 202, 203, 102, 104]);
    });
}

fn quiet() {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let outer = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let text = info.to_string();
            if !text.contains("of a rule") && !text.contains("the drop of") {
                outer(info);
            }
        }));
    });
}

#[test]
fn a_rule_that_panics_is_its_senders_panic_and_loses_nothing_else() {
    quiet();
    in_sim(async |sim, system| {
        let held = held();
        let is_bad = Arc::new(AtomicUsize::new(13));
        let bad = is_bad.clone();
        let child = held.child.priority(move |number| {
            assert!(*number as usize != bad.load(SeqCst), "of a rule");
            by_hundreds(number)
        });
        let address = child.address();
        address.tell(101).unwrap();
        let other = address.clone();
        let sender = self::child(move |_: Context<()>| {
            let other = other.clone();
            async move { Ok(other.tell(13)?) }
        });
        let sender = sender.restart(RestartType::Temporary);
        let sender = system.spawn_child(sender).unwrap();
        let reason = sender.ended().await;
        assert!(matches!(reason, ExitReason::Panic(_)), "{reason}");
        address.tell(1).unwrap();
        system.spawn_child(child).unwrap();
        held.gate.store(1, SeqCst);
        sim.sleep(20 * SECOND).await;
        assert_eq!((heard(&held.heard), address.queued()), (vec![101, 1], 0));
    });
}

#[test]
fn what_comes_back_and_cannot_be_judged_any_more_comes_first() {
    quiet();
    in_sim(async |_, system| {
        let is_bad = Arc::new(AtomicUsize::new(1000));
        let bad = is_bad.clone();
        let own = child(move |mut cx: Context<u32>| {
            let bad = bad.clone();
            async move {
                assert_eq!(cx.recv_matching(|number| *number == 2).await, Some(2));
                bad.store(1, SeqCst);
                assert_eq!(cx.recv_many(9).await, [1, 101, 102]);
                Ok(())
            }
        });
        let own = own.priority(move |number| {
            assert!(*number as usize != is_bad.load(SeqCst), "of a rule");
            by_hundreds(number)
        });
        let address = own.address();
        for number in [101, 1, 102, 2] {
            address.tell(number).unwrap();
        }
        system.spawn_child(own.restart(RestartType::Temporary)).unwrap();
        assert_eq!(address.ended().await.to_string(), "normal");
    });
}

/// Panics when it is dropped.
struct Bomb(u32);

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "the drop of {}", self.0);
    }
}

#[test]
fn superseded_and_displaced_messages_whose_destructors_panic_harm_nobody() {
    quiet();
    in_sim(async |_, system| {
        let body = |cx: Context<Bomb>| async move {
            cx.stop_signal().requested().await;
            Ok(())
        };
        let bombs = child(body).restart(RestartType::Temporary);
        let bombs = bombs.coalesce_by(|bomb| Some(bomb.0)).mailbox_capacity(2);
        let bombs = system.spawn_child(bombs.overflow(Overflow::DropOldest)).unwrap();
        for number in [1, 1, 2, 2, 3] {
            assert!(bombs.tell(Bomb(number)).is_ok());
        }
        bombs.exit(ExitReason::Killed);
        bombs.ended().await;
        assert_eq!((system.stats().superseded, system.stats().dead_letters), (2, 3));
        let back = bombs.tell(Bomb(0)).unwrap_err();
        assert!(back.is_dead());
        std::mem::forget(back);
    });
}
