//! The floor: what every implementation must pay, and nothing else.
//!
//! A process is one allocation of the usual size: a state word, room for a vtable and an awaiter, the future behind a call
//! that nobody can see through. What happens to the state costs as many locked instructions as the best known protocol
//! needs: a process that only one place can reach needs none, since a load shows that.

use super::futures::{Dropped, Keeps, Leaves, Once, Waits, Yields, take};
use super::tasks::Queue;
use super::{BATCH, Rows, note, sum_below, watched};
use crate::bench::Measured;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::AcqRel};
use std::task::{Context, Poll, Waker};

/// What every implementation must pay.
pub(crate) struct Floor;

struct Cell<F: ?Sized> {
    state: AtomicU64,
    /// As much as a vtable and an awaiter need.
    _header: [usize; 3],
    future: F,
}

type Process = Box<Cell<dyn Future<Output = u64> + Send + Unpin>>;

#[inline]
fn create(future: impl Future<Output = u64> + Send + Unpin + 'static) -> Process {
    // Not zeros: the compiler would ask for zeroed memory, which the allocator has a slower way for.
    black_box(Box::new(Cell { state: AtomicU64::new(1), _header: [1; 3], future }))
}

impl<F: Future + Unpin + ?Sized> Cell<F> {
    /// Executes one locked instruction on the state.
    #[inline]
    fn change(&self) {
        self.state.fetch_add(1, AcqRel);
    }

    #[inline]
    fn poll(&mut self) -> Poll<F::Output> {
        Pin::new(&mut self.future).poll(&mut Context::from_waker(Waker::noop()))
    }
}

thread_local! {
    /// Indices of processes: as large as a pointer.
    static QUEUE: Queue<usize> = const { RefCell::new(VecDeque::new()) };
}

#[inline]
fn push(index: usize) {
    QUEUE.with_borrow_mut(|queue| queue.push_back(index));
}

#[inline]
fn pop() -> Option<usize> {
    QUEUE.with_borrow_mut(VecDeque::pop_front)
}

/// Makes a batch of processes that wait.
fn start<F>(future: impl Fn(usize) -> F) -> Vec<Process>
where
    F: Future<Output = u64> + Send + Unpin + 'static,
{
    let mut processes: Vec<Process> =
        (0..BATCH as usize).map(|slot| create(future(slot))).collect();
    for process in &mut processes {
        let _ = process.poll();
    }
    processes
}

/// Polls what is in the queue, and changes the state at the end of each poll.
#[inline]
fn drain(processes: &mut [Process]) {
    while let Some(index) = pop() {
        let _ = processes[index].poll();
        processes[index].change();
    }
}

/// Makes processes and drops them unrun.
pub(crate) fn create_drop(count: u32) -> Measured {
    watched(sum_below(count), || {
        for number in 0..count {
            drop(create(Dropped(number.into())));
        }
    })
}

impl Rows for Floor {
    fn create_run(count: u32) -> Measured {
        watched(sum_below(count), || {
            for number in 0..count {
                let _ = create(Once(number.into())).poll();
            }
        })
    }

    fn create_run_handle(count: u32) -> Measured {
        watched(sum_below(count), || {
            for number in 0..count {
                let mut process = create(Once(number.into()));
                let _ = process.poll();
                process.change();
            }
        })
    }

    fn wake_poll(count: u32) -> Measured {
        let rounds = count / BATCH;
        let mut processes = start(|slot| Keeps::new(slot, rounds));
        watched((rounds * BATCH).into(), || {
            for _ in 0..rounds {
                for (index, process) in processes.iter().enumerate() {
                    process.change();
                    push(index);
                }
                drain(&mut processes);
            }
        })
    }

    fn wake_by_value(count: u32) -> Measured {
        let rounds = count / BATCH;
        let mut processes = start(|slot| Leaves::new(slot, rounds));
        watched((rounds * BATCH).into(), || {
            for _ in 0..rounds {
                for (index, process) in processes.iter().enumerate() {
                    // The waker that does nothing stands for the call; its two changes are here.
                    if let Some(waker) = take(index) {
                        waker.wake();
                    }
                    process.change();
                    process.change();
                    push(index);
                }
                drain(&mut processes);
            }
        })
    }

    fn yields(count: u32) -> Measured {
        let rounds = count / BATCH;
        watched(((rounds + 1) * BATCH).into(), || {
            let mut processes: Vec<Process> = (0..BATCH).map(|_| create(Yields(rounds))).collect();
            (0..BATCH as usize).for_each(push);
            while let Some(index) = pop() {
                if processes[index].poll().is_pending() {
                    processes[index].change();
                    processes[index].change();
                    push(index);
                }
            }
        })
    }

    fn await_before(count: u32) -> Measured {
        watched(2 * sum_below(count), || {
            for number in 0..count {
                let mut process = create(Once(number.into()));
                // The handle registers; the process's end is published; the awaiter is taken out.
                process.change();
                let polled = process.poll();
                process.change();
                process.change();
                note_output(polled);
            }
        })
    }

    fn await_after(count: u32) -> Measured {
        watched(2 * sum_below(count), || {
            for number in 0..count {
                let mut process = create(Once(number.into()));
                let polled = process.poll();
                process.change();
                note_output(polled);
            }
        })
    }

    fn cancel(count: u32) -> Measured {
        watched(2 * u64::from(count), || {
            for _ in 0..count {
                let mut process = create(Waits);
                let _ = process.poll();
                // The poll's end, the cancellation, and the handle that goes.
                process.change();
                process.change();
                process.change();
                push(0);
                if pop().is_some() {
                    drop(process);
                }
            }
        })
    }
}

#[inline]
fn note_output(polled: Poll<u64>) {
    if let Poll::Ready(number) = polled {
        note(number);
    }
}
