//! §2.1, §7.4: the global `Bastion` of bastion 0.4, and the macros that stand on it. One test, since there is one global.

use bastion::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// A group that answers its questions with one more.
fn more(children: Children) -> Children {
    children.with_redundancy(2).with_exec(|ctx: BastionContext| async move {
        loop {
            msg! { ctx.recv().await?,
                number: usize =!> {
                    let _ = answer!(ctx, number + 1);
                };
                _: _ => ();
            }
        }
    })
}

fn ask(child: &ChildRef, number: usize) -> usize {
    let answer = run!(child.ask_anonymously(number).unwrap()).unwrap();
    msg! { answer, answer: usize => answer; _: _ => panic!("a number"); }
}

fn many_cycles() {
    for cycle in 0..1000 {
        Bastion::init();
        let group = Bastion::children(more).unwrap();
        let answer = group.elems()[0].ask_anonymously(cycle).unwrap();
        Bastion::start();
        let answer = run!(answer).unwrap();
        msg! { answer, answer: usize => assert_eq!(answer, cycle + 1); _: _ => panic!(); }
        if cycle % 2 == 0 {
            Bastion::stop()
        } else {
            Bastion::kill()
        }
        Bastion::block_until_stopped();
        Bastion::block_until_stopped();
        assert!(Bastion::children(more).is_err(), "DEF-12: until `init` is called again");
        assert_eq!(Bastion::broadcast("nobody"), Err("nobody"));
    }
}

/// What was stopped goes on ending by itself.
fn cycles_that_do_not_wait() {
    for cycle in 0..200 {
        Bastion::init();
        let group = Bastion::children(more).expect("DEF-12: `init` begins anew after a stop");
        Bastion::start();
        assert_eq!(ask(&group.elems()[0], cycle), cycle + 1);
        if cycle % 2 == 0 { Bastion::stop() } else { Bastion::kill() }
    }
    Bastion::block_until_stopped();
}

fn a_stop_before_the_start() {
    Bastion::init();
    let group = Bastion::spawn(|_| async { Ok(()) }).unwrap();
    Bastion::stop();
    Bastion::block_until_stopped();
    assert!(group.elems()[0].tell_anonymously(1).is_err());
}

fn macros() {
    Bastion::init_with(Config::new().hide_backtraces());
    let (give, take) = mpsc::channel();
    let give: &'static mpsc::Sender<&'static str> = Box::leak(Box::new(give));
    let stops = Arc::new(AtomicUsize::new(0));
    let counted = stops.clone();
    let callbacks = Callbacks::new().with_after_stop(move || {
        counted.fetch_add(1, SeqCst);
    });
    let sp = supervisor! {
        strategy: SupervisionStrategy::OneForOne,
        callbacks: callbacks.clone(),
    };
    let group = children! {
        action: |message| {
            msg! { message,
                text: &'static str => give.send(text).unwrap();
                _: _ => ();
            }
        },
        supervisor: sp,
        redundancy: 2,
        callbacks: callbacks,
    };
    let quiet = children! {};
    Bastion::start();
    assert_eq!((group.elems().len(), quiet.elems().len()), (2, 1));
    group.elems().iter().for_each(|child| child.tell_anonymously("hello").unwrap());
    quiet.elems()[0].tell_anonymously("ignored").unwrap();
    assert_eq!((take.recv().unwrap(), take.recv().unwrap()), ("hello", "hello"));
    let task = spawn! { async { 40 } };
    let more = 1;
    let blocking = blocking! { more + 1 };
    assert_eq!(run! { async { task.await.unwrap() + blocking.await.unwrap() } }, 42);
    let panicking = spawn! { async { panic!("on purpose") } };
    assert_eq!(run!(panicking), None::<()>);
    Bastion::stop();
    Bastion::block_until_stopped();
    assert_eq!(stops.load(SeqCst), 2);
}

/// Children that never yield keep nobody from returning; and are not many, since each takes a thread's time.
fn children_that_never_yield() {
    Bastion::init();
    let end = Arc::new(AtomicUsize::new(0));
    let ended = end.clone();
    let before = Instant::now();
    Bastion::children(|children| {
        children.with_redundancy(32_000).with_exec(move |_| {
            let end = ended.clone();
            async move {
                while end.load(SeqCst) == 0 {
                    std::hint::spin_loop();
                }
                Ok(())
            }
        })
    })
    .unwrap();
    Bastion::start();
    let took = before.elapsed();
    end.store(1, SeqCst);
    assert!(took < Duration::from_secs(20), "{took:?}");
    Bastion::stop();
    Bastion::block_until_stopped();
}

fn both_front_doors_are_one_system() {
    Bastion::init();
    let group = Bastion::children(more).unwrap();
    Bastion::start();
    assert_eq!(ask(&group.elems()[1], 1), 2);
    let tree = run!(Bastion::tree()).to_string();
    assert!(tree.contains("bastion") && tree.contains("children"), "{tree}");
    let stopped = run!(Bastion::stop_within(Duration::from_secs(10)));
    assert!(stopped.forced.is_empty(), "{stopped:?}");
    Bastion::block_until_stopped();
}

#[test]
fn section_2_1_the_global() {
    a_stop_before_the_start();
    many_cycles();
    cycles_that_do_not_wait();
    macros();
    children_that_never_yield();
    both_front_doors_are_one_system();
}
