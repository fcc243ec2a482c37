//! §14: what the code of bastion 0.4 did instead of what it says; what is not tested with its section.

mod kit;

use bastion_classic::prelude::*;
use kit::{Log, Order, SECOND, ask, each, group, only, run};

#[test]
fn def_3_an_exhausted_child_is_removed_and_its_group_stops_with_the_last() {
    run(|platform, sim| async move {
        let log = Log::default();
        let mut groups = Vec::new();
        platform
            .supervisor(|supervisor| {
                groups.push(supervisor.children_ref(group(&log, "g")));
                supervisor.with_restart_strategy(
                    RestartStrategy::default().with_restart_policy(RestartPolicy::Never),
                )
            })
            .unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        log.take();
        only(&groups[0]).tell_anonymously(Order::Panic).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(log.take(), each("g", &["ends", "after_stop"]));
        assert!(groups[0].stop().is_err());
    });
}

#[test]
fn def_4_a_stop_does_not_wait_for_a_back_off() {
    run(|platform, sim| async move {
        let mut groups = Vec::new();
        let supervisor = platform
            .supervisor(|supervisor| {
                groups.push(supervisor.children_ref(group(&Log::default(), "g")));
                let timeout = 3600 * SECOND;
                let back_off = ActorRestartStrategy::LinearBackOff { timeout };
                supervisor.with_restart_strategy(
                    RestartStrategy::default().with_actor_restart_strategy(back_off),
                )
            })
            .unwrap();
        platform.start();
        only(&groups[0]).tell_anonymously(Order::Fail).unwrap();
        sim.sleep(SECOND).await;
        supervisor.stop().unwrap();
        sim.sleep(SECOND).await;
        assert!(supervisor.stop().is_err(), "it has stopped");
    });
}

#[test]
fn def_18_a_panic_in_the_closure_is_the_childs_failure() {
    run(|platform, sim| async move {
        let log = Log::default();
        let own = log.clone();
        let calls = std::sync::atomic::AtomicU32::new(0);
        let group = platform.spawn(move |ctx: BastionContext| {
            own.add("called");
            if calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
                panic!("on purpose");
            }
            async move { ctx.recv().await.map(drop) }
        });
        platform.start();
        sim.sleep(SECOND).await;
        assert_eq!(log.take(), ["called", "called"]);
        assert_eq!(platform.system().stats().crashes, 1);
        only(&group.unwrap()).tell_anonymously(1).unwrap();
    });
}

#[test]
fn def_25_a_panic_in_a_callback_is_contained_and_reported() {
    run(|platform, sim| async move {
        let callbacks = Callbacks::new()
            .with_before_start(|| panic!("before_start"))
            .with_after_start(|| panic!("after_start"))
            .with_before_restart(|| panic!("before_restart"))
            .with_after_restart(|| panic!("after_restart"))
            .with_after_stop(|| panic!("after_stop"));
        let describe = group(&Log::default(), "g");
        let group =
            platform.children(|children| describe(children).with_callbacks(callbacks)).unwrap();
        platform.start();
        only(&group).tell_anonymously(Order::Fail).unwrap();
        assert_eq!(ask(only(&group), 1).await, Some(2));
        group.stop().unwrap();
        sim.sleep(SECOND).await;
        let reported: Vec<_> = platform.system().history().records;
        let panics = reported.iter().filter_map(|record| match &record.report {
            bastion_supervision::Report::HookPanicked { panic } => Some(&*panic.message),
            _ => None,
        });
        let all = ["before_start", "after_start", "before_restart", "after_restart", "after_stop"];
        assert_eq!(panics.collect::<Vec<_>>(), all);
    });
}

#[test]
fn def_9_a_child_that_does_not_stop_is_killed_after_a_second() {
    run(|platform, sim| async move {
        let group = platform.spawn(|_| std::future::pending()).unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        let before = sim.now();
        platform.stop(60 * SECOND);
        platform.ended().await;
        assert_eq!(sim.now() - before, SECOND);
        assert!(only(&group).tell_anonymously(1).is_err());
    });
}
