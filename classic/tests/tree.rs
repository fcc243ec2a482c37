//! bastion 0.4, Supervisor (§3), Children (§4) and their references (§5): what is described, what it is by default, and how it is found again.

mod kit;

use bastion_classic::prelude::*;
use kit::{Log, MS, Order, SECOND, ask, each, group, only, run, scripted};
use std::collections::HashSet;
use std::time::Duration;

const RESTARTED: [&str; 4] = ["ends", "before_restart", "after_restart", "runs"];

#[test]
fn section_3_1_what_is_described_has_its_references_before_it_runs() {
    run(|platform, sim| async move {
        let log = Log::default();
        let (mut ids, mut nested, mut children) = (Vec::new(), None, None);
        let supervisor = platform.supervisor(|mut supervisor| {
            ids.push(supervisor.id().clone());
            nested = Some(supervisor.supervisor_ref(|nested| {
                ids.push(nested.id().clone());
                nested.children(group(&log, "below"))
            }));
            children = Some(supervisor.children_ref(|children| {
                ids.push(children.id().clone());
                children.with_exec(scripted(&log, "beside"))
            }));
            supervisor
        });
        let (supervisor, nested, children) =
            (supervisor.unwrap(), nested.unwrap(), children.unwrap());
        assert_eq!(ids, [supervisor.id().clone(), nested.id().clone(), children.id().clone()]);
        let path = format!("/{}/{}", supervisor.id(), children.id());
        assert_eq!(children.path().to_string(), path);
        platform.start();
        assert_eq!(ask(only(&children), 1).await, Some(2));
        nested.stop().unwrap();
        sim.sleep(SECOND).await;
        assert!(log.take().contains(&"below after_stop".to_owned()));
        assert_eq!(ask(only(&children), 1).await, Some(2), "it is beside, not below");
    });
}

#[test]
fn section_3_1_by_default_a_supervisor_is_one_for_one_and_restarts_always_and_at_once() {
    run(|platform, sim| async move {
        let (log, mut groups) = (Log::default(), Vec::new());
        platform
            .supervisor(|supervisor| {
                groups.extend(["a", "b"].map(|name| supervisor.children_ref(group(&log, name))));
                supervisor
            })
            .unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        for _ in 0..20 {
            log.take();
            let before = sim.now();
            only(&groups[0]).tell_anonymously(Order::Fail).unwrap();
            assert_eq!(ask(only(&groups[0]), 1).await, Some(2));
            assert_eq!((sim.now() - before, log.take()), (Duration::ZERO, each("a", &RESTARTED)));
            // Long enough not to be a storm.
            sim.sleep(2 * SECOND).await;
        }
    });
    assert!(matches!(SupervisionStrategy::default(), SupervisionStrategy::OneForOne));
    let default = RestartStrategy::new(RestartPolicy::Always, ActorRestartStrategy::Immediate);
    assert_eq!(RestartStrategy::default(), default);
}

#[test]
fn section_2_1_groups_of_the_platform_are_supervised_one_for_one() {
    run(|platform, sim| async move {
        let log = Log::default();
        let a = platform.children(group(&log, "a")).unwrap();
        platform.children(group(&log, "b")).unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        log.take();
        only(&a).tell_anonymously(Order::Panic).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(log.take(), each("a", &RESTARTED));
    });
}

#[test]
fn section_2_1_a_spawned_child_is_alone_in_its_group() {
    run(|platform, sim| async move {
        let log = Log::default();
        let group = platform.spawn(scripted(&log, "g")).unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        assert_eq!((group.elems().len(), log.take()), (1, each("g", &["runs"])));
    });
}

#[test]
fn section_2_1_nothing_can_be_made_when_all_was_stopped() {
    run(|platform, _| async move {
        platform.start();
        platform.stop(SECOND);
        platform.ended().await;
        assert!(platform.supervisor(|supervisor| supervisor).is_err());
        assert!(platform.children(|children| children).is_err());
        assert!(platform.spawn(|_| std::future::ready(Ok(()))).is_err());
    });
}

#[test]
fn section_3_2_a_tree_grows_while_it_runs() {
    run(|platform, sim| async move {
        let log = Log::default();
        let top = platform.supervisor(|top| top).unwrap();
        platform.start();
        let nested = top.supervisor(|nested| nested.children(group(&log, "a"))).unwrap();
        let added = nested.children(group(&log, "b")).unwrap();
        assert_eq!(ask(only(&added), 1).await, Some(2));
        assert_eq!(
            added.path().to_string(),
            format!("/{}/{}/{}", top.id(), nested.id(), added.id())
        );
        sim.sleep(SECOND).await;
        log.take();
        top.stop().unwrap();
        sim.sleep(SECOND).await;
        let ends = ["b ends", "b after_stop", "a ends", "a after_stop"];
        assert_eq!(log.take(), ends);
        assert!(nested.supervisor(|s| s).is_err() && top.supervisor(|s| s).is_err());
        assert!(nested.children(|c| c).is_err() && top.children(|c| c).is_err());
    });
}

#[test]
fn section_3_3_rest_for_one_also_starts_what_has_stopped_after_what_failed() {
    run(|platform, sim| async move {
        let (log, mut groups) = (Log::default(), Vec::new());
        platform
            .supervisor(|supervisor| {
                let describe = |name| supervisor.children_ref(group(&log, name));
                groups.extend(["a", "b", "c"].map(describe));
                supervisor.with_strategy(SupervisionStrategy::RestForOne)
            })
            .unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        only(&groups[0]).tell_anonymously(Order::Finish).unwrap();
        only(&groups[2]).tell_anonymously(Order::Finish).unwrap();
        sim.sleep(SECOND).await;
        log.take();
        only(&groups[1]).tell_anonymously(Order::Fail).unwrap();
        sim.sleep(SECOND).await;
        let mut happened = log.take();
        happened.retain(|entry| !entry.ends_with("runs"));
        let started = each("c", &["before_start", "after_start"]);
        assert_eq!(happened, [each("b", &RESTARTED[..3]), started].concat());
        assert_eq!(ask(only(&groups[2]), 1).await, Some(2));
    });
}

#[test]
fn section_3_5_a_multiplier_of_one_is_linear() {
    let timeout = 100 * MS;
    let linear = ActorRestartStrategy::LinearBackOff { timeout };
    let exponential = ActorRestartStrategy::ExponentialBackOff { timeout, multiplier: 1.0 };
    for n in [0, 1, 2, 99] {
        assert_eq!(exponential.calculate(n), linear.calculate(n));
    }
    assert_eq!(ActorRestartStrategy::Immediate.calculate(7), None);
    assert_eq!(ActorRestartStrategy::default(), ActorRestartStrategy::Immediate);
}

#[test]
fn section_3_6_a_restart_strategy_has_two_parts() {
    let linear = ActorRestartStrategy::LinearBackOff { timeout: SECOND };
    let both = RestartStrategy::new(RestartPolicy::Tries(3), linear.clone());
    assert_eq!((both.restart_policy(), both.strategy()), (RestartPolicy::Tries(3), linear.clone()));
    let built = RestartStrategy::default()
        .with_actor_restart_strategy(linear)
        .with_restart_policy(RestartPolicy::Tries(3));
    assert_eq!(built, both);
    assert_eq!(RestartPolicy::default(), RestartPolicy::Always);
}

#[test]
fn section_4_a_group_that_says_nothing_ends_at_once() {
    run(|platform, sim| async move {
        let log = Log::default();
        let callbacks = log.callbacks("g");
        let group = platform.children(|children| children.with_callbacks(callbacks)).unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        let mut happened = log.take();
        happened.retain(|entry| entry != "g after_start");
        assert_eq!(happened, each("g", &["before_start", "after_stop"]));
        assert!(group.stop().is_err());
    });
}

#[test]
fn section_4_the_closure_is_called_once_for_each_child_and_each_start() {
    run(|platform, sim| async move {
        let log = Log::default();
        let exec = scripted(&log, "g");
        let group =
            platform.children(|children| children.with_redundancy(3).with_exec(exec)).unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        assert_eq!(log.take(), each("g", &["runs"; 3]));
        group.elems()[1].tell_anonymously(Order::Fail).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(log.take(), each("g", &["ends", "runs"]));
    });
}

#[test]
fn section_4_a_group_has_all_the_distributors_and_dispatchers_that_it_was_given() {
    run(|platform, sim| async move {
        let distributors = ["one", "two"].map(|n| Distributor::named(format!("section 4 {n}")));
        let types = ["one", "two"].map(|name| DispatcherType::Named(name.to_owned()));
        let group = platform.children(|children| {
            let children = children.with_exec(|ctx| async move { ctx.recv().await.map(drop) });
            let children = distributors.into_iter().fold(children, Children::with_distributor);
            let dispatchers = types.clone().into_iter().map(Dispatcher::with_type);
            dispatchers.fold(children, Children::with_dispatcher)
        });
        let group = group.unwrap();
        assert_eq!(
            (group.distributors(), group.dispatchers()),
            (&distributors.to_vec(), &types.to_vec())
        );
        platform.start();
        sim.sleep(SECOND).await;
        for distributor in distributors {
            assert_eq!(distributor.tell_everyone(1).map(|told| told.len()).ok(), Some(1));
        }
        platform.stop(SECOND);
        platform.ended().await;
    });
}

#[test]
#[expect(clippy::mutable_key_type, reason = "a child is hashed by its id")]
fn section_5_references_are_equal_when_they_are_of_the_same() {
    run(|platform, _| async move {
        let (mut supervisors, mut groups) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            supervisors.push(platform.supervisor(|s| s).unwrap());
            groups.push(platform.children(|c| c.with_redundancy(2)).unwrap());
        }
        assert!(supervisors[0] == supervisors[0].clone() && supervisors[0] != supervisors[1]);
        assert!(groups[0] == groups[0].clone() && groups[0] != groups[1]);
        let children: Vec<ChildRef> =
            groups.iter().flat_map(|group| group.elems().to_vec()).collect();
        assert!(children[0] == children[0].clone() && children[0] != children[1]);
        let unique: HashSet<_> = children.iter().chain(&children).cloned().collect();
        let ids: HashSet<_> = unique.iter().map(|child| child.id().clone()).collect();
        assert_eq!((unique.len(), ids.len()), (4, 4));
    });
}

#[test]
fn section_5_1_the_elements_of_a_group_are_those_of_its_creation_over_all_restarts() {
    run(|platform, sim| async move {
        let describe = group(&Log::default(), "g");
        let group = platform.children(|children| describe(children.with_redundancy(3))).unwrap();
        let before: Vec<_> = group.elems().iter().map(|child| child.id().clone()).collect();
        platform.start();
        sim.sleep(SECOND).await;
        for child in group.elems() {
            child.tell_anonymously(Order::Panic).unwrap();
        }
        sim.sleep(SECOND).await;
        let after: Vec<_> = group.elems().iter().map(|child| child.id().clone()).collect();
        assert_eq!(before, after);
        // By hand, one after another: what programs do with it.
        for n in 0..6 {
            assert_eq!(ask(&group.elems()[n % 3], 1).await, Some(2));
        }
    });
}

#[test]
fn section_5_2_a_reference_says_where_and_what_its_child_is() {
    run(|platform, _| async move {
        let group = platform.children(|children| children.with_name("g")).unwrap();
        let child = only(&group);
        let own = format!("{}/{}", group.path(), child.id());
        assert_eq!((child.name(), child.path().to_string()), ("g", own.clone()));
        assert_eq!(child.addr().path().to_string(), own);
        assert!(child.addr().is_sender_identified() && child.is_public());
        assert!(child.path().elem().as_ref().is_some_and(BastionPathElement::is_child));
        assert!(group.path().elem().as_ref().is_some_and(BastionPathElement::is_children));
    });
}

#[test]
fn section_6_an_id_is_a_random_uuid_and_nobody_has_that_of_nobody() {
    run(|platform, _| async move {
        let groups: Vec<_> = (0..20).map(|_| platform.children(|c| c).unwrap()).collect();
        let ids: HashSet<_> = groups.iter().map(|group| group.id().to_string()).collect();
        assert_eq!(ids.len(), groups.len());
        // 8-4-4-4-12 digits; the version is 4.
        let of_version_4 = |id: &String| {
            let lengths: Vec<_> = id.split('-').map(str::len).collect();
            lengths == [8, 4, 4, 4, 12] && id.as_bytes()[14] == b'4'
        };
        assert!(ids.iter().all(of_version_4), "{ids:?}");
        assert_eq!(NIL_ID.to_string(), "00000000-0000-0000-0000-000000000000");
    });
}
