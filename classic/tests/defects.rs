//! bastion 0.4, its defects (§14): what its code did instead of what it says, and where it is seen that this does not. What is not tested with
//! its section is tested here.
//!
//! | | defect | test |
//! |---|---|---|
//! | DEF-1 | the child is restarted, the documentation says the group | kept, and documented: `lifecycle.rs`, `section_2_3_a_child_that_fails_is_restarted_with_the_groups_callbacks`; with its group under the other strategies, `section_3_3…` |
//! | DEF-2 | siblings run twice after a restart of all | `lifecycle.rs`, `section_3_3_one_for_all_restarts_all_also_those_that_have_stopped` |
//! | DEF-3 | an exhausted child is dropped silently | `def_3_an_exhausted_child_is_removed_and_its_group_stops_with_the_last` |
//! | DEF-4 | a supervisor sleeps while one of its children backs off | `def_4_a_stop_does_not_wait_for_a_back_off`, `def_4_children_back_off_side_by_side` |
//! | DEF-5 | references and `parent().elems()` are stale | `context.rs`, `section_5_2_a_reference_is_that_of_the_child_over_its_restarts`, `section_6_a_context_knows_itself_its_whole_group_and_its_supervisor` |
//! | DEF-6 | two queues, of which one is lost; a flood starves the child | `context.rs`, `section_6_messages_of_one_sender_keep_their_order_and_survive_a_restart`; `def_6_a_flood_delays_nothing` |
//! | DEF-7 | `recv` hangs in other tasks | `context.rs`, `def_7_a_child_receives_in_any_task_and_in_several_at_once` |
//! | DEF-8 | children run before the start, callbacks come several times | `lifecycle.rs`, `section_2_1_what_is_made_before_the_start_waits_for_it_and_begins_in_order` |
//! | DEF-9 | a stop is a kill, and nobody waits for it | `def_9_a_child_that_is_asked_to_stop_may_finish`, `def_9_a_child_that_does_not_stop_is_killed_after_a_second` |
//! | DEF-10 | a stopped supervisor at the top is started anew | `lifecycle.rs`, `section_3_2_a_supervisor_is_stopped_and_killed_with_all_below` |
//! | DEF-11 | a stop of a dead group stops another | `lifecycle.rs`, `section_4_a_group_has_stopped_when_all_its_children_have_ended` |
//! | DEF-12 | one system in the life of a program | `classic_global.rs` of the crate `bastion` |
//! | DEF-13 | `is_sender_identified` and `is_dead_letters` are wrong | `messages.rs`, `section_7_1_the_signature_is_the_senders`; `path.rs` of the crate |
//! | DEF-14 | an answer is signed by who asked | `messages.rs`, `section_7_1_an_ask_never_matches_a_tell_arm_and_its_answer_is_told` |
//! | DEF-15 | the hidden supervisor is shown | `context.rs`, `section_6_a_context_knows_itself_its_whole_group_and_its_supervisor` |
//! | DEF-16 | dispatchers only of some groups, that end with the first of them | `dispatchers.rs` |
//! | DEF-17 | a hidden child in each group, which hears broadcasts | `def_17_there_are_no_children_but_those_that_were_asked_for` |
//! | DEF-18 | a panic of the closure hits who makes the group | `def_18_a_panic_in_the_closure_is_the_childs_failure` |
//! | DEF-19 | unexpected messages are panics | `def_19_whatever_is_sent_to_whatever_is_no_panic` |
//! | DEF-20 | the executor's, E1 to E7 | `executor/tests/compat/` |
//! | DEF-21 | lightproc's, L1 to L9 | `lightproc/tests/compat/` |
//! | DEF-22 | dead letters are lost, questions have no limit | `def_22_…` |
//! | DEF-23 | callbacks do not say why, and nobody else does | `def_23_what_a_callback_is_not_told_is_in_the_reports` |
//! | DEF-24 | hidden panics hide all panics for ever | `config.rs` |
//! | DEF-25 | a panic in a callback ends its element unheard | `def_25_a_panic_in_a_callback_is_contained_and_reported` |

mod kit;

use bastion_classic::prelude::*;
use bastion_supervision::plan::ExitReason;
use bastion_supervision::{Report, Undelivered};
use kit::{Log, MS, Order, SECOND, ask, each, group, only, run, scripted};
use std::time::Duration;

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
            Report::HookPanicked { panic } => Some(&*panic.message),
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

#[test]
fn def_4_children_back_off_side_by_side() {
    run(|platform, sim| async move {
        let mut groups = Vec::new();
        platform
            .supervisor(|supervisor| {
                let describe = |name| supervisor.children_ref(group(&Log::default(), name));
                groups.extend(["a", "b", "c"].map(describe));
                let back_off = ActorRestartStrategy::LinearBackOff { timeout: SECOND };
                supervisor.with_restart_strategy(
                    RestartStrategy::default().with_actor_restart_strategy(back_off),
                )
            })
            .unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        let before = sim.now();
        for failing in &groups[..2] {
            only(failing).tell_anonymously(Order::Fail).unwrap();
        }
        assert_eq!(ask(only(&groups[2]), 1).await, Some(2));
        assert_eq!(sim.now() - before, Duration::ZERO, "the others are served meanwhile");
        assert_eq!(ask(only(&groups[0]), 1).await, Some(2));
        assert_eq!(ask(only(&groups[1]), 1).await, Some(2));
        assert_eq!(sim.now() - before, SECOND, "not one after the other");
    });
}

#[test]
fn def_6_a_flood_delays_nothing() {
    run(|platform, sim| async move {
        let log = Log::default();
        let own = log.clone();
        let flooded = platform.spawn(move |ctx| {
            let log = own.clone();
            async move {
                while ctx.recv().await.is_ok() {
                    log.add("message");
                    // It floods itself, and so is never without messages.
                    ctx.current().tell_anonymously(1).unwrap();
                    ctx.current().tell_anonymously(2).unwrap();
                }
                log.add("stopped");
                Ok(())
            }
        });
        let flooded = flooded.unwrap();
        (0..100_000).for_each(|n| only(&flooded).tell_anonymously(n).unwrap());
        let other = platform.children(group(&Log::default(), "other")).unwrap();
        platform.start();
        assert_eq!(ask(only(&other), 1).await, Some(2), "others run");
        flooded.stop().unwrap();
        sim.sleep(SECOND / 2).await;
        assert_eq!(log.take().pop().as_deref(), Some("stopped"));
        assert!(flooded.stop().is_err());
    });
}

#[test]
fn def_9_a_child_that_is_asked_to_stop_may_finish() {
    for whole in [false, true] {
        run(|platform, sim| async move {
            let log = Log::default();
            let (own, time) = (log.clone(), sim.clone());
            let group = platform.spawn(move |ctx| {
                let (log, sim) = (own.clone(), time.clone());
                async move {
                    while ctx.recv().await.is_ok() {}
                    sim.sleep(500 * MS).await;
                    log.add("put away");
                    Ok(())
                }
            });
            let group = group.unwrap();
            platform.start();
            sim.sleep(SECOND).await;
            if whole { group.stop() } else { only(&group).stop() }.unwrap();
            sim.sleep(400 * MS).await;
            assert!(log.take().is_empty());
            sim.sleep(200 * MS).await;
            assert_eq!(log.take(), ["put away"]);
            assert!(group.stop().is_err(), "it has stopped");
        });
    }
}

#[test]
fn def_17_there_are_no_children_but_those_that_were_asked_for() {
    run(|platform, sim| async move {
        let log = Log::default();
        let describe = group(&log, "g");
        let group = platform.children(|c| describe(c).with_redundancy(3).with_heartbeat_tick(MS));
        let group = group.unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        let tree = platform.system().tree().await.to_string();
        assert_eq!((tree.contains(" 3 workers"), group.elems().len()), (true, 3), "{tree}");
        group.broadcast("heard").unwrap();
        platform.broadcast("heard").unwrap();
        sim.sleep(SECOND).await;
        platform.stop(SECOND);
        platform.ended().await;
        assert_eq!(platform.system().stats().dead_letters, 0, "nobody leaves a broadcast lying");
    });
}

#[test]
fn def_19_whatever_is_sent_to_whatever_is_no_panic() {
    run(|platform, sim| async move {
        let log = Log::default();
        let (mut groups, mut supervisors) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            supervisors.push(platform.supervisor(|s| s.children(group(&log, "below"))).unwrap());
            groups.push(platform.children(group(&log, "g")).unwrap());
        }
        let send_all = || {
            for (group, supervisor) in groups.iter().zip(&supervisors) {
                let _ = (supervisor.broadcast("a"), group.broadcast('b'), platform.broadcast(3_u8));
                let child = only(group);
                let _ = child.tell_anonymously(child.clone());
                let _ = child.tell_anonymously(supervisor.clone());
                let _ = child.ask_anonymously(child.addr());
                let _ = child.ask_anonymously(()).map(|answer| child.tell_anonymously(answer));
                let _ = supervisor.strategy(SupervisionStrategy::OneForAll);
            }
        };
        send_all();
        platform.start();
        send_all();
        sim.sleep(SECOND).await;
        let _ = (groups[0].stop(), supervisors[0].stop());
        send_all();
        sim.sleep(SECOND).await;
        send_all();
        for (group, supervisor) in groups.iter().zip(&supervisors) {
            let _ = (group.kill(), group.kill(), group.stop(), only(group).stop());
            let _ = (supervisor.kill(), supervisor.stop(), supervisor.kill());
        }
        send_all();
        sim.sleep(SECOND).await;
        platform.stop(SECOND);
        send_all();
        platform.ended().await;
        send_all();
        // Kills are reported, too.
        let records = platform.system().history().records;
        let panic = records.iter().find(|record| match &record.report {
            Report::Crash(crash) => matches!(crash.reason, ExitReason::Panic(_)),
            other => matches!(other, Report::HookPanicked { .. }),
        });
        assert!(panic.is_none(), "{panic:?}");
    });
}

#[test]
fn def_22_a_message_that_nobody_handles_is_a_dead_letter() {
    run(|platform, sim| async move {
        let mut letters = platform.system().dead_letters(10);
        let group = platform.spawn(|_| std::future::pending()).unwrap();
        platform.start();
        only(&group).tell_anonymously("never read").unwrap();
        let question = only(&group).ask_anonymously("nor this").unwrap();
        sim.sleep(SECOND).await;
        group.kill().unwrap();
        assert!(question.await.is_err(), "whoever asks is told");
        let letter = letters.recv().await.unwrap();
        assert_eq!(letter.count, 2);
        assert!(matches!(letter.reason, Undelivered::Ended(_)));
    });
}

#[test]
fn def_22_a_message_for_nobody_is_a_dead_letter() {
    run(|platform, sim| async move {
        let mut letters = platform.system().dead_letters(10);
        let group = platform
            .spawn(|ctx| async move {
                let anonymous = ctx.recv().await?.signature().clone();
                ctx.tell(&anonymous, "told").map_err(drop)?;
                let answer = ctx.ask(&anonymous, 7_u32).map_err(drop)?;
                assert!(answer.await.is_err());
                ctx.broadcast_message(BroadcastTarget::Group("nobody".into()), 7_u8);
                ctx.broadcast_message(BroadcastTarget::All, 7_u16);
                Ok(())
            })
            .unwrap();
        platform.start();
        only(&group).tell_anonymously("begin").unwrap();
        sim.sleep(SECOND).await;
        for message in ["&str", "u32", "u8", "u16"] {
            let letter = letters.try_recv().unwrap();
            assert!(matches!(letter.reason, Undelivered::Nobody));
            assert_eq!(letter.message, message);
            assert_eq!(letter.sender, Some(letter.pid));
        }
        assert_eq!(platform.system().stats().dead_letters, 4);
    });
}

#[test]
fn def_22_a_question_may_have_a_limit() {
    run(|platform, sim| async move {
        let log = Log::default();
        let silent = platform.spawn(|_| std::future::pending()).unwrap();
        let scripted = platform.spawn(scripted(&log, "g")).unwrap();
        let (own, time) = (log.clone(), sim.clone());
        platform
            .spawn(move |ctx| {
                let (log, sim, silent) = (own.clone(), time.clone(), only(&silent).clone());
                let scripted = only(&scripted).clone();
                async move {
                    let question = ctx.ask(&silent.addr(), 1_u32).unwrap();
                    let before = sim.now();
                    let answer = ctx.answer_timeout(question, 10 * MS).await;
                    assert!(
                        matches!(answer, Err(ReceiveError::Timeout(limit)) if limit == 10 * MS)
                    );
                    assert_eq!(sim.now() - before, 10 * MS);
                    let question = ctx.ask(&scripted.addr(), 1_u32).unwrap();
                    assert!(ctx.answer_timeout(question, 10 * MS).await.is_ok());
                    let question = ctx.ask(&scripted.addr(), "no question").unwrap();
                    let answer = ctx.answer_timeout(question, 10 * MS).await;
                    assert!(matches!(answer, Err(ReceiveError::Other)));
                    assert_eq!(sim.now() - before, 10 * MS, "at once");
                    log.add("asked");
                    Ok(())
                }
            })
            .unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        assert_eq!(log.take(), ["g runs", "asked"]);
    });
}

#[test]
fn def_23_what_a_callback_is_not_told_is_in_the_reports() {
    run(|platform, sim| async move {
        let group = platform.children(group(&Log::default(), "g")).unwrap();
        platform.start();
        only(&group).tell_anonymously(Order::Panic).unwrap();
        sim.sleep(SECOND).await;
        let records = platform.system().history().records;
        let crashes = records.iter().filter_map(|record| match &record.report {
            Report::Crash(crash) => Some((crash.reason.to_string(), crash.path())),
            _ => None,
        });
        let [(reason, path)] = &crashes.collect::<Vec<_>>()[..] else { panic!("one crash") };
        assert!(reason.contains("told to") && reason.contains("kit/mod.rs"), "{reason}");
        assert!(path.contains(&group.id().to_string()), "{path}");
    });
}
