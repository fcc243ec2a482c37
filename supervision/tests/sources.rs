//! Timers and streams as messages.

use bastion_supervision::plan::{Backoff, ExitReason, RestartType};
use bastion_supervision::{Child, Context, Exit, Runtime, Sim, System, child};
use futures_core::Stream;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

type Heard = Arc<Mutex<Vec<(u64, u32)>>>;

/// Runs a body, which sets up its sources, and then receives until it hears 0; returns what was heard, with the second in which.
fn heard<S>(set_up: S) -> Vec<(u64, u32)>
where
    S: Fn(&mut Context<u32>) + Send + Sync + 'static,
{
    let sim = Sim::new(3);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let record = Heard::default();
        let (heard, clock) = (record.clone(), sim.clone());
        let body = move |mut cx: Context<u32>| {
            set_up(&mut cx);
            let (heard, clock) = (heard.clone(), clock.clone());
            async move {
                while let Some(number) = cx.recv().await {
                    heard.lock().unwrap().push((clock.now().as_secs(), number));
                    if number == 0 {
                        break;
                    }
                }
                Ok(())
            }
        };
        let process = system.spawn_child(child(body).restart(RestartType::Temporary)).unwrap();
        assert_eq!(process.ended().await.to_string(), "normal");
        system.stop(SECOND).await;
        std::mem::take(&mut *record.lock().unwrap())
    })
}

#[test]
fn messages_come_after_their_time_and_in_its_order() {
    let heard = heard(|cx| {
        cx.send_after(5 * SECOND, 0);
        cx.send_after(3 * SECOND, 3);
        cx.send_after(SECOND, 1);
        let never = cx.send_after(2 * SECOND, 2);
        assert!(cx.cancel(never));
        assert!(!cx.cancel(never));
    });
    assert_eq!(heard, [(1, 1), (3, 3), (5, 0)]);
}

#[test]
fn what_comes_every_so_often_goes_on_until_it_is_cancelled() {
    let heard = heard(|cx| {
        let mut number = 10;
        cx.send_every(2 * SECOND, move || {
            number += 1;
            number
        });
        cx.send_after(7 * SECOND, 0);
    });
    assert_eq!(heard, [(2, 11), (4, 12), (6, 13), (7, 0)]);
}

#[test]
fn who_is_late_misses_periods_and_stays_in_step() {
    let sim = Sim::new(3);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let record = Arc::new(Mutex::new(Vec::new()));
        let (times, clock) = (record.clone(), sim.clone());
        let late = child(move |mut cx: Context<()>| {
            let (times, clock) = (times.clone(), clock.clone());
            cx.send_every(2 * SECOND, || ());
            async move {
                for _ in 0..4 {
                    cx.recv().await;
                    times.lock().unwrap().push(clock.now().as_secs());
                    if clock.now() == 4 * SECOND {
                        cx.sleep(5 * SECOND).await;
                    }
                }
                Ok(())
            }
        });
        let late = system.spawn_child(late.restart(RestartType::Temporary)).unwrap();
        late.ended().await;
        // At 9 the one of 6 comes; that of 8 is left out.
        assert_eq!(*record.lock().unwrap(), [2, 4, 9, 10]);
        system.stop(SECOND).await;
    });
}

#[test]
fn timers_end_with_their_incarnation() {
    let sim = Sim::new(3);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let heard = Arc::new(AtomicUsize::new(0));
        let count = heard.clone();
        let fails = child(move |mut cx: Context<u32>| {
            let count = count.clone();
            let first = cx.incarnation() == 1;
            if first {
                cx.send_after(2 * SECOND, 1);
                cx.send_every(SECOND, || 2);
            }
            async move {
                if first {
                    return Err(Exit::error("told to"));
                }
                while cx.recv().await.is_some() {
                    count.fetch_add(1, SeqCst);
                }
                Ok(())
            }
        });
        let fails = system.spawn_child(fails.backoff(Backoff::immediate())).unwrap();
        sim.sleep(10 * SECOND).await;
        assert_eq!((fails.incarnation(), heard.load(SeqCst)), (2, 0));
        system.stop(SECOND).await;
    });
}

#[test]
#[should_panic(expected = "a period is longer than zero")]
fn a_period_of_zero_is_refused() {
    heard(|cx| {
        cx.send_every(Duration::ZERO, || 1);
    });
}

/// A stream that somebody fills.
#[derive(Clone, Default)]
struct Pipe(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    items: VecDeque<u32>,
    closed: bool,
    reader: Option<Waker>,
    polls: usize,
}

impl Pipe {
    fn put(&self, item: Option<u32>) {
        let mut inner = self.0.lock().unwrap();
        inner.closed |= item.is_none();
        inner.items.extend(item);
        if let Some(reader) = inner.reader.take() {
            drop(inner);
            reader.wake();
        }
    }

    fn polls(&self) -> usize {
        self.0.lock().unwrap().polls
    }
}

impl Stream for Pipe {
    type Item = u32;

    fn poll_next(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<u32>> {
        let mut inner = self.0.lock().unwrap();
        inner.polls += 1;
        match inner.items.pop_front() {
            Some(item) => Poll::Ready(Some(item)),
            None if inner.closed => Poll::Ready(None),
            None => {
                inner.reader = Some(task.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// A process that adds up what it receives, from these and otherwise.
fn summing(pipes: &[Pipe]) -> (Child<u32>, Arc<AtomicUsize>) {
    let (attached, total) = (pipes.to_vec(), Arc::new(AtomicUsize::new(0)));
    let sum = total.clone();
    let reader = child(move |mut cx: Context<u32>| {
        for pipe in attached.clone() {
            cx.attach(pipe, |item| item);
        }
        let sum = sum.clone();
        async move {
            while let Some(number) = cx.recv().await {
                sum.fetch_add(number as usize, SeqCst);
            }
            Ok(())
        }
    });
    (reader, total)
}

#[test]
fn a_stream_is_received_in_order_to_its_end_and_filtered() {
    let heard = heard(|cx| {
        let pipe = Pipe::default();
        (1..=2000).for_each(|item| pipe.put(Some(item)));
        pipe.put(None);
        cx.attach(pipe, |item| match item {
            Some(item) => (item % 500 == 0).then_some(item),
            None => Some(0),
        });
    });
    assert_eq!(heard, [(0, 500), (0, 1000), (0, 1500), (0, 2000), (0, 0)]);
}

#[test]
fn a_stream_that_is_always_ready_keeps_neither_messages_nor_timers_nor_other_streams_waiting() {
    struct Endless(u32);
    impl Stream for Endless {
        type Item = u32;
        fn poll_next(self: Pin<&mut Self>, _: &mut Task<'_>) -> Poll<Option<u32>> {
            Poll::Ready(Some(self.0))
        }
    }
    let heard = heard(|cx| {
        cx.attach(Endless(7), |item| item);
        cx.attach(Endless(8), |item| item);
        // Endless without a message.
        cx.attach(Endless(9), |_| None);
        let own = cx.address();
        for message in [5, 6, 0] {
            own.tell(message).unwrap();
        }
    });
    let numbers: Vec<_> = heard.iter().map(|heard| heard.1).collect();
    assert!(numbers.len() <= 8, "in turns: {numbers:?}");
    for number in [5, 6, 7, 8, 0] {
        assert!(numbers.contains(&number), "{number}: {numbers:?}");
    }
}

#[test]
fn a_stop_overtakes_endless_streams() {
    struct Endless;
    impl Stream for Endless {
        type Item = ();
        fn poll_next(self: Pin<&mut Self>, _: &mut Task<'_>) -> Poll<Option<()>> {
            Poll::Ready(Some(()))
        }
    }
    let sim = Sim::new(3);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        for selective in [false, true] {
            let busy = child(move |mut cx: Context<()>| {
                cx.attach(Endless, |item| item);
                async move {
                    if selective {
                        cx.recv_matching(|()| false).await;
                    } else {
                        while cx.recv().await.is_some() {}
                    }
                    Ok(())
                }
            });
            system.spawn_child(busy).unwrap();
        }
        // Time passes only when nothing is left to do: the stop is asked for in between.
        let stopped = system.stop(SECOND).await;
        assert!(stopped.forced.is_empty(), "{:?}", stopped.forced);
    });
}

#[test]
fn only_a_stream_that_was_woken_is_polled() {
    let sim = Sim::new(3);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let pipes: Vec<_> = (0..10).map(|_| Pipe::default()).collect();
        let (reader, total) = summing(&pipes);
        let reader = system.spawn_child(reader).unwrap();
        sim.sleep(SECOND).await;
        let before: Vec<_> = pipes.iter().map(Pipe::polls).collect();
        pipes[3].put(Some(7));
        reader.tell(1).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(total.load(SeqCst), 8);
        let polled: Vec<_> =
            pipes.iter().zip(before).map(|(pipe, old)| pipe.polls() - old).collect();
        assert_eq!(polled, [0, 0, 0, 2, 0, 0, 0, 0, 0, 0], "one item, and a look for more");
        system.stop(SECOND).await;
    });
}

#[test]
fn a_selective_receive_sees_timers_and_streams() {
    let heard = heard(|cx| {
        let pipe = Pipe::default();
        (1..5).for_each(|item| pipe.put(Some(item)));
        cx.attach(pipe, |item| item);
        cx.send_after(SECOND, 9);
        cx.send_after(2 * SECOND, 0);
    });
    assert_eq!(heard, [(0, 1), (0, 2), (0, 3), (0, 4), (1, 9), (2, 0)]);
    let sim = Sim::new(3);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let selective = child(|mut cx: Context<u32>| async move {
            let pipe = Pipe::default();
            (1..5).for_each(|item| pipe.put(Some(item)));
            cx.attach(pipe, |item| item);
            cx.send_after(SECOND, 9);
            assert_eq!(cx.recv_matching(|number| *number == 9).await, Some(9));
            assert_eq!(cx.recv_many(9).await, [1, 2, 3, 4]);
            let long = Pipe::default();
            (10..2000).for_each(|item| long.put(Some(item)));
            cx.attach(long, |item| item);
            assert_eq!(cx.recv_matching(|number| *number == 1500).await, Some(1500));
            Ok(())
        });
        let selective = system.spawn_child(selective.restart(RestartType::Temporary)).unwrap();
        assert_eq!(selective.ended().await.to_string(), "normal");
        system.stop(SECOND).await;
    });
}

/// A stream that wakes itself while it is polled, as those do that let others run.
#[test]
fn a_stream_that_wakes_itself_is_polled_again() {
    struct Polite(u32);
    impl Stream for Polite {
        type Item = u32;
        fn poll_next(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Option<u32>> {
            self.0 += 1;
            if self.0.is_multiple_of(4) {
                return Poll::Ready(if self.0 < 40 { Some(self.0) } else { None });
            }
            task.waker().wake_by_ref();
            Poll::Pending
        }
    }
    let heard = heard(|cx| {
        cx.attach(Polite(0), |item| Some(item.unwrap_or(0)));
    });
    assert_eq!(heard.len(), 10);
}

/// Filled by another thread, while messages come from a third.
#[cfg(feature = "executor")]
#[test]
fn no_wake_of_a_stream_is_lost_on_threads() {
    const ITEMS: u32 = 20_000;
    let executor = bastion_executor::Executor::builder().workers(2).build().unwrap();
    executor.run(async {
        let system = System::new(Runtime::executor());
        let (pipe, count) = (Pipe::default(), Arc::new(AtomicUsize::new(0)));
        let (attached, seen) = (pipe.clone(), count.clone());
        let reader = child(move |mut cx: Context<u32>| {
            cx.attach(attached.clone(), |item| Some(item.unwrap_or(0)));
            let seen = seen.clone();
            async move {
                // Both ends.
                let mut open = 2;
                while open > 0
                    && let Some(number) = cx.recv().await
                {
                    seen.fetch_add(1, SeqCst);
                    open -= u32::from(number == 0);
                }
                Ok(())
            }
        });
        let reader = system.spawn_child(reader.restart(RestartType::Temporary)).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for item in 1..=ITEMS {
                    pipe.put(Some(item));
                    if item % 7 == 0 {
                        std::thread::yield_now();
                    }
                }
                pipe.put(None);
            });
            scope.spawn(|| {
                for item in 1..=ITEMS {
                    reader.tell(item).unwrap();
                    if item % 5 == 0 {
                        std::thread::yield_now();
                    }
                }
                reader.tell(0).unwrap();
            });
        });
        assert!(matches!(reader.ended().await, ExitReason::Normal));
        assert_eq!(count.load(SeqCst), 2 * ITEMS as usize + 2);
        system.stop(SECOND).await;
    });
}

/// One ends without a message, and its neighbour, whose turn it is not, has one at the same time.
#[test]
fn a_stream_that_ends_hides_no_other() {
    let sim = Sim::new(3);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let pipes: Vec<_> = (0..3).map(|_| Pipe::default()).collect();
        let (reader, total) = summing(&pipes);
        system.spawn_child(reader).unwrap();
        sim.sleep(SECOND).await;
        pipes[1].put(Some(1));
        sim.sleep(SECOND).await;
        pipes[0].put(None);
        pipes[1].put(Some(10));
        sim.sleep(SECOND).await;
        assert_eq!(total.load(SeqCst), 11);
        system.stop(SECOND).await;
    });
}

#[test]
fn what_was_passed_over_of_a_timer_is_cancelled_too_and_no_later_incarnations() {
    let sim = Sim::new(3);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        let record = Arc::new(Mutex::new(Vec::new()));
        let heard = record.clone();
        let selective = child(move |mut cx: Context<u32>| {
            let heard = heard.clone();
            async move {
                if cx.incarnation() == 1 {
                    cx.send_after(SECOND, 1);
                    let two = cx.send_after(SECOND, 2);
                    cx.send_after(2 * SECOND, 9);
                    assert_eq!(cx.recv_matching(|number| *number == 9).await, Some(9));
                    assert!(cx.cancel(two) && !cx.cancel(two));
                    heard.lock().unwrap().extend(cx.try_recv());
                    assert_eq!(cx.try_recv(), None, "it was cancelled");
                    cx.send_after(SECOND, 3);
                    cx.send_after(2 * SECOND, 9);
                    cx.recv_matching(|number| *number == 9).await;
                    return Err(Exit::error("told to"));
                }
                while let Some(number) = cx.recv().await {
                    heard.lock().unwrap().push(number);
                }
                Ok(())
            }
        });
        let selective = system.spawn_child(selective.backoff(Backoff::immediate())).unwrap();
        sim.sleep(9 * SECOND).await;
        assert_eq!((selective.incarnation(), &*record.lock().unwrap()), (2, &vec![1]));
        system.stop(SECOND).await;
    });
}
