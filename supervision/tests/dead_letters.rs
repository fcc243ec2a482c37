//! Subscriptions to dead letters: each message that nobody handles, with the reason, and what a slow subscriber is told.

use bastion_supervision::plan::{ExitReason, RestartType};
use bastion_supervision::{
    Address, Child, Context, DeadLetter, Exit, Msg, Overflow, Runtime, Sim, System, Undelivered,
    child,
};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::task::{Context as Task, Wake, Waker};
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

/// Handles one message, and fails.
async fn once<M: Send + 'static>(mut cx: Context<M>) -> Result<(), Exit> {
    cx.recv().await;
    Err(Exit::error("that was enough"))
}

async fn wait<M: Send + 'static>(cx: Context<M>) -> Result<(), Exit> {
    cx.stop_signal().requested().await;
    Ok(())
}

fn temporary<M: Send + 'static>(child: Child<M>) -> Child<M> {
    child.restart(RestartType::Temporary)
}

/// Has so many messages left by a process that ends.
async fn leave(system: &System, name: &str, count: usize) -> Address<usize> {
    let address = system.spawn_child(temporary(child(once).named(name))).unwrap();
    (0..=count).for_each(|number| address.tell(number).unwrap());
    address.ended().await;
    address
}

#[test]
fn an_end_leaves_a_letter_with_its_reason() {
    in_sim(async |sim, system| {
        let mut letters = system.dead_letters(10);
        sim.sleep(3 * SECOND).await;
        let address = leave(&system, "short", 4).await;
        let letter = letters.try_recv().expect("it is there when the end is known");
        assert_eq!((letter.pid, letter.name.as_deref()), (address.pid().unwrap(), Some("short")));
        assert_eq!((letter.message, letter.count, letter.missed), ("usize", 4, 0));
        assert_eq!((letter.at, letter.sender), (3 * SECOND, None));
        let Undelivered::Ended(ExitReason::Error(error)) = &letter.reason else {
            panic!("{letter}")
        };
        assert_eq!(error.to_string(), "that was enough");
        let text =
            format!("4 x usize to short {}: it has ended: error: that was enough", letter.pid);
        assert_eq!(letter.to_string(), text);
        assert!(letters.try_recv().is_none());
        leave(&system, "nothing", 0).await;
        assert!(letters.try_recv().is_none(), "nothing is left by one that had nothing");
    });
}

#[test]
fn messages_of_any_type_are_named_by_what_they_hold() {
    in_sim(async |_, system| {
        let mut letters = system.dead_letters(10);
        let any = system.spawn_child(temporary(child(once::<Msg>))).unwrap();
        any.tell_any(()).unwrap();
        any.tell_any(1_u8).unwrap();
        any.tell_any("text").unwrap();
        any.tell_any(2_u8).unwrap();
        any.ended().await;
        let told = [letters.recv().await.unwrap(), letters.recv().await.unwrap()];
        assert_eq!(told.map(|letter| (letter.message, letter.count)), [("u8", 2), ("&str", 1)]);
    });
}

#[test]
fn a_full_mailbox_tells_of_each_message_at_once_and_of_its_sender() {
    for (rule, knows_sender) in [(Overflow::DropNewest, true), (Overflow::DropOldest, false)] {
        in_sim(async |sim, system| {
            let mut letters = system.dead_letters(10);
            let full = child(wait::<u32>).named("full").mailbox_capacity(2).overflow(rule);
            let full = system.spawn_child(full).unwrap();
            let target = full.clone();
            let sender = child(move |_: Context<()>| {
                let target = target.clone();
                async move {
                    (0..7).for_each(|number| target.tell(number).unwrap());
                    Ok(())
                }
            });
            let sender = system.spawn_child(temporary(sender)).unwrap();
            sender.ended().await;
            full.tell(8).unwrap();
            let expected = if knows_sender { vec![5, 1] } else { vec![6] };
            let told: Vec<DeadLetter> = std::iter::from_fn(|| letters.try_recv()).collect();
            assert_eq!(told.iter().map(|letter| letter.count).collect::<Vec<_>>(), expected);
            assert_eq!(told[0].sender, sender.pid().filter(|_| knows_sender));
            assert!(matches!(told[0].reason, Undelivered::Overflow(told) if told == rule));
            assert_eq!(told[0].name.as_deref(), Some("full"));
            sim.sleep(SECOND).await;
            full.exit(ExitReason::Killed);
        });
    }
}

#[test]
fn a_slow_subscriber_loses_the_oldest_and_is_told() {
    in_sim(async |_, system| {
        let (mut slow, mut other) = (system.dead_letters(2), system.dead_letters(100));
        for count in 1..=5 {
            leave(&system, &format!("process {count}"), count).await;
        }
        let next = slow.try_recv().unwrap();
        assert_eq!((next.count, next.missed), (4, 1 + 2 + 3));
        leave(&system, "another", 7).await;
        let rest = [slow.try_recv().unwrap(), slow.try_recv().unwrap()];
        assert_eq!(rest.map(|letter| (letter.count, letter.missed)), [(5, 0), (7, 0)]);
        let told: Vec<u64> =
            std::iter::from_fn(|| other.try_recv()).map(|letter| letter.count).collect();
        assert_eq!(told, [1, 2, 3, 4, 5, 7], "each has its own place");
    });
}

#[test]
fn a_subscription_ends_with_its_system() {
    in_sim(async |sim, system| {
        let mut letters = system.dead_letters(10);
        let waits = system.spawn_child(child(wait::<u8>)).unwrap();
        waits.tell(1).unwrap();
        sim.sleep(SECOND).await;
        let reader = {
            let system = system.clone();
            async move {
                let letter = letters.recv().await.expect("what a stop leaves is told");
                assert!(
                    matches!(letter.reason, Undelivered::Ended(ExitReason::Shutdown)),
                    "{letter}"
                );
                assert!(letters.recv().await.is_none());
                let mut late = system.dead_letters(10);
                assert!(late.recv().await.is_none());
            }
        };
        // It waits when the system ends.
        let stop = system.stop(SECOND);
        let (mut reader, mut stop) = (std::pin::pin!(reader), std::pin::pin!(stop));
        let mut stopped = false;
        std::future::poll_fn(|task| {
            let read = reader.as_mut().poll(task);
            stopped = stopped || stop.as_mut().poll(task).is_ready();
            read
        })
        .await;
    });
}

#[test]
fn a_process_receives_letters_as_messages() {
    in_sim(async |_, system| {
        enum Clerk {
            Letter(DeadLetter),
            Read(bastion_supervision::Reply<u64>),
        }
        let clerk = child(|mut cx: Context<Clerk>| async move {
            let letters = cx.dead_letters(10);
            cx.attach(letters, |letter| letter.map(Clerk::Letter));
            let mut read = 0;
            while let Some(message) = cx.recv().await {
                match message {
                    Clerk::Letter(letter) => read += letter.count,
                    Clerk::Read(reply) => reply.send(read),
                }
            }
            Ok(())
        });
        let clerk = system.spawn_child(clerk).unwrap();
        assert_eq!(clerk.ask(Clerk::Read).await, Ok(0));
        leave(&system, "short", 3).await;
        assert_eq!(clerk.ask(Clerk::Read).await, Ok(3));
    });
}

#[test]
#[should_panic(expected = "room for one letter")]
fn a_subscription_without_room_is_refused() {
    in_sim(async |_, system| drop(system.dead_letters(0)));
}

/// A waker that subscribes when it is used.
struct Subscribes(System, AtomicUsize);

impl Wake for Subscribes {
    fn wake(self: Arc<Self>) {
        drop(self.0.dead_letters(1));
        self.1.fetch_add(1, SeqCst);
    }
}

#[test]
fn who_is_told_of_a_letter_or_of_the_end_may_subscribe() {
    let own = Arc::new(OnceLock::new());
    let _letters = in_sim(async |_, system| {
        let mut letters = system.dead_letters(10);
        let own = own.get_or_init(|| Arc::new(Subscribes(system.clone(), AtomicUsize::new(0))));
        let waker = Waker::from(own.clone());
        assert!(pin!(letters.recv()).poll(&mut Task::from_waker(&waker)).is_pending());
        leave(&system, "short", 1).await;
        assert_eq!(own.1.load(SeqCst), 1);
        assert!(letters.try_recv().is_some());
        assert!(pin!(letters.recv()).poll(&mut Task::from_waker(&waker)).is_pending());
        letters
    });
    assert_eq!(own.get().map(|own: &Arc<Subscribes>| own.1.load(SeqCst)), Some(2));
}
