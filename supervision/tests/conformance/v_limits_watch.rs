//! Group V: limits, state and mailboxes over restarts, and who is told of an end.

use crate::kit::{Do, HOUR, SECOND, Start, World, counts, paused};
use bastion_supervision::plan::{ExitReason, RestartPolicy, RestartType, Shutdown, Strategy};
use bastion_supervision::{Context, Exit, Reply, Supervisor, TellError, child};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

pub(crate) async fn row_287_the_third_failure_is_for_good(w: &World) {
    let s = w.supervisor("s", Strategy::OneForOne).intensity(2, HOUR);
    let s = w.workers(s, "a").await;
    for incarnation in [2, 3] {
        w.tell("a", Do::Panic);
        assert_eq!(w.ping("a").await, Ok(incarnation));
    }
    w.tell("a", Do::Panic);
    s.ended().await;
    assert!(w.address("a").tell(Do::Finish).is_err());
    w.check("+a1 -a1 +a2 -a2 +a3 -a3");
}

pub(crate) async fn row_288_without_limits(w: &World) {
    let s = w.supervisor("s", Strategy::OneForOne).unlimited();
    let s = w.workers(s, "a").await;
    for incarnation in 2..=101 {
        w.crash("a");
        assert_eq!(w.ping("a").await, Ok(incarnation));
    }
    assert_eq!(counts(&s).await, [1, 1, 0, 1]);
    assert_eq!(w.system.stats().restarts, 100);
}

pub(crate) async fn row_289_failures_outside_of_the_range(w: &World) {
    let period = Duration::from_millis(500);
    let s = w.supervisor("s", Strategy::OneForOne).intensity(2, period);
    w.workers(s, "a").await;
    for incarnation in [2, 3] {
        w.crash("a");
        assert_eq!(w.ping("a").await, Ok(incarnation));
    }
    w.sleep(Duration::from_millis(700)).await;
    w.crash("a");
    assert_eq!(w.ping("a").await, Ok(4));
}

pub(crate) async fn row_290_tries_are_for_the_whole_life(w: &World) {
    let a = w.child("a").policy(RestartPolicy::Tries(2));
    let s = w.supervisor("s", Strategy::OneForOne).unlimited().child(a).child(w.child("b"));
    let s = w.start(s).await;
    for incarnation in [2, 3] {
        w.crash("a");
        assert_eq!(w.ping("a").await, Ok(incarnation));
        w.sleep(24 * HOUR).await;
    }
    w.crash("a");
    w.ended("a").await;
    assert_eq!(counts(&s).await, [1, 1, 0, 1]);
    assert_eq!(w.ping("b").await, Ok(1));
}

pub(crate) async fn row_294_a_restart_begins_with_the_first_state(w: &World) {
    enum Count {
        Add,
        Crash,
        Get(Reply<u32>),
    }
    let counter = child(|mut cx: Context<Count>| async move {
        let mut count = 0;
        while let Some(message) = cx.recv().await {
            match message {
                Count::Add => count += 1,
                Count::Crash => panic!("told to"),
                Count::Get(reply) => reply.send(count),
            }
        }
        Ok::<(), Exit>(())
    });
    let address = counter.address();
    w.start(w.supervisor("s", Strategy::OneForOne).child(counter)).await;
    for message in [Count::Add, Count::Add, Count::Crash, Count::Add] {
        assert!(address.tell(message).is_ok());
    }
    // What came after the crash is handled, in order, by an incarnation that begins anew.
    assert_eq!(address.ask_timeout(HOUR, Count::Get).await, Ok(1));
}

pub(crate) async fn row_295_a_limit_of_zero(w: &World) {
    for policy in [RestartPolicy::Never, RestartPolicy::Tries(0)] {
        let s = w.supervisor("s", Strategy::OneForOne).child(w.child("a").policy(policy));
        let s = w.start(s).await;
        w.crash("a");
        w.ended("a").await;
        assert_eq!(counts(&s).await, [0, 0, 0, 0]);
        w.check("+a1 -a1");
        w.system.root().stop_child("s").await.unwrap();
    }
}

pub(crate) async fn row_296_children_of_a_restarted_supervisor_are_stopped_first(w: &World) {
    let inner = Supervisor::new("inner").intensity(0, HOUR);
    let inner = inner.child(w.child("a")).child(w.child("b"));
    w.start(w.supervisor("s", Strategy::OneForOne).supervisor(inner)).await;
    w.crash("a");
    w.until("+b2").await;
    w.check("+a1 +b1 -a1 -b1 +a2 +b2");
}

pub(crate) async fn row_297_messages_wait_up_to_the_capacity(w: &World) {
    let log = w.log.clone();
    let body = move |mut cx: Context<u32>| {
        let log = log.clone();
        async move {
            while let Some(number) = cx.recv().await {
                if number == 0 {
                    return Err(Exit::error("told to"));
                }
                log.add(number.to_string());
            }
            Ok(())
        }
    };
    let a = child(body).named("a").backoff(paused()).mailbox_capacity(3);
    let address = a.address();
    let s = w.start(w.supervisor("s", Strategy::OneForOne).child(a)).await;
    address.tell(0).unwrap();
    w.told("restarting a").await;
    for number in [1, 2, 3] {
        address.tell(number).unwrap();
    }
    assert!(matches!(address.tell(4), Err(TellError::Full(4))), "it comes back");
    // An hour later, or when somebody asks for it.
    s.stop_child("a").await.unwrap();
    s.restart_child("a").await.unwrap();
    w.until("3").await;
    w.check("1 2 3");
}

pub(crate) async fn row_298_a_first_start_that_fails_is_not_retried(w: &World) {
    let a = w.starts("a", &[Start::Fails]).policy(RestartPolicy::Tries(3));
    let s = w.start(w.supervisor("s", Strategy::OneForOne)).await;
    s.start_child(a).await.unwrap_err();
    assert_eq!(counts(&s).await, [0, 0, 0, 0]);
    // Failed restarts use up the tries.
    let b = w.starts("b", &[Start::Ok, Start::Fails, Start::Panics, Start::Fails]);
    s.start_child(b.policy(RestartPolicy::Tries(2))).await.unwrap();
    w.crash("b");
    w.ended("b").await;
    w.check("+a1 -a1 +b1 -b1 +b2 -b2 +b3 -b3");
    assert_eq!(counts(&s).await, [0, 0, 0, 0]);
}

pub(crate) async fn row_299_messages_survive_a_second_failure(w: &World) {
    w.workers(w.supervisor("s", Strategy::OneForOne), "a").await;
    for _ in 0..3 {
        w.crash("a");
    }
    // Asked behind three failures, all of which wait in the mailbox.
    assert_eq!(w.ping("a").await, Ok(4));
    assert_eq!(w.system.stats().dead_letters, 0);
}

/// Polls once.
async fn is_ready<F: Future>(future: F) -> bool {
    let mut future = pin!(future);
    poll_fn(|task| Poll::Ready(future.as_mut().poll(task).is_ready())).await
}

pub(crate) async fn row_303_each_who_waits_for_an_end_is_told(w: &World) {
    let s = w.supervisor("s", Strategy::OneForOne);
    let s = s.child(w.child("a").restart(RestartType::Temporary));
    w.start(s).await;
    let a = w.address("a");
    {
        // One who does not wait any more.
        assert!(!is_ready(a.ended()).await);
    }
    for name in ["x", "y", "z"] {
        let (a, log) = (a.clone(), w.log.clone());
        let watcher = child(move |_: Context<()>| {
            let (a, log) = (a.clone(), log.clone());
            async move {
                assert!(matches!(a.ended().await, ExitReason::Normal));
                log.add(name);
                Ok(())
            }
        });
        w.system.spawn_child(watcher.restart(RestartType::Temporary)).unwrap();
    }
    w.tell("a", Do::Finish);
    for name in ["x", "y", "z"] {
        w.until(name).await;
    }
    w.check_unordered("+a1 -a1 x y z");
    assert!(is_ready(a.ended()).await, "who comes later is told at once");
}

pub(crate) async fn row_304_a_restart_is_not_an_end(w: &World) {
    let s = w.workers(w.supervisor("s", Strategy::OneForOne), "a").await;
    let a = w.address("a");
    let mut ended = pin!(a.ended());
    w.crash("a");
    assert_eq!(w.ping("a").await, Ok(2));
    assert!(!is_ready(ended.as_mut()).await);
    s.stop_child("a").await.unwrap();
    assert!(!is_ready(ended.as_mut()).await, "it can be started again");
    s.delete_child("a").await.unwrap();
    assert!(matches!(ended.await, ExitReason::Shutdown));
}

pub(crate) async fn row_307_a_name_can_be_used_again(w: &World) {
    let s = w.start(w.supervisor("s", Strategy::OneForOne)).await;
    for _ in 0..3 {
        let a = w.child("a").restart(RestartType::Temporary).shutdown(Shutdown::Timeout(SECOND));
        s.start_child(a).await.unwrap();
        w.tell("a", Do::Finish);
        assert!(matches!(w.ended("a").await, ExitReason::Normal));
    }
    w.check("+a1 -a1 +a1 -a1 +a1 -a1");
}
