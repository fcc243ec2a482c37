//! This project's supervisors.

use super::super::LOAD;
use super::super::bastion::{in_process, once, system};
use super::storm::{CHILDREN, Next, Pattern, Percentiles, Storm};
use super::{Starts, StartsAndStops, Storms, Way};
use crate::bench::{Failure, Measured};
use crate::latch::{Countdown, latch};
use bastion_supervision::plan::{Backoff, RestartType, Strategy};
use bastion_supervision::{Address, Child, Context, Exit, Reply, Supervisor, SupervisorRef, child};
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Nothing here takes so long.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs a future on the calling thread, which is no worker.
fn outside<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    bastion_executor::run(bastion_executor::timeout(LIMIT, future)).map_err(Failure::from)
}

/// Starts a supervisor below the system's root.
fn supervise(supervisor: Supervisor) -> Result<SupervisorRef, Failure> {
    Ok(outside(system().supervise(supervisor))??)
}

/// Stops a supervisor with all its children, and forgets it.
fn end(supervisor: &SupervisorRef) -> Result<(), Failure> {
    let pid = supervisor.pid().ok_or_else(|| Failure::new("the supervisor has no pid"))?;
    outside(async {
        system().root().stop_child(pid).await?;
        system().root().delete_child(pid).await
    })??;
    Ok(())
}

/// Returns the supervisor of all workers that end by themselves.
fn of_workers() -> Result<&'static SupervisorRef, Failure> {
    static WORKERS: OnceLock<SupervisorRef> = OnceLock::new();
    if let Some(supervisor) = WORKERS.get() {
        return Ok(supervisor);
    }
    let supervisor = supervise(Supervisor::dynamic("workers").unlimited())?;
    Ok(WORKERS.get_or_init(|| supervisor))
}

/// Arrives when it is dropped: as part of a child's start closure, when the supervisor lets go of the child.
struct Arrives(&'static Countdown);

impl Drop for Arrives {
    fn drop(&mut self) {
        self.0.arrive();
    }
}

pub(crate) struct Ours;

impl Starts for Ours {
    fn all(count: u32) -> Measured {
        let supervisor = of_workers()?;
        let (finish, mut wait) = latch();
        let countdown = Countdown::leaked(count, finish);
        wait.start();
        system().spawn_child(once(move |_: Context<()>| async move {
            for _ in 0..count {
                let gone = Arrives(countdown);
                supervisor.spawn_child(once(move |_: Context<()>| {
                    let _ = &gone;
                    async { Ok(()) }
                }))?;
            }
            Ok(())
        }))?;
        wait.measured()
    }

    fn each(count: u32) -> Measured {
        let supervisor = of_workers()?;
        in_process(move || async move {
            let start = Instant::now();
            for _ in 0..count {
                let worker = once(|_: Context<()>| async { Ok(()) });
                supervisor.spawn_child(worker)?.ended().await;
            }
            Ok(start.elapsed().into())
        })
    }
}

/// Returns the receiver of the one message that the floor sends for each process: it arrives with each.
fn receiver(countdown: &'static Countdown) -> Result<Address<u64>, Failure> {
    Ok(system().spawn_child(once(move |mut cx: Context<u64>| async move {
        while let Some(load) = cx.recv().await {
            if load != LOAD {
                return Err(Exit::error("a wrong message"));
            }
            countdown.arrive();
        }
        Ok(())
    }))?)
}

/// The floor of starting all: processes on the executor, and one message for each.
pub(crate) fn floor_all(count: u32) -> Measured {
    let (finish, mut wait) = latch();
    let countdown = Countdown::leaked(2 * count, finish);
    let receiver = receiver(countdown)?;
    wait.start();
    system().spawn_child(once(move |_: Context<()>| {
        let receiver = receiver.clone();
        async move {
            for _ in 0..count {
                bastion_executor::spawn_detached(async { countdown.arrive() });
                receiver.tell(LOAD)?;
            }
            Ok(())
        }
    }))?;
    wait.measured()
}

/// The floor of starting each: a process on the executor, a message, the process's end.
pub(crate) fn floor_each(count: u32) -> Measured {
    let (finish, mut wait) = latch();
    let receiver = receiver(Countdown::leaked(count, finish))?;
    wait.start();
    let took = in_process(move || {
        let receiver = receiver.clone();
        async move {
            let start = Instant::now();
            for _ in 0..count {
                let process = bastion_executor::spawn(async {});
                receiver.tell(LOAD)?;
                process.await;
            }
            Ok(start.elapsed().into())
        }
    })?;
    wait.measured()?;
    Ok(took)
}

/// The children of a storm, and the storm.
struct Yard {
    storm: Storm,
    addresses: OnceLock<Vec<Address<()>>>,
}

impl Yard {
    /// Tells who is next to crash.
    fn tell(&self, next: Next) {
        let addresses = self.addresses.get().map(Vec::as_slice).unwrap_or_default();
        let tell = |child: u32| {
            if let Some(address) = addresses.get(child as usize) {
                let _ = address.tell(());
            }
        };
        match next {
            Next::Nobody => {}
            Next::One(child) => tell(child),
            Next::Many(children) => children.into_iter().for_each(tell),
        }
    }
}

impl Storms for Ours {
    const NAME: &'static str = "bastion";

    fn storm(crashes: u32, pattern: Pattern) -> Result<Percentiles, Failure> {
        let (storm, wait) = Storm::new(CHILDREN, crashes, pattern);
        let yard = Arc::new(Yard { storm, addresses: OnceLock::new() });
        let mut supervisor = Supervisor::new("storm").unlimited();
        let mut addresses = Vec::new();
        for number in 0..CHILDREN {
            let yard = yard.clone();
            let crasher = child(move |mut cx: Context<()>| {
                let yard = yard.clone();
                async move {
                    yard.tell(yard.storm.up(number));
                    match cx.recv().await {
                        Some(()) => {
                            yard.storm.crash(number);
                            Err(Exit::error("told to fail"))
                        }
                        None => Ok(()),
                    }
                }
            });
            let crasher = crasher.backoff(Backoff::immediate());
            addresses.push(crasher.address());
            supervisor = supervisor.child(crasher);
        }
        let _ = yard.addresses.set(addresses);
        let supervisor = supervise(supervisor)?;
        wait.measured()?;
        end(&supervisor)?;
        yard.storm.percentiles()
    }
}

/// One crash of the first child, until all children run again.
pub(crate) fn one_for_all(children: u32) -> Measured {
    let (finish, mut wait) = latch();
    let (started, all_started) = latch();
    // The first incarnations arrive here, the second ones there.
    let first = Countdown::leaked(children, started);
    let second = Countdown::leaked(children, finish);
    let body = move |mut cx: Context<()>| {
        let countdown = if cx.address().incarnation() == 1 { first } else { second };
        async move {
            countdown.arrive();
            match cx.recv().await {
                Some(()) => Err(Exit::error("told to fail")),
                None => Ok(()),
            }
        }
    };
    let crasher = child(body);
    let address = crasher.address();
    let mut supervisor = Supervisor::new("all").strategy(Strategy::OneForAll).unlimited();
    supervisor = supervisor.child(crasher);
    for _ in 1..children {
        supervisor = supervisor.child(child(body));
    }
    let supervisor = supervise(supervisor)?;
    all_started.ended()?;
    wait.start();
    address.tell(())?;
    let took = wait.measured()?;
    let counts = outside(supervisor.counts())??;
    end(&supervisor)?;
    if counts.active == children as usize {
        Ok(took)
    } else {
        Err(Failure::new(format!("{} run instead of {children}", counts.active)))
    }
}

/// A worker that waits until it is stopped; it arrives when it runs.
fn idle(countdown: &'static Countdown) -> Child<()> {
    child(move |mut cx: Context<()>| async move {
        countdown.arrive();
        while cx.recv().await.is_some() {}
        Ok(())
    })
}

impl StartsAndStops for Ours {
    const NAME: &'static str = "bastion";

    fn start_and_stop(count: u32, way: Way) -> Result<[u64; 2], Failure> {
        let (finish, mut wait) = latch();
        let countdown = Countdown::leaked(count, finish);
        let supervisor = match way {
            Way::Ordered => {
                let mut supervisor = Supervisor::new("ordered");
                for _ in 0..count {
                    supervisor = supervisor.child(idle(countdown));
                }
                wait.start();
                supervise(supervisor)?
            }
            Way::Dynamic => {
                let supervisor = supervise(Supervisor::dynamic("dynamic"))?;
                let starter = supervisor.clone();
                wait.start();
                system().spawn_child(once(move |_: Context<()>| {
                    let starter = starter.clone();
                    async move {
                        for _ in 0..count {
                            starter.spawn_child(idle(countdown))?;
                        }
                        Ok(())
                    }
                }))?;
                supervisor
            }
        };
        let started = wait.measured()?;
        let counts = outside(supervisor.counts())??;
        if counts.active != count as usize {
            return Err(Failure::new(format!("{} run instead of {count}", counts.active)));
        }
        let start = Instant::now();
        end(&supervisor)?;
        Ok([started.0, crate::bench::Amount::from(start.elapsed()).0])
    }
}

/// How many idle children the supervisor has that is asked for their number.
const IDLE: u32 = 100_000;

/// Returns a supervisor with so many children that wait.
fn of_idle() -> Result<&'static SupervisorRef, Failure> {
    static IDLE_ONES: OnceLock<SupervisorRef> = OnceLock::new();
    if let Some(supervisor) = IDLE_ONES.get() {
        return Ok(supervisor);
    }
    let (finish, mut wait) = latch();
    let countdown = Countdown::leaked(IDLE, finish);
    let supervisor = supervise(Supervisor::dynamic("idle"))?;
    wait.start();
    for _ in 0..IDLE {
        supervisor.spawn_child(idle(countdown))?;
    }
    wait.measured()?;
    Ok(IDLE_ONES.get_or_init(|| supervisor))
}

/// Asks a supervisor how many children it has, one question after another.
pub(crate) fn counts(count: u32) -> Measured {
    let supervisor = of_idle()?;
    in_process(move || async move {
        let start = Instant::now();
        for _ in 0..count {
            let counts = supervisor.counts().await?;
            if counts.active != IDLE as usize {
                return Err(Failure::new(format!("{} run instead of {IDLE}", counts.active)));
            }
        }
        Ok(start.elapsed().into())
    })
}

/// The floor of that question: a process that waits is asked for a number, without a time limit, as supervisors are.
pub(crate) fn floor_of_counts(count: u32) -> Measured {
    static PLAIN: OnceLock<Address<Reply<u64>>> = OnceLock::new();
    let address = match PLAIN.get() {
        Some(address) => address,
        None => {
            let plain = child(|mut cx: Context<Reply<u64>>| async move {
                while let Some(reply) = cx.recv().await {
                    reply.send(LOAD);
                }
                Ok(())
            });
            let address = system().spawn_child(plain.restart(RestartType::Permanent))?;
            PLAIN.get_or_init(|| address)
        }
    };
    in_process(move || async move {
        let start = Instant::now();
        for _ in 0..count {
            if address.ask_timeout(Duration::MAX, |reply| reply).await? != LOAD {
                return Err(Failure::new("a wrong answer"));
            }
        }
        Ok(start.elapsed().into())
    })
}
