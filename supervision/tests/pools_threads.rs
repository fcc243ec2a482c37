//! Pools on the real executor: senders, workers and the controller on several threads.

#![cfg(feature = "executor")]

use bastion_executor::Executor;
use bastion_supervision::plan::Backoff;
use bastion_supervision::{Context, Elastic, Exit, Pool, PoolAddress, Route, Runtime, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

const SENDERS: usize = 3;
const MESSAGES: usize = 20_000;

/// What the workers count.
#[derive(Default)]
struct Handled {
    count: AtomicUsize,
    sum: AtomicUsize,
}

fn counting(handled: &Arc<Handled>, crash_at: usize) -> Pool<usize> {
    let handled = handled.clone();
    let pool = Pool::new("pool", move |mut cx: Context<usize>| {
        let handled = handled.clone();
        async move {
            while let Some(number) = cx.recv().await {
                handled.sum.fetch_add(number, SeqCst);
                let count = handled.count.fetch_add(1, SeqCst) + 1;
                if count.is_multiple_of(crash_at) {
                    return Err(Exit::error("told to"));
                }
            }
            Ok(())
        }
    });
    pool.worker(|worker| worker.backoff(Backoff::immediate()))
}

fn send_all(pool: &PoolAddress<usize>, rests: bool) {
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            scope.spawn(move || {
                for number in 0..MESSAGES {
                    let mut message = number * SENDERS + sender;
                    while let Err(refused) = pool.tell(message) {
                        message = refused.message;
                        std::thread::yield_now();
                    }
                    // Again and again workers have nothing to do, and begin to wait at any moment.
                    if rests && number % 5 == 0 {
                        std::thread::yield_now();
                    }
                }
            });
        }
    });
}

#[test]
fn every_message_is_handled_once_while_workers_crash_come_and_go() {
    let executor = Executor::builder().workers(2).build().unwrap();
    executor.run(async {
        for (route, capacity) in [
            (Route::shared_queue(), 64),
            (Route::shared_queue(), 1_000_000),
            (Route::round_robin(), 64),
            (Route::least_loaded(), 64),
            (Route::by_key(|number: &usize| number % 31), 1000),
            (Route::random(), 1000),
        ] {
            let name = format!("{route:?}");
            let system = System::new(Runtime::executor());
            let handled = Arc::new(Handled::default());
            // It is never calm enough, or always.
            let elastic = Elastic::new()
                .every(Duration::from_micros(300))
                .grow_above(0.1)
                .shrink_below(3.0)
                .calm(Duration::ZERO);
            let (supervisor, pool) = counting(&handled, 1009)
                .size(2..=6)
                .capacity(capacity)
                .route(route)
                .elastic(elastic)
                .build();
            system.supervise(supervisor.unlimited()).await.unwrap();
            send_all(&pool, true);
            let all = SENDERS * MESSAGES;
            while handled.count.load(SeqCst) < all {
                assert_eq!(system.stats().dead_letters, 0, "{name}");
                bastion_executor::sleep(Duration::from_millis(1)).await;
            }
            let expected: usize = (0..all).sum();
            assert_eq!(handled.sum.load(SeqCst), expected, "{name}: each once");
            system.stop(Duration::from_secs(5)).await;
            assert_eq!(handled.count.load(SeqCst), all, "{name}");
        }
    });
}

/// A message that comes just when the last worker begins to wait.
#[test]
fn no_message_lies_there_while_all_workers_wait() {
    let executor = Executor::builder().workers(2).build().unwrap();
    executor.run(async {
        for route in [Route::shared_queue(), Route::round_robin()] {
            let system = System::new(Runtime::executor());
            let handled = Arc::new(Handled::default());
            let pool = counting(&handled, usize::MAX).size(2..=2).route(route);
            let (supervisor, pool) = pool.build();
            system.supervise(supervisor).await.unwrap();
            let (sender, seen) = (pool.clone(), handled.clone());
            let sender = std::thread::spawn(move || {
                for number in 0..50_000 {
                    sender.tell(number).unwrap();
                    // The next one comes when this one is handled, and its worker about to wait.
                    while seen.count.load(SeqCst) <= number {
                        std::hint::spin_loop();
                    }
                }
            });
            while !sender.is_finished() {
                bastion_executor::sleep(Duration::from_millis(1)).await;
            }
            sender.join().unwrap();
            system.stop(Duration::from_secs(5)).await;
        }
    });
}

/// A pool ends while others send: each message is accepted and then thrown away, or refused.
#[test]
fn what_is_sent_to_a_pool_that_ends_is_refused_or_thrown_away() {
    let executor = Executor::builder().workers(2).build().unwrap();
    executor.run(async {
        for round in 0..40 {
            let route = if round % 2 == 0 { Route::shared_queue() } else { Route::round_robin() };
            let system = System::new(Runtime::executor());
            let handled = Arc::new(Handled::default());
            let (supervisor, pool) = counting(&handled, 100).size(2..=2).route(route).build();
            system.supervise(supervisor.unlimited()).await.unwrap();
            let senders: Vec<_> = (0..SENDERS)
                .map(|_| {
                    let pool = pool.clone();
                    std::thread::spawn(move || (0..).take_while(|n| pool.tell(*n).is_ok()).count())
                })
                .collect();
            bastion_executor::sleep(Duration::from_millis(2)).await;
            system.stop(Duration::from_secs(5)).await;
            let accepted: usize = senders.into_iter().map(|sender| sender.join().unwrap()).sum();
            // A sender may have been about to look when the last worker ended.
            let dead = system.stats().dead_letters as usize;
            assert_eq!(handled.count.load(SeqCst) + dead, accepted);
            assert_eq!(pool.queued(), 0);
        }
    });
}
