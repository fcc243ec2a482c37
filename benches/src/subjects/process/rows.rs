//! The rows of what comes without an executor: one generic function each.

use super::futures::{Dropped, Keeps, Leaves, Once, Waits, Yields, take};
use super::tasks::{Tasks, drain};
use super::{BATCH, Rows, check, note, sum_below, watched};
use crate::bench::{Failure, Measured};
use std::future::Future;
use std::hint::black_box;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

/// Processes without an executor.
pub(crate) struct Without<T>(PhantomData<T>);

/// Makes processes without a handle and drops them unrun.
pub(crate) fn create_drop<T: Tasks>(count: u32) -> Measured {
    watched(sum_below(count), || {
        for number in 0..count {
            drop(black_box(T::detached(Dropped(number.into()))));
        }
    })
}

impl<T: Tasks> Rows for Without<T> {
    fn create_run(count: u32) -> Measured {
        watched(sum_below(count), || {
            for number in 0..count {
                T::run(black_box(T::detached(Once(number.into()))));
            }
        })
    }

    fn create_run_handle(count: u32) -> Measured {
        watched(sum_below(count), || {
            for number in 0..count {
                let (task, handle) = T::awaited(Once(number.into()));
                T::run(black_box(task));
                T::detach(black_box(handle));
            }
        })
    }

    fn wake_poll(count: u32) -> Measured {
        let rounds = count / BATCH;
        start::<T, _>(|slot| Keeps::new(slot, rounds));
        let wakers: Vec<Waker> = (0..BATCH as usize).filter_map(take).collect();
        watched((rounds * BATCH).into(), || {
            for _ in 0..rounds {
                for waker in &wakers {
                    waker.wake_by_ref();
                }
                drain::<T>();
            }
        })
    }

    fn wake_by_value(count: u32) -> Measured {
        let rounds = count / BATCH;
        start::<T, _>(|slot| Leaves::new(slot, rounds));
        watched((rounds * BATCH).into(), || {
            for _ in 0..rounds {
                for slot in 0..BATCH as usize {
                    if let Some(waker) = take(slot) {
                        waker.wake();
                    }
                }
                drain::<T>();
            }
        })
    }

    fn yields(count: u32) -> Measured {
        let rounds = count / BATCH;
        watched(((rounds + 1) * BATCH).into(), || start::<T, _>(|_| Yields(rounds)))
    }

    fn await_before(count: u32) -> Measured {
        awaiter_is_woken::<T>()?;
        let cx = &mut Context::from_waker(Waker::noop());
        // Each number is noted by its process and by its handle.
        watched(2 * sum_below(count), || {
            for number in 0..count {
                let (task, mut handle) = T::awaited(Once(number.into()));
                if T::poll(black_box(&mut handle), cx).is_pending() {
                    T::run(black_box(task));
                    note_output(T::poll(black_box(&mut handle), cx));
                }
            }
        })
    }

    fn await_after(count: u32) -> Measured {
        let cx = &mut Context::from_waker(Waker::noop());
        watched(2 * sum_below(count), || {
            for number in 0..count {
                let (task, mut handle) = T::awaited(Once(number.into()));
                T::run(black_box(task));
                note_output(T::poll(black_box(&mut handle), cx));
            }
        })
    }

    fn cancel(count: u32) -> Measured {
        watched(2 * u64::from(count), || {
            for _ in 0..count {
                let (task, handle) = T::awaited(Waits);
                T::run(black_box(task));
                T::cancel(black_box(handle));
                drain::<T>();
            }
        })
    }
}

/// Makes a batch of processes in the queue and runs them until none is due.
fn start<T: Tasks, F>(future: impl Fn(usize) -> F)
where
    F: Future<Output = u64> + Send + 'static,
{
    for slot in 0..BATCH as usize {
        let task = T::detached(future(slot));
        T::queue().with_borrow_mut(|queue| queue.push_back(task));
    }
    drain::<T>();
}

#[inline]
fn note_output(polled: Poll<Option<u64>>) {
    if let Poll::Ready(Some(number)) = polled {
        note(number);
    }
}

/// Counts how often it is woken.
#[derive(Default)]
struct Counting(AtomicU32);

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Checks what the measurement cannot see, since its awaiter is one that does nothing.
fn awaiter_is_woken<T: Tasks>() -> Result<(), Failure> {
    let counting = Arc::new(Counting::default());
    let waker = Waker::from(counting.clone());
    let (task, mut handle) = T::awaited(Once(1));
    let pending = T::poll(&mut handle, &mut Context::from_waker(&waker)).is_pending();
    T::run(task);
    T::detach(handle);
    check(u64::from(pending) + u64::from(counting.0.load(Relaxed)), 2)
}
