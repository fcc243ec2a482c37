//! The floor of the executors' rows: what is left of the work when there is no executor. One thread, plain queues, no wakers.

use crate::bench::{Amount, Failure, Measured};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

/// A future on the heap, as every queue of processes must have it.
pub(crate) type Boxed = Pin<Box<dyn Future<Output = ()>>>;

/// Boxes a future, pushes it, pops it, polls it, frees it; one after another.
pub(crate) fn spawn_each(count: u32) -> Measured {
    let mut queue: VecDeque<Boxed> = VecDeque::new();
    let start = Instant::now();
    for _ in 0..count {
        queue.push_back(Box::pin(async {}));
        run(&mut queue)?;
    }
    Ok(start.elapsed().into())
}

/// Boxes futures and pushes them all, then pops, polls and frees them.
pub(crate) fn spawn_all(count: u32) -> Measured {
    let mut queue: VecDeque<Boxed> = VecDeque::with_capacity(count as usize);
    let start = Instant::now();
    for _ in 0..count {
        queue.push_back(Box::pin(async {}));
    }
    run(&mut queue)?;
    Ok(start.elapsed().into())
}

/// Polls what is queued, and again what was not ready, until all has ended.
pub(crate) fn run(queue: &mut VecDeque<Boxed>) -> Result<(), Failure> {
    let mut cx = Context::from_waker(Waker::noop());
    // Nothing here needs as many turns as that.
    for _ in 0..1_000_000_000_u64 {
        let Some(mut next) = black_box(&mut *queue).pop_front() else { return Ok(()) };
        if next.as_mut().poll(&mut cx).is_pending() {
            queue.push_back(next);
        }
    }
    Err(Failure::new("the futures do not end"))
}

/// Looks at the clock, puts a far deadline into an ordered map and takes it out again.
pub(crate) fn far_timer(count: u32) -> Measured {
    let mut waiting: BTreeMap<(Instant, u32), Waker> = BTreeMap::new();
    let start = Instant::now();
    for number in 0..count {
        let key = (Instant::now() + Duration::from_secs(60), number);
        waiting.insert(key, Waker::noop().clone());
        black_box(&mut waiting).remove(&key);
    }
    Ok(start.elapsed().into())
}

/// Puts far deadlines into an ordered map, all of them, then takes each out again.
pub(crate) fn far_timers(count: u32) -> Measured {
    let mut waiting: BTreeMap<(Instant, u32), Waker> = BTreeMap::new();
    let start = Instant::now();
    let key = |number: u32| (start + Duration::from_secs(60) + micros(number), number);
    for number in 0..count {
        black_box(Instant::now());
        waiting.insert(key(number), Waker::noop().clone());
    }
    for number in 0..count {
        black_box(&mut waiting).remove(&key(number));
    }
    let took = start.elapsed();
    if !waiting.is_empty() {
        return Err(Failure::new("a deadline was left"));
    }
    Ok(Amount::from(took))
}

fn micros(number: u32) -> Duration {
    Duration::from_micros(number.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::rc::Rc;

    #[test]
    fn a_future_that_is_not_ready_gets_another_turn() {
        let turns = Rc::new(Cell::new(0));
        let counted = turns.clone();
        let mut queue: VecDeque<Boxed> = VecDeque::from([Box::pin(async move {
            for _ in 0..3 {
                counted.set(counted.get() + 1);
                futures_lite::future::yield_now().await;
            }
        }) as Boxed]);
        assert!(run(&mut queue).is_ok());
        assert_eq!(turns.get(), 3);
    }
}
