//! Group Q: exit signals and links.

use crate::kit::{HOUR, World};
use crate::tied::{Hear, Tied, reason, start, tied};
use bastion_supervision::plan::{Backoff, ExitReason, RestartType};
use bastion_supervision::{Context, Exit, child};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

async fn two(w: &World) -> (Tied, Tied) {
    (start(w, "a"), start(w, "b"))
}

async fn linked(w: &World) -> (Tied, Tied) {
    let (a, b) = two(w).await;
    a.links(&b).await;
    (a, b)
}

pub(crate) async fn row_180_the_other_ends_with_the_same_reason(w: &World) {
    let (a, b) = linked(w).await;
    assert_eq!(a.ends(reason("oops")).await, "error: oops");
    assert_eq!(b.ended().await, "error: oops");
}

pub(crate) async fn row_181_a_normal_end_harms_nobody(w: &World) {
    let (a, b) = linked(w).await;
    a.ends(ExitReason::Normal).await;
    assert!(b.lives().await);
}

pub(crate) async fn row_182_one_that_traps_gets_one_message(w: &World) {
    for end in [reason("oops"), ExitReason::Normal, ExitReason::Shutdown] {
        let (a, b) = linked(w).await;
        b.traps().await;
        let ended = a.ends(end).await;
        assert_eq!(b.hears().await, format!("exit a: {ended}"));
        b.ends(ExitReason::Normal).await;
    }
}

pub(crate) async fn row_183_normal_from_another_is_dropped(w: &World) {
    let (a, b) = two(w).await;
    let other = b.address.clone();
    assert_eq!(a.run(move |_| other.exit(ExitReason::Normal)).await, Ok(true));
    assert!(b.lives().await);
    // And so it is from outside.
    assert!(b.address.exit(ExitReason::Normal));
    assert!(b.lives().await);
}

pub(crate) async fn row_184_normal_from_itself_ends_it(w: &World) {
    let a = start(w, "a");
    a.run(|cx| cx.address().exit(ExitReason::Normal)).await.unwrap();
    assert_eq!(a.ended().await, "normal");
}

pub(crate) async fn row_185_an_abnormal_exit_from_itself_ends_it(w: &World) {
    let a = start(w, "a");
    a.run(|cx| cx.address().exit(reason("oops"))).await.unwrap();
    assert_eq!(a.ended().await, "error: oops");
}

pub(crate) async fn row_186_one_that_traps_hears_its_own_exit(w: &World) {
    let a = start(w, "a");
    a.traps().await;
    for end in [reason("oops"), ExitReason::Normal] {
        let told = end.to_string();
        a.run(|cx| cx.address().exit(end)).await.unwrap();
        assert_eq!(a.hears().await, format!("exit a signal: {told}"));
    }
    a.run(Context::untrap_exit).await.unwrap();
    a.run(|cx| cx.address().exit(reason("oops"))).await.unwrap();
    assert_eq!(a.ended().await, "error: oops");
}

pub(crate) async fn row_187_an_exit_from_another_ends_it(w: &World) {
    let (a, b) = two(w).await;
    let other = b.address.clone();
    a.run(move |_| other.exit(reason("oops"))).await.unwrap();
    assert_eq!(b.ended().await, "error: oops");
    assert!(!b.address.exit(reason("again")), "nobody runs");
    assert!(a.lives().await);
}

pub(crate) async fn row_188_a_kill_cannot_be_trapped(w: &World) {
    let (a, b) = linked(w).await;
    let watcher = start(w, "watcher");
    watcher.watches(&b).await;
    a.traps().await;
    b.traps().await;
    b.address.exit(ExitReason::Killed);
    assert_eq!(b.ended().await, "killed");
    assert_eq!(a.hears().await, "exit b: killed");
    assert_eq!(watcher.hears().await, "down b: killed");
}

pub(crate) async fn row_189_the_kill_of_another_can_be_trapped(w: &World) {
    let (a, b) = linked(w).await;
    let c = start(w, "c");
    c.links(&a).await;
    b.traps().await;
    a.ends(ExitReason::Killed).await;
    assert_eq!(b.hears().await, "exit a: killed");
    assert_eq!(c.ended().await, "killed");
}

pub(crate) async fn row_190_a_link_with_one_that_has_ended(w: &World) {
    let (a, b) = two(w).await;
    let c = start(w, "c");
    c.ends(ExitReason::Normal).await;
    b.traps().await;
    b.links(&c).await;
    assert_eq!(b.hears().await, "exit c: no such process");
    a.links(&c).await;
    assert_eq!(a.ended().await, "no such process");
}

pub(crate) async fn row_191_links_are_not_counted(w: &World) {
    let (a, b) = linked(w).await;
    a.links(&b).await;
    b.links(&a).await;
    b.unlinks(&a).await;
    a.ends(reason("oops")).await;
    assert!(b.lives().await);
}

pub(crate) async fn row_192_links_are_symmetric(w: &World) {
    let (a, b) = linked(w).await;
    b.ends(reason("oops")).await;
    assert_eq!(a.ended().await, "error: oops");
}

pub(crate) async fn row_193_after_an_unlink_nothing_comes(w: &World) {
    let (a, b) = linked(w).await;
    b.traps().await;
    b.unlinks(&a).await;
    a.ends(reason("oops")).await;
    assert_eq!(b.hears().await, "");
    // Nor does what waits already; other signals do.
    let (a, c) = (start(w, "a2"), start(w, "c"));
    let (gone, other) = (a.address.clone(), c.address.clone());
    let (heard, begun) = (w.log.clone(), w.log.clone());
    let busy = child(move |mut cx: Context<String>| {
        let (gone, other, heard, begun) =
            (gone.clone(), other.clone(), heard.clone(), begun.clone());
        async move {
            cx.trap_exit(|signal| format!("{} ends", signal.name.unwrap_or_default()));
            cx.link(&gone);
            cx.link(&other);
            begun.add("linked");
            gone.ended().await;
            other.ended().await;
            cx.unlink(&gone);
            while let Some(text) = cx.recv().await {
                heard.add(text);
            }
            Ok(())
        }
    });
    w.system.spawn_child(busy.restart(RestartType::Temporary)).unwrap();
    w.until("linked").await;
    a.ends(reason("oops")).await;
    c.ends(reason("oops")).await;
    w.until("c ends").await;
    assert_eq!(w.log.take(), ["linked", "c ends"]);
}

pub(crate) async fn row_194_the_first_of_two_exits_wins(w: &World) {
    let (a, b) = two(w).await;
    let other = b.address.clone();
    let both = a.run(move |_| {
        other.exit(reason("first"));
        other.exit(reason("second"));
    });
    both.await.unwrap();
    assert_eq!(b.ended().await, "error: first");
}

pub(crate) async fn row_195_an_exit_by_signal_cannot_be_caught(w: &World) {
    let (a, b) = linked(w).await;
    let own = b.run(|cx| {
        let address = cx.address();
        let caught = catch_unwind(AssertUnwindSafe(|| address.exit(reason("own"))));
        caught.is_ok()
    });
    assert_eq!(own.await, Ok(true));
    assert_eq!(b.ended().await, "error: own");
    assert_eq!(a.ended().await, "error: own");
}

pub(crate) async fn row_196_signals_of_one_sender_keep_their_order(w: &World) {
    let (a, b) = two(w).await;
    b.traps().await;
    let other = b.address.clone();
    let sent = a.run(move |_| {
        for (text, end) in [("one", "1"), ("two", "2"), ("three", "3")] {
            assert!(other.tell(Hear::Text(text)).is_ok());
            other.exit(reason(end));
        }
    });
    sent.await.unwrap();
    assert!(b.lives().await);
    // Each lane keeps its order, and signals overtake messages.
    let heard = b.heard.take();
    let of = |signals: bool| {
        heard.iter().filter(move |entry| entry.starts_with("exit") == signals).cloned()
    };
    assert_eq!(of(false).collect::<Vec<_>>(), ["one", "two", "three"]);
    let signals = ["1", "2", "3"].map(|end| format!("exit a signal: error: {end}"));
    assert_eq!(of(true).collect::<Vec<_>>(), signals);
}

pub(crate) async fn row_197_no_timeout_comes_after_an_end(w: &World) {
    let log = w.log.clone();
    let sleeper = child(move |mut cx: Context<()>| {
        let log = log.clone();
        async move {
            let sleep = cx.sleep(HOUR);
            log.add("sleeps");
            let mut sleep = pin!(sleep);
            poll_fn(|task| {
                assert!(sleep.as_mut().poll(task).is_pending());
                Poll::Ready(())
            })
            .await;
            // Whatever wakes it now: it is not polled again.
            cx.recv().await;
            sleep.await;
            log.add("woke");
            Ok(())
        }
    });
    let sleeper = sleeper.named("sleeper").restart(RestartType::Temporary);
    let sleeper = w.system.spawn_child(sleeper).unwrap();
    w.until("sleeps").await;
    sleeper.exit(reason("oops"));
    assert_eq!(sleeper.ended().await.to_string(), "error: oops");
    assert_eq!(w.log.take(), ["sleeps"]);
}

pub(crate) async fn row_198_a_large_reason_arrives_complete(w: &World) {
    let (a, b) = linked(w).await;
    let watcher = start(w, "watcher");
    watcher.watches(&a).await;
    b.traps().await;
    let text: &'static str = "x".repeat(300_000).leak();
    a.ends(reason(text)).await;
    assert_eq!(b.hears().await, format!("exit a: error: {text}"));
    assert_eq!(watcher.hears().await, format!("down a: error: {text}"));
}

pub(crate) async fn row_x9_a_link_ends_with_the_incarnation_and_a_new_one_makes_its_own(w: &World) {
    let (child, a) = tied("a");
    let b = start(w, "b");
    b.traps().await;
    w.system
        .spawn_child(child.restart(RestartType::Permanent).backoff(Backoff::immediate()))
        .unwrap();
    a.links(&b).await;
    assert!(a.address.tell(Hear::End(Exit::error("first"))).is_ok());
    assert_eq!(a.run(|cx| cx.incarnation()).await, Ok(2));
    assert_eq!(b.hears().await, "exit a: error: first");
    assert!(a.address.tell(Hear::End(Exit::error("second"))).is_ok());
    assert_eq!(a.run(|cx| cx.incarnation()).await, Ok(3));
    assert_eq!(b.hears().await, "", "the new incarnation has no links");
}

pub(crate) async fn row_x9_a_link_with_one_that_is_not_started_yet(w: &World) {
    let a = start(w, "a");
    let (child, b) = tied("b");
    a.links(&b).await;
    w.system.spawn_child(child).unwrap();
    b.ends(reason("oops")).await;
    assert_eq!(a.ended().await, "error: oops");
    let c = start(w, "c");
    let (child, never) = tied("never");
    c.traps().await;
    c.links(&never).await;
    c.watches(&never).await;
    drop(child);
    never.ended().await;
    let heard = c.hears().await;
    assert!(heard.contains("exit never: no such process"), "{heard}");
    assert!(heard.contains("down never: shutdown"), "{heard}");
}

pub(crate) async fn row_x9_a_context_that_outlives_its_incarnation_ties_nobody(w: &World) {
    let (b, c) = (start(w, "b"), start(w, "c"));
    let kept = Arc::new(Mutex::new(None));
    let (keeps, log, other) = (kept.clone(), w.log.clone(), c.address.clone());
    let again = child(move |mut cx: Context<Exit>| {
        let keeps = keeps.clone();
        if cx.incarnation() == 2 {
            cx.link(&other);
        }
        log.add("begins");
        async move {
            if cx.incarnation() == 1 {
                *keeps.lock().unwrap() = Some(cx);
                return Err(Exit::error("first"));
            }
            match cx.recv().await {
                Some(exit) => Err(exit),
                None => Ok(()),
            }
        }
    });
    let again = again.restart(RestartType::Transient).backoff(Backoff::immediate());
    let again = w.system.spawn_child(again).unwrap();
    w.log.until_many("begins", 2).await;
    let mut old = kept.lock().unwrap().take().expect("the first has left it there");
    old.link(&b.address);
    old.unlink(&c.address);
    assert!(again.tell(Exit::error("second")).is_ok());
    w.log.until_many("begins", 3).await;
    assert!(b.lives().await);
    assert_eq!(c.ended().await, "error: second");
}
