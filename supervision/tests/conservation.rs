//! Conservation: what a mailbox has accepted was handled, or gave way to a newer message of its key, or is a dead letter, whatever happens.

use bastion_supervision::plan::{Backoff, ExitReason, RestartType};
use bastion_supervision::{Address, Child, Context, Exit, Overflow, Runtime, Sim, System, child};
use proptest::collection::vec;
use proptest::prelude::*;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
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

/// What the mailbox looks at, if anything.
#[derive(Clone, Copy, Debug)]
struct Rules {
    priority: bool,
    key: bool,
    weight: bool,
}

struct Load {
    number: usize,
    crashes: bool,
    _token: Token,
}

fn any_rules() -> impl Strategy<Value = Rules> {
    any::<(bool, bool, bool)>().prop_map(|(priority, key, weight)| Rules { priority, key, weight })
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
    sent: AtomicUsize,
    accepted: AtomicUsize,
    handled: AtomicUsize,
    alive: Arc<AtomicUsize>,
}

impl Tally {
    fn load(&self, crashes: bool) -> Load {
        self.alive.fetch_add(1, SeqCst);
        let number = self.sent.fetch_add(1, SeqCst);
        Load { number, crashes, _token: Token(self.alive.clone()) }
    }
}

/// Polls once, and drops.
async fn at_once<T>(future: impl Future<Output = Option<T>>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|task| match future.as_mut().poll(task) {
        Poll::Ready(output) => Poll::Ready(output),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Handles messages, slowly, maybe those of even numbers first.
fn receiver(tally: &Arc<Tally>, selective: bool) -> Child<Load> {
    let tally = tally.clone();
    let body = move |mut cx: Context<Load>| {
        let tally = tally.clone();
        async move {
            loop {
                let mut load = None;
                if selective {
                    load = at_once(cx.recv_matching(|load| load.number.is_multiple_of(2))).await;
                }
                if load.is_none() {
                    load = cx.recv().await;
                }
                let Some(load) = load else { return Ok(()) };
                // What crashes it was handled too.
                tally.handled.fetch_add(1, SeqCst);
                if load.crashes {
                    return Err(Exit::error("told to"));
                }
                cx.sleep(3 * MILLISECOND).await;
            }
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
                let accepted = address.send(tally.load(false)).await.is_ok();
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
            Act::Tell(count) => (0..*count).for_each(|_| tell(tally.load(false))),
            Act::Send(count) => {
                senders.push(system.spawn_child(sender(address, tally, *count)).unwrap());
            }
            Act::GiveUp => {
                if let Some(sender) = senders.pop() {
                    sender.exit(ExitReason::Killed);
                }
            }
            Act::Crash => tell(tally.load(true)),
            Act::Kill => {
                address.exit(ExitReason::Killed);
            }
            Act::Wait => sim.sleep(5 * MILLISECOND).await,
        }
    }
    sim.sleep(7 * MILLISECOND).await;
}

fn with_rules(mut child: Child<Load>, rules: Rules) -> Child<Load> {
    if rules.priority {
        child = child.priority(|load| (load.number % 3) as u8);
    }
    if rules.key {
        child = child.coalesce_by(|load| Some(load.number % 5).filter(|key| *key > 0));
    }
    if rules.weight {
        child = child.mailbox_bytes(7, |load| load.number % 9);
    }
    child
}

/// Accepted = handled + superseded + dead letters; and no message is left anywhere.
fn conserve(acts: &[Act], receiver: impl FnOnce(&Arc<Tally>) -> Child<Load>, seed: u64) {
    let sim = Sim::new(seed);
    let tally = Arc::new(Tally::default());
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let mut letters = system.dead_letters(2);
        let address = system.spawn_child(receiver(&tally)).unwrap();
        play(&sim, &system, acts, &address, &tally).await;
        system.stop(5000 * MILLISECOND).await;
        let (stats, handled) = (system.stats(), tally.handled.load(SeqCst));
        let gone = (stats.superseded + stats.dead_letters) as usize;
        assert_eq!(tally.accepted.load(SeqCst), handled + gone, "handled {handled}, {stats:?}");
        let mut told = 0;
        while let Some(letter) = letters.recv().await {
            told += letter.count + letter.missed;
        }
        assert_eq!(told, stats.dead_letters, "each is in a letter, or in one that is missed");
    });
    assert_eq!(tally.alive.load(SeqCst), 0, "messages are left somewhere");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

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
        rules in any_rules(),
        (permanent, selective) in any::<(bool, bool)>(),
        seed in any::<u64>(),
    ) {
        let restart = if permanent { RestartType::Permanent } else { RestartType::Temporary };
        let described = |tally: &Arc<Tally>| {
            let child = receiver(tally, selective).restart(restart);
            with_rules(child.mailbox_capacity(capacity).overflow(rule), rules)
        };
        conserve(&acts, described, seed);
    }
}
