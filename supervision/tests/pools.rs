//! Pools in a simulation: routes, full queues, ends, and that nothing is lost.

mod pools_support;

use bastion_supervision::plan::{RestartType, Shutdown};
use bastion_supervision::{Context, Discarded, Exit, Pool, PoolAskError, Refusal, Reply, Route};
use pools_support::{Done, FAIL, SECOND, Work, failing, in_sim, working};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

#[test]
fn each_route_sends_where_it_says() {
    for (route, busiest) in [
        (Route::round_robin(), 25..=25),
        (Route::random(), 26..=60),
        (Route::least_loaded(), 25..=25),
    ] {
        in_sim(3, async |sim, system| {
            let name = format!("{route:?}");
            let (pool, done) = working(&sim, "pool");
            let (pool, address) = pool.size(4..=4).route(route).build();
            system.supervise(pool).await.unwrap();
            for number in 0..100 {
                address.tell((1, number)).unwrap();
            }
            sim.sleep(100 * SECOND).await;
            assert_eq!(done.numbers(), (0..100).collect::<Vec<_>>());
            assert_eq!(done.workers_of(|_| true).len(), 4, "{name}");
            assert!(busiest.contains(&done.last()), "{name}: {} seconds", done.last());
        });
    }
}

#[test]
fn the_least_loaded_worker_is_the_one_that_is_free() {
    in_sim(4, async |sim, system| {
        let (pool, done) = working(&sim, "pool");
        let (pool, address) = pool.size(3..=3).route(Route::least_loaded()).build();
        system.supervise(pool).await.unwrap();
        sim.sleep(SECOND).await;
        address.tell((100, 0)).unwrap();
        for number in 1..=20 {
            sim.sleep(SECOND).await;
            address.tell((1, number)).unwrap();
        }
        sim.sleep(2 * SECOND).await;
        assert_eq!(done.numbers(), (1..=20).collect::<Vec<_>>(), "none waits behind the slow one");
        sim.sleep(100 * SECOND).await;
    });
}

#[test]
fn equal_keys_have_one_worker() {
    in_sim(5, async |sim, system| {
        let (pool, done) = working(&sim, "pool");
        let route = Route::by_key(|work: &Work| work.1 % 10);
        let (pool, address) = pool.size(4..=4).route(route).build();
        system.supervise(pool).await.unwrap();
        for number in 0..200 {
            address.tell((0, number)).unwrap();
        }
        sim.sleep(SECOND).await;
        assert_eq!(done.count(), 200);
        for key in 0..10 {
            assert_eq!(done.workers_of(|number| number % 10 == key).len(), 1, "{key}");
        }
        assert!(done.workers_of(|_| true).len() > 1);
    });
}

#[test]
fn nothing_waits_behind_a_slow_message_in_a_shared_queue() {
    for seed in 0..20 {
        in_sim(seed, async |sim, system| {
            let (pool, done) = working(&sim, "pool");
            let (pool, address) = pool.size(3..=3).route(Route::shared_queue()).build();
            system.supervise(pool).await.unwrap();
            sim.sleep(SECOND).await;
            let began = sim.now().as_secs();
            address.tell((50, 0)).unwrap();
            for number in 1..=20 {
                address.tell((1, number)).unwrap();
            }
            sim.sleep(20 * SECOND).await;
            assert_eq!(done.numbers(), (1..=20).collect::<Vec<_>>());
            assert_eq!(done.last() - began, 10, "both of the others all the time");
            sim.sleep(50 * SECOND).await;
        });
    }
}

/// One that has been woken for a message, and does something else instead, leaves it to another.
#[test]
fn a_worker_that_is_busy_otherwise_leaves_the_message_to_another() {
    const OTHERWISE: Work = (9, 1000);
    for seed in 0..50 {
        in_sim(seed, async |sim, system| {
            let (record, clock) = (Done::default(), sim.clone());
            let (done, started) = (record.clone(), Arc::new(AtomicUsize::new(0)));
            let pool = Pool::new("pool", move |mut cx: Context<Work>| {
                let (done, clock) = (done.clone(), clock.clone());
                if started.fetch_add(1, SeqCst) == 0 {
                    cx.send_every(10 * SECOND, || OTHERWISE);
                }
                async move {
                    while let Some((seconds, number)) = cx.recv().await {
                        if number != OTHERWISE.1 {
                            let now = clock.now().as_secs();
                            done.0.lock().unwrap().push((String::new(), number, now));
                        }
                        cx.sleep(seconds as u32 * SECOND).await;
                    }
                    Ok(())
                }
            });
            let pool = pool.size(2..=2).route(Route::shared_queue());
            let pool = pool.worker(|worker| worker.shutdown(Shutdown::Timeout(60 * SECOND)));
            let (pool, address) = pool.build();
            system.supervise(pool).await.unwrap();
            for number in 1..10 {
                sim.sleep(10 * SECOND).await;
                // Just when one of the two has a message of its own timer.
                address.tell((0, number)).unwrap();
            }
            sim.sleep(9 * SECOND).await;
            let late = |done: &&(String, u32, u64)| done.2 != u64::from(done.1) * 10;
            let done = record.0.lock().unwrap().clone();
            assert_eq!(done.iter().find(late), None, "{done:?}");
            assert_eq!(done.len(), 9);
        });
    }
}

/// The same for one that has waited, and has stopped waiting.
#[test]
fn a_worker_that_has_stopped_waiting_leaves_the_message_to_another() {
    for seed in 0..20 {
        in_sim(seed, async |sim, system| {
            let (record, clock) = (Done::default(), sim.clone());
            let (done, started) = (record.clone(), Arc::new(AtomicUsize::new(0)));
            let pool = Pool::new("pool", move |mut cx: Context<Work>| {
                let (done, clock) = (done.clone(), clock.clone());
                let naps = started.fetch_add(1, SeqCst) == 0;
                async move {
                    loop {
                        if naps {
                            cx.sleep(9 * SECOND).await;
                        }
                        match cx.recv_timeout(SECOND).await {
                            Ok(None) => return Ok(()),
                            Ok(Some((_, number))) => {
                                let now = clock.now().as_secs();
                                done.0.lock().unwrap().push((String::new(), number, now));
                            }
                            Err(_) => {}
                        }
                    }
                }
            });
            let pool = pool.size(2..=2).route(Route::shared_queue());
            let pool = pool.worker(|worker| worker.shutdown(Shutdown::Timeout(60 * SECOND)));
            let (pool, address) = pool.build();
            system.supervise(pool).await.unwrap();
            for number in 1..10 {
                sim.sleep(10 * SECOND).await;
                sim.sleep(SECOND / 2).await;
                address.tell((0, number)).unwrap();
                sim.sleep(SECOND / 4).await;
                assert_eq!(record.count(), number as usize, "seed {seed}");
                sim.sleep(SECOND / 4).await;
            }
        });
    }
}

#[test]
fn a_full_worker_is_passed_over_and_a_full_pool_gives_the_message_back() {
    in_sim(6, async |sim, system| {
        let (pool, done) = working(&sim, "pool");
        let (pool, address) = pool.size(2..=2).capacity(3).build();
        // Nobody works yet.
        for number in 0..6 {
            address.tell((1, number)).unwrap();
        }
        let refused = address.tell((1, 6)).unwrap_err();
        assert_eq!((refused.refusal, refused.message), (Refusal::Full, (1, 6)));
        assert_eq!(address.queued(), 6);
        let ask = Pool::new("asked", |mut cx: Context<Reply<()>>| async move {
            cx.recv().await;
            Ok(())
        });
        let (_never, asked) = ask.build();
        assert_eq!(
            asked.ask(|reply| reply).await,
            Err(PoolAskError::Refused(Refusal::NoWorker)),
            "before the start there is no clock"
        );
        system.supervise(pool).await.unwrap();
        address.send((1, 7)).await.unwrap();
        sim.sleep(10 * SECOND).await;
        assert_eq!(done.numbers(), [0, 1, 2, 3, 4, 5, 7]);
    });
}

#[test]
fn a_key_waits_for_its_own_worker() {
    in_sim(6, async |sim, system| {
        let (pool, done) = working(&sim, "pool");
        let pool = pool.size(4..=4).capacity(2).route(Route::by_key(|_: &Work| ()));
        let (pool, address) = pool.build();
        address.tell((1, 0)).unwrap();
        address.tell((1, 1)).unwrap();
        assert_eq!(address.tell((1, 2)).unwrap_err().refusal, Refusal::Full);
        system.supervise(pool).await.unwrap();
        address.send((1, 2)).await.unwrap();
        sim.sleep(10 * SECOND).await;
        assert_eq!(done.numbers(), [0, 1, 2]);
        assert_eq!(done.workers_of(|_| true).len(), 1);
    });
}

#[test]
fn without_workers_the_message_comes_back() {
    in_sim(7, async |sim, system| {
        for route in [Route::round_robin(), Route::shared_queue(), Route::by_key(|_| 1)] {
            let (pool, _) = working(&sim, "dropped");
            let thrown = Arc::new(Mutex::new(Vec::new()));
            let told = thrown.clone();
            let pool = pool.size(2..=2).route(route);
            let (pool, address) =
                pool.on_discard(move |work, why| told.lock().unwrap().push((work.1, why))).build();
            address.tell((0, 1)).unwrap();
            drop(pool);
            let refused = address.tell((0, 2)).unwrap_err();
            assert_eq!((refused.refusal, refused.message.1), (Refusal::NoWorker, 2));
            assert_eq!(address.broadcast((0, 3)).unwrap_err().message.1, 3);
            assert_eq!(address.send((0, 4)).await.unwrap_err().message.1, 4);
            assert_eq!(*thrown.lock().unwrap(), [(1, Discarded::Ended)]);
        }
        let _ = system;
    });
}

#[test]
fn what_nobody_handled_when_the_pool_ends_is_thrown_away_and_told() {
    for route in [Route::round_robin(), Route::shared_queue(), Route::least_loaded()] {
        in_sim(8, async |sim, system| {
            let (pool, done) = working(&sim, "pool");
            let thrown = Arc::new(Mutex::new(Vec::new()));
            let told = thrown.clone();
            let pool = pool.size(3..=3).route(route).on_discard(move |work, why| {
                told.lock().unwrap().push((work.1, why));
                panic!("contained");
            });
            let (pool, address) = pool.build();
            let supervisor = system.supervise(pool).await.unwrap();
            for number in 0..20 {
                address.tell((1, number)).unwrap();
            }
            sim.sleep(SECOND / 2).await;
            let pid = supervisor.pid().unwrap();
            system.root().stop_child(pid).await.unwrap();
            system.root().delete_child(pid).await.unwrap();
            assert_eq!(address.tell((0, 99)).unwrap_err().refusal, Refusal::NoWorker);
            let thrown = thrown.lock().unwrap();
            assert_eq!((done.count(), thrown.len()), (3, 17));
            assert!(thrown.iter().all(|(_, why)| *why == Discarded::Ended));
            assert_eq!(system.stats().dead_letters, 17);
        });
    }
}

#[test]
fn a_copy_for_one_that_ends_for_good_is_no_other_ones() {
    in_sim(16, async |sim, system| {
        let (pool, done) = failing(&sim, RestartType::Temporary);
        let (pool, address) = pool.size(2..=2).build();
        system.supervise(pool).await.unwrap();
        address.tell((1, FAIL)).unwrap();
        address.broadcast((0, 7)).unwrap();
        sim.sleep(5 * SECOND).await;
        assert_eq!(done.numbers(), [7]);
        assert_eq!(system.stats().dead_letters, 1);
    });
}

#[test]
fn what_a_worker_that_crashed_had_not_taken_is_its_next_incarnations() {
    in_sim(9, async |sim, system| {
        let (pool, done) = failing(&sim, RestartType::Permanent);
        let (pool, address) = pool.size(2..=2).route(Route::by_key(|work: &Work| work.0)).build();
        system.supervise(pool.unlimited()).await.unwrap();
        for number in [0, FAIL, 1, FAIL, 2, 3] {
            address.tell((1, number)).unwrap();
        }
        sim.sleep(10 * SECOND).await;
        assert_eq!(done.numbers(), [0, 1, 2, 3]);
        assert_eq!(done.workers_of(|_| true).len(), 1, "it keeps its queue");
        assert_eq!(system.stats().dead_letters, 0);
    });
}

#[test]
fn what_a_worker_that_ends_for_good_had_not_taken_goes_to_others() {
    for route in [Route::round_robin(), Route::by_key(|work: &Work| work.0)] {
        in_sim(10, async |sim, system| {
            let (pool, done) = failing(&sim, RestartType::Temporary);
            // No room for the others' messages, beside their own.
            let (pool, address) = pool.size(2..=2).capacity(6).route(route).build();
            system.supervise(pool).await.unwrap();
            address.tell((1, FAIL)).unwrap();
            for number in 0..5 {
                address.tell((1, number)).unwrap();
            }
            sim.sleep(10 * SECOND).await;
            assert_eq!(address.size(), 1);
            assert_eq!(done.numbers(), [0, 1, 2, 3, 4]);
            assert_eq!(system.stats().dead_letters, 0);
        });
    }
}

#[test]
fn more_than_the_others_have_room_for_goes_to_them_all_the_same_and_in_order() {
    in_sim(11, async |sim, system| {
        let (pool, done) = failing(&sim, RestartType::Temporary);
        let (pool, address) = pool.size(2..=2).capacity(3).build();
        for number in [FAIL, 1, 2, 11, 3, 12] {
            address.tell((1, number)).unwrap();
        }
        system.supervise(pool).await.unwrap();
        sim.sleep(10 * SECOND).await;
        let order: Vec<_> = done.0.lock().unwrap().iter().map(|done| done.1).collect();
        assert_eq!(order.len(), 5, "{order:?}");
        let moved: Vec<_> = order.iter().filter(|number| **number != 1 && **number < 10).collect();
        assert_eq!(moved, [&2, &3], "{order:?}");
    });
}

#[test]
fn a_worker_that_passes_messages_over_loses_none_by_its_crash() {
    in_sim(12, async |sim, system| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let record = seen.clone();
        let pool = Pool::new("selective", move |mut cx: Context<u32>| {
            let seen = record.clone();
            async move {
                if cx.incarnation() == 1 {
                    cx.recv_matching(|number| *number == 9).await;
                    return Err(Exit::error("with the others in its hands"));
                }
                while let Some(number) = cx.recv().await {
                    seen.lock().unwrap().push(number);
                }
                Ok(())
            }
        });
        let (pool, address) = pool.route(Route::shared_queue()).build();
        system.supervise(pool).await.unwrap();
        for number in [1, 2, 3, 9, 4] {
            address.tell(number).unwrap();
        }
        sim.sleep(SECOND).await;
        assert_eq!(*seen.lock().unwrap(), [1, 2, 3, 4]);
    });
}

#[test]
fn a_broadcast_reaches_every_worker_once() {
    for route in [Route::round_robin(), Route::shared_queue()] {
        in_sim(16, async |sim, system| {
            let (pool, done) = working(&sim, "pool");
            let (pool, address) = pool.size(5..=5).capacity(1).route(route).build();
            let all = address.broadcast((1, 7)).unwrap();
            assert_eq!((all.accepted, all.refused), (5, 0));
            let none = address.broadcast((1, 8)).unwrap();
            assert_eq!((none.accepted, none.refused), (0, 5));
            system.supervise(pool).await.unwrap();
            sim.sleep(5 * SECOND).await;
            assert_eq!(done.numbers(), [7; 5]);
            assert_eq!(done.workers_of(|_| true).len(), 5);
        });
    }
}
