//! Pools that grow and shrink, in a simulation.

mod pools_support;

use bastion_supervision::plan::RestartType;
use bastion_supervision::{Elastic, Route};
use pools_support::{FAIL, SECOND, Work, failing, in_sim, working};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

#[test]
fn it_grows_under_load_shrinks_after_it_and_loses_nothing() {
    for (seed, route) in [
        (0, Route::round_robin()),
        (1, Route::least_loaded()),
        (2, Route::shared_queue()),
        (3, Route::by_key(|work: &Work| work.1)),
        (4, Route::random()),
    ] {
        in_sim(seed, async |sim, system| {
            let name = format!("{route:?}");
            let (pool, done) = working(&sim, "pool");
            let (pool, address) = pool.size(2..=12).route(route).build();
            let supervisor = system.supervise(pool).await.unwrap();
            assert_eq!(address.size(), 2);
            for number in 0..300 {
                address.tell((1, number)).unwrap();
            }
            sim.sleep(5 * SECOND).await;
            assert_eq!(address.size(), 12);
            // What comes while it shrinks is handled too.
            for number in 300..400 {
                sim.sleep(SECOND).await;
                address.tell((2, number)).unwrap();
            }
            assert!((2..=9).contains(&address.size()), "{name}: {}", address.size());
            sim.sleep(600 * SECOND).await;
            assert_eq!(address.size(), 2);
            // The workers and the controller.
            assert_eq!(supervisor.counts().await.unwrap().active, 3);
            assert_eq!(done.numbers(), (0..400).collect::<Vec<_>>());
            let stats = system.stats();
            assert_eq!((stats.dead_letters, stats.forced_kills, stats.crashes), (0, 0, 0));
            // And again.
            (0..300).for_each(|number| address.tell((1, number)).unwrap());
            sim.sleep(5 * SECOND).await;
            assert_eq!(address.size(), 12);
            sim.sleep(200 * SECOND).await;
        });
    }
}

#[test]
fn a_worker_that_is_to_go_has_all_the_time_for_what_it_handles() {
    in_sim(13, async |sim, system| {
        let (pool, done) = working(&sim, "pool");
        // However many are busy.
        let elastic = Elastic::new().grow_above(0.0).shrink_below(2.0).shrink_by(1.0);
        let pool = pool.size(1..=4).elastic(elastic).route(Route::shared_queue());
        let (pool, address) = pool.build();
        let supervisor = system.supervise(pool).await.unwrap();
        (0..4).for_each(|number| address.tell((600, number)).unwrap());
        sim.sleep(2 * SECOND).await;
        assert_eq!(address.size(), 4);
        sim.sleep(100 * SECOND).await;
        assert_eq!(address.size(), 1);
        assert_eq!(supervisor.counts().await.unwrap().active, 5, "they are still there");
        sim.sleep(600 * SECOND).await;
        assert_eq!(supervisor.counts().await.unwrap().active, 2);
        assert_eq!(done.numbers(), [0, 1, 2, 3]);
        assert_eq!((system.stats().forced_kills, system.stats().dead_letters), (0, 0));
    });
}

#[test]
fn a_worker_that_is_to_go_handles_what_only_it_has() {
    in_sim(13, async |sim, system| {
        let (pool, done) = working(&sim, "pool");
        let elastic = Elastic::new().grow_above(1.0).shrink_below(9.0).shrink_by(1.0);
        let (pool, address) = pool.size(1..=4).elastic(elastic).build();
        let supervisor = system.supervise(pool).await.unwrap();
        (0..8).for_each(|number| address.tell((20, number)).unwrap());
        sim.sleep(2 * SECOND).await;
        assert_eq!(address.broadcast((1, 100)).unwrap().accepted, 4);
        sim.sleep(200 * SECOND).await;
        assert_eq!(address.size(), 1);
        assert_eq!(supervisor.counts().await.unwrap().active, 2);
        assert_eq!(done.numbers(), [0, 1, 2, 3, 4, 5, 6, 7, 100, 100, 100, 100]);
        assert_eq!(done.workers_of(|number| number == 100).len(), 4, "each its own copy");
        assert_eq!(system.stats().dead_letters, 0);
    });
}

#[test]
fn it_grows_when_messages_wait_too_long() {
    in_sim(14, async |sim, system| {
        let (pool, _done) = working(&sim, "pool");
        let elastic = Elastic::new().grow_above(1000.0).latency(3 * SECOND);
        let (pool, address) = pool.size(1..=5).elastic(elastic).build();
        system.supervise(pool).await.unwrap();
        (0..3).for_each(|number| address.tell((1, number)).unwrap());
        sim.sleep(4 * SECOND).await;
        assert_eq!(address.size(), 1, "none has waited for more than two seconds");
        (0..8).for_each(|number| address.tell((1, number)).unwrap());
        sim.sleep(5 * SECOND).await;
        assert!(address.size() > 1);
        sim.sleep(20 * SECOND).await;
    });
}

#[test]
fn a_pool_at_rest_looks_at_nothing() {
    in_sim(15, async |sim, system| {
        let (pool, done) = working(&sim, "pool");
        let elastic = Elastic::new().every(Duration::from_millis(1)).calm(SECOND);
        let (pool, address) = pool.size(1..=8).elastic(elastic).build();
        system.supervise(pool).await.unwrap();
        // Who looked every millisecond would need a day for this.
        sim.sleep(1000 * 86_400 * SECOND).await;
        (0..100).for_each(|number| address.tell((1, number)).unwrap());
        sim.sleep(SECOND).await;
        assert_eq!(address.size(), 8, "but it was woken");
        sim.sleep(1000 * 86_400 * SECOND).await;
        assert_eq!((address.size(), done.count()), (1, 100));
    });
}

#[test]
fn a_pool_at_rest_hires_for_one_that_ends() {
    in_sim(17, async |sim, system| {
        let (pool, done) = failing(&sim, RestartType::Temporary);
        let (pool, address) = pool.size(1..=3).build();
        system.supervise(pool).await.unwrap();
        // It is handled for so long that the pool is at rest before it ends the only worker.
        address.tell((10, FAIL)).unwrap();
        sim.sleep(20 * SECOND).await;
        assert_eq!(address.size(), 1);
        address.tell((1, 1)).unwrap();
        sim.sleep(2 * SECOND).await;
        assert_eq!(done.numbers(), [1]);
    });
}

#[test]
fn a_pool_that_is_restarted_keeps_its_first_workers_messages_and_gives_them_the_others() {
    in_sim(22, async |sim, system| {
        let (pool, done) = failing(&sim, RestartType::Permanent);
        let (pool, address) = pool.size(2..=6).build();
        let pool = pool.intensity(0, SECOND);
        let supervisor = system.supervise(pool).await.unwrap();
        (0..100).for_each(|number| address.tell((1, number)).unwrap());
        sim.sleep(5 * SECOND).await;
        assert_eq!(address.size(), 6);
        let before = done.count();
        assert!(before > 10 && address.queued() > 10);
        // It gives up at the first crash, and is restarted by the root.
        address.tell((0, FAIL)).unwrap();
        sim.sleep(300 * SECOND).await;
        assert!(supervisor.counts().await.is_ok());
        assert_eq!(system.stats().dead_letters, 0);
        let lost = 100 - done.count();
        assert!(lost <= 6, "what was being handled: {lost}");
        assert!(done.count() > before);
        assert_eq!(address.queued(), 0);
    });
}

#[test]
fn many_workers_come_and_go_in_one_pool() {
    for seed in 0..10 {
        in_sim(seed, async |sim, system| {
            let (pool, done) = working(&sim, "pool");
            let elastic = Elastic::new().calm(SECOND).grow_by(3.0).shrink_by(0.5);
            let (pool, address) = pool.size(1..=100).elastic(elastic).build();
            system.supervise(pool).await.unwrap();
            let most = AtomicUsize::new(0);
            for wave in 0..5 {
                for number in 0..400 {
                    address.tell((number % 3, wave * 400 + number as u32)).unwrap();
                }
                sim.sleep(SECOND).await;
                most.fetch_max(address.size(), SeqCst);
                sim.sleep(60 * SECOND).await;
                assert_eq!(address.size(), 1);
            }
            assert!(most.load(SeqCst) > 50);
            assert_eq!(done.numbers(), (0..2000).collect::<Vec<_>>());
        });
    }
}
