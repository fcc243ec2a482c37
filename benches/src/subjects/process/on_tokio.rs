//! tokio's tasks. They come with a scheduler: a runtime of one thread, whose own costs are in each figure.
//!
//! The work is driven by a task among the others, so that no figure holds a wake-up of the runtime itself. It works in
//! batches, lets the batch run by waking itself, which puts it behind the others, and looks whether all have run.

use super::futures::{Keeps, Leaves, Once, Waits, Yields, take};
use super::watch::Watch;
use super::{BATCH, Rows, check, note, noted, sum_below};
use crate::bench::{Failure, Measured};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio::task::JoinHandle;

/// tokio's tasks, with its scheduler.
pub(crate) struct Tokio;

/// Runs a future as a task of a new runtime, and returns the runtime, too: dropping it ends all its tasks.
///
/// # Errors
/// Those of the future, and when no runtime can be made.
pub(super) fn on_runtime<T: Send + 'static>(
    driver: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<(T, tokio::runtime::Runtime), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let output = runtime.block_on(async { tokio::spawn(driver).await? })?;
    Ok((output, runtime))
}

/// Lets the others run, until so much is noted.
pub(super) async fn until_noted(goal: u64) {
    poll_fn(|cx| {
        if noted() >= goal {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Measures the time of a driver that is given what was noted before, and must note so much itself.
fn watched<Fut>(expected: u64, work: impl FnOnce(u64) -> Fut + Send + 'static) -> Measured
where
    Fut: Future<Output = ()> + Send + 'static,
{
    let measured = on_runtime(async move {
        let before = noted();
        let watch = Watch::start();
        work(before).await;
        let took = watch.elapsed();
        check(noted() - before, expected)?;
        Ok(took.into())
    });
    Ok(measured?.0)
}

/// Starts a batch of tasks with the next numbers; returns the sum of their numbers.
fn start(number: &mut u64, mut with: impl FnMut(JoinHandle<u64>)) -> u64 {
    let mut sum = 0;
    for _ in 0..BATCH {
        with(tokio::spawn(Once(*number)));
        sum += *number;
        *number += 1;
    }
    sum
}

fn note_outputs(handles: &mut Vec<JoinHandle<u64>>) {
    let cx = &mut Context::from_waker(Waker::noop());
    for mut handle in handles.drain(..) {
        if let Poll::Ready(Ok(number)) = Pin::new(&mut handle).poll(cx) {
            note(number);
        }
    }
}

/// Starts a batch of tasks that wait, until all have been polled.
async fn waiting<F>(future: impl Fn(usize) -> F)
where
    F: Future<Output = u64> + Send + 'static,
{
    let goal = noted() + u64::from(BATCH);
    for slot in 0..BATCH as usize {
        drop(tokio::spawn(future(slot)));
    }
    until_noted(goal).await;
}

impl Rows for Tokio {
    fn create_run(count: u32) -> Measured {
        let rounds = count / BATCH;
        watched(sum_below(rounds * BATCH), move |mut goal| async move {
            let mut number = 0;
            for _ in 0..rounds {
                goal += start(&mut number, drop);
                until_noted(goal).await;
            }
        })
    }

    fn create_run_handle(count: u32) -> Measured {
        let rounds = count / BATCH;
        watched(sum_below(rounds * BATCH), move |mut goal| async move {
            let mut handles = Vec::with_capacity(BATCH as usize);
            let mut number = 0;
            for _ in 0..rounds {
                goal += start(&mut number, |handle| handles.push(handle));
                until_noted(goal).await;
                handles.clear();
            }
        })
    }

    fn wake_poll(count: u32) -> Measured {
        let rounds = count / BATCH;
        let batch = u64::from(BATCH);
        watched(batch * u64::from(rounds + 1), move |mut goal| async move {
            waiting(|slot| Keeps::new(slot, rounds)).await;
            goal += batch;
            let wakers: Vec<Waker> = (0..BATCH as usize).filter_map(take).collect();
            for _ in 0..rounds {
                for waker in &wakers {
                    waker.wake_by_ref();
                }
                goal += batch;
                until_noted(goal).await;
            }
        })
    }

    fn wake_by_value(count: u32) -> Measured {
        let rounds = count / BATCH;
        let batch = u64::from(BATCH);
        watched(batch * u64::from(rounds + 1), move |mut goal| async move {
            waiting(|slot| Leaves::new(slot, rounds)).await;
            goal += batch;
            for _ in 0..rounds {
                for slot in 0..BATCH as usize {
                    if let Some(waker) = take(slot) {
                        waker.wake();
                    }
                }
                goal += batch;
                until_noted(goal).await;
            }
        })
    }

    fn yields(count: u32) -> Measured {
        let rounds = count / BATCH;
        let polls = u64::from(BATCH) * u64::from(rounds + 1);
        watched(polls, move |before| async move {
            for _ in 0..BATCH {
                drop(tokio::spawn(Yields(rounds)));
            }
            until_noted(before + polls).await;
        })
    }

    fn await_before(count: u32) -> Measured {
        let rounds = count / BATCH;
        watched(2 * sum_below(rounds * BATCH), move |mut goal| async move {
            let mut handles = Vec::with_capacity(BATCH as usize);
            let mut number = 0;
            for _ in 0..rounds {
                let sum = start(&mut number, |mut handle| {
                    let cx = &mut Context::from_waker(Waker::noop());
                    if Pin::new(&mut handle).poll(cx).is_pending() {
                        handles.push(handle);
                    }
                });
                until_noted(goal + sum).await;
                note_outputs(&mut handles);
                goal += 2 * sum;
            }
        })
    }

    fn await_after(count: u32) -> Measured {
        let rounds = count / BATCH;
        watched(2 * sum_below(rounds * BATCH), move |mut goal| async move {
            let mut handles = Vec::with_capacity(BATCH as usize);
            let mut number = 0;
            for _ in 0..rounds {
                let sum = start(&mut number, |handle| handles.push(handle));
                until_noted(goal + sum).await;
                note_outputs(&mut handles);
                goal += 2 * sum;
            }
        })
    }

    fn cancel(count: u32) -> Measured {
        let rounds = count / BATCH;
        let batch = u64::from(BATCH);
        watched(2 * batch * u64::from(rounds), move |mut goal| async move {
            let mut handles = Vec::with_capacity(BATCH as usize);
            for _ in 0..rounds {
                handles.extend((0..BATCH).map(|_| tokio::spawn(Waits)));
                until_noted(goal + batch).await;
                for handle in handles.drain(..) {
                    handle.abort();
                }
                goal += 2 * batch;
                until_noted(goal).await;
            }
        })
    }
}
