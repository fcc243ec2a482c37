//! §2 to §5 and §15: how elements start, fail, are restarted and stop, and which callbacks are called.

mod kit;

use bastion_classic::prelude::*;
use bastion_supervision::plan::Backoff;
use kit::{Log, Order, SECOND, ask, each, group, only, run};
use std::time::Duration;

const STARTED: [&str; 3] = ["before_start", "runs", "after_start"];

#[test]
fn section_2_1_what_is_made_before_the_start_waits_for_it_and_begins_in_order() {
    run(|platform, sim| async move {
        let log = Log::default();
        let first = platform.children(group(&log, "first")).unwrap();
        let inner = log.clone();
        platform
            .supervisor(move |supervisor| {
                supervisor
                    .with_callbacks(inner.callbacks("outer"))
                    .children(group(&inner, "second"))
                    .supervisor(|nested| {
                        nested
                            .with_callbacks(inner.callbacks("nested"))
                            .children(group(&inner, "third"))
                    })
            })
            .unwrap();
        let question = only(&first).ask_anonymously(1_u32).unwrap();
        sim.sleep(SECOND).await;
        assert!(log.take().is_empty(), "DEF-8: nothing runs before the start");
        platform.start();
        assert_eq!(question.await.unwrap().extract().0.downcast::<u32>().unwrap(), 2);
        sim.sleep(SECOND).await;
        let log = log.take();
        let place = |entry: &str| log.iter().position(|logged| logged == entry).expect(entry);
        let starts = ["first", "outer", "second", "nested", "third"];
        let starts = starts.map(|name| place(&format!("{name} before_start")));
        assert!(starts.is_sorted(), "{log:?}");
        // Each exactly once, and before those of what is below.
        assert_eq!(log.len(), 5 + 5 + 3, "{log:?}");
        assert!(place("third after_start") < place("nested after_start"), "{log:?}");
        let later = platform.children(group(&Log::default(), "later")).unwrap();
        assert_eq!(ask(only(&later), 1).await, Some(2), "after the start, at once");
    });
}

#[test]
fn section_2_1_a_stop_is_in_reverse_and_calls_after_stop_once() {
    run(|platform, sim| async move {
        let log = Log::default();
        let inner = log.clone();
        platform
            .supervisor(move |supervisor| {
                supervisor
                    .with_callbacks(inner.callbacks("outer"))
                    .children(group(&inner, "a"))
                    .children(group(&inner, "b"))
            })
            .unwrap();
        let group = platform.children(group(&log, "c")).unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        log.take();
        platform.stop(SECOND);
        platform.ended().await;
        let stop = ["c ends", "c after_stop", "b ends", "b after_stop", "a ends", "a after_stop"];
        assert_eq!(log.take(), [&stop[..], &["outer after_stop"]].concat());
        assert!(platform.children(|children| children).is_err());
        assert_eq!(platform.broadcast(7), Err(7));
        assert!(group.stop().is_err() && only(&group).stop().is_err());
    });
}

#[test]
fn section_2_1_a_stop_before_the_start_does_not_hang() {
    run(|platform, _| async move {
        let log = Log::default();
        let group = platform.children(group(&log, "a")).unwrap();
        platform.stop(SECOND);
        platform.ended().await;
        assert!(only(&group).tell_anonymously(1).is_err());
        assert!(log.take().is_empty());
    });
}

#[test]
fn section_2_1_a_kill_ends_everything_at_once() {
    run(|platform, sim| async move {
        let log = Log::default();
        let group = platform.children(group(&log, "a")).unwrap();
        // It does not care for stops.
        platform.spawn(|_| std::future::pending()).unwrap();
        platform.start();
        assert_eq!(ask(only(&group), 1).await, Some(2));
        log.take();
        platform.kill();
        platform.ended().await;
        assert_eq!(sim.now(), std::time::Duration::ZERO);
        let mut ends = log.take();
        ends.sort();
        assert_eq!(ends, ["a after_stop", "a ends"]);
    });
}

#[test]
fn section_2_1_a_broadcast_reaches_every_child() {
    run(|platform, sim| async move {
        let log = Log::default();
        let listen = |name: &'static str| {
            let log = log.clone();
            move |children: Children| {
                children.with_redundancy(2).with_exec(move |ctx| {
                    let log = log.clone();
                    async move {
                        loop {
                            msg! { ctx.recv().await?,
                                ref text: &'static str => log.add(format!("{name} {text}"));
                                _: _ => ();
                            }
                        }
                    }
                })
            }
        };
        let a = platform.children(listen("a")).unwrap();
        let outer = platform.supervisor(|s| s.supervisor(|s| s.children(listen("b")))).unwrap();
        platform.start();
        let later = outer.children(listen("c")).unwrap();
        platform.broadcast("to all").unwrap();
        sim.sleep(SECOND).await;
        let heard = ["a to all", "a to all", "b to all", "b to all", "c to all", "c to all"];
        let mut all = log.take();
        all.sort();
        assert_eq!(all, heard);
        outer.broadcast("below").unwrap();
        later.stop().unwrap();
        a.broadcast("group").unwrap();
        sim.sleep(SECOND).await;
        outer.broadcast("rest").unwrap();
        sim.sleep(SECOND).await;
        let mut all = log.take();
        all.retain(|entry| !entry.ends_with("below"));
        all.sort();
        assert_eq!(all, ["a group", "a group", "b rest", "b rest"]);
    });
}

#[test]
fn section_2_3_a_child_that_fails_is_restarted_with_the_groups_callbacks() {
    for order in [Order::Fail, Order::Panic] {
        run(|platform, sim| async move {
            let log = Log::default();
            let describe = group(&log, "g");
            let group = platform.children(|children| describe(children.with_redundancy(2)));
            let group = group.unwrap();
            platform.start();
            sim.sleep(SECOND).await;
            let started = ["before_start", "runs", "runs", "after_start"];
            assert_eq!(log.take().len(), started.len(), "DEF-8: once for the group");
            only(&group).tell_anonymously(order).unwrap();
            sim.sleep(SECOND).await;
            let restarted = ["ends", "before_restart", "after_restart", "runs"];
            assert_eq!(log.take(), each("g", &restarted), "DEF-1: the child alone");
            assert_eq!(ask(only(&group), 1).await, Some(2), "DEF-5: its address holds");
        });
    }
}

#[test]
fn section_2_3_without_the_callbacks_of_a_restart_those_of_a_stop_and_start_are_called() {
    run(|platform, sim| async move {
        let log = Log::default();
        let callbacks = Callbacks::new()
            .with_before_start(log.say("g", "before_start"))
            .with_after_stop(log.say("g", "after_stop"));
        let describe = group(&log, "g");
        let group =
            platform.children(|children| describe(children).with_callbacks(callbacks)).unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        log.take();
        only(&group).tell_anonymously(Order::Fail).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(log.take(), each("g", &["ends", "after_stop", "before_start", "runs"]));
    });
}

#[test]
fn section_4_a_group_has_stopped_when_all_its_children_have_ended() {
    run(|platform, sim| async move {
        let log = Log::default();
        let describe = group(&log, "g");
        let group = platform.children(|children| describe(children.with_redundancy(3))).unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        log.take();
        let [finishes, stopped, killed] = group.elems() else { panic!() };
        finishes.tell_anonymously(Order::Finish).unwrap();
        stopped.stop().unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(log.take(), each("g", &["ends", "ends"]));
        assert!(finishes.tell_anonymously(0).is_err() && stopped.tell_anonymously(0).is_err());
        assert!(stopped.stop().is_err() && stopped.kill().is_err());
        assert_eq!(ask(killed, 1).await, Some(2), "the others go on");
        killed.kill().unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(log.take(), each("g", &["ends", "after_stop"]));
        assert!(group.stop().is_err() && group.kill().is_err(), "DEF-11");
        assert_eq!(group.broadcast(1), Err(1));
        assert_eq!(group.elems().len(), 3);
    });
}

#[test]
fn section_5_1_a_group_is_stopped_and_killed_and_not_restarted() {
    for kill in [false, true] {
        run(|platform, sim| async move {
            let log = Log::default();
            let group = platform.children(group(&log, "g")).unwrap();
            platform.start();
            assert_eq!(ask(only(&group), 1).await, Some(2));
            log.take();
            if kill { group.kill() } else { group.stop() }.unwrap();
            sim.sleep(SECOND).await;
            let mut ends = log.take();
            if kill {
                ends.sort_by_key(|entry| entry != "g ends");
            }
            assert_eq!(ends, each("g", &["ends", "after_stop"]));
            assert!(only(&group).tell_anonymously(0).is_err());
            assert!(only(&group).ask_anonymously(0).is_err());
        });
    }
}

#[test]
fn section_3_2_a_supervisor_is_stopped_and_killed_with_all_below() {
    for kill in [false, true] {
        run(|platform, sim| async move {
            let log = Log::default();
            let (inner, callbacks) = (group(&log, "g"), log.callbacks("s"));
            let supervisor = platform
                .supervisor(|supervisor| supervisor.children(inner).with_callbacks(callbacks))
                .unwrap();
            platform.start();
            sim.sleep(SECOND).await;
            log.take();
            if kill { supervisor.kill() } else { supervisor.stop() }.unwrap();
            sim.sleep(SECOND).await;
            let mut ends = log.take();
            if kill {
                ends.sort();
            }
            let expected = ["g ends", "g after_stop", "s after_stop"];
            let mut expected = expected.map(str::to_owned);
            if kill {
                expected.sort();
            }
            assert_eq!(ends, expected, "DEF-10: it stays stopped");
            assert!(supervisor.stop().is_err() && supervisor.children(|c| c).is_err());
            assert!(supervisor.strategy(SupervisionStrategy::OneForAll).is_err());
            assert_eq!(supervisor.broadcast(1), Err(1));
        });
    }
}

/// Three groups under a strategy, of which the second has stopped by itself, or has not; the last but one fails. Returns what happened.
fn restarts(strategy: SupervisionStrategy, at_run_time: bool, fails: usize) -> Vec<String> {
    run(|platform, sim| async move {
        let log = Log::default();
        let mut groups = Vec::new();
        let supervisor = platform
            .supervisor(|supervisor| {
                for name in ["a", "b", "c"] {
                    groups.push(supervisor.children_ref(group(&log, name)));
                }
                if at_run_time { supervisor } else { supervisor.with_strategy(strategy.clone()) }
            })
            .unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        if at_run_time {
            supervisor.strategy(strategy).unwrap();
            sim.sleep(SECOND).await;
        }
        only(&groups[0]).tell_anonymously(Order::Finish).unwrap();
        sim.sleep(SECOND).await;
        log.take();
        only(&groups[fails]).tell_anonymously(Order::Fail).unwrap();
        sim.sleep(SECOND).await;
        let happened = log.take();
        // Again: changed rules hold over restarts.
        only(&groups[2]).tell_anonymously(Order::Fail).unwrap();
        sim.sleep(SECOND).await;
        let again = log.take();
        assert!(again.contains(&"c after_restart".to_owned()), "{again:?}");
        happened
    })
}

#[test]
fn section_3_3_one_for_one_restarts_what_failed() {
    for at_run_time in [false, true] {
        let happened = restarts(SupervisionStrategy::OneForOne, at_run_time, 1);
        assert_eq!(happened, each("b", &["ends", "before_restart", "after_restart", "runs"]));
    }
}

#[test]
fn section_3_3_one_for_all_restarts_all_also_those_that_have_stopped() {
    for at_run_time in [false, true] {
        let happened = restarts(SupervisionStrategy::OneForAll, at_run_time, 1);
        let restart = ["before_restart", "after_restart", "runs"];
        let expected = [
            each("b", &["ends"]),
            // DEF-2: no sibling runs twice.
            each("c", &["ends"]),
            // It had stopped, so it is started.
            each("a", &STARTED),
            each("b", &restart),
            each("c", &restart),
        ];
        assert_eq!(happened, expected.concat(), "at run time: {at_run_time}");
    }
}

#[test]
fn section_3_3_rest_for_one_restarts_what_failed_and_what_was_added_after_it() {
    let happened = restarts(SupervisionStrategy::RestForOne, false, 1);
    let restart = ["before_restart", "after_restart", "runs"];
    let expected =
        [each("b", &["ends"]), each("c", &["ends"]), each("b", &restart), each("c", &restart)];
    assert_eq!(happened, expected.concat());
}

#[test]
fn section_3_2_a_change_of_the_strategy_reaches_a_group_that_rests() {
    run(|platform, sim| async move {
        let log = Log::default();
        let mut groups = Vec::new();
        let supervisor = platform
            .supervisor(|supervisor| {
                for name in ["a", "b"] {
                    groups.push(supervisor.children_ref(group(&log, name)));
                }
                supervisor
            })
            .unwrap();
        platform.start();
        only(&groups[0]).tell_anonymously(Order::Finish).unwrap();
        sim.sleep(SECOND).await;
        supervisor.strategy(SupervisionStrategy::OneForAll).unwrap();
        sim.sleep(SECOND).await;
        only(&groups[1]).tell_anonymously(Order::Fail).unwrap();
        sim.sleep(SECOND).await;
        log.take();
        // It runs again, and its failure is that of all.
        only(&groups[0]).tell_anonymously(Order::Fail).unwrap();
        sim.sleep(SECOND).await;
        assert!(log.take().contains(&"b before_restart".to_owned()));
    });
}

/// Lets the only child of a group fail `failures` times, a long time apart, and returns when it ran again, in milliseconds after the failure.
fn delays(strategy: SupervisionStrategy, restart: RestartStrategy, failures: usize) -> Vec<u128> {
    run(|platform, sim| async move {
        let mut groups = Vec::new();
        platform
            .supervisor(|supervisor| {
                let describe = group(&Log::default(), "g");
                groups.push(supervisor.children_ref(describe));
                supervisor.with_strategy(strategy).with_restart_strategy(restart)
            })
            .unwrap();
        platform.start();
        let mut delays = Vec::new();
        for _ in 0..failures {
            sim.sleep(SECOND).await;
            let before = sim.now();
            if only(&groups[0]).tell_anonymously(Order::Fail).is_err() {
                break;
            }
            if ask(only(&groups[0]), 1).await.is_some() {
                delays.push((sim.now() - before).as_millis());
            }
        }
        delays
    })
}

#[test]
fn section_3_6_policy_and_back_off_are_counted_per_element() {
    use ActorRestartStrategy::{ExponentialBackOff, Immediate, LinearBackOff};
    let timeout = 100 * kit::MS;
    let linear = LinearBackOff { timeout };
    let exponential = ExponentialBackOff { timeout, multiplier: 5.0 };
    for strategy in [SupervisionStrategy::OneForOne, SupervisionStrategy::OneForAll] {
        let check = |policy, back_off, failures, expected: &[u128]| {
            let restart = RestartStrategy::new(policy, back_off);
            let delays = delays(strategy.clone(), restart.clone(), failures);
            assert_eq!(delays, expected, "{strategy:?} {restart:?}");
        };
        check(RestartPolicy::Always, Immediate, 3, &[0, 0, 0]);
        check(RestartPolicy::Always, linear.clone(), 3, &[100, 200, 300]);
        check(RestartPolicy::Always, exponential.clone(), 3, &[100, 600, 1100]);
        check(RestartPolicy::Tries(2), linear.clone(), 5, &[100, 200]);
        check(RestartPolicy::Never, Immediate, 3, &[]);
    }
}

#[test]
fn section_3_5_a_back_off_that_doubles_has_a_name_of_its_own() {
    let linear = ActorRestartStrategy::LinearBackOff { timeout: SECOND };
    let doubling = Backoff::exponential(100 * kit::MS, 2, SECOND).healthy_after(Duration::MAX);
    let restart = RestartStrategy::default().with_actor_restart_strategy(linear.clone());
    let restart = restart.with_backoff(doubling);
    assert_eq!(restart.strategy(), linear, "that of the strategy is kept, and not used");
    let delays = delays(SupervisionStrategy::OneForOne, restart, 6);
    assert_eq!(delays, [100, 200, 400, 800, 1000, 1000]);
}

#[test]
fn section_4_builders_and_defaults() {
    run(|platform, _| async move {
        let mut id = None;
        let group = platform.children(|children| {
            id = Some(children.id().clone());
            children.with_redundancy(0).with_heartbeat_tick(SECOND)
        });
        let group = group.unwrap();
        assert_eq!((group.elems().len(), only(&group).name()), (1, "__Anonymous__"));
        assert_eq!(Some(group.id()), id.as_ref());
        let named = platform.children(|c| c.with_name("workers").with_redundancy(3)).unwrap();
        assert!(named.elems().len() == 3 && named.elems().iter().all(|c| c.name() == "workers"));
        assert!(only(&named).is_public());
        assert!(named.elems()[1].path().to_string().starts_with(&named.path().to_string()));
    });
}
