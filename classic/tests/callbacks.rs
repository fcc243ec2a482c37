//! bastion 0.4, Callbacks (§2.3): which are called, one sentence after the other.

mod kit;

use bastion_classic::prelude::*;
use kit::{Log, Order, SECOND, ask, each, group, only, run};

const RESTARTED: [&str; 3] = ["before_restart", "after_restart", "runs"];
const STARTED: [&str; 2] = ["before_start", "after_start"];

#[test]
fn section_2_3_each_question_is_about_its_own_callback() {
    type Has = fn(&Callbacks) -> bool;
    let has: [Has; 5] = [
        Callbacks::has_before_start,
        Callbacks::has_after_start,
        Callbacks::has_before_restart,
        Callbacks::has_after_restart,
        Callbacks::has_after_stop,
    ];
    let asked = |callbacks: Callbacks| has.map(|has| has(&callbacks));
    assert_eq!(asked(Callbacks::new()), [false; 5]);
    assert_eq!(asked(Callbacks::default()), [false; 5]);
    let each = [
        Callbacks::new().with_before_start(|| ()),
        Callbacks::new().with_after_start(|| ()),
        Callbacks::new().with_before_restart(|| ()),
        Callbacks::new().with_after_restart(|| ()),
        Callbacks::new().with_after_stop(|| ()),
    ];
    for (n, callbacks) in each.into_iter().enumerate() {
        let mut expected = [false; 5];
        expected[n] = true;
        assert_eq!(asked(callbacks), expected);
    }
}

/// What the callbacks of a group say when its child is restarted, when those for that are not all there.
fn restart_with(callbacks: impl FnOnce(&Log) -> Callbacks) -> Vec<String> {
    run(|platform, sim| async move {
        let log = Log::default();
        let (describe, callbacks) = (group(&log, "g"), callbacks(&log));
        let group =
            platform.children(|children| describe(children).with_callbacks(callbacks)).unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        log.take();
        only(&group).tell_anonymously(Order::Fail).unwrap();
        sim.sleep(SECOND).await;
        log.take()
    })
}

#[test]
fn section_2_3_after_stop_stands_in_for_before_restart_alone() {
    let happened = restart_with(|log| {
        Callbacks::new()
            .with_before_start(log.say("g", "before_start"))
            .with_after_restart(log.say("g", "after_restart"))
            .with_after_stop(log.say("g", "after_stop"))
    });
    assert_eq!(happened, each("g", &["ends", "after_stop", "after_restart", "runs"]));
}

#[test]
fn section_2_3_before_start_stands_in_for_after_restart_alone() {
    let happened = restart_with(|log| {
        Callbacks::new()
            .with_before_start(log.say("g", "before_start"))
            .with_before_restart(log.say("g", "before_restart"))
            .with_after_stop(log.say("g", "after_stop"))
    });
    assert_eq!(happened, each("g", &["ends", "before_restart", "before_start", "runs"]));
}

#[test]
fn section_2_3_nothing_stands_in_for_after_start() {
    let happened = restart_with(|log| Callbacks::new().with_after_start(log.say("g", "no")));
    assert_eq!(happened, each("g", &["ends", "runs"]));
}

#[test]
fn section_2_3_after_start_comes_when_the_children_have_joined() {
    run(|platform, sim| async move {
        let joined = Distributor::named("section 2.3 joined");
        let dispatcher = Dispatcher::with_type(DispatcherType::Named("joined".to_owned()));
        let log = Log::default();
        let (members, handler) = (log.clone(), Joined(log.clone()));
        let callbacks = Callbacks::new().with_after_start(move || {
            members.add(format!("{} members", joined.tell_everyone(()).unwrap().len()));
        });
        platform
            .children(|children| {
                children
                    .with_redundancy(3)
                    .with_distributor(joined)
                    .with_dispatcher(dispatcher.with_handler(Box::new(handler)))
                    .with_callbacks(callbacks)
                    .with_exec(|_| std::future::pending())
            })
            .unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        assert_eq!(log.take(), ["joined", "joined", "joined", "3 members"]);
        platform.kill();
        platform.ended().await;
    });
}

struct Joined(Log);

impl DispatcherHandler for Joined {
    fn notify(&self, _: &ChildRef, _: &DispatcherMap, what: NotificationType) {
        if let NotificationType::Register = what {
            self.0.add("joined");
        }
    }

    fn broadcast_message(&self, _: &DispatcherMap, _: &std::sync::Arc<SignedMessage>) {}
}

#[test]
fn section_2_3_an_element_that_was_stopped_or_killed_is_started_with_its_siblings() {
    for kill in [false, true] {
        run(|platform, sim| async move {
            let log = Log::default();
            let mut groups = Vec::new();
            platform
                .supervisor(|supervisor| {
                    for name in ["a", "b"] {
                        groups.push(supervisor.children_ref(group(&log, name)));
                    }
                    supervisor.with_strategy(SupervisionStrategy::OneForAll)
                })
                .unwrap();
            platform.start();
            sim.sleep(SECOND).await;
            if kill { groups[0].kill() } else { groups[0].stop() }.unwrap();
            sim.sleep(SECOND).await;
            log.take();
            only(&groups[1]).tell_anonymously(Order::Fail).unwrap();
            sim.sleep(SECOND).await;
            let mut happened = log.take();
            happened.retain(|entry| !entry.ends_with("runs"));
            let expected = [each("b", &["ends"]), each("a", &STARTED), each("b", &RESTARTED[..2])];
            assert_eq!(happened, expected.concat(), "killed: {kill}");
            // It is there again: its references, and its end.
            assert_eq!(ask(only(&groups[0]), 1).await, Some(2));
            groups[0].stop().unwrap();
            sim.sleep(SECOND).await;
            assert_eq!(log.take(), each("a", &["ends", "after_stop"]));
        });
    }
}

#[test]
fn section_2_3_a_supervisor_that_is_restarted_has_the_callbacks_of_a_restart_before_its_elements() {
    run(|platform, sim| async move {
        let log = Log::default();
        let (inner, mut first) = (log.clone(), None);
        platform
            .supervisor(|outer| {
                first = Some(outer.children_ref(group(&inner, "a")));
                outer.with_strategy(SupervisionStrategy::OneForAll).supervisor(|nested| {
                    nested.with_callbacks(inner.callbacks("s")).children(group(&inner, "b"))
                })
            })
            .unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        log.take();
        only(&first.unwrap()).tell_anonymously(Order::Fail).unwrap();
        sim.sleep(SECOND).await;
        let expected = [
            each("a", &["ends"]),
            each("b", &["ends"]),
            each("a", &RESTARTED),
            each("s", &RESTARTED[..2]),
            each("b", &RESTARTED),
        ];
        assert_eq!(log.take(), expected.concat());
    });
}

#[test]
fn section_2_3_what_a_child_does_to_itself_ends_its_group_once() {
    let acts: [fn(&BastionContext); 4] = [
        |ctx| ctx.current().stop().unwrap(),
        |ctx| ctx.current().kill().unwrap(),
        |ctx| ctx.parent().stop().unwrap(),
        |ctx| ctx.parent().kill().unwrap(),
    ];
    for (n, act) in acts.into_iter().enumerate() {
        run(|platform, sim| async move {
            let log = Log::default();
            let callbacks = log.callbacks("g");
            let group = platform.children(|children| {
                children.with_callbacks(callbacks).with_exec(move |ctx| async move {
                    ctx.recv().await?;
                    act(&ctx);
                    ctx.recv().await.map(drop)
                })
            });
            platform.start();
            sim.sleep(SECOND).await;
            only(&group.unwrap()).tell_anonymously("act").unwrap();
            sim.sleep(SECOND).await;
            let expected = ["before_start", "after_start", "after_stop"];
            assert_eq!(log.take(), each("g", &expected), "act {n}");
        });
    }
}
