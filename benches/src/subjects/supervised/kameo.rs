//! kameo, with its own supervision.

use super::super::executors::Tokio;
use super::storm::{CHILDREN, Next, Pattern, Percentiles, Storm};
use super::{Starts, StartsAndStops, Storms, Way};
use crate::bench::{Amount, Failure, Measured};
use crate::latch::{Countdown, latch};
use crate::memory::resident_bytes;
use kameo::actor::{Actor, ActorRef, Spawn, WeakActorRef};
use kameo::error::{ActorStopReason, Infallible};
use kameo::mailbox;
use kameo::message::{Context, Message};
use kameo::supervision::{RestartPolicy, SupervisionStrategy};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How many are started before all are awaited, where their memory is measured: the queues stay small.
const BATCH: u32 = 64;

struct Supervisor;

impl Actor for Supervisor {
    type Args = ();
    type Error = Infallible;

    async fn on_start((): (), _: ActorRef<Supervisor>) -> Result<Supervisor, Infallible> {
        Ok(Supervisor)
    }
}

/// Ends as soon as it has started.
#[derive(Clone)]
struct Ender(Option<&'static Countdown>);

impl Actor for Ender {
    type Args = Ender;
    type Error = Infallible;

    async fn on_start(ender: Ender, myself: ActorRef<Ender>) -> Result<Ender, Infallible> {
        let _ = myself.stop_gracefully().await;
        Ok(ender)
    }

    async fn on_stop(
        &mut self,
        _: WeakActorRef<Ender>,
        _: ActorStopReason,
    ) -> Result<(), Infallible> {
        if let Some(countdown) = self.0 {
            countdown.arrive();
        }
        Ok(())
    }
}

/// Starts a worker that ends by itself and is not restarted.
async fn start(supervisor: &ActorRef<Supervisor>, ender: Ender) -> ActorRef<Ender> {
    let builder = Ender::supervise(supervisor, ender).restart_policy(RestartPolicy::Never);
    builder.spawn_with_mailbox(mailbox::unbounded()).await
}

pub(crate) struct Kameo;

impl Starts for Kameo {
    fn all(count: u32) -> Measured {
        let _entered = Tokio::runtime().enter();
        let (finish, mut wait) = latch();
        let countdown = Countdown::leaked(count, finish);
        let supervisor = Supervisor::spawn(());
        let starter = supervisor.clone();
        wait.start();
        Tokio::runtime().spawn(async move {
            for _ in 0..count {
                drop(start(&starter, Ender(Some(countdown))).await);
            }
        });
        let took = wait.measured();
        supervisor.kill();
        took
    }

    fn each(count: u32) -> Measured {
        let _entered = Tokio::runtime().enter();
        let supervisor = Supervisor::spawn(());
        Tokio::in_task(async move {
            let begin = Instant::now();
            for _ in 0..count {
                start(&supervisor, Ender(None)).await.wait_for_shutdown().await;
            }
            let took = begin.elapsed();
            supervisor.kill();
            Ok(took.into())
        })
    }
}

/// Waits until it is stopped.
#[derive(Clone)]
struct Idle(&'static Countdown);

impl Actor for Idle {
    type Args = Idle;
    type Error = Infallible;

    async fn on_start(idle: Idle, _: ActorRef<Idle>) -> Result<Idle, Infallible> {
        idle.0.arrive();
        Ok(idle)
    }
}

/// Starts workers that wait, until all run.
fn fill(supervisor: &ActorRef<Supervisor>, count: u32) -> Measured {
    let (finish, mut wait) = latch();
    let countdown = Countdown::leaked(count, finish);
    let supervisor = supervisor.clone();
    wait.start();
    Tokio::runtime().spawn(async move {
        for _ in 0..count {
            let builder = Idle::supervise(&supervisor, Idle(countdown));
            drop(builder.spawn_with_mailbox(mailbox::unbounded()).await);
        }
    });
    wait.measured()
}

impl StartsAndStops for Kameo {
    const NAME: &'static str = "kameo";

    fn start_and_stop(count: u32, _: Way) -> Result<[u64; 2], Failure> {
        let _entered = Tokio::runtime().enter();
        let supervisor = Supervisor::spawn(());
        let started = fill(&supervisor, count)?;
        let stopped = Tokio::in_task(async move {
            let start = Instant::now();
            supervisor.stop_gracefully().await.map_err(|error| Failure::new(error.to_string()))?;
            supervisor.wait_for_shutdown().await;
            Ok(start.elapsed().into())
        })?;
        Ok([started.0, stopped.0])
    }
}

/// The memory of supervised actors that wait.
pub(crate) fn bytes_of_worker(count: u32) -> Measured {
    let _entered = Tokio::runtime().enter();
    let supervisor = Supervisor::spawn(());
    fill(&supervisor, BATCH)?;
    let before = resident_bytes()?;
    let mut left = count;
    while left > 0 {
        let batch = left.min(BATCH);
        fill(&supervisor, batch)?;
        left -= batch;
    }
    Ok(Amount(resident_bytes()?.saturating_sub(before)))
}

/// The children of a storm, and the storm.
struct Yard {
    storm: Storm,
    addresses: OnceLock<Vec<ActorRef<Crasher>>>,
}

impl Yard {
    fn tell(&self, next: Next) {
        let addresses = self.addresses.get().map(Vec::as_slice).unwrap_or_default();
        let tell = |child: u32| {
            if let Some(address) = addresses.get(child as usize) {
                let _ = address.tell(Fail).try_send();
            }
        };
        match next {
            Next::Nobody => {}
            Next::One(child) => tell(child),
            Next::Many(children) => children.into_iter().for_each(tell),
        }
    }
}

#[derive(Clone)]
struct Crasher {
    number: u32,
    yard: Arc<Yard>,
}

impl Actor for Crasher {
    type Args = Crasher;
    type Error = Infallible;

    async fn on_start(crasher: Crasher, _: ActorRef<Crasher>) -> Result<Crasher, Infallible> {
        // Not before everybody's address is known.
        if crasher.yard.addresses.get().is_some() {
            crasher.yard.tell(crasher.yard.storm.up(crasher.number));
        }
        Ok(crasher)
    }
}

struct Fail;

#[derive(Debug)]
struct Failed;

impl Message<Fail> for Crasher {
    type Reply = Result<(), Failed>;

    async fn handle(&mut self, _: Fail, _: &mut Context<Self, Self::Reply>) -> Self::Reply {
        self.yard.storm.crash(self.number);
        Err(Failed)
    }
}

/// Tells a child that all are there.
struct Begin;

impl Message<Begin> for Crasher {
    type Reply = ();

    async fn handle(&mut self, _: Begin, _: &mut Context<Self, ()>) {
        self.yard.tell(self.yard.storm.up(self.number));
    }
}

impl Storms for Kameo {
    const NAME: &'static str = "kameo";

    fn storm(crashes: u32, pattern: Pattern) -> Result<Percentiles, Failure> {
        let _entered = Tokio::runtime().enter();
        let (storm, wait) = Storm::new(CHILDREN, crashes, pattern);
        let yard = Arc::new(Yard { storm, addresses: OnceLock::new() });
        let supervisor = Supervisor::spawn(());
        let mut addresses = Vec::new();
        Tokio::runtime().block_on(async {
            for number in 0..CHILDREN {
                let crasher = Crasher { number, yard: yard.clone() };
                let builder = Crasher::supervise(&supervisor, crasher)
                    .restart_limit(u32::MAX, Duration::from_secs(1));
                addresses.push(builder.spawn_with_mailbox(mailbox::unbounded()).await);
            }
            for address in &addresses {
                address.wait_for_startup().await;
            }
        });
        let _ = yard.addresses.set(addresses.clone());
        for address in &addresses {
            let told = address.tell(Begin).try_send();
            told.map_err(|error| Failure::new(error.to_string()))?;
        }
        let ended = wait.measured();
        supervisor.kill();
        ended?;
        yard.storm.percentiles()
    }
}

/// Restarts all when one fails.
struct OneForAll;

impl Actor for OneForAll {
    type Args = ();
    type Error = Infallible;

    fn supervision_strategy() -> SupervisionStrategy {
        SupervisionStrategy::OneForAll
    }

    async fn on_start((): (), _: ActorRef<OneForAll>) -> Result<OneForAll, Infallible> {
        Ok(OneForAll)
    }
}

/// A child of that supervisor: its first start arrives at one place, its second at another.
#[derive(Clone)]
struct Together {
    starts: Arc<AtomicUsize>,
    arrivals: [&'static Countdown; 2],
}

impl Actor for Together {
    type Args = Together;
    type Error = Infallible;

    async fn on_start(child: Together, _: ActorRef<Together>) -> Result<Together, Infallible> {
        let start = child.starts.fetch_add(1, Relaxed);
        if let Some(countdown) = child.arrivals.get(start) {
            countdown.arrive();
        }
        Ok(child)
    }
}

impl Message<Fail> for Together {
    type Reply = Result<(), Failed>;

    async fn handle(&mut self, _: Fail, _: &mut Context<Self, Self::Reply>) -> Self::Reply {
        Err(Failed)
    }
}

/// One crash of the first child, until all children run again.
pub(crate) fn one_for_all(children: u32) -> Measured {
    let _entered = Tokio::runtime().enter();
    let (finish, mut wait) = latch();
    let (started, all_started) = latch();
    let arrivals = [started, finish].map(|finish| Countdown::leaked(children, finish));
    let supervisor = OneForAll::spawn(());
    let addresses = Tokio::runtime().block_on(async {
        let mut addresses = Vec::new();
        for _ in 0..children {
            let child = Together { starts: Arc::new(AtomicUsize::new(0)), arrivals };
            let builder = Together::supervise(&supervisor, child)
                .restart_limit(u32::MAX, Duration::from_secs(1));
            addresses.push(builder.spawn_with_mailbox(mailbox::unbounded()).await);
        }
        addresses
    });
    all_started.ended()?;
    wait.start();
    let told = addresses[0].tell(Fail).try_send();
    told.map_err(|error| Failure::new(error.to_string()))?;
    let took = wait.measured();
    supervisor.kill();
    took
}
