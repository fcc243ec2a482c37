//! ractor. Its actors are linked to a supervisor, which is told of their ends, and restarts by hand.

use super::super::executors::Tokio;
use super::storm::{CHILDREN, Next, Pattern, Percentiles, Storm};
use super::{Starts, StartsAndStops, Storms, Way};
use crate::bench::{Amount, Failure, Measured};
use crate::latch::{Countdown, latch};
use crate::memory::resident_bytes;
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Is told of each end, and counts it.
struct Counter;

impl Actor for Counter {
    type Msg = ();
    type State = Option<&'static Countdown>;
    type Arguments = Option<&'static Countdown>;

    async fn pre_start(
        &self,
        _: ActorRef<()>,
        countdown: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(countdown)
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<()>,
        event: SupervisionEvent,
        countdown: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        if let (SupervisionEvent::ActorTerminated(..), Some(countdown)) = (event, countdown) {
            countdown.arrive();
        }
        Ok(())
    }
}

/// Ends as soon as it has started.
struct Ender;

impl Actor for Ender {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn post_start(
        &self,
        myself: ActorRef<()>,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        myself.stop(None);
        Ok(())
    }
}

/// Waits until it is stopped.
struct Idle;

impl Actor for Idle {
    type Msg = ();
    type State = ();
    type Arguments = &'static Countdown;

    async fn pre_start(
        &self,
        _: ActorRef<()>,
        countdown: &'static Countdown,
    ) -> Result<(), ActorProcessingErr> {
        countdown.arrive();
        Ok(())
    }
}

fn supervisor(countdown: Option<&'static Countdown>) -> Result<ActorRef<()>, Failure> {
    Ok(Tokio::runtime().block_on(Counter::spawn(None, Counter, countdown))?.0)
}

pub(crate) struct Ractor;

impl Starts for Ractor {
    fn all(count: u32) -> Measured {
        let (finish, mut wait) = latch();
        let supervisor = supervisor(Some(Countdown::leaked(count, finish)))?;
        let starter = supervisor.clone();
        wait.start();
        Tokio::runtime().spawn(async move {
            for _ in 0..count {
                let started = Ender::spawn_linked(None, Ender, (), starter.get_cell()).await;
                if started.is_err() {
                    break;
                }
            }
        });
        let took = wait.measured();
        supervisor.stop(None);
        took
    }

    fn each(count: u32) -> Measured {
        let supervisor = supervisor(None)?;
        Tokio::in_task(async move {
            let start = Instant::now();
            for _ in 0..count {
                let (_, end) = Ender::spawn_linked(None, Ender, (), supervisor.get_cell()).await?;
                end.await?;
            }
            let took = start.elapsed();
            supervisor.stop(None);
            Ok(took.into())
        })
    }
}

impl StartsAndStops for Ractor {
    const NAME: &'static str = "ractor";

    fn start_and_stop(count: u32, _: Way) -> Result<[u64; 2], Failure> {
        let supervisor = supervisor(None)?;
        let (started, mut wait) = latch();
        let countdown = Countdown::leaked(count, started);
        let starter = supervisor.get_cell();
        wait.start();
        Tokio::runtime().spawn(async move {
            for _ in 0..count {
                if Idle::spawn_linked(None, Idle, countdown, starter.clone()).await.is_err() {
                    break;
                }
            }
        });
        let started = wait.measured()?;
        let stopped = Tokio::in_task(async move {
            let start = Instant::now();
            supervisor.stop_children_and_wait(None, None).await;
            supervisor.stop_and_wait(None, None).await?;
            Ok(start.elapsed().into())
        })?;
        Ok([started.0, stopped.0])
    }
}

/// The memory of linked actors that wait.
pub(crate) fn bytes_of_worker(count: u32) -> Measured {
    let supervisor = supervisor(None)?;
    let fill = |count: u32| -> Result<(), Failure> {
        let (finish, wait) = latch();
        let countdown = Countdown::leaked(count, finish);
        let cell = supervisor.get_cell();
        Tokio::runtime().block_on(async {
            for _ in 0..count {
                Idle::spawn_linked(None, Idle, countdown, cell.clone()).await?;
            }
            Ok::<(), Failure>(())
        })?;
        wait.ended()
    };
    fill(64)?;
    let before = resident_bytes()?;
    fill(count)?;
    Ok(Amount(resident_bytes()?.saturating_sub(before)))
}

/// The children of a storm, and the storm.
struct Yard {
    storm: Storm,
    /// Each one's latest address.
    addresses: Mutex<Vec<Option<ActorRef<()>>>>,
}

impl Yard {
    fn tell(&self, next: Next) {
        let addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let tell = |child: u32| {
            if let Some(Some(address)) = addresses.get(child as usize) {
                let _ = address.cast(());
            }
        };
        match next {
            Next::Nobody => {}
            Next::One(child) => tell(child),
            Next::Many(children) => children.into_iter().for_each(tell),
        }
    }
}

struct Crasher;

impl Actor for Crasher {
    type Msg = ();
    type State = (u32, Arc<Yard>);
    type Arguments = (u32, Arc<Yard>);

    async fn pre_start(
        &self,
        _: ActorRef<()>,
        place: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(place)
    }

    async fn post_start(
        &self,
        myself: ActorRef<()>,
        (number, yard): &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        {
            let mut addresses = yard.addresses.lock().unwrap_or_else(PoisonError::into_inner);
            addresses[*number as usize] = Some(myself);
        }
        yard.tell(yard.storm.up(*number));
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<()>,
        (): (),
        (number, yard): &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        yard.storm.crash(*number);
        Err("told to fail".into())
    }
}

/// Starts the children of a storm, and another one for each that crashes.
struct Restarter;

impl Restarter {
    async fn start(
        myself: &ActorRef<()>,
        number: u32,
        (yard, numbers): &mut (Arc<Yard>, HashMap<ActorId, u32>),
    ) -> Result<(), ActorProcessingErr> {
        let place = (number, yard.clone());
        let (child, _) = Crasher::spawn_linked(None, Crasher, place, myself.get_cell()).await?;
        numbers.insert(child.get_id(), number);
        Ok(())
    }
}

impl Actor for Restarter {
    type Msg = ();
    type State = (Arc<Yard>, HashMap<ActorId, u32>);
    type Arguments = Arc<Yard>;

    async fn pre_start(
        &self,
        myself: ActorRef<()>,
        yard: Arc<Yard>,
    ) -> Result<Self::State, ActorProcessingErr> {
        let mut state = (yard, HashMap::new());
        for number in 0..CHILDREN {
            Restarter::start(&myself, number, &mut state).await?;
        }
        Ok(state)
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<()>,
        event: SupervisionEvent,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(who, _) = event
            && let Some(number) = state.1.remove(&who.get_id())
        {
            Restarter::start(&myself, number, state).await?;
        }
        Ok(())
    }
}

impl Storms for Ractor {
    const NAME: &'static str = "ractor";

    fn storm(crashes: u32, pattern: Pattern) -> Result<Percentiles, Failure> {
        let (storm, wait) = Storm::new(CHILDREN, crashes, pattern);
        let addresses = Mutex::new(vec![None; CHILDREN as usize]);
        let yard = Arc::new(Yard { storm, addresses });
        let restarter = Restarter::spawn(None, Restarter, yard.clone());
        let (restarter, _) = Tokio::runtime().block_on(restarter)?;
        wait.measured()?;
        Tokio::in_task(async move {
            restarter.stop_children_and_wait(None, None).await;
            restarter.stop_and_wait(None, None).await?;
            Ok(Amount(0))
        })?;
        // The addresses would keep the children, and those the yard.
        yard.addresses.lock().unwrap_or_else(PoisonError::into_inner).clear();
        yard.storm.percentiles()
    }
}
