//! §7: messages, `msg!`, `answer!` and `MessageHandler`.

mod kit;

use bastion_classic::prelude::*;
use kit::{Log, only, run};
use std::any::Any;
use std::future::Future;
use std::sync::Arc;

/// Says what arm takes a message, and what it binds.
async fn matched(ctx: &BastionContext) -> Result<String, ()> {
    Ok(msg! { ctx.recv().await?,
        ref text: &'static str => format!("all: {text}");
        text: &'static str => format!("told: {text}");
        number: u32 => format!("number: {number}");
        number: u32 =!> {
            answer!(ctx, number * 2).expect("somebody waits");
            format!("asked: {number}")
        };
        text: &'static str =!> format!("asked and not answered: {text}");
        other: _ => format!("else: {other:?}");
    })
}

/// Runs a child that logs what it receives, and gives it what `send` sends.
fn check<F: Future>(send: impl FnOnce(ChildrenRef, Log) -> F) -> Vec<String> {
    run(|platform, sim| async move {
        let log = Log::default();
        let own = log.clone();
        let group = platform.spawn(move |ctx| {
            let log = own.clone();
            async move {
                loop {
                    log.add(matched(&ctx).await?);
                }
            }
        });
        platform.start();
        send(group.unwrap(), log.clone()).await;
        sim.sleep(kit::SECOND).await;
        log.take()
    })
}

#[test]
fn section_7_1_the_kind_decides_first_then_the_arms_in_order() {
    let received = check(|group, _| async move {
        group.broadcast("a").unwrap();
        only(&group).tell_anonymously("b").unwrap();
        only(&group).tell_anonymously(3_u32).unwrap();
        group.broadcast(4_u32).unwrap();
        only(&group).tell_anonymously(5_u8).unwrap();
    });
    let expected = ["all: a", "told: b", "number: 3", "else: Broadcast(u32)", "else: Tell(u8)"];
    assert_eq!(received, expected);
}

#[test]
fn section_7_1_an_ask_never_matches_a_tell_arm_and_its_answer_is_told() {
    let received = check(|group, log| async move {
        let answer = only(&group).ask_anonymously(21_u32).unwrap().await.unwrap();
        assert!(answer.signature().is_sender_identified(), "DEF-14");
        assert_eq!(answer.signature().path().id(), only(&group).id(), "DEF-14");
        let (msg, _) = answer.extract();
        assert!(msg.is_tell());
        assert_eq!(msg.downcast::<u32>().unwrap(), 42);
        log.add("answered");
    });
    assert_eq!(received, ["asked: 21", "answered"]);
}

#[test]
fn section_7_a_question_without_an_answer_is_an_error_at_once() {
    let received = check(|group, _| async move {
        // The arm does not answer; the default arm takes it.
        assert!(only(&group).ask_anonymously("why").unwrap().await.is_err());
        assert!(only(&group).ask_anonymously(1_i64).unwrap().await.is_err());
    });
    assert_eq!(received, ["asked and not answered: why", "else: Ask(i64)"]);
}

#[test]
fn section_7_a_question_to_a_child_that_dies_is_an_error() {
    run(|platform, _| async move {
        let group = platform.spawn(|ctx| async move {
            let _question = ctx.recv().await?;
            panic!("on purpose");
        });
        let group = group.unwrap();
        let answer = only(&group).ask_anonymously(1_u32).unwrap();
        let waiting = only(&group).ask_anonymously(2_u32).unwrap();
        platform.start();
        assert!(answer.await.is_err());
        only(&group).kill().unwrap();
        assert!(waiting.await.is_err(), "what waits for one that has ended is dropped");
    });
}

#[test]
fn section_7_a_reply_to_nobody_comes_back() {
    run(|platform, sim| async move {
        let (give, take) = std::sync::mpsc::channel();
        let group = platform.spawn(move |ctx| {
            let give = give.clone();
            async move {
                msg! { ctx.recv().await?,
                    number: u32 =!> give.send(answer!(ctx, number)).unwrap();
                    _: _ => ();
                }
                Ok(())
            }
        });
        drop(only(&group.unwrap()).ask_anonymously(7_u32).unwrap());
        platform.start();
        sim.sleep(kit::SECOND).await;
        assert_eq!(take.try_recv().unwrap(), Err(7));
    });
}

#[test]
fn section_7_2_answer_takes_any_question() {
    run(|platform, _| async move {
        let group = platform.spawn(|ctx| async move {
            let question = ctx.recv().await?;
            answer!(question, "yes").map_err(|_| ())
        });
        platform.start();
        let answer = only(&group.unwrap()).ask_anonymously(()).unwrap().await.unwrap();
        msg! { answer, text: &'static str => assert_eq!(text, "yes"); _: _ => panic!(); }
    });
}

#[test]
fn section_7_2_answer_takes_nothing_but_a_question() {
    run(|platform, sim| async move {
        let (group, received) = signed(&platform);
        platform.start();
        only(&group).tell_anonymously("no question").unwrap();
        sim.sleep(kit::SECOND).await;
        let told = received.lock().unwrap().pop().unwrap();
        let panic = lightproc::Panic::catch(move || answer!(told, "no answer")).unwrap_err();
        assert_eq!(panic.message(), Some("failed to take render"));
    });
}

#[test]
fn section_7_1_the_message_is_evaluated_once_and_the_first_arm_that_fits_is_taken() {
    run(|platform, sim| async move {
        let (group, received) = signed(&platform);
        platform.start();
        group.broadcast(1_u8).unwrap();
        only(&group).tell_anonymously(2_u8).unwrap();
        let answer = only(&group).ask_anonymously(3_u8).unwrap();
        sim.sleep(kit::SECOND).await;
        let (messages, mut taken) = (received.lock().unwrap().split_off(0), 0);
        let (mut messages, anybody) = (messages.into_iter(), Signed(only(&group).addr()));
        while messages.len() > 0 {
            // One that is evaluated twice takes two.
            msg! { { taken += 1; messages.next().unwrap() },
                n: u8 =!> answer!(anybody, n).unwrap();
                _again: u8 =!> unreachable!();
                n: u8 => assert_eq!(n, 2);
                _again: u8 => unreachable!();
                ref n: u8 => assert_eq!(*n, 1);
                ref _again: u8 => unreachable!();
                _: _ => unreachable!();
            }
        }
        assert_eq!((taken, answer.await.is_ok()), (3, true));
    });
}

/// Stands where `answer!` wants a context, of which it takes the signature and nothing else.
struct Signed(RefAddr);

impl Signed {
    fn signature(&self) -> &RefAddr {
        &self.0
    }
}

#[test]
fn section_7_1_every_arm_has_the_senders_signature() {
    run(|platform, sim| async move {
        let log = Log::default();
        let seen = log.clone();
        let receiver = platform.spawn(move |ctx| {
            let seen = seen.clone();
            async move {
                loop {
                    let (arm, from) = msg! { ctx.recv().await?,
                        ref _text: &'static str => ("broadcast", signature!());
                        _text: &'static str => ("told", signature!());
                        _text: &'static str =!> {
                            let _ = answer!(ctx, ());
                            ("asked", signature!())
                        };
                        _: _ => ("else", signature!());
                    };
                    seen.add(format!("{arm} {}", from.is_sender_identified()));
                }
            }
        });
        let receiver = receiver.unwrap();
        let to = only(&receiver).addr();
        let told = platform.spawn(move |ctx| {
            let to = to.clone();
            async move {
                ctx.tell(&to, "told").unwrap();
                let answer = ctx.ask(&to, "asked").unwrap().await?;
                assert_eq!(answer.signature().path().id(), to.path().id());
                ctx.tell(&to, 7_u8).map_err(|_| ())
            }
        });
        platform.start();
        sim.sleep(kit::SECOND).await;
        assert!(only(&told.unwrap()).stop().is_err(), "it has ended");
        receiver.broadcast("to all").unwrap();
        sim.sleep(kit::SECOND).await;
        assert_eq!(log.take(), ["told true", "asked true", "else true", "broadcast false"]);
    });
}

#[test]
fn section_7_1_arms_are_expanded_in_place() {
    run(|platform, sim| async move {
        let log = Log::default();
        let own = log.clone();
        let group = platform.spawn(move |ctx| {
            let log = own.clone();
            async move {
                let outcome = loop {
                    msg! { ctx.recv().await?,
                        _number: u32 => continue;
                        text: String => {
                            // Nested, with an await, and a question mark.
                            msg! { ctx.recv().await?,
                                n: u32 => log.add(format!("{text} {n}"));
                                _: _ => ();
                            }
                        };
                        stop: () => break "stopped";
                        _: _ => return Err(());
                    }
                };
                log.add(outcome);
                Ok(())
            }
        });
        let group = group.unwrap();
        platform.start();
        only(&group).tell_anonymously(0_u32).unwrap();
        only(&group).tell_anonymously("text".to_owned()).unwrap();
        only(&group).tell_anonymously(9_u32).unwrap();
        only(&group).tell_anonymously(()).unwrap();
        sim.sleep(kit::SECOND).await;
        assert_eq!(log.take(), ["text 9", "stopped"]);
    });
}

#[test]
fn section_7_1_the_signature_is_the_senders() {
    run(|platform, sim| async move {
        let log = Log::default();
        let own = log.clone();
        let receiver = platform.spawn(move |ctx| {
            let log = own.clone();
            async move {
                loop {
                    msg! { ctx.recv().await?,
                        text: &'static str => {
                            log.add(format!("{text} {}", signature!().is_sender_identified()));
                            if signature!().is_sender_identified() {
                                ctx.tell(&signature!(), "back").unwrap();
                            }
                        };
                        _: _ => ();
                    }
                }
            }
        });
        let receiver = receiver.unwrap();
        let (to, own) = (only(&receiver).addr(), log.clone());
        platform
            .supervisor(|outer| {
                // DEF-13: below a nested supervisor too.
                outer.supervisor(|inner| {
                    inner.children(|children| {
                        children.with_exec(move |ctx| {
                            let (to, log) = (to.clone(), own.clone());
                            async move {
                                ctx.tell(&to, "signed").unwrap();
                                let (_, sender) = ctx.recv().await?.extract();
                                log.add(format!("from {}", sender.path().id() == to.path().id()));
                                Ok(())
                            }
                        })
                    })
                })
            })
            .unwrap();
        only(&receiver).tell_anonymously("anonymous").unwrap();
        platform.start();
        sim.sleep(kit::SECOND).await;
        assert_eq!(log.take(), ["anonymous false", "signed true", "from true"]);
    });
}

fn signed(platform: &bastion_classic::platform::Platform) -> (ChildrenRef, Received) {
    let received = Received::default();
    let own = received.clone();
    let group = platform.spawn(move |ctx| {
        let received = own.clone();
        async move {
            loop {
                let message = ctx.recv().await?;
                received.lock().unwrap().push(message);
            }
        }
    });
    (group.unwrap(), received)
}

type Received = Arc<std::sync::Mutex<Vec<SignedMessage>>>;

#[test]
fn section_7_3_the_first_matcher_that_fits_is_called_and_no_other() {
    run(|platform, sim| async move {
        let (group, received) = signed(&platform);
        platform.start();
        only(&group).tell_anonymously(1_u32).unwrap();
        group.broadcast(2_u32).unwrap();
        let answer = only(&group).ask_anonymously(3_u32).unwrap();
        only(&group).tell_anonymously("text").unwrap();
        only(&group).tell_anonymously('c').unwrap();
        sim.sleep(kit::SECOND).await;
        let messages = std::mem::take(&mut *received.lock().unwrap());
        let handled: Vec<String> = messages
            .into_iter()
            .map(|message| {
                MessageHandler::new(message)
                    .on_question(|text: &str, _| text.to_owned())
                    .on_question(|n: u32, sender| {
                        sender.reply(n + 1).unwrap();
                        format!("asked {n}")
                    })
                    .on_tell(|n: u32, _| format!("told {n}"))
                    .on_tell(|_: u32, _| unreachable!("the one before fits"))
                    .on_tell(|text: &str, _| format!("told {text}"))
                    .on_broadcast(|n: &u32, _| format!("all {n}"))
                    .on_fallback(|any, sender| {
                        assert!(!sender.is_sender_identified());
                        format!("else {}", any.is::<char>())
                    })
            })
            .collect();
        assert_eq!(handled, ["told 1", "all 2", "asked 3", "told text", "else true"]);
        assert_eq!(answer.await.unwrap().extract().0.downcast::<u32>().unwrap(), 4);
    });
}

#[test]
fn section_7_3_a_handler_without_a_fallback_drops_what_it_has() {
    run(|platform, sim| async move {
        let (group, received) = signed(&platform);
        platform.start();
        let answer = only(&group).ask_anonymously(3_u32).unwrap();
        sim.sleep(kit::SECOND).await;
        let message = received.lock().unwrap().pop().unwrap();
        MessageHandler::new(message).on_tell(|_: u32, _| ());
        assert!(answer.await.is_err());
    });
}

#[test]
fn section_7_what_a_message_can_be() {
    run(|platform, sim| async move {
        let (group, received) = signed(&platform);
        platform.start();
        group.broadcast("all".to_owned()).unwrap();
        only(&group).tell_anonymously(1_u8).unwrap();
        let _answer = only(&group).ask_anonymously(2_u8).unwrap();
        sim.sleep(kit::SECOND).await;
        let mut messages = received.lock().unwrap().drain(..).collect::<Vec<_>>().into_iter();
        let mut next = || messages.next().unwrap().extract().0;
        let all = next();
        assert!(all.is_broadcast() && all.is::<String>() && !all.is::<u8>());
        assert_eq!(*all.downcast_ref::<String>().unwrap(), "all");
        assert!(all.downcast_ref::<u8>().is_none());
        let all = all.downcast::<String>().unwrap_err();
        let any: &dyn Any = all.as_ref();
        assert_eq!(any.downcast_ref::<String>().unwrap(), "all");
        let mut told = next();
        assert!(told.is_tell() && told.take_sender().is_none());
        assert!(told.downcast_ref::<u8>().is_none());
        assert_eq!(told.downcast::<String>().unwrap_err().downcast::<u8>().unwrap(), 1);
        let mut asked = next();
        assert!(asked.is_ask() && asked.take_sender().is_some() && asked.take_sender().is_none());
        assert_eq!(asked.downcast::<u8>().unwrap(), 2);
    });
}
