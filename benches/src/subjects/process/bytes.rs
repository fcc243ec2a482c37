//! The memory of waiting processes: how far the resident bytes grow with each.
//!
//! A measurement leaks its processes, so that the next one finds no freed memory; it must have a process of its own.

use super::on_tokio::{on_runtime, until_noted};
use super::tasks::Tasks;
use super::{BATCH, check, note, noted};
use crate::bench::{Amount, Failure, Measured};
use crate::memory::resident_bytes;
use std::cell::RefCell;
use std::future::Future;
use std::hint::black_box;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// What a future notes that is dropped: none must be.
const DROPPED: u64 = 1 << 40;

thread_local! {
    /// The wakers of all that wait.
    static KEPT: RefCell<Vec<Waker>> = const { RefCell::new(Vec::new()) };
}

/// Carries so many bytes, and waits for ever.
struct Carries<const N: usize>([u8; N]);

impl<const N: usize> Carries<N> {
    #[inline]
    fn new() -> Self {
        Carries(black_box([7; N]))
    }
}

impl<const N: usize> Future for Carries<N> {
    type Output = u64;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u64> {
        black_box(&self.0);
        KEPT.with_borrow_mut(|kept| kept.push(cx.waker().clone()));
        note(1);
        Poll::Pending
    }
}

impl<const N: usize> Drop for Carries<N> {
    fn drop(&mut self) {
        note(DROPPED);
    }
}

/// Returns an empty vector whose memory is resident.
fn touched<T>(count: u32, mut sample: impl FnMut() -> T) -> Vec<T> {
    let mut vector: Vec<T> = (0..count).map(|_| sample()).collect();
    vector.clear();
    vector
}

/// Measures the growth during some work that leaves so many processes waiting.
fn growth(count: u32, work: impl FnOnce() -> Result<(), Failure>) -> Measured {
    KEPT.set(touched(count, || Waker::noop().clone()));
    let noted_before = noted();
    let before = resident_bytes()?;
    work()?;
    let after = resident_bytes()?;
    mem::forget(KEPT.take());
    check(noted() - noted_before, count.into())?;
    Ok(Amount(after.saturating_sub(before)))
}

/// Measures processes without an executor.
pub(crate) fn bytes<T: Tasks, const N: usize>(count: u32) -> Measured {
    growth(count, || {
        for _ in 0..count {
            T::run(T::detached(Carries::<N>::new()));
        }
        Ok(())
    })
}

/// Measures processes without an executor, each with a handle that is kept.
pub(crate) fn bytes_with_handle<T: Tasks, const N: usize>(count: u32) -> Measured {
    growth(count, || {
        for _ in 0..count {
            let (task, handle) = T::awaited(Carries::<N>::new());
            T::run(task);
            mem::forget(handle);
        }
        Ok(())
    })
}

/// Measures tokio's tasks.
pub(crate) fn bytes_on_tokio<const N: usize>(count: u32) -> Measured {
    growth(count, || {
        let goal = noted() + u64::from(count);
        let driver = async move {
            // In batches, so that the queue stays small.
            for made in 1..=count {
                drop(tokio::spawn(Carries::<N>::new()));
                if made % BATCH == 0 {
                    until_noted(goal - u64::from(count - made)).await;
                }
            }
            until_noted(goal).await;
            Ok(())
        };
        let ((), runtime) = on_runtime(driver)?;
        // Its end would be the end of the tasks.
        mem::forget(runtime);
        Ok(())
    })
}

/// Measures what nobody can do without: a state word, a pointer to the functions of the type, the bytes of the future.
pub(crate) fn bytes_of_floor<const N: usize>(count: u32) -> Measured {
    let mut kept = touched(count, || None);
    growth(count, || {
        for number in 0..count {
            kept.push(Some(Box::new((u64::from(number), 0_usize, [7_u8; N]))));
            note(1);
        }
        mem::forget(black_box(mem::take(&mut kept)));
        Ok(())
    })
}
