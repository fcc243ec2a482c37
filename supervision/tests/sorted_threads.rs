//! Sorted mailboxes on threads: eight senders, of which some wait for room, and a receiver that crashes.

#![cfg(feature = "executor")]

use bastion_supervision::plan::{Backoff, RestartType};
use bastion_supervision::{Address, Child, Context, Exit, Overflow, Runtime, System, child};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SENDERS: u64 = 8;
const EACH: u64 = if cfg!(debug_assertions) { 10_000 } else { 100_000 };

#[derive(Clone, Copy)]
struct Load {
    sender: u64,
    number: u64,
}

impl Load {
    /// The last one to be received.
    const END: Load = Load { sender: SENDERS, number: 0 };

    fn priority(&self) -> u8 {
        if self.sender == SENDERS { 0 } else { 1 + (self.number % 3) as u8 }
    }

    /// Of every sixteenth one.
    fn key(&self) -> Option<u64> {
        (self.sender < SENDERS && self.number.is_multiple_of(16)).then_some(self.sender)
    }
}

#[derive(Default)]
struct Tally {
    accepted: AtomicU64,
    handled: AtomicU64,
    wrong: AtomicU64,
    /// The last number of each sender, of each priority, with and without a key.
    last: Mutex<HashMap<(u64, u8, bool), u64>>,
}

async fn receive(mut cx: Context<Load>, tally: Arc<Tally>) -> Result<(), Exit> {
    while let Some(load) = cx.recv().await {
        let handled = tally.handled.fetch_add(1, SeqCst);
        if load.sender == SENDERS {
            return Ok(());
        }
        // One that replaces another may stand before those that were sent in between.
        let lane = (load.sender, load.priority(), load.key().is_some());
        let before = tally.last.lock().unwrap().insert(lane, load.number);
        let in_order = before.is_none_or(|before| before < load.number);
        tally.wrong.fetch_add(u64::from(!in_order), SeqCst);
        // A few times: each restart is a little later than the one before.
        if handled % (EACH / 2) == EACH / 2 - 1 {
            return Err(Exit::error("told to"));
        }
    }
    Ok(())
}

/// Sends its messages, and waits for room or does not.
async fn send(address: Address<Load>, tally: Arc<Tally>, sender: u64) {
    for number in 0..EACH {
        let load = Load { sender, number };
        let accepted = match sender % 2 {
            0 => address.send(load).await.is_ok(),
            _ => address.tell(load).is_ok(),
        };
        tally.accepted.fetch_add(u64::from(accepted), SeqCst);
    }
}

fn play(described: impl Fn(Child<Load>) -> Child<Load>) {
    let executor = bastion_executor::Executor::builder().workers(2).build().unwrap();
    executor.run(async {
        let system = System::new(Runtime::executor());
        let tally = Arc::new(Tally::default());
        let record = tally.clone();
        let receiver = child(move |cx| receive(cx, record.clone()));
        let receiver = receiver.restart(RestartType::Transient).backoff(Backoff::immediate());
        let address = system.spawn_child(described(receiver)).unwrap();
        std::thread::scope(|scope| {
            for sender in 0..SENDERS {
                let (address, tally) = (address.clone(), tally.clone());
                scope.spawn(move || bastion_executor::run(send(address, tally, sender)));
            }
        });
        assert!(address.send(Load::END).await.is_ok());
        let reason = address.ended().await;
        assert_eq!(reason.to_string(), "normal");
        system.stop(Duration::from_secs(5)).await;
        let (stats, handled) = (system.stats(), tally.handled.load(SeqCst));
        assert_eq!(tally.wrong.load(SeqCst), 0, "order");
        let gone = stats.superseded + stats.dead_letters;
        assert_eq!(tally.accepted.load(SeqCst) + 1, handled + gone, "{handled}, {stats:?}");
    });
}

#[test]
fn senders_on_threads_lose_nothing_and_keep_their_order_within_a_priority() {
    play(|receiver| receiver.priority(Load::priority).mailbox_capacity(4));
    play(|receiver| receiver.priority(Load::priority));
}

#[test]
fn senders_on_threads_whose_messages_replace_each_other_lose_nothing() {
    let with_keys =
        |receiver: Child<Load>| receiver.priority(Load::priority).coalesce_by(Load::key);
    play(|receiver| with_keys(receiver).mailbox_capacity(16));
    play(with_keys);
}

#[test]
fn senders_on_threads_that_push_out_each_others_messages_lose_none_uncounted() {
    for rule in [Overflow::DropOldest, Overflow::DropNewest] {
        play(|receiver| {
            let receiver = receiver.priority(Load::priority).overflow(rule);
            receiver.mailbox_bytes(20, |load| (load.number % 10) as usize)
        });
    }
}
