//! §20: programs of bastion 0.2, as its documentation shows them. One test, since there is one platform.

use bastion::legacy::prelude::*;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// Longer than anything takes that is to happen.
const LONG: Duration = Duration::from_secs(20);

fn heard<T>(receiver: &Receiver<T>) -> T {
    receiver.recv_timeout(LONG).expect("somebody says it")
}

/// Waits until the processes have ended for good.
fn await_the_end(processes: &BastionChildren) {
    let sender = processes.tx.as_ref().expect("they were spawned");
    let since = Instant::now();
    while sender.send(Box::new("are you there?")).is_ok() {
        assert!(since.elapsed() < LONG);
        std::thread::yield_now();
    }
}

/// `root_spv_receive`, and what the documentation of `receive!` says: the first arm that fits, else the default one.
fn receive_at_the_root() {
    let (say, said) = channel();
    let process = move |context: BastionContext, msg: Box<dyn Message>| {
        let other = say.clone();
        receive! { msg,
            String => |text| say.send(format!("string {}", text.len())).unwrap(),
            i32 => |number| { say.send(format!("number {number}")).unwrap() },
            String => |_| panic!("the first arm takes it"),
            _ => other.send("default".into()).unwrap()
        }
        context.hook();
    };
    let first = Bastion::spawn(process.clone(), String::from("Some message to be passed"));
    assert_eq!(heard(&said), "string 25");
    Bastion::spawn(process.clone(), 7);
    assert_eq!(heard(&said), "number 7");
    Bastion::spawn(process, 7_u8);
    assert_eq!(heard(&said), "default");
    // Whoever returns has ended for good.
    await_the_end(&first);
    assert!(said.try_recv().is_err());
}

/// A process that panics is started again with the same message; one that takes a pill as well, and no other.
fn a_panic_and_a_pill_restart() {
    let (say, said) = channel();
    let process = Bastion::spawn(
        move |context: BastionContext, msg: Box<dyn Message>| {
            say.send(msg.as_any().downcast_ref::<i32>().copied()).unwrap();
            let receiver = context.bcast_rx.clone().unwrap();
            match receiver.recv().map(|message| message.as_any().is::<&str>()) {
                Ok(true) => panic!("on purpose"),
                Ok(false) => context.clone().hook(),
                Err(_) => (),
            }
            say.send(None).unwrap();
            context.blocking_hook();
        },
        4,
    );
    let to_process = process.tx.clone().expect("it runs");
    assert_eq!((heard(&said), process.redundancy), (Some(4), 1));
    to_process.send(Box::new("a panic, please")).unwrap();
    assert_eq!(heard(&said), Some(4));
    to_process.send(Box::new(0)).unwrap();
    assert_eq!(heard(&said), None);
    // Here it waits in its hook, which another message does not end.
    to_process.send(Box::new(0)).unwrap();
    assert!(said.recv_timeout(Duration::from_millis(20)).is_err());
    to_process.send(PoisonPill::new()).unwrap();
    assert_eq!(heard(&said), Some(4));
}

/// `spv_one_for_all`, `spv_rest_for_one`: who is started again when the second of three panics, the others sitting in their hooks.
fn strategies() {
    let cases = [
        (SupervisionStrategy::OneForOne, &[1][..]),
        (SupervisionStrategy::OneForAll, &[0, 1, 2]),
        (SupervisionStrategy::RestForOne, &[1, 2]),
    ];
    for (strategy, restarted) in cases {
        let (say, said) = channel();
        let (show, shown) = channel();
        let in_between = say.clone();
        let sits = move |context: BastionContext, msg: Box<dyn Message>| {
            receive! { msg, usize => |number| say.send(number).unwrap(), _ => panic!("a number") }
            context.blocking_hook();
        };
        Bastion::supervisor("background-worker", "new-system")
            .strategy(strategy)
            .children(sits.clone(), 0_usize, 1)
            .children(
                move |context: BastionContext, _msg| {
                    in_between.send(1).unwrap();
                    show.send(context.bcast_tx.clone().unwrap()).unwrap();
                    match context.bcast_rx.unwrap().recv() {
                        Ok(_) => panic!("on purpose"),
                        Err(stop) => println!("{stop}"),
                    }
                },
                String::from("Some Other Message"),
                1,
            )
            .children(sits, 2_usize, 1)
            .launch();
        let round = |length| {
            let mut numbers: Vec<usize> = (0..length).map(|_| heard(&said)).collect();
            numbers.sort_unstable();
            numbers
        };
        assert_eq!(round(3), [0, 1, 2]);
        for _ in 0..2 {
            heard(&shown).send(Box::new("whoever receives this panics")).unwrap();
            assert_eq!(round(restarted.len()), restarted);
        }
    }
}

/// `spawn_from_context`: processes that a process spawns are below its supervisor, and restarted by its rules.
fn spawned_from_the_context() {
    let (say, said) = channel();
    Bastion::supervisor("background-worker", "new-system")
        .children(
            move |context: BastionContext, _msg| {
                let parent = context.parent.as_deref().unwrap();
                assert_eq!(
                    (&*parent.urn.name, &*parent.urn.sys),
                    ("background-worker", "new-system")
                );
                assert_eq!(context.descendants.len(), 1);
                for ctx_message in 1..=2 {
                    let say = say.clone();
                    let part = move |sub: BastionContext, msg: Box<dyn Message>| {
                        assert_eq!(sub.parent.as_ref().unwrap().urn.name, "background-worker");
                        receive! { msg,
                            i32 => |number| say.send(number).unwrap(),
                            _ => println!("Message not known")
                        }
                        if sub.bcast_rx.clone().unwrap().recv().is_ok() {
                            panic!("on purpose");
                        }
                    };
                    context.clone().spawn(part, ctx_message, 2);
                }
                context.clone().spawn(|_: BastionContext, _| panic!("there is none"), 0, 0);
                context.bcast_tx.clone().unwrap().send(Box::new("all parts panic")).unwrap();
                context.blocking_hook();
            },
            String::from("Main Message"),
            1,
        )
        .launch();
    let mut numbers: Vec<i32> = (0..8).map(|_| heard(&said)).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 1, 1, 1, 2, 2, 2, 2]);
}

/// `spv_children_comm`: each process hears what each says, itself included, also when it looks into its hook meanwhile.
fn communication() {
    let (say, said) = channel();
    Bastion::supervisor("background-worker", "new-system")
        .children(
            move |context: BastionContext, _msg| {
                let (to_all, own) =
                    (context.bcast_tx.clone().unwrap(), context.bcast_rx.clone().unwrap());
                to_all.send(Box::new(String::from("HOPS"))).unwrap();
                for message in own.iter() {
                    context.clone().hook();
                    receive! { message,
                        String => |text| say.send(text).unwrap(),
                        _ => panic!("a text")
                    }
                }
            },
            "unused",
            3,
        )
        .launch();
    (0..9).for_each(|_| assert_eq!(heard(&said), "HOPS"));
}

/// What a hook passes over is there afterwards, the last thousand of it.
fn what_a_hook_keeps() {
    let (say, said) = channel();
    let (looks, look) = channel::<()>();
    let look = std::sync::Arc::new(std::sync::Mutex::new(look));
    let process = Bastion::spawn(
        move |context: BastionContext, _msg: Box<dyn Message>| {
            look.lock().unwrap().recv().unwrap();
            context.clone().hook();
            let receiver = context.bcast_rx.unwrap();
            while let Ok(message) = receiver.try_recv() {
                receive! { message, i32 => |number| say.send(number).unwrap(), _ => () }
            }
            say.send(-1).unwrap();
        },
        "",
    );
    let sender = process.tx.unwrap();
    (0..1_005).for_each(|number: i32| sender.send(Box::new(number)).unwrap());
    looks.send(()).unwrap();
    let heard: Vec<i32> = said.iter().take_while(|number| *number >= 0).collect();
    assert_eq!(heard, (5..1_005).collect::<Vec<_>>());
}

/// A closure that does not look whether it is to stop is given up after a second.
fn given_up() {
    let (say, said) = channel();
    let (give, shown) = channel();
    Bastion::supervisor("background-worker", "new-system")
        .strategy(SupervisionStrategy::OneForAll)
        .children(
            move |_context: BastionContext, _msg| {
                let (release, released) = channel::<()>();
                say.send(release).unwrap();
                let _ = released.recv();
            },
            "",
            1,
        )
        .children(
            move |context: BastionContext, _msg| {
                let _ = give.send(context.bcast_tx.clone().unwrap());
                if context.bcast_rx.unwrap().recv().is_ok() {
                    panic!("on purpose");
                }
            },
            "",
            1,
        )
        .launch();
    let _first = heard(&said);
    heard(&shown).send(Box::new("panic")).unwrap();
    let _second = heard(&said);
}

/// `start` waits for the end, at which whoever sits in a hook leaves it.
fn the_end() {
    struct Leaves(Sender<()>);
    impl Drop for Leaves {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
        }
    }
    let (say, said) = channel::<()>();
    let (leave, left) = channel();
    let sits = move |context: BastionContext, _msg: Box<dyn Message>| {
        let _leaves = Leaves(leave.clone());
        say.send(()).unwrap();
        context.blocking_hook();
    };
    Bastion::supervisor("background-worker", "new-system").children(sits, "", 2).launch();
    (0..2).for_each(|_| heard(&said));
    Bastion::spawn(|_: BastionContext, _| Bastion::force_shutdown(), "the end");
    Bastion::start();
    (0..2).for_each(|_| heard(&left));
    Bastion::platform();
    receive_at_the_root();
}

#[test]
fn section_20_1_programs() {
    Bastion::platform();
    receive_at_the_root();
    a_panic_and_a_pill_restart();
    strategies();
    spawned_from_the_context();
    communication();
    what_a_hook_keeps();
    given_up();
    the_end();
}
