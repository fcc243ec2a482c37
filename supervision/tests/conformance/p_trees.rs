//! Group P: trees, and failures that rise in them.

use crate::kit::{HOUR, World, count_to, counts, state};
use bastion_supervision::plan::{ChildState, ExitReason, RestartType, Strategy};
use bastion_supervision::{Supervisor, SupervisorRef};

/// A root (one-for-all) over a worker and `mid`, which has two workers and a dynamic supervisor and bears one restart.
async fn tree(w: &World) -> (SupervisorRef, SupervisorRef) {
    let pool = Supervisor::dynamic("pool");
    let dynamic = pool.reference();
    let mid = Supervisor::new("mid").intensity(1, HOUR);
    let mid = mid.child(w.child("b")).child(w.child("c")).supervisor(pool);
    let s = w.supervisor("s", Strategy::OneForAll).child(w.child("a")).supervisor(mid);
    (w.start(s).await, dynamic)
}

pub(crate) async fn row_176_a_crash_that_is_borne_stays_where_it_is(w: &World) {
    let (s, pool) = tree(w).await;
    pool.start_child(w.anonymous("d")).await.unwrap();
    w.crash("b");
    assert_eq!(w.ping("b").await, Ok(2));
    for name in ["a", "c", "d"] {
        assert_eq!(w.ping(name).await, Ok(1), "{name}");
    }
    assert_eq!(counts(&s).await, [2, 2, 1, 1]);
    w.check("+a1 +b1 +c1 +d1 -b1 +b2");
}

pub(crate) async fn row_177_one_that_is_not_borne_rises(w: &World) {
    let (_, pool) = tree(w).await;
    pool.start_child(w.anonymous("d")).await.unwrap();
    w.crash("b");
    assert_eq!(w.ping("b").await, Ok(2));
    w.crash("b");
    w.until("+c2").await;
    w.ended("d").await;
    assert_eq!((w.ping("a").await, w.ping("b").await), (Ok(2), Ok(3)));
    count_to(&pool, [0, 0, 0, 0]).await;
    w.check("+a1 +b1 +c1 +d1 -b1 +b2 -b2 -d1 -c1 -a1 +a2 +b3 +c2");
}

pub(crate) async fn row_178_a_supervisor_that_gives_up_has_shut_down(w: &World) {
    let types = [RestartType::Permanent, RestartType::Transient, RestartType::Temporary];
    for restart in types {
        let mid = Supervisor::new("mid").intensity(0, HOUR).restart(restart);
        let s = w.supervisor("s", Strategy::OneForOne).supervisor(mid.child(w.child("a")));
        let s = w.start(s).await;
        w.crash("a");
        match restart {
            RestartType::Permanent => assert_eq!(w.ping("a").await, Ok(2)),
            RestartType::Transient => {
                w.told("not restarted mid").await;
                assert_eq!(state(&s, "mid").await, Some(ChildState::Stopped));
            }
            RestartType::Temporary => {
                w.told("not restarted mid").await;
                count_to(&s, [0, 0, 0, 0]).await;
            }
        }
        w.system.root().stop_child("s").await.unwrap();
    }
}

pub(crate) async fn row_179_what_the_one_above_sees_is_a_shutdown(w: &World) {
    let mid = Supervisor::new("mid").intensity(0, HOUR).restart(RestartType::Temporary);
    let reference = mid.reference();
    w.start(w.supervisor("s", Strategy::OneForOne).supervisor(mid.child(w.child("a")))).await;
    w.crash("a");
    let reason = reference.ended().await;
    assert!(matches!(reason, ExitReason::ShutdownWith(_)), "{reason}");
    // What happened is told, as the value of the shutdown.
    assert!(reason.to_string().contains("told to"), "{reason}");
}
