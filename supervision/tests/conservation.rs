//! Conservation: what a mailbox has accepted was handled, or is a dead letter, whatever happens.

use bastion_supervision::plan::{Backoff, ExitReason, RestartType};
use bastion_supervision::{Address, Child, Context, Exit, Overflow, Runtime, Sim, System, child};
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

const MILLISECOND: Duration = Duration::from_millis(1);

/// What happens to a receiver, in random order.
#[derive(Clone, Copy, Debug)]
enum Act {
    Tell(u8),
    /// Somebody sends as many, and waits for room.
    Send(u8),
    /// Somebody who waits for room gives up.
    GiveUp,
    Crash,
    Kill,
    Wait,
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => (1..9_u8).prop_map(Act::Tell),
        3 => (1..5_u8).prop_map(Act::Send),
        1 => Just(Act::GiveUp),
        1 => Just(Act::Crash),
        1 => Just(Act::Kill),
        3 => Just(Act::Wait),
    ]
}

enum Load {
    Crash,
    Message(Token),
}

/// Counts itself out.
struct Token(Arc<AtomicUsize>);

impl Drop for Token {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[derive(Default)]
struct Tally {
    accepted: AtomicUsize,
    handled: AtomicUsize,
    alive: Arc<AtomicUsize>,
}

impl Tally {
    fn token(&self) -> Load {
        self.alive.fetch_add(1, SeqCst);
        Load::Message(Token(self.alive.clone()))
    }
}

/// Handles messages, slowly.
fn receiver(tally: &Arc<Tally>) -> Child<Load> {
    let tally = tally.clone();
    let body = move |mut cx: Context<Load>| {
        let tally = tally.clone();
        async move {
            while let Some(load) = cx.recv().await {
                // What crashes it was handled too.
                tally.handled.fetch_add(1, SeqCst);
                match load {
                    Load::Crash => return Err(Exit::error("told to")),
                    Load::Message(_token) => cx.sleep(3 * MILLISECOND).await,
                }
            }
            Ok(())
        }
    };
    child(body).named("receiver").backoff(Backoff::immediate())
}

/// Sends so many messages, and waits for room.
fn sender(address: &Address<Load>, tally: &Arc<Tally>, count: u8) -> Child<()> {
    let (address, tally) = (address.clone(), tally.clone());
    let body = move |_| {
        let (address, tally) = (address.clone(), tally.clone());
        async move {
            for _ in 0..count {
                let accepted = address.send(tally.token()).await.is_ok();
                tally.accepted.fetch_add(usize::from(accepted), SeqCst);
            }
            Ok(())
        }
    };
    child(body).restart(RestartType::Temporary)
}

async fn play(
    sim: &Sim,
    system: &System,
    acts: &[Act],
    address: &Address<Load>,
    tally: &Arc<Tally>,
) {
    let mut senders = Vec::new();
    let tell = |load| {
        let accepted = address.tell(load).is_ok();
        tally.accepted.fetch_add(usize::from(accepted), SeqCst);
    };
    for act in acts {
        match act {
            Act::Tell(count) => (0..*count).for_each(|_| tell(tally.token())),
            Act::Send(count) => {
                senders.push(system.spawn_child(sender(address, tally, *count)).unwrap());
            }
            Act::GiveUp => {
                if let Some(sender) = senders.pop() {
                    sender.exit(ExitReason::Killed);
                }
            }
            Act::Crash => tell(Load::Crash),
            Act::Kill => {
                address.exit(ExitReason::Killed);
            }
            Act::Wait => sim.sleep(5 * MILLISECOND).await,
        }
    }
    sim.sleep(7 * MILLISECOND).await;
}

/// Accepted = handled + dead letters; and no message is left anywhere.
fn conserve(acts: &[Act], rule: Overflow, capacity: usize, restart: RestartType, seed: u64) {
    let sim = Sim::new(seed);
    let tally = Arc::new(Tally::default());
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let mut letters = system.dead_letters(2);
        let receiver = receiver(&tally).restart(restart).mailbox_capacity(capacity).overflow(rule);
        let address = system.spawn_child(receiver).unwrap();
        play(&sim, &system, acts, &address, &tally).await;
        system.stop(5000 * MILLISECOND).await;
        let (handled, dead) = (tally.handled.load(SeqCst), system.stats().dead_letters as usize);
        assert_eq!(tally.accepted.load(SeqCst), handled + dead, "handled {handled}, dead {dead}");
        let mut told = 0;
        while let Some(letter) = letters.recv().await {
            told += letter.count + letter.missed;
        }
        assert_eq!(
            told,
            system.stats().dead_letters,
            "each is in a letter, or in one that is missed"
        );
    });
    assert_eq!(tally.alive.load(SeqCst), 0, "messages are left somewhere");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_was_accepted_was_handled_or_is_a_dead_letter(
        acts in vec(any_act(), 0..40),
        rule in prop_oneof![
            Just(Overflow::Refuse),
            Just(Overflow::DropNewest),
            Just(Overflow::DropOldest),
            Just(Overflow::Stop),
        ],
        capacity in 1..6_usize,
        permanent in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let restart = if permanent { RestartType::Permanent } else { RestartType::Temporary };
        conserve(&acts, rule, capacity, restart, seed);
    }
}
