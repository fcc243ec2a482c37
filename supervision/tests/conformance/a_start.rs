//! Group A: defaults, and the start of a supervisor.

use crate::kit::{HOUR, SECOND, Start, Stop, World, count_to, counts, info, state};
use bastion_supervision::plan::{
    ChildKind, ChildState, ExitReason, Finish, RestartType, Shutdown, Strategy,
};
use bastion_supervision::{
    Context, RequestError, StartChildError, Supervisor, SupervisorError, SupervisorRef, child,
};
use std::time::Duration;

pub(crate) async fn row_001_defaults(w: &World) {
    let s = Supervisor::new("s").restart(RestartType::Temporary);
    let s = w.workers(s, "a b").await;
    w.crash("a");
    assert_eq!((w.ping("a").await, w.ping("b").await), (Ok(2), Ok(1)));
    w.crash("a");
    s.ended().await;
    w.check("+a1 +b1 -a1 +a2 -a2 -b1");
}

pub(crate) async fn row_002_a_workers_defaults(w: &World) {
    let s = w.start(w.supervisor("s", Strategy::OneForOne).child(w.stops("a", Stop::Deaf))).await;
    let a = info(&s, "a").await.unwrap();
    assert_eq!((a.kind, a.restart), (ChildKind::Worker, RestartType::Permanent));
    s.stop_child("a").await.unwrap();
    assert_eq!(w.now(), 5 * SECOND);
    w.told("forced kill a").await;
}

pub(crate) async fn row_003_a_nested_supervisor_has_all_the_time_it_needs(w: &World) {
    let slow = child(|cx: Context<()>| async move {
        cx.stop_signal().requested().await;
        cx.sleep(24 * HOUR).await;
        Ok(())
    });
    let inner = Supervisor::new("inner").child(slow.shutdown(Shutdown::Infinity));
    let s = w.start(w.supervisor("s", Strategy::OneForOne).supervisor(inner)).await;
    s.stop_child("inner").await.unwrap();
    assert_eq!((w.now(), w.system.stats().forced_kills), (24 * HOUR, 0));
}

pub(crate) async fn row_004_a_supervisor_without_children(w: &World) {
    let s = w.start(w.supervisor("s", Strategy::OneForOne)).await;
    assert_eq!(counts(&s).await, [0, 0, 0, 0]);
    w.system.root().stop_child("s").await.unwrap();
    assert!(matches!(s.ended().await, ExitReason::Shutdown));
}

pub(crate) async fn row_008_an_added_child_that_declines_rests(w: &World) {
    let s = w.start(w.supervisor("s", Strategy::OneForOne)).await;
    s.start_child(w.starts("a", &[Start::Declines])).await.unwrap();
    assert_eq!(state(&s, "a").await, Some(ChildState::Stopped));
    s.start_child(w.child("b")).await.unwrap();
    assert_eq!(counts(&s).await, [2, 1, 0, 2]);
    assert_eq!(w.system.stats().crashes, 0);
}

pub(crate) async fn row_009_a_declared_child_that_declines_holds_nobody_up(w: &World) {
    let s = w.supervisor("s", Strategy::OneForOne);
    let s = s.child(w.starts("a", &[Start::Declines])).child(w.child("b"));
    let s = w.start(s).await;
    w.check("+a1 -a1 +b1");
    assert_eq!(state(&s, "a").await, Some(ChildState::Stopped));
    s.restart_child("a").await.unwrap();
    assert_eq!(w.ping("a").await, Ok(2));
}

pub(crate) async fn row_010_a_declared_temporary_child_that_declines_is_gone(w: &World) {
    let a = w.starts("a", &[Start::Declines]).restart(RestartType::Temporary);
    let s = w.start(w.supervisor("s", Strategy::OneForOne).child(a).child(w.child("b"))).await;
    assert_eq!(counts(&s).await, [1, 1, 0, 1]);
    assert_eq!(state(&s, "a").await, None);
}

pub(crate) async fn row_011_an_added_temporary_child_that_declines_is_gone(w: &World) {
    let s = w.start(w.supervisor("s", Strategy::OneForOne)).await;
    let a = || w.starts("a", &[Start::Declines]).restart(RestartType::Temporary);
    s.start_child(a()).await.unwrap();
    assert!(matches!(w.ended("a").await, ExitReason::Normal | ExitReason::Declined));
    s.start_child(a()).await.unwrap();
    assert_eq!(counts(&s).await, [0, 0, 0, 0]);
}

pub(crate) async fn row_012_the_same_of_a_temporary_dynamic_child(w: &World) {
    let pool = w.pool("pool").await;
    let a = w.starts("a", &[Start::Declines]).restart(RestartType::Temporary);
    pool.start_child(a).await.unwrap();
    assert_eq!(counts(&pool).await, [0, 0, 0, 0]);
}

pub(crate) async fn row_013_the_same_of_a_permanent_dynamic_child(w: &World) {
    let pool = w.pool("pool").await;
    pool.start_child(w.starts("a", &[Start::Declines])).await.unwrap();
    assert_eq!(counts(&pool).await, [0, 0, 0, 0]);
    w.system.root().stop_child("pool").await.unwrap();
    assert!(matches!(pool.ended().await, ExitReason::Shutdown));
}

pub(crate) async fn row_014_a_restart_request_that_fails_leaves_the_child_at_rest(w: &World) {
    let a = w.starts("a", &[Start::Ok, Start::Fails, Start::Panics]);
    let s = w.start(w.supervisor("s", Strategy::OneForOne).child(a)).await;
    s.stop_child("a").await.unwrap();
    for abnormal in [true, true] {
        let error = s.restart_child("a").await.unwrap_err();
        let RequestError::Failed(reason) = error else { panic!("{error}") };
        assert_eq!(reason.is_abnormal(), abnormal, "{reason}");
        assert_eq!(state(&s, "a").await, Some(ChildState::Stopped));
    }
    s.restart_child("a").await.unwrap();
    w.check("+a1 -a1 +a2 -a2 +a3 -a3 +a4");
}

pub(crate) async fn row_015_an_added_child_that_fails_to_start_leaves(w: &World) {
    let s = w.start(w.supervisor("s", Strategy::OneForOne)).await;
    fails_to_start(w, &s).await;
}

pub(crate) async fn row_016_the_same_in_a_dynamic_supervisor(w: &World) {
    let pool = w.pool("pool").await;
    fails_to_start(w, &pool).await;
}

async fn fails_to_start(w: &World, s: &SupervisorRef) {
    for start in [Start::Fails, Start::Panics] {
        let error = s.start_child(w.starts("a", &[start])).await.unwrap_err();
        let StartChildError::Failed(reason) = error else { panic!("{error}") };
        assert!(reason.to_string().ends_with("told to, at its start"), "{reason}");
        assert!(w.ended("a").await.is_abnormal());
        assert_eq!(counts(s).await, [0, 0, 0, 0]);
    }
    s.start_child(w.child("a")).await.unwrap();
    w.check("+a1 -a1 +a1 -a1 +a1");
}

pub(crate) async fn row_017_a_failed_start_is_undone_in_reverse(w: &World) {
    for start in [Start::Fails, Start::Panics] {
        let s = w.supervisor("s", Strategy::OneForOne);
        let s = s.child(w.child("a")).child(w.child("b")).child(w.starts("c", &[start]));
        let error = w.system.supervise(s.child(w.child("d"))).await.unwrap_err();
        assert!(error.to_string().contains("child \"c\""), "{error}");
        w.check("+a1 +b1 +c1 -c1 -b1 -a1");
        count_to(w.system.root(), [1, 1, 1, 0]).await;
    }
}

pub(crate) async fn row_018_each_start_waits_for_the_one_before(w: &World) {
    let slow = |name: &'static str| {
        let log = w.log.clone();
        let body = move |cx: Context<()>| {
            let log = log.clone();
            log.add(format!("{name} begins"));
            async move {
                cx.sleep(Duration::from_millis(10)).await;
                log.add(format!("{name} is ready"));
                cx.ready();
                cx.stop_signal().requested().await;
                Ok(())
            }
        };
        child(body).named(name).gated()
    };
    let s = w.supervisor("s", Strategy::OneForOne).child(slow("a")).child(slow("b"));
    w.start(s.child(slow("c"))).await;
    w.log.add("started");
    w.check("a begins a is ready b begins b is ready c begins c is ready started");
}

pub(crate) async fn row_019_a_failed_start_is_wrapped_level_by_level(w: &World) {
    let mid = Supervisor::new("mid").child(w.starts("leaf", &[Start::Fails]));
    let top = w.supervisor("top", Strategy::OneForOne).supervisor(mid);
    let error = w.system.supervise(top).await.unwrap_err();
    let StartChildError::Failed(mut reason) = error else { panic!("{error}") };
    for (name, child) in [("top", "mid"), ("mid", "leaf")] {
        let ExitReason::Error(failure) = &reason else { panic!("{reason}") };
        let below = match failure.downcast_ref::<SupervisorError>() {
            Some(SupervisorError::Finished {
                supervisor,
                finish: Finish::StartFailed { id, reason, .. },
            }) => {
                assert_eq!((&**supervisor, id.as_deref()), (name, Some(child)));
                reason.clone()
            }
            other => panic!("{other:?}"),
        };
        reason = below;
    }
    assert_eq!(reason.to_string(), "error: told to, at its start");
}

pub(crate) async fn row_024_a_stop_waits_for_every_child(w: &World) {
    let inner = Supervisor::new("inner").child(w.child("a")).child(w.child("b"));
    let inner = inner.restart(RestartType::Temporary);
    let stopped = inner.reference();
    let s = w.supervisor("s", Strategy::OneForOne).supervisor(inner);
    let short = Shutdown::Timeout(Duration::from_millis(10));
    let s = w.start(s.child(w.stops("deaf", Stop::Deaf).shutdown(short))).await;
    s.stop_child("inner").await.unwrap();
    w.check("+a1 +b1 +deaf1 -b1 -a1");
    assert!(matches!(stopped.ended().await, ExitReason::Shutdown));
    // One that is not in time is killed, and named.
    let ended = w.system.stop(HOUR).await;
    assert_eq!(ended.forced, ["deaf"]);
    assert!(matches!(s.ended().await, ExitReason::Shutdown));
}

pub(crate) async fn row_025_a_child_that_stops_its_own_supervisor_does_not_hang(w: &World) {
    let root = w.system.root().clone();
    let stopper = child(move |mut cx: Context<()>| {
        let root = root.clone();
        async move {
            cx.recv().await;
            // The supervisor waits for this child, which waits for it.
            let _ = root.stop_child("s").await;
            Ok(())
        }
    });
    let stopper = stopper.named("stopper").shutdown(Shutdown::Timeout(Duration::from_millis(10)));
    let address = stopper.address();
    let s = w.start(w.supervisor("s", Strategy::OneForOne).child(stopper)).await;
    address.tell(()).unwrap();
    assert!(matches!(s.ended().await, ExitReason::Shutdown));
    w.told("forced kill stopper").await;
}
