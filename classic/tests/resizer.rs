//! §12: groups that grow and shrink.

mod kit;

use bastion_classic::platform::Platform;
use bastion_classic::prelude::*;
use bastion_classic::resizer::{OptimalSizeExploringResizer, UpperBound, UpscaleStrategy};
use bastion_supervision::Sim;
use kit::{Log, Order, SECOND, ask, group, only, run};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// A group whose children take a second for each number, and count them.
fn slow(
    platform: &Platform,
    sim: &Sim,
    handled: &Arc<AtomicUsize>,
    resizer: OptimalSizeExploringResizer,
) -> ChildrenRef {
    let (sim, handled) = (sim.clone(), handled.clone());
    let exec = move |ctx: BastionContext| {
        let (sim, handled) = (sim.clone(), handled.clone());
        async move {
            loop {
                msg! { ctx.recv().await?,
                    _number: u32 => {
                        sim.sleep(SECOND).await;
                        handled.fetch_add(1, SeqCst);
                    };
                    _: _ => ();
                }
            }
        }
    };
    let group = platform.children(|children| {
        children.with_resizer(resizer).with_heartbeat_tick(10 * SECOND).with_exec(exec)
    });
    group.unwrap()
}

/// Gives each child that is there so many numbers.
fn load(group: &ChildrenRef, numbers: u32) -> usize {
    let all = group.elems();
    for child in all {
        (0..numbers).for_each(|number| child.tell_anonymously(number).unwrap());
    }
    all.len() * numbers as usize
}

fn doubling() -> OptimalSizeExploringResizer {
    OptimalSizeExploringResizer::default()
        .with_lower_bound(2)
        .with_upper_bound(UpperBound::Limit(7))
        .with_upscale_strategy(UpscaleStrategy::MailboxSizeThreshold(5))
        .with_upscale_rate(1.0)
        .with_downscale_threshold(0.5)
        .with_downscale_rate(0.5)
}

#[test]
fn section_12_a_group_grows_with_its_work_and_shrinks_without_it() {
    run(|platform, sim| async move {
        let handled = Arc::default();
        let group = slow(&platform, &sim, &handled, doubling());
        assert_eq!(group.elems().len(), 2);
        platform.start();
        let mut sizes = Vec::new();
        let mut sent = load(&group, 100);
        sim.sleep(SECOND).await;
        for _ in 0..4 {
            sim.sleep(10 * SECOND).await;
            // New ones have their share, so all have much to do.
            if group.elems().len() > *sizes.last().unwrap_or(&2) {
                sent += load(&group, 100);
            }
            sizes.push(group.elems().len());
        }
        assert_eq!(sizes, [4, 7, 7, 7], "it grows to its bound");
        let first = group.elems()[0].clone();
        sim.sleep(1000 * SECOND).await;
        assert_eq!(group.elems(), [first, group.elems()[1].clone()], "§14, issue 236: it shrinks");
        assert_eq!(handled.load(SeqCst), sent, "and loses nothing");
        let stats = platform.system().stats();
        assert_eq!((stats.dead_letters, stats.crashes), (0, 0), "who leaves has not failed");
    });
}

#[test]
fn section_12_the_defaults_are_those_of_the_original_and_a_lower_bound_of_zero_is_one() {
    run(|platform, sim| async move {
        let handled = Arc::default();
        let resizer = OptimalSizeExploringResizer::default().with_lower_bound(0);
        assert_eq!(resizer, OptimalSizeExploringResizer::default());
        let group = slow(&platform, &sim, &handled, resizer);
        platform.start();
        let mut sizes = Vec::new();
        // Half a second before the looks. One is being handled then; three that wait are not above the threshold, four are.
        for waiting in [3, 4] {
            sim.sleep(19 * SECOND / 2).await;
            load(&group, waiting + 1);
            sim.sleep(SECOND / 2 + SECOND / 4).await;
            sizes.push(group.elems().len());
            sim.sleep(9 * SECOND + 3 * SECOND / 4).await;
        }
        assert_eq!(sizes, [1, 2], "by a tenth, rounded up");
    });
}

#[test]
fn section_12_what_would_never_change_the_size_does_not() {
    let never = [0.0, -1.0, f64::NAN].map(|rate| doubling().with_upscale_rate(rate));
    let bounded = [
        doubling().with_upper_bound(UpperBound::Limit(0)),
        // Bounds that contradict each other: the lower one holds, and nothing underflows.
        doubling().with_upper_bound(UpperBound::Limit(1)),
    ];
    for resizer in never.into_iter().chain(bounded) {
        run(|platform, sim| async move {
            let group = slow(&platform, &sim, &Arc::default(), resizer);
            platform.start();
            load(&group, 100);
            sim.sleep(50 * SECOND).await;
            assert_eq!(group.elems().len(), 2);
        });
    }
}

#[test]
fn section_12_a_group_that_never_shrinks_or_has_no_upper_bound() {
    for nothing in [0.0, -1.0, f64::NAN] {
        for resizer in
            [doubling().with_downscale_rate(nothing), doubling().with_downscale_threshold(nothing)]
        {
            run(|platform, sim| async move {
                let resizer = resizer.with_upper_bound(UpperBound::Unlimited);
                let group = slow(&platform, &sim, &Arc::default(), resizer);
                platform.start();
                load(&group, 100);
                sim.sleep(200 * SECOND).await;
                let grown = group.elems().len();
                assert!(grown > 7, "that is no bound any more");
                sim.sleep(500 * SECOND).await;
                assert_eq!(group.elems().len(), grown, "though there is nothing to do");
            });
        }
    }
}

#[test]
fn section_12_a_busy_group_does_not_shrink() {
    run(|platform, sim| async move {
        let handled = Arc::default();
        let resizer = doubling().with_downscale_rate(1.0);
        let group = slow(&platform, &sim, &handled, resizer);
        platform.start();
        load(&group, 17);
        sim.sleep(11 * SECOND).await;
        assert_eq!(group.elems().len(), 4);
        // One message after another for each: nothing waits, and all have something to do.
        for _ in 0..40 {
            for child in group.elems() {
                child.tell_anonymously(1_u32).unwrap();
            }
            sim.sleep(SECOND).await;
        }
        assert_eq!(group.elems().len(), 4);
        sim.sleep(100 * SECOND).await;
        assert_eq!(group.elems().len(), 2);
    });
}

#[test]
fn section_12_broadcasts_and_dispatchers_follow_the_size() {
    run(|platform, sim| async move {
        let log = Log::default();
        let (own, clock) = (log.clone(), sim.clone());
        let dispatcher = Dispatcher::with_type(DispatcherType::Named("all".into()));
        let group = platform.children(|children| {
            children
                .with_resizer(doubling())
                .with_heartbeat_tick(10 * SECOND)
                .with_dispatcher(dispatcher)
                .with_exec(move |ctx: BastionContext| {
                    let (log, sim) = (own.clone(), clock.clone());
                    async move {
                        loop {
                            msg! { ctx.recv().await?,
                                ref word: &'static str => log.add(*word);
                                _number: u32 => sim.sleep(SECOND).await;
                                _: _ => ();
                            }
                        }
                    }
                })
        });
        let group = group.unwrap();
        platform.start();
        load(&group, 20);
        sim.sleep(11 * SECOND).await;
        assert_eq!(group.elems().len(), 4);
        group.broadcast("grown").unwrap();
        sim.sleep(40 * SECOND).await;
        assert_eq!(log.take().len(), 4);
        sim.sleep(100 * SECOND).await;
        group.broadcast("shrunk").unwrap();
        sim.sleep(1 * SECOND).await;
        assert_eq!(log.take().len(), 2);
    });
}

#[test]
fn section_12_a_group_with_a_resizer_ends_with_its_last_child_and_begins_anew_when_it_is_restarted()
{
    run(|platform, sim| async move {
        let log = Log::default();
        let mut groups = Vec::new();
        platform
            .supervisor(|supervisor| {
                let describe = group(&log, "g");
                groups.push(supervisor.children_ref(|children| {
                    describe(children).with_resizer(doubling()).with_heartbeat_tick(SECOND)
                }));
                groups.push(supervisor.children_ref(group(&log, "other")));
                supervisor.with_strategy(SupervisionStrategy::OneForAll)
            })
            .unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        log.take();
        let group = groups[0].clone();
        let children = group.elems().to_vec();
        for child in &children {
            assert!(group.elems().contains(child), "one that ends is not replaced");
            child.tell_anonymously(Order::Finish).unwrap();
            sim.sleep(SECOND).await;
        }
        assert!(group.elems().is_empty() && group.stop().is_err());
        assert_eq!(log.take(), ["g ends", "g ends", "g after_stop"]);
        only(&groups[1]).tell_anonymously(Order::Fail).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(group.elems(), children, "the same as at its first start");
        assert_eq!(ask(&children[1], 1).await, Some(2));
    });
}
