//! §9: dispatchers, with DEF-16.

mod kit;

use bastion_classic::platform::Platform;
use bastion_classic::prelude::*;
use kit::{Log, Order, SECOND, only, run};
use std::sync::Arc;

fn named(name: &str) -> Dispatcher {
    Dispatcher::with_type(DispatcherType::Named(name.to_owned()))
}

/// A group that logs what its dispatchers give it.
fn listeners(
    log: &Log,
    name: &'static str,
    dispatchers: Vec<Dispatcher>,
) -> impl FnOnce(Children) -> Children + use<> {
    let log = log.clone();
    move |children| {
        let children = children.with_name(name).with_redundancy(2).with_exec(move |ctx| {
            let log = log.clone();
            async move {
                loop {
                    msg! { ctx.recv().await?,
                        message: Arc<SignedMessage> => {
                            // DEF-16: the receiver has the only one.
                            let message = Arc::try_unwrap(message).expect("unique");
                            msg! { message,
                                ref text: &'static str => log.add(format!("{name} {text} {}", signature!().is_sender_identified()));
                                _: _ => log.add("else");
                            }
                        };
                        _fail: Order => return Err(());
                        _: _ => ();
                    }
                }
            }
        });
        dispatchers.into_iter().fold(children, Children::with_dispatcher)
    }
}

/// Has a child of its own broadcast something, and says what was heard.
async fn broadcast(
    platform: &Platform,
    sim: &bastion_supervision::Sim,
    log: &Log,
    target: BroadcastTarget,
    text: &'static str,
) -> Vec<String> {
    let spoken = platform.spawn(move |ctx| {
        ctx.broadcast_message(target.clone(), text);
        std::future::ready(Ok(()))
    });
    spoken.unwrap();
    sim.sleep(SECOND).await;
    let mut heard = log.take();
    heard.sort();
    heard
}

#[test]
fn section_9_the_default_handler_gives_each_message_to_one_member_of_each_dispatcher() {
    run(|platform, sim| async move {
        let log = Log::default();
        // DEF-16: below `Bastion::children` and below a supervisor.
        let a = platform.children(listeners(&log, "a", vec![named("a"), named("both")])).unwrap();
        let b = listeners(&log, "b", vec![named("b"), named("both")]);
        platform.supervisor(|supervisor| supervisor.children(b)).unwrap();
        assert_eq!(a.dispatchers().len(), 2);
        platform.start();
        sim.sleep(SECOND).await;
        let group = |name: &str| BroadcastTarget::Group(name.to_owned());
        assert_eq!(broadcast(&platform, &sim, &log, group("a"), "1").await, ["a 1 true"]);
        let mut both = Vec::new();
        for _ in 0..4 {
            both.extend(broadcast(&platform, &sim, &log, group("both"), "2").await);
        }
        both.sort();
        assert_eq!(both, ["a 2 true", "a 2 true", "b 2 true", "b 2 true"], "in turn");
        assert_eq!(broadcast(&platform, &sim, &log, BroadcastTarget::All, "3").await.len(), 3);
        assert!(broadcast(&platform, &sim, &log, group("nobody"), "4").await.is_empty());
    });
}

#[test]
fn def_16_a_member_that_has_ended_is_passed_by_and_one_that_restarts_is_there_again() {
    run(|platform, sim| async move {
        let log = Log::default();
        let a = platform.children(listeners(&log, "a", vec![named("d")])).unwrap();
        let b = platform.children(listeners(&log, "b", vec![named("d")])).unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        only(&a).tell_anonymously(Order::Fail).unwrap();
        sim.sleep(SECOND).await;
        // The first group that ends takes nothing from the other.
        b.stop().unwrap();
        sim.sleep(SECOND).await;
        for _ in 0..3 {
            let target = BroadcastTarget::Group("d".to_owned());
            assert_eq!(broadcast(&platform, &sim, &log, target, "1").await, ["a 1 true"]);
        }
    });
}

/// Logs what it is notified of, and sends to all.
#[derive(Clone)]
struct Told(Log);

impl DispatcherHandler for Told {
    fn notify(&self, from: &ChildRef, entries: &DispatcherMap, what: NotificationType) {
        self.0.add(format!("{} {what:?} {}", from.name(), entries.len()));
        if from.name() == "panics" {
            panic!("on purpose");
        }
    }

    fn broadcast_message(&self, entries: &DispatcherMap, message: &Arc<SignedMessage>) {
        for (child, module) in entries.iter() {
            self.0.add(format!("{module} {}", child.tell_anonymously(message.clone()).is_ok()));
        }
    }
}

#[test]
fn section_9_a_handler_is_notified_of_members_and_given_messages() {
    run(|platform, sim| async move {
        let log = Log::default();
        let dispatcher = named("own").with_handler(Box::new(Told(log.clone())));
        let quiet = |children: Children| {
            children.with_name("g").with_redundancy(2).with_exec(|ctx| async move {
                loop {
                    ctx.recv().await?;
                }
            })
        };
        let group = platform.children(|c| quiet(c).with_dispatcher(dispatcher)).unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        assert_eq!(log.take(), ["g Register 1", "g Register 2"]);
        platform
            .children(|children| {
                children.with_name("other").with_exec(|ctx| {
                    let own = DispatcherType::Named("own".to_owned());
                    ctx.notify(&[own, DispatcherType::Anonymous], NotificationType::Register);
                    ctx.broadcast_message(BroadcastTarget::All, 1);
                    std::future::ready(Ok(()))
                })
            })
            .unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(log.take(), ["other Register 2", "g true", "g true"]);
        group.stop().unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(log.take(), ["g Remove 1", "g Remove 0"]);
    });
}

#[test]
fn section_9_a_handler_that_panics_harms_nobody() {
    run(|platform, sim| async move {
        let log = Log::default();
        let dispatcher = named("own").with_handler(Box::new(Told(log.clone())));
        let describe = listeners(&log, "panics", vec![dispatcher]);
        let group = platform.children(describe).unwrap();
        platform.start();
        sim.sleep(SECOND).await;
        only(&group).tell_anonymously(Order::Fail).unwrap();
        sim.sleep(SECOND).await;
        assert_eq!(log.take().len(), 4);
        platform.stop(SECOND);
        platform.ended().await;
        assert_eq!(platform.system().stats().abandoned, 0);
    });
}

#[test]
fn section_9_a_round_robin_handler_is_a_recipient() {
    use bastion_classic::dispatcher::{Recipient, RecipientHandler, RoundRobinHandler};
    run(|platform, _| async move {
        let handler = RoundRobinHandler::default();
        let _: &dyn RecipientHandler = &handler;
        assert!(handler.next().is_none() && handler.all().is_empty());
        let group = platform.children(|children| children.with_redundancy(3)).unwrap();
        group.elems().iter().for_each(|child| handler.register(child.clone()));
        handler.register(only(&group).clone());
        assert_eq!(handler.all(), group.elems(), "each once");
        let turns: Vec<_> = (0..6).filter_map(|_| handler.next()).collect();
        assert_eq!(turns[..3], turns[3..]);
        assert!(group.elems().iter().all(|child| turns[..3].contains(child)));
        handler.remove(only(&group));
        handler.remove(only(&group));
        assert_eq!(handler.all().len(), 2);
        assert!((0..6).filter_map(|_| handler.next()).all(|child| child != *only(&group)));
    });
}

#[test]
fn section_9_a_type_of_dispatchers_is_found_by_its_name() {
    use std::hash::{BuildHasher, RandomState};
    let (state, name) = (RandomState::new(), "first".to_owned());
    let types = [DispatcherType::from(name.clone()), DispatcherType::Named(name.clone())];
    assert_eq!(types[0], types[1]);
    assert_eq!(state.hash_one(&types[0]), state.hash_one(name.as_str()));
    assert_eq!(DispatcherType::default(), DispatcherType::Anonymous);
    let dispatcher = Dispatcher::default().with_dispatcher_type(types[0].clone());
    assert_eq!(
        dispatcher.dispatcher_type(),
        Dispatcher::with_type(types[1].clone()).dispatcher_type()
    );
}
