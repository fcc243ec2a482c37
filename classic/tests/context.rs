//! §5.2, §6: what a child is given, its references, and how it receives.

mod kit;

use bastion_classic::prelude::*;
use kit::{Log, MS, Order, SECOND, ask, group, only, run};
use std::future::Future;
use std::sync::{Arc, Mutex};

/// Gives the context of a child to the test.
fn lend(
    slot: &Arc<Mutex<Option<Arc<BastionContext>>>>,
) -> impl Fn(BastionContext) -> std::future::Pending<Result<(), ()>> + Send + 'static + use<> {
    let slot = slot.clone();
    move |ctx| {
        *slot.lock().unwrap() = Some(Arc::new(ctx));
        std::future::pending()
    }
}

/// Runs a test with the context of a child that does nothing itself.
fn with_context<F: Future>(test: impl FnOnce(Arc<BastionContext>, bastion_supervision::Sim) -> F) {
    run(|platform, sim| async move {
        let slot = Arc::default();
        let group = platform.children(|c| c.with_redundancy(2).with_exec(lend(&slot))).unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        let ctx = slot.lock().unwrap().take().unwrap();
        assert_eq!(ctx.parent(), &group);
        test(ctx, sim).await;
        platform.stop(SECOND);
    });
}

#[test]
fn section_6_a_context_knows_itself_its_whole_group_and_its_supervisor() {
    with_context(|ctx, _| async move {
        // DEF-5: all of them, itself included.
        assert_eq!(ctx.parent().elems().len(), 2);
        assert!(ctx.parent().elems().contains(ctx.current()));
        assert!(ctx.supervisor().is_none(), "DEF-15");
        assert_eq!(ctx.signature().path().id(), ctx.current().id());
        assert_ne!(ctx.current().id(), &NIL_ID);
    });
    run(|platform, sim| async move {
        let slot = Arc::default();
        let supervisor = platform.supervisor(|s| s.children(|c| c.with_exec(lend(&slot)))).unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        let ctx = slot.lock().unwrap().take().unwrap();
        assert_eq!(ctx.supervisor(), Some(&supervisor));
    });
}

#[test]
fn section_6_try_recv_does_not_wait_and_recv_does() {
    with_context(|ctx, sim| async move {
        assert!(ctx.try_recv().await.is_none());
        ctx.current().tell_anonymously(1_u32).unwrap();
        assert!(ctx.try_recv().await.is_some());
        let (waiting, child) = (ctx.recv(), ctx.current().clone());
        let telling = async {
            sim.sleep(SECOND).await;
            child.tell_anonymously(2_u32).unwrap();
        };
        let (received, ()) = both(waiting, telling).await;
        assert_eq!(received.unwrap().extract().0.downcast::<u32>().unwrap(), 2);
    });
}

#[test]
fn section_6_a_receive_with_a_limit_loses_nothing() {
    with_context(|ctx, sim| async move {
        let before = sim.now();
        let timed_out = ctx.try_recv_timeout(10 * MS).await;
        assert!(matches!(timed_out, Err(ReceiveError::Timeout(limit)) if limit == 10 * MS));
        assert_eq!(sim.now() - before, 10 * MS);
        ctx.current().tell_anonymously(1_u32).unwrap();
        assert!(ctx.try_recv_timeout(10 * MS).await.is_ok());
        // While another receives, the limit holds all the same.
        let (timed_out, received) = both(ctx.try_recv_timeout(10 * MS), async {
            let received = both(ctx.recv(), async {
                sim.sleep(20 * MS).await;
                ctx.current().tell_anonymously(2_u32).unwrap();
            });
            received.await.0
        })
        .await;
        assert!(timed_out.is_err() && received.is_ok());
    });
}

#[test]
fn def_7_a_child_receives_in_any_task_and_in_several_at_once() {
    run(|platform, sim| async move {
        let slot = Arc::default();
        platform.spawn(lend(&slot)).unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        let ctx = slot.lock().unwrap().take().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (lent, log) = (ctx.clone(), received.clone());
        let readers = platform.children(|children| {
            children.with_redundancy(4).with_exec(move |_| {
                let (ctx, log) = (lent.clone(), log.clone());
                async move {
                    loop {
                        let message = ctx.recv().await?.extract().0;
                        log.lock().unwrap().push(message.downcast::<u32>().unwrap());
                    }
                }
            })
        });
        // One that gives up takes nothing with it.
        assert!(ctx.try_recv_timeout(MS).await.is_err());
        for n in 0..100_u32 {
            ctx.current().tell_anonymously(n).unwrap();
            if n % 7 == 0 {
                sim.sleep(MS).await;
            }
            if n == 50 {
                readers.as_ref().unwrap().elems()[0].kill().unwrap();
            }
        }
        sim.sleep(SECOND).await;
        let mut received = std::mem::take(&mut *received.lock().unwrap());
        received.sort_unstable();
        assert_eq!(received, (0..100).collect::<Vec<_>>());
    });
}

#[test]
fn section_6_a_stop_ends_a_receive_and_one_that_goes_on_is_killed() {
    run(|platform, sim| async move {
        let log = Log::default();
        let own = log.clone();
        platform
            .spawn(move |ctx| {
                let log = own.clone();
                async move {
                    loop {
                        if ctx.recv().await.is_err() {
                            log.add("asked to stop");
                        }
                    }
                }
            })
            .unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        platform.stop(60 * SECOND);
        platform.ended().await;
        assert_eq!(log.take().len(), 64);
    });
}

#[test]
fn section_6_messages_of_one_sender_keep_their_order_and_survive_a_restart() {
    run(|platform, sim| async move {
        let log = Log::default();
        let own = log.clone();
        let group = platform.spawn(move |ctx| {
            let log = own.clone();
            async move {
                loop {
                    msg! { ctx.recv().await?,
                        n: u32 => if n == 3 { return Err(()) } else { log.add(n.to_string()) };
                        _: _ => ();
                    }
                }
            }
        });
        let group = group.unwrap();
        (0..6_u32).for_each(|n| only(&group).tell_anonymously(n).unwrap());
        platform.start();
        sim.sleep(SECOND).await;
        // DEF-6: the one that was being handled is lost, those that waited are not.
        assert_eq!(log.take(), ["0", "1", "2", "4", "5"]);
    });
}

#[test]
fn section_5_2_a_reference_is_that_of_the_child_over_its_restarts() {
    run(|platform, sim| async move {
        let group = platform.children(group(&Log::default(), "g")).unwrap();
        platform.start();
        let child = only(&group).clone();
        assert_eq!(ask(&child, 1).await, Some(2));
        for order in [Order::Fail, Order::Panic] {
            child.tell_anonymously(order).unwrap();
            assert_eq!(ask(&child, 1).await, Some(2), "DEF-5");
        }
        sim.sleep(SECOND).await;
        child.try_tell_anonymously(Order::Finish).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(child.tell_anonymously("m"), Err("m"));
        assert_eq!(child.ask_anonymously("q").unwrap_err(), "q");
        let Err(SendError::Disconnected(msg)) = child.try_tell_anonymously(7_u8) else { panic!() };
        assert_eq!(msg.downcast::<u8>().unwrap(), 7);
        let Err(SendError::Disconnected(msg)) = child.try_ask_anonymously(8_u8) else { panic!() };
        assert_eq!(msg.downcast::<u8>().unwrap(), 8);
    });
}

#[test]
fn section_6_a_message_to_nobody_is_accepted_and_a_question_has_no_answer() {
    with_context(|ctx, _| async move {
        ctx.current().tell_anonymously("anonymous").unwrap();
        let sender = ctx.recv().await.unwrap().signature().clone();
        assert!(!sender.is_sender_identified() && sender.path().is_dead_letters());
        ctx.tell(&sender, "into the void").unwrap();
        assert!(ctx.ask(&sender, "anybody?").unwrap().await.is_err());
        assert!(ctx.ask(&ctx.signature(), "me?").is_ok());
    });
}

#[test]
fn section_6_a_mailbox_has_no_limit() {
    run(|platform, sim| async move {
        let log = Log::default();
        let own = log.clone();
        let group = platform.spawn(move |ctx| {
            let log = own.clone();
            async move {
                let mut sum = 0;
                for _ in 0..200_000 {
                    sum += ctx.recv().await?.extract().0.downcast::<u64>().unwrap();
                }
                log.add(sum.to_string());
                Ok(())
            }
        });
        let group = group.unwrap();
        (0..200_000_u64).for_each(|n| only(&group).tell_anonymously(n).unwrap());
        platform.start();
        sim.sleep(SECOND).await;
        assert_eq!(log.take(), [(0..200_000_u64).sum::<u64>().to_string()]);
    });
}

/// Waits for both.
async fn both<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    let (mut a, mut b) = (Box::pin(a), Box::pin(b));
    let (mut left, mut right) = (None, None);
    std::future::poll_fn(|task| {
        if left.is_none()
            && let std::task::Poll::Ready(output) = a.as_mut().poll(task)
        {
            left = Some(output);
        }
        if right.is_none()
            && let std::task::Poll::Ready(output) = b.as_mut().poll(task)
        {
            right = Some(output);
        }
        let done = left.is_some() && right.is_some();
        if done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    (left.unwrap(), right.unwrap())
}
