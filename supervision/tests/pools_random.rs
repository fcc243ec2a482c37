//! Conservation in pools: what a pool has accepted was handled once, or is a dead letter, whatever happens.

use bastion_supervision::plan::{Backoff, RestartType};
use bastion_supervision::{
    Context, Elastic, Exit, Pool, PoolAddress, Route, Runtime, Sim, System, child,
};
use proptest::collection::vec;
use proptest::prelude::*;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
use std::time::Duration;

const MILLISECOND: Duration = Duration::from_millis(1);

/// What happens to a pool, in random order.
#[derive(Clone, Copy, Debug)]
enum Act {
    Tell(u8),
    /// Somebody sends as many, and waits for room.
    Send(u8),
    Broadcast,
    /// A worker crashes; if it is temporary, for good.
    Crash,
    /// The whole pool is restarted.
    Restart,
    /// Long enough for it to shrink.
    Rest,
    Wait,
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (1..30_u8).prop_map(Act::Tell),
        3 => (1..10_u8).prop_map(Act::Send),
        1 => Just(Act::Broadcast),
        2 => Just(Act::Crash),
        1 => Just(Act::Restart),
        1 => Just(Act::Rest),
        3 => Just(Act::Wait),
    ]
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    RoundRobin,
    Random,
    LeastLoaded,
    Key,
    Shared,
}

fn any_kind() -> impl Strategy<Value = Kind> {
    use Kind::{Key, LeastLoaded, Random, RoundRobin, Shared};
    prop_oneof![Just(RoundRobin), Just(Random), Just(LeastLoaded), Just(Key), Just(Shared)]
}

fn route(kind: Kind) -> Route<Load> {
    match kind {
        Kind::RoundRobin => Route::round_robin(),
        Kind::Random => Route::random(),
        Kind::LeastLoaded => Route::least_loaded(),
        Kind::Key => Route::by_key(|load: &Load| load.key),
        Kind::Shared => Route::shared_queue(),
    }
}

#[derive(Clone)]
struct Load {
    key: usize,
    what: What,
    /// Counts itself out.
    _token: Token,
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    Work,
    Crash,
}

struct Token(Arc<AtomicUsize>);

impl Token {
    fn new(alive: &Arc<AtomicUsize>) -> Token {
        alive.fetch_add(1, SeqCst);
        Token(alive.clone())
    }
}

impl Clone for Token {
    fn clone(&self) -> Self {
        Token::new(&self.0)
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[derive(Default)]
struct Tally {
    accepted: AtomicUsize,
    handled: AtomicUsize,
    thrown: AtomicUsize,
    alive: Arc<AtomicUsize>,
    keys: AtomicUsize,
}

impl Tally {
    fn load(&self, what: What) -> Load {
        let key = self.keys.fetch_add(1, SeqCst) % 7;
        Load { key, what, _token: Token::new(&self.alive) }
    }
}

/// Receives the next message; one incarnation in three prefers some keys for a while, and passes the others over.
async fn next(cx: &mut Context<Load>) -> Option<Load> {
    if cx.incarnation() % 3 == 2 {
        let mut pause = pin!(cx.sleep(2 * MILLISECOND));
        let mut wanted = pin!(cx.recv_matching(|load| load.key % 2 == 0));
        let preferred = poll_fn(|task| match wanted.as_mut().poll(task) {
            Poll::Ready(load) => Poll::Ready(Some(load)),
            Poll::Pending => pause.as_mut().poll(task).map(|()| None),
        });
        if let Some(load) = preferred.await {
            return load;
        }
    }
    cx.recv().await
}

/// A worker that handles messages, slowly.
async fn work(mut cx: Context<Load>, tally: Arc<Tally>) -> Result<(), Exit> {
    while let Some(load) = next(&mut cx).await {
        // What crashes it was handled too.
        tally.handled.fetch_add(1, SeqCst);
        match load.what {
            What::Crash => return Err(Exit::error("told to")),
            What::Work => cx.sleep(3 * MILLISECOND).await,
        }
    }
    Ok(())
}

async fn play(
    sim: &Sim,
    system: &System,
    acts: &[Act],
    pool: &PoolAddress<Load>,
    tally: &Arc<Tally>,
) {
    let tell = |what| {
        let accepted = pool.tell(tally.load(what)).is_ok();
        tally.accepted.fetch_add(usize::from(accepted), SeqCst);
    };
    for act in acts {
        match *act {
            Act::Tell(count) => (0..count).for_each(|_| tell(What::Work)),
            Act::Send(count) => {
                let (pool, tally) = (pool.clone(), tally.clone());
                let sender = child(move |_: Context<()>| {
                    let (pool, tally) = (pool.clone(), tally.clone());
                    async move {
                        for _ in 0..count {
                            let accepted = pool.send(tally.load(What::Work)).await.is_ok();
                            tally.accepted.fetch_add(usize::from(accepted), SeqCst);
                        }
                        Ok(())
                    }
                });
                system.spawn_child(sender.restart(RestartType::Temporary)).unwrap();
            }
            Act::Broadcast => {
                if let Ok(all) = pool.broadcast(tally.load(What::Work)) {
                    tally.accepted.fetch_add(all.accepted, SeqCst);
                }
            }
            Act::Crash => tell(What::Crash),
            Act::Restart => {
                let pid = pool.supervisor().pid().unwrap();
                let _ = system.root().recycle_child(pid, Duration::ZERO).await;
            }
            Act::Rest => sim.sleep(2000 * MILLISECOND).await,
            Act::Wait => sim.sleep(20 * MILLISECOND).await,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn what_a_pool_accepted_was_handled_or_is_a_dead_letter(
        seed: u64,
        kind in any_kind(),
        capacity in 1..20_usize,
        min in 1..4_usize,
        more in 0..6_usize,
        temporary: bool,
        acts in vec(any_act(), 1..25),
    ) {
        let sim = Sim::new(seed);
        let tally = Arc::new(Tally::default());
        sim.run(async {
            let system = System::new(Runtime::sim(&sim));
            let (inner, thrown) = (tally.clone(), tally.clone());
            let elastic = Elastic::new().every(5 * MILLISECOND).calm(200 * MILLISECOND);
            let restart = if temporary { RestartType::Temporary } else { RestartType::Permanent };
            let (supervisor, pool) = Pool::new("pool", move |cx| work(cx, inner.clone()))
                .size(min..=min + more)
                .capacity(capacity)
                .route(route(kind))
                .elastic(elastic)
                .worker(move |worker| worker.restart(restart).backoff(Backoff::immediate()))
                .on_discard(move |_, _| { thrown.thrown.fetch_add(1, SeqCst); })
                .build();
            let supervisor = supervisor.unlimited().backoff(Backoff::immediate());
            system.supervise(supervisor).await.unwrap();
            play(&sim, &system, &acts, &pool, &tally).await;
            sim.sleep(1000 * MILLISECOND).await;
            let busy_for = tally.accepted.load(SeqCst) as u32 * 3 * MILLISECOND;
            sim.sleep(busy_for).await;
            if !temporary {
                assert_eq!(pool.queued(), 0, "there is always somebody to take it");
            }
            system.stop(Duration::from_secs(5)).await;
            assert!(pool.tell(tally.load(What::Work)).is_err());
            let [accepted, handled, thrown] =
                [&tally.accepted, &tally.handled, &tally.thrown].map(|count| count.load(SeqCst));
            let dead = system.stats().dead_letters as usize;
            // Those of a worker's own mailbox are nobody's to be told of, but counted.
            prop_assert!(thrown <= dead);
            prop_assert_eq!(accepted, handled + dead, "{} thrown", thrown);
            Ok(())
        })?;
        drop(sim);
        prop_assert_eq!(tally.alive.load(SeqCst), 0);
    }
}
