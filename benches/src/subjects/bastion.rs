//! This project: supervised processes with typed messages, on its own executor.

use super::executors::{self, Executor};
use super::{LOAD, Tally};
use crate::bench::{Failure, Measured};
use crate::latch::latch;
use bastion_supervision::plan::{Backoff, RestartType};
use bastion_supervision::{
    Address, Child, Context, Exit, Reply, Runtime, Supervisor, System, child,
};
use std::future::Future;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// What the processes of all rows understand.
enum Order {
    Add(u64),
    Get(Reply<u64>),
    Fail,
    Panic,
    Stop,
}

/// Returns the system of all rows. Its supervisor of `spawn_child` has every process but the one that fails.
pub(crate) fn system() -> &'static System {
    static SYSTEM: OnceLock<System> = OnceLock::new();
    executors::Bastion::start();
    SYSTEM.get_or_init(|| System::new(Runtime::executor()))
}

/// Describes a process that ends for good when its body does.
pub(crate) fn once<M, Fut>(start: impl Fn(Context<M>) -> Fut + Send + Sync + 'static) -> Child<M>
where
    M: Send + 'static,
    Fut: Future<Output = Result<(), Exit>> + Send + 'static,
{
    child(start).restart(RestartType::Temporary)
}

/// Tells one process `count` messages from so many others, until it has handled all.
fn tell(count: u32, senders: u32) -> Measured {
    let (finish, mut wait) = latch();
    let receiver = system().spawn_child(once(move |mut cx: Context<Order>| {
        let mut tally = Tally::new(count, finish.clone());
        async move {
            while let Some(order) = cx.recv().await {
                if let Order::Add(load) = order
                    && tally.add(load)
                {
                    break;
                }
            }
            Ok(())
        }
    }))?;
    wait.start();
    for _ in 0..senders {
        let receiver = receiver.clone();
        system().spawn_child(once(move |_: Context<Order>| {
            let receiver = receiver.clone();
            async move {
                for _ in 0..count / senders {
                    receiver.tell(Order::Add(LOAD))?;
                }
                Ok(())
            }
        }))?;
    }
    wait.measured()
}

/// `tell` from one process.
pub(crate) fn tell_from_one(count: u32) -> Measured {
    tell(count, 1)
}

/// `tell` from eight processes.
pub(crate) fn tell_from_eight(count: u32) -> Measured {
    tell(count, 8)
}

/// Answers, and fails when told to.
async fn worker(mut cx: Context<Order>) -> Result<(), Exit> {
    while let Some(order) = cx.recv().await {
        match order {
            Order::Get(reply) => reply.send(LOAD),
            Order::Fail => return Err(Exit::error("told to fail")),
            Order::Panic => panic!("told to panic"),
            Order::Stop => break,
            Order::Add(_) => {}
        }
    }
    Ok(())
}

/// Runs a body in a process of the system, and passes on how long it says that it took.
pub(super) fn in_process<Fut>(body: impl Fn() -> Fut + Send + Sync + 'static) -> Measured
where
    Fut: Future<Output = Measured> + Send + 'static,
{
    let (finish, wait) = latch();
    system().spawn_child(once(move |_: Context<()>| {
        let (body, finish) = (body(), finish.clone());
        async move {
            finish.result(body.await);
            Ok(())
        }
    }))?;
    wait.measured()
}

/// `ask`, one question after another.
pub(crate) fn ask(count: u32) -> Measured {
    static WORKER: OnceLock<Address<Order>> = OnceLock::new();
    let address = match WORKER.get() {
        Some(address) => address,
        None => {
            let address = system().spawn_child(child(worker))?;
            WORKER.get_or_init(|| address)
        }
    };
    in_process(move || async move {
        let start = Instant::now();
        for _ in 0..count {
            expect_load(address.ask(Order::Get).await?)?;
        }
        Ok(start.elapsed().into())
    })
}

/// Starts a supervised process, asks it, tells it to stop, and awaits its end.
pub(crate) fn spawn_ask_stop(count: u32) -> Measured {
    in_process(move || async move {
        let start = Instant::now();
        for _ in 0..count {
            let address = system().spawn_child(once(worker))?;
            expect_load(address.ask(Order::Get).await?)?;
            address.tell(Order::Stop)?;
            address.ended().await;
        }
        Ok(start.elapsed().into())
    })
}

pub(super) fn expect_load(answer: u64) -> Result<(), Failure> {
    if answer == LOAD { Ok(()) } else { Err(Failure::new("a wrong answer")) }
}

/// Has a process fail, and asks it: the answer comes from the next incarnation.
fn restart(count: u32, fail: fn() -> Order) -> Measured {
    let address = failing()?;
    let before = address.incarnation();
    let took = in_process(move || async move {
        let start = Instant::now();
        for _ in 0..count {
            address.tell(fail())?;
            expect_load(address.ask(Order::Get).await?)?;
        }
        Ok(start.elapsed().into())
    })?;
    if address.incarnation() - before == count {
        Ok(took)
    } else {
        Err(Failure::new("not restarted once for each failure"))
    }
}

/// Returns the address of the process that fails, below a supervisor that bears it.
fn failing() -> Result<&'static Address<Order>, Failure> {
    static FAILING: OnceLock<Address<Order>> = OnceLock::new();
    if let Some(address) = FAILING.get() {
        return Ok(address);
    }
    let failing = child(worker).named("failing").backoff(Backoff::immediate());
    let address = failing.address();
    let supervisor = Supervisor::new("restarts").unlimited().child(failing);
    bastion_executor::run(bastion_executor::timeout(
        Duration::from_secs(60),
        system().supervise(supervisor),
    ))??;
    Ok(FAILING.get_or_init(|| address))
}

/// A restart after an error.
pub(crate) fn restart_by_error(count: u32) -> Measured {
    restart(count, || Order::Fail)
}

/// A restart after a panic.
pub(crate) fn restart_by_panic(count: u32) -> Measured {
    restart(count, || Order::Panic)
}
