//! §8: distributors. Their names are the program's, so each test has its own.

mod kit;

use bastion_classic::platform::Platform;
use bastion_classic::prelude::*;
use bastion_supervision::Sim;
use kit::{Log, MS, Order, SECOND, group, only, run};
use std::future::Future;

/// A group whose children answer with their number among their siblings.
fn numbered(platform: &Platform, of: Distributor, redundancy: usize) -> ChildrenRef {
    let group = platform.children(|children| {
        children.with_redundancy(redundancy).with_distributor(of).with_exec(|ctx| async move {
            loop {
                let own = |child| child == ctx.current();
                let number = ctx.parent().elems().iter().position(own).unwrap();
                msg! { ctx.recv().await?,
                    _question: () =!> {
                        let _ = answer!(ctx, number);
                    };
                    _fail: Order => return Err(());
                    _: _ => ();
                }
            }
        })
    });
    group.unwrap()
}

async fn answered(answer: Answer) -> usize {
    msg! { answer.await.unwrap(), number: usize => number; _: _ => panic!("a number"); }
}

/// Runs a test with a distributor that has three members.
fn with_three<F: Future>(
    name: &str,
    test: impl FnOnce(Distributor, ChildrenRef, Platform, Sim) -> F,
) {
    let distributor = Distributor::named(name);
    run(|platform, sim| async move {
        let group = numbered(&platform, distributor, 3);
        assert_eq!(group.distributors(), &[distributor]);
        platform.start();
        sim.sleep(SECOND).await;
        test(distributor, group, platform.clone(), sim).await;
        platform.stop(SECOND);
        platform.ended().await;
        assert!(matches!(distributor.tell_one(()), Err(SendError::NoDistributor(_))));
    });
}

#[test]
fn section_8_each_message_goes_to_the_next_member() {
    with_three("section 8 next", |distributor, _, _, _| async move {
        let mut turns = Vec::new();
        for _ in 0..6 {
            turns.push(answered(distributor.ask_one(()).unwrap()).await);
        }
        turns[..3].sort_unstable();
        turns[3..].sort_unstable();
        assert_eq!(turns, [0, 1, 2, 0, 1, 2]);
        assert!(distributor.tell_one(7).is_ok());
    });
}

#[test]
fn section_8_everyone_is_every_member() {
    with_three("section 8 everyone", |distributor, _, _, _| async move {
        let mut numbers = Vec::new();
        for answer in distributor.ask_everyone(()).unwrap() {
            numbers.push(answered(answer).await);
        }
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1, 2]);
        assert_eq!(distributor.tell_everyone("hello").unwrap().len(), 3);
    });
}

#[test]
fn section_8_a_request_waits_for_a_reply_of_its_type() {
    with_three("section 8 request", |distributor, _, platform, _| async move {
        assert!(distributor.request::<usize>(()).await.unwrap().is_ok());
        let wrong = distributor.request::<String>(()).await.unwrap().unwrap_err();
        assert_eq!(wrong.to_string(), "received a message with the wrong type");
        assert!(distributor.request::<usize>("not a question").await.is_err(), "it is cancelled");
        let replies = distributor.request_sync::<usize>(());
        answered(distributor.ask_one(()).unwrap()).await;
        answered(distributor.ask_one(()).unwrap()).await;
        answered(distributor.ask_one(()).unwrap()).await;
        assert!(replies.try_recv().unwrap().is_ok());
        drop(platform);
    });
    let nobody = Distributor::named("section 8 nobody");
    let request = nobody.request_sync::<usize>(()).recv().unwrap();
    assert!(matches!(request, Err(SendError::NoDistributor(name)) if name == "section 8 nobody"));
}

#[test]
fn section_8_members_that_restart_are_members_again_and_those_that_end_are_not() {
    with_three("section 8 members", |distributor, group, _, sim| async move {
        only(&group).tell_anonymously(Order::Fail).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(distributor.tell_everyone(1).unwrap().len(), 3);
        only(&group).stop().unwrap();
        group.elems()[1].kill().unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(distributor.tell_everyone(1).unwrap().len(), 1);
        for _ in 0..3 {
            assert_eq!(answered(distributor.ask_one(()).unwrap()).await, 2);
        }
    });
}

#[test]
fn section_8_known_before_its_members_run_and_unknown_after_the_last_has_left() {
    let distributor = Distributor::named("section 8 known");
    assert_eq!(distributor, Distributor::named(String::from("section 8 known")));
    assert!(matches!(distributor.tell_one(1), Err(SendError::NoDistributor(_))));
    run(|platform, sim| async move {
        let group = platform.children(group(&Log::default(), "g")).unwrap();
        platform.children(|c| c.with_distributor(distributor)).unwrap();
        assert!(matches!(distributor.tell_one(1), Err(SendError::EmptyRecipient)));
        assert!(matches!(distributor.ask_everyone(1), Err(SendError::EmptyRecipient)));
        distributor.subscribe(only(&group).clone()).unwrap();
        assert!(distributor.tell_one(1).is_ok());
        distributor.unsubscribe(only(&group).clone()).unwrap();
        assert!(matches!(distributor.tell_one(1), Err(SendError::NoDistributor(_))));
        assert!(distributor.unsubscribe(only(&group).clone()).is_err());
        // Members that have ended are passed by; if all have, the message comes back.
        let other = platform.spawn(|ctx| async move { ctx.recv().await.map(drop) }).unwrap();
        distributor.subscribe(only(&other).clone()).unwrap();
        distributor.subscribe(only(&group).clone()).unwrap();
        platform.start();
        only(&other).kill().unwrap();
        sim.sleep(SECOND + MS).await;
        (0..4).for_each(|_| distributor.tell_one(1).unwrap());
        assert!(matches!(distributor.tell_everyone(1), Err(SendError::Disconnected(_))));
        only(&group).kill().unwrap();
        sim.sleep(SECOND).await;
        let Err(SendError::Disconnected(msg)) = distributor.tell_one(5_u8) else { panic!() };
        assert_eq!(msg.downcast::<u8>().unwrap(), 5);
        distributor.unsubscribe(only(&group).clone()).unwrap();
        distributor.unsubscribe(only(&other).clone()).unwrap();
    });
}

#[test]
fn section_8_a_child_that_has_failed_is_no_member_until_it_is_restarted() {
    for order in [Order::Fail, Order::Panic] {
        let distributor = Distributor::named(format!("section 8 failed {order:?}"));
        run(|platform, sim| async move {
            let mut children = None;
            let describe = group(&Log::default(), "g");
            platform
                .supervisor(|supervisor| {
                    children = Some(supervisor.children_ref(|children| {
                        describe(children.with_redundancy(2).with_distributor(distributor))
                    }));
                    let back_off = ActorRestartStrategy::LinearBackOff { timeout: SECOND };
                    supervisor.with_restart_strategy(
                        RestartStrategy::default().with_actor_restart_strategy(back_off),
                    )
                })
                .unwrap();
            platform.start();
            sim.sleep(SECOND).await;
            let members = || distributor.tell_everyone(1).map(|told| told.len()).unwrap_or(0);
            let children = children.unwrap();
            children.elems()[1].tell_anonymously(order).unwrap();
            sim.sleep(SECOND / 2).await;
            assert_eq!(members(), 1, "it backs off");
            sim.sleep(SECOND).await;
            assert_eq!(members(), 2);
            platform.stop(SECOND);
            platform.ended().await;
        });
    }
}

#[test]
fn section_8_everyone_else_is_served_when_one_member_fails() {
    let distributor = Distributor::named("section 8 others");
    run(|platform, sim| async move {
        let log = Log::default();
        let own = log.clone();
        let living = platform.spawn(move |ctx| {
            let log = own.clone();
            async move {
                loop {
                    log.add(format!("{:?}", ctx.recv().await?.extract().0));
                }
            }
        });
        let ended = platform.spawn(|_| std::future::ready(Ok(()))).unwrap();
        let living = living.unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        distributor.subscribe(only(&ended).clone()).unwrap();
        distributor.subscribe(only(&living).clone()).unwrap();
        assert!(matches!(distributor.tell_everyone(1_u8), Err(SendError::Disconnected(_))));
        assert!(matches!(distributor.ask_everyone(1_u8), Err(SendError::Disconnected(_))));
        sim.sleep(SECOND).await;
        assert_eq!(log.take(), ["Tell(u8)", "Ask(u8)"]);
        distributor.unsubscribe(only(&ended).clone()).unwrap();
        distributor.unsubscribe(only(&living).clone()).unwrap();
    });
}
