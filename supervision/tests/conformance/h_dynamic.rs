//! Group H: dynamic supervisors.

use crate::kit::{Do, HOUR, Start, World, count_to, counts, paused};
use bastion_supervision::plan::{
    ChildError, ChildState, ExitReason, RestartType, Shutdown, Strategy,
};
use bastion_supervision::{Context, Exit, RequestError, Supervisor, child};
use std::sync::{Arc, Weak};

pub(crate) async fn row_094_children_need_no_id(w: &World) {
    let pool = w.pool("pool").await;
    for name in ["a", "b", "c"] {
        pool.spawn_child(w.anonymous(name)).unwrap();
    }
    let children = pool.children().await.unwrap();
    assert_eq!(children.len(), 3);
    assert!(children.iter().all(|child| child.name.is_none()));
    assert_eq!(counts(&pool).await, [3, 3, 0, 3]);
}

pub(crate) async fn row_095_only_the_child_that_crashed_is_restarted(w: &World) {
    let pool = w.pool("pool").await;
    for name in ["a", "b", "c"] {
        pool.start_child(w.anonymous(name)).await.unwrap();
    }
    w.crash("b");
    assert_eq!(w.ping("b").await, Ok(2));
    assert_eq!((w.ping("a").await, w.ping("c").await), (Ok(1), Ok(1)));
    w.check("+a1 +b1 +c1 -b1 +b2");
}

pub(crate) async fn row_097_a_restart_that_declines_removes_the_child(w: &World) {
    let pool = w.pool("pool").await;
    pool.start_child(w.starts("a", &[Start::Ok, Start::Declines])).await.unwrap();
    pool.start_child(w.child("b")).await.unwrap();
    w.crash("a");
    w.ended("a").await;
    count_to(&pool, [1, 1, 0, 1]).await;
    assert_eq!(w.ping("b").await, Ok(1));
}

pub(crate) async fn row_098_one_child_too_often_ends_all(w: &World) {
    let pool = Supervisor::dynamic("pool").intensity(1, HOUR);
    let pool = w.start(pool.restart(RestartType::Temporary)).await;
    for name in ["a", "b", "c"] {
        pool.start_child(w.anonymous(name)).await.unwrap();
    }
    w.crash("a");
    assert_eq!(w.ping("a").await, Ok(2));
    w.crash("a");
    assert!(matches!(pool.ended().await, ExitReason::ShutdownWith(_)));
    for name in ["a", "b", "c"] {
        assert!(w.address(name).tell(Do::Finish).is_err());
    }
    w.check_unordered("+a1 +a2 +b1 +c1 -a1 -a2 -b1 -c1");
}

pub(crate) async fn row_099_what_a_start_needs_goes_with_its_child(w: &World) {
    let pool = w.pool("pool").await;
    let big = Arc::new(vec![0_u8; 1 << 20]);
    let held: Weak<Vec<u8>> = Arc::downgrade(&big);
    let kept = big.clone();
    drop(big);
    let worker = child(move |mut cx: Context<()>| {
        let big = kept.clone();
        async move {
            cx.recv().await;
            assert_eq!(big.len(), 1 << 20);
            Ok(())
        }
    });
    let worker = pool.start_child(worker.restart(RestartType::Temporary)).await.unwrap();
    worker.tell(()).unwrap();
    assert!(matches!(worker.ended().await, ExitReason::Normal));
    count_to(&pool, [0, 0, 0, 0]).await;
    // The address is still there; what the closure held is not.
    assert_eq!(held.strong_count(), 0);
}

pub(crate) async fn row_100_children_stop_in_parallel(w: &World) {
    let pool = w.pool("pool").await;
    for _ in 0..5 {
        let log = w.log.clone();
        let slow = child(move |cx: Context<()>| {
            let log = log.clone();
            async move {
                cx.stop_signal().requested().await;
                log.add("asked");
                // Each ends only after all have been asked: one after another they would never end.
                log.until_many("asked", 5).await;
                Ok(())
            }
        });
        pool.spawn_child(slow.shutdown(Shutdown::Infinity)).unwrap();
    }
    assert_eq!(counts(&pool).await, [5, 5, 0, 5]);
    w.system.root().stop_child("pool").await.unwrap();
    assert_eq!(w.system.stats().forced_kills, 0);
}

pub(crate) async fn row_101_a_child_that_is_stopped_leaves(w: &World) {
    let pool = w.pool("pool").await;
    let a = pool.start_child(w.anonymous("a")).await.unwrap();
    pool.stop_child(a.pid().unwrap()).await.unwrap();
    assert!(matches!(a.ended().await, ExitReason::Shutdown));
    assert_eq!(counts(&pool).await, [0, 0, 0, 0]);
    w.check("+a1 -a1");
}

fn is_not_found(result: Result<(), RequestError>) -> bool {
    matches!(result, Err(RequestError::Refused(ChildError::NotFound)))
}

pub(crate) async fn row_103_a_pid_that_is_gone_is_unknown(w: &World) {
    let pool = w.pool("pool").await;
    let a = w.anonymous("a").restart(RestartType::Temporary);
    let a = pool.start_child(a).await.unwrap();
    w.tell("a", Do::Finish);
    a.ended().await;
    assert!(is_not_found(pool.stop_child(a.pid().unwrap()).await));
}

pub(crate) async fn row_104_a_pid_of_somebody_else_is_unknown(w: &World) {
    let (pool, other) = (w.pool("pool").await, w.pool("other").await);
    let a = other.start_child(w.anonymous("a")).await.unwrap();
    assert!(is_not_found(pool.stop_child(a.pid().unwrap()).await));
    assert_eq!(w.ping("a").await, Ok(1), "it was not touched");
}

pub(crate) async fn row_105_neither_restarted_nor_deleted_by_request(w: &World) {
    let pool = w.pool("pool").await;
    let a = pool.start_child(w.anonymous("a")).await.unwrap().pid().unwrap();
    for result in [pool.restart_child(a).await, pool.delete_child(a).await] {
        let error = result.unwrap_err();
        assert!(matches!(error, RequestError::Refused(ChildError::Unordered)), "{error}");
    }
    assert_eq!(counts(&pool).await, [1, 1, 0, 1]);
}

pub(crate) async fn row_106_many_temporary_children_come_and_go(w: &World) {
    const MANY: usize = 2000;
    let pool = w.pool("pool").await;
    let spawn = || {
        let body = |cx: Context<()>| async move {
            cx.stop_signal().requested().await;
            Ok(())
        };
        pool.spawn_child(child(body).restart(RestartType::Temporary)).unwrap()
    };
    let children: Vec<_> = (0..MANY).map(|_| spawn()).collect();
    assert_eq!(counts(&pool).await, [MANY, MANY, 0, MANY]);
    for gone in &children[..MANY / 2] {
        pool.stop_child(gone.pid().unwrap()).await.unwrap();
    }
    assert_eq!(counts(&pool).await, [MANY / 2, MANY / 2, 0, MANY / 2]);
    w.system.root().stop_child("pool").await.unwrap();
    for child in &children {
        assert!(matches!(child.ended().await, ExitReason::Shutdown));
    }
}

pub(crate) async fn row_107_temporary_children_leave_whatever_ends_them(w: &World) {
    let pool = w.pool("pool").await;
    let ends = [Do::Finish, Do::Exit(Exit::with(ExitReason::Killed)), Do::Panic];
    for end in ends {
        let t = w.anonymous("t").restart(RestartType::Temporary);
        pool.start_child(t).await.unwrap();
        w.tell("t", end);
        w.ended("t").await;
        assert!(pool.children().await.unwrap().is_empty());
    }
    pool.start_child(w.anonymous("t").restart(RestartType::Temporary)).await.unwrap();
    w.system.root().stop_child("pool").await.unwrap();
    assert!(matches!(w.ended("t").await, ExitReason::Shutdown));
}

pub(crate) async fn row_108_a_stop_ends_a_failing_restart(w: &World) {
    let pool = w.pool("pool").await;
    let a = pool.start_child(w.anonymous("a").backoff(paused())).await.unwrap();
    w.crash("a");
    w.told("restarting unnamed").await;
    let children = pool.children().await.unwrap();
    assert_eq!(children[0].state, ChildState::Backoff);
    pool.stop_child(a.pid().unwrap()).await.unwrap();
    a.ended().await;
    assert_eq!(counts(&pool).await, [0, 0, 0, 0]);
    w.check("+a1 -a1");
}

pub(crate) async fn row_109_children_of_a_restarted_dynamic_supervisor_are_gone(w: &World) {
    let pool = Supervisor::dynamic("pool").intensity(0, HOUR).child(w.child("declared"));
    let reference = pool.reference();
    let s = w.supervisor("s", Strategy::OneForOne).supervisor(pool);
    w.start(s).await;
    reference.start_child(w.anonymous("added")).await.unwrap();
    w.crash("declared");
    w.until("+declared2").await;
    w.ended("added").await;
    assert_eq!(w.ping("declared").await, Ok(2));
    assert_eq!(counts(&reference).await, [1, 1, 0, 1], "only what was declared came back");
}
