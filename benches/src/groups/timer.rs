//! `timer`: what it costs to wait for a time, and not to wait for it after all.

use crate::bench::{FLOOR, Failure, Group, Measured, OURS, Subject, Unit, Workload};
use crate::latch::{Countdown, latch};
use crate::subjects::executors::{AsyncExecutor, Bastion, Executor, Tokio};
use crate::subjects::floor;
use crate::subjects::services::Timers;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

/// Farther away than any measurement lasts.
const FAR: Duration = Duration::from_secs(3_600);

const NO_TIMERS: &str = "it has no timers";

pub(super) const GROUP: Group = Group {
    name: "timer",
    about: "wait for a time (async-executor: the timers of async-io)",
    workloads: &[SLEEP, NOT_FIRED, MILLION],
};

/// A workload for those who have timers.
macro_rules! on_timers {
    ($name:literal, $about:literal, $operations:literal, $function:ident $(, $floor:expr)?) => {
        Workload {
            name: $name,
            about: $about,
            unit: Unit::Nanoseconds,
            operations: $operations,
            subjects: &[
                Subject::here(OURS, $function::<Bastion>),
                Subject::here("tokio", $function::<Tokio>),
                Subject::here("async-executor", $function::<AsyncExecutor>),
                Subject::not("bastion-executor-0.4", NO_TIMERS),
                $(Subject::here(FLOOR, $floor),)?
            ],
        }
    };
}

const SLEEP: Workload = on_timers!(
    "sleep-1ms",
    "outside, 10,000 processes: start all, each sleeps 1 ms, until all have slept",
    10_000,
    sleep
);

const NOT_FIRED: Workload = on_timers!(
    "far-cancelled",
    "inside, 100,000 times: start a far timer, drop it (floor: clock, ordered map)",
    100_000,
    far_cancelled,
    floor::far_timer
);

const MILLION: Workload = on_timers!(
    "million-pending",
    "inside: start a million far timers, then drop them (floor: clock, ordered map)",
    1_000_000,
    pending,
    floor::far_timers
);

fn sleep<E: Timers>(count: u32) -> Measured {
    E::start();
    let (finish, mut wait) = latch();
    let countdown = Countdown::leaked(count, finish);
    wait.start();
    for _ in 0..count {
        E::spawn_detached(async {
            E::sleep(Duration::from_millis(1)).await;
            countdown.arrive();
        });
    }
    wait.measured()
}

/// Polls once; true when the future waits.
async fn waits(mut future: Pin<&mut impl Future>) -> bool {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

/// Does the work inside a worker, where tokio's timers must be made.
fn inside<E: Executor>(work: impl Future<Output = Measured> + Send + 'static) -> Measured {
    let (finish, wait) = latch();
    E::start();
    E::spawn_detached(async move { finish.result(work.await) });
    wait.measured()
}

fn far_cancelled<E: Timers>(count: u32) -> Measured {
    inside::<E>(async move {
        let start = Instant::now();
        for _ in 0..count {
            if !waits(pin!(E::sleep(FAR))).await {
                return Err(Failure::new("a far timer has fired"));
            }
        }
        Ok(start.elapsed().into())
    })
}

fn pending<E: Timers>(count: u32) -> Measured {
    inside::<E>(async move {
        let start = Instant::now();
        let mut timers = Vec::with_capacity(count as usize);
        for number in 0..count {
            let after = FAR + Duration::from_micros(number.into());
            timers.push(Box::pin(E::sleep(after)));
            if let Some(timer) = timers.last_mut()
                && !waits(timer.as_mut()).await
            {
                return Err(Failure::new("a far timer has fired"));
            }
        }
        drop(timers);
        Ok(start.elapsed().into())
    })
}
