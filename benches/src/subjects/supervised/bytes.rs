//! The memory of supervised processes: how far the resident bytes grow with each. Each measurement needs a process of its own.

use super::super::executors::{self, Executor};
use super::super::settings;
use crate::bench::{Amount, Failure, Measured};
use crate::latch::{Countdown, latch};
use crate::memory::resident_bytes;
use bastion_supervision::pid::Pid;
use bastion_supervision::plan::{ChildSpec, Order, Plan, RestartType, Settings, Time};
use bastion_supervision::{
    Child, Context, Exit, Report, Runtime, Supervisor, SupervisorRef, System, child,
};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;
use std::{hint, mem};

/// How many processes are started before all are awaited, so that the queues stay small.
const BATCH: u32 = 64;

/// Nothing here takes so long.
const LIMIT: Duration = Duration::from_secs(60);

/// The mind of a supervisor alone: a plan whose children all run.
pub(crate) fn bytes_of_plan(count: u32) -> Measured {
    let before = resident_bytes()?;
    let mut plan = Plan::new(Settings::default().order(Order::Unordered))?;
    let mut actions = Vec::new();
    for slot in 0..count {
        let adopted = plan.adopt(Pid::new(slot, 0), ChildSpec::worker(), Time::ZERO, &mut actions);
        adopted?;
        actions.clear();
    }
    let after = resident_bytes()?;
    let active = hint::black_box(&plan).counts().active;
    mem::forget((plan, actions));
    if active != count as usize {
        return Err(Failure::new(format!("{active} run instead of {count}")));
    }
    Ok(Amount(after.saturating_sub(before)))
}

/// Runs a future on the calling thread, which is no worker.
fn outside<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    bastion_executor::run(bastion_executor::timeout(LIMIT, future)).map_err(Failure::from)
}

/// A worker that waits; it arrives when it runs.
fn idle(countdown: &'static Countdown) -> Child<()> {
    child(move |mut cx: Context<()>| async move {
        countdown.arrive();
        while cx.recv().await.is_some() {}
        Ok(())
    })
}

/// Starts so many workers, in batches, until all have run and wait.
fn fill(supervisor: &SupervisorRef, count: u32) -> Result<(), Failure> {
    let mut left = count;
    while left > 0 {
        let batch = left.min(BATCH);
        let (finish, mut wait) = latch();
        wait.start();
        let countdown = Countdown::leaked(batch, finish);
        for _ in 0..batch {
            supervisor.spawn_child(idle(countdown))?;
        }
        wait.measured()?;
        left -= batch;
    }
    Ok(())
}

/// A whole worker that waits: its process, and all that its supervisor keeps for it.
pub(crate) fn bytes_of_worker(count: u32) -> Measured {
    executors::Bastion::start();
    let system = System::new(Runtime::executor());
    let supervisor = outside(system.supervise(Supervisor::dynamic("idle")))??;
    // The executor's and the supervisor's own.
    fill(&supervisor, BATCH)?;
    let before = resident_bytes()?;
    fill(&supervisor, count)?;
    let active = outside(supervisor.counts())??.active;
    let after = resident_bytes()?;
    // They wait for ever, so that the next measurement finds no freed memory.
    mem::forget(system);
    if active != (count + BATCH) as usize {
        return Err(Failure::new(format!("{active} run instead of {}", count + BATCH)));
    }
    Ok(Amount(after.saturating_sub(before)))
}

/// What the supervisor itself keeps for each worker.
///
/// A process that is spawned runs before its supervisor knows of it. So the supervisor is held in the report of a failure, on one worker
/// of two or more, until all workers run and wait; then it is let go, and what grows while it takes them in is its tables. The
/// queue in which they waited for it keeps its memory meanwhile.
pub(crate) fn bytes_of_supervisor(count: u32) -> Measured {
    if settings::workers() < 2 {
        return Err(Failure::new("it needs two workers: one is held"));
    }
    executors::Bastion::start();
    let (held, is_held) = sync_channel::<()>(1);
    let (let_go, gate) = sync_channel::<()>(1);
    let gate: Mutex<Receiver<()>> = Mutex::new(gate);
    let system = System::with_reports(Runtime::executor(), move |report| {
        if let Report::Supervisor { .. } = report
            && held.try_send(()).is_ok()
            && let Ok(gate) = gate.lock()
        {
            let _ = gate.recv_timeout(LIMIT);
        }
    });
    let supervisor = outside(system.supervise(Supervisor::dynamic("held").unlimited()))??;
    let fails = child(|_: Context<()>| async { Err(Exit::error("told to fail")) });
    supervisor.spawn_child(fails.restart(RestartType::Temporary))?;
    is_held.recv_timeout(LIMIT)?;
    fill(&supervisor, count)?;
    let before = resident_bytes()?;
    let_go.send(())?;
    let active = outside(supervisor.counts())??.active;
    let after = resident_bytes()?;
    mem::forget(system);
    if active != count as usize {
        return Err(Failure::new(format!("{active} run instead of {count}")));
    }
    Ok(Amount(after.saturating_sub(before)))
}
