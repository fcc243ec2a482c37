//! bastion 0.4, the macros (§7.4) and the executor (§11). One test has the global `Bastion`.

use bastion::prelude::*;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

/// A group of one that says when it starts, and fails with each message.
fn failing(starts: &Sender<&'static str>, name: &'static str) -> impl FnOnce(Children) -> Children {
    let starts = Arc::new(Mutex::new(starts.clone()));
    move |children| {
        children.with_exec(move |ctx| {
            starts.lock().unwrap().send(name).unwrap();
            async move {
                ctx.recv().await?;
                Err(())
            }
        })
    }
}

fn a_supervisor_is_one_for_all_by_default() {
    let (starts, started) = mpsc::channel();
    let two = || {
        let mut two = [(); 2].map(|()| started.recv_timeout(LIMIT).unwrap());
        two.sort_unstable();
        two
    };
    let all = supervisor! {};
    let a = all.children(failing(&starts, "a")).unwrap();
    all.children(failing(&starts, "b")).unwrap();
    assert_eq!(two(), ["a", "b"]);
    a.elems()[0].tell_anonymously("fail").unwrap();
    assert_eq!(two(), ["a", "b"], "both");
    let one = supervisor! { strategy: SupervisionStrategy::OneForOne, };
    let c = one.children(failing(&starts, "c")).unwrap();
    one.children(failing(&starts, "d")).unwrap();
    assert_eq!(two(), ["c", "d"]);
    c.elems()[0].tell_anonymously("fail").unwrap();
    c.elems()[0].tell_anonymously("fail").unwrap();
    assert_eq!(two(), ["c", "c"], "the other is left alone");
}

fn keys_have_defaults_and_any_order() {
    let (give, take) = mpsc::channel();
    let (first, second) = (give.clone(), give);
    let one = children! { action: |_| (), };
    let below = supervisor! {
        callbacks: Callbacks::new().with_before_start(move || first.send("supervisor").unwrap()),
    };
    let two = children! {
        supervisor: below,
        callbacks: Callbacks::new().with_before_start(move || second.send("group").unwrap()),
        redundancy: 2,
    };
    assert_eq!((one.elems().len(), two.elems().len()), (1, 2));
    let next = || take.recv_timeout(LIMIT).unwrap();
    assert_eq!((next(), next()), ("supervisor", "group"));
    // The default action ignores what comes, and goes on.
    for n in 0..3 {
        two.elems()[0].tell_anonymously(n).unwrap();
    }
    assert!(two.stop().is_ok());
}

fn what_cannot_be_made_is_a_panic() {
    Bastion::stop();
    Bastion::block_until_stopped();
    let message = |made: Result<(), Box<dyn std::any::Any + Send>>| {
        made.unwrap_err().downcast_ref::<String>().cloned().unwrap_or_default()
    };
    let group = message(std::panic::catch_unwind(|| drop(children! {})));
    assert!(group.starts_with("failed to create children group"), "{group}");
    let supervisor = message(std::panic::catch_unwind(|| drop(supervisor! {})));
    assert!(supervisor.starts_with("failed to create supervisor"), "{supervisor}");
}

#[test]
fn section_7_4_groups_and_supervisors() {
    Bastion::init();
    Bastion::start();
    a_supervisor_is_one_for_all_by_default();
    keys_have_defaults_and_any_order();
    what_cannot_be_made_is_a_panic();
}

#[test]
fn section_7_4_blocks_and_futures_are_run_spawned_and_may_block() {
    // A block: what it mentions is moved into it, and it may wait.
    let (a, b, c) = (String::from("a"), String::from("b"), String::from("c"));
    let spawned = spawn! { let n = async { 1 }.await; (a, n) };
    let blocking = blocking! { let n = async { 2 }.await; (b, n) };
    let ran = run! { let n = async { 3 }.await; (c, n) };
    assert_eq!(run!(spawned), Some(("a".to_owned(), 1)));
    assert_eq!(run!(blocking), Some(("b".to_owned(), 2)));
    assert_eq!(ran, ("c".to_owned(), 3));
    // An expression: a future as it is.
    let future = async { 4 };
    assert_eq!(run!(spawn!(future)), Some(4));
    // `blocking!` takes the block as the future's.
    let thread = std::thread::current().id();
    assert_ne!(run!(blocking! { std::thread::current().id() }), Some(thread));
    assert_eq!(run! { async { std::thread::current().id() } }, thread);
}

#[test]
fn section_11_a_handle_gives_nothing_for_what_panicked_or_was_cancelled_and_lets_go_what_it_leaves()
{
    use bastion::executor::{blocking, run, spawn};
    assert_eq!(run(spawn(async { panic!("on purpose") })), None::<()>);
    assert_eq!(run(blocking(async { panic!("on purpose") })), None::<()>);
    let cancelled = spawn(std::future::pending::<()>());
    cancelled.cancel();
    assert_eq!(run(cancelled), None);
    let (give, take) = mpsc::channel();
    let other = give.clone();
    drop(spawn(async move { give.send(1).unwrap() }));
    drop(blocking(async move { other.send(2).unwrap() }));
    let mut both = [take.recv_timeout(LIMIT).unwrap(), take.recv_timeout(LIMIT).unwrap()];
    both.sort_unstable();
    assert_eq!(both, [1, 2]);
    // What is run on the calling thread may stay there, and its panic is the caller's.
    let here = std::rc::Rc::new(7);
    assert_eq!(run(async { *here }), 7);
    let panic = std::panic::catch_unwind(|| run(async { panic!("on purpose") }));
    assert_eq!(panic.unwrap_err().downcast_ref::<&str>(), Some(&"on purpose"));
}
