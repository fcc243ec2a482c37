//! Chaos: makes a random worker panic again and again, and a random connection end now and then.

use super::connection::Blow;
use super::worker::Pool;
use crate::args::ChaosArgs;
use crate::ledger::Ledger;
use bastion::{Address, Child, Context, Exit, Reply, child};
use fastrand::Rng;
use futures_lite::future::or;
use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// What chaos is told.
pub(super) enum Order {
    /// A connection was opened.
    Opened(u64, Address<Blow>),
    /// A connection has ended.
    Closed(u64),
    /// Break nothing any more.
    Calm(Reply<()>),
}

/// Describes the chaos process.
pub(super) fn describe(args: &ChaosArgs, pool: Pool, ledger: Arc<Ledger>) -> Child<Order> {
    let (seed, crash_every, kill_every) = (args.seed, args.crash_every, args.kill_every);
    let chaos = child(move |cx| {
        let mut rng = Rng::with_seed(seed);
        // Each has its own random numbers, so that the victims of one do not depend on the moments of the other.
        let crashes = Beat::new(crash_every, rng.fork());
        let kills = Beat::new(kill_every, rng.fork());
        let open = BTreeMap::new();
        Chaos { crashes, kills, pool: pool.clone(), open, ledger: ledger.clone() }.reign(cx)
    });
    chaos.named("chaos")
}

/// Something that is due about every so often, with its own random numbers.
struct Beat {
    every: Duration,
    next: Instant,
    rng: Rng,
}

impl Beat {
    fn new(every: Duration, rng: Rng) -> Self {
        let mut beat = Self { every, next: Instant::now(), rng };
        beat.advance();
        beat
    }

    /// Says whether it is due. Then it is due again after half to one and a half of its time.
    fn is_due(&mut self) -> bool {
        let due = Instant::now() >= self.next;
        if due {
            self.advance();
        }
        due
    }

    fn advance(&mut self) {
        self.next += self.every.mul_f64(0.5 + self.rng.f64());
        // What was missed is not made up for.
        self.next = self.next.max(Instant::now());
    }
}

struct Chaos {
    crashes: Beat,
    kills: Beat,
    pool: Pool,
    open: BTreeMap<u64, Address<Blow>>,
    ledger: Arc<Ledger>,
}

impl Chaos {
    async fn reign(mut self, mut cx: Context<Order>) -> Result<(), Exit> {
        let mut calm = false;
        loop {
            let due = self.crashes.next.min(self.kills.next);
            let pause = cx.sleep(due.saturating_duration_since(Instant::now()));
            let order = async { Some(cx.recv().await) };
            let nothing = async {
                if calm {
                    pending::<()>().await;
                }
                pause.await;
                None
            };
            match or(order, nothing).await {
                Some(None) => break,
                Some(Some(Order::Opened(number, address))) => {
                    self.open.insert(number, address);
                }
                Some(Some(Order::Closed(number))) => {
                    self.open.remove(&number);
                }
                Some(Some(Order::Calm(reply))) => {
                    calm = true;
                    reply.send(());
                }
                None => self.strike(),
            }
        }
        // The connections have ended before: what they told is of no use any more.
        while cx.try_recv().is_some() {}
        Ok(())
    }

    fn strike(&mut self) {
        if self.crashes.is_due() {
            let worker = self.crashes.rng.usize(..self.pool.size());
            // One that is down already cannot be crashed again.
            if self.ledger.doom(worker) {
                self.pool.crash(worker);
            }
        }
        if self.kills.is_due() {
            let (draw, panics) = (self.kills.rng.u64(..), self.kills.rng.bool());
            let blow = if panics { Blow::Panic } else { Blow::Error };
            let victim = self.open.keys().nth(draw as usize % self.open.len().max(1)).copied();
            if let Some(address) = victim.and_then(|number| self.open.remove(&number))
                && address.tell(blow).is_ok()
            {
                self.ledger.kills.fetch_add(1, Relaxed);
            }
        }
    }
}
