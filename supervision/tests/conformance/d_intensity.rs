//! Group D: how many restarts a supervisor bears.

use crate::kit::{HOUR, SECOND, Start, World, counts, paused, state};
use bastion_supervision::plan::{ChildState, ExitReason, Finish, Strategy};
use bastion_supervision::{Supervisor, SupervisorError};
use std::time::Duration;

fn bears(w: &World, restarts: u32, period: Duration) -> Supervisor {
    w.supervisor("s", Strategy::OneForOne).intensity(restarts, period)
}

pub(crate) async fn row_063_slow_crashes_are_borne_for_ever(w: &World) {
    let s = w.workers(bears(w, 1, SECOND), "a").await;
    for incarnation in 2..6 {
        w.crash("a");
        assert_eq!(w.ping("a").await, Ok(incarnation));
        w.sleep(Duration::from_millis(2100)).await;
    }
    assert_eq!(counts(&s).await, [1, 1, 0, 1]);
}

pub(crate) async fn row_064_one_too_many_ends_the_supervisor(w: &World) {
    let s = w.workers(bears(w, 2, HOUR), "a b").await;
    for incarnation in [2, 3] {
        w.crash("a");
        assert_eq!(w.ping("a").await, Ok(incarnation));
    }
    w.crash("a");
    assert!(matches!(s.ended().await, ExitReason::ShutdownWith(_)));
    w.check("+a1 +b1 -a1 +a2 -a2 +a3 -a3 -b1");
}

pub(crate) async fn row_065_intensity_zero_bears_nothing(w: &World) {
    let s = w.workers(bears(w, 0, HOUR), "a").await;
    w.crash("a");
    s.ended().await;
    w.check("+a1 -a1");
}

pub(crate) async fn row_066_the_window_rolls(w: &World) {
    let s = w.workers(bears(w, 2, SECOND), "a").await;
    for incarnation in 2..6 {
        w.crash("a");
        assert_eq!(w.ping("a").await, Ok(incarnation));
        // After each second restart the window has to empty itself.
        let pause = if incarnation % 2 == 1 { 1001 } else { 0 };
        w.sleep(Duration::from_millis(pause)).await;
    }
    assert_eq!(counts(&s).await, [1, 1, 0, 1]);
}

pub(crate) async fn row_067_the_bound_is_inclusive(w: &World) {
    for (pause, borne) in [(1000, false), (1001, true)] {
        let s = w.workers(bears(w, 1, SECOND), "a").await;
        w.crash("a");
        assert_eq!(w.ping("a").await, Ok(2));
        w.sleep(Duration::from_millis(pause)).await;
        w.crash("a");
        match borne {
            true => assert_eq!(w.ping("a").await, Ok(3)),
            false => assert!(matches!(s.ended().await, ExitReason::ShutdownWith(_))),
        }
    }
}

pub(crate) async fn row_069_a_group_restart_counts_once(w: &World) {
    let s = w.supervisor("s", Strategy::OneForAll).intensity(1, HOUR);
    let s = w.workers(s, "a b c d e").await;
    w.crash("c");
    w.until("+e2").await;
    assert_eq!(w.ping("e").await, Ok(2));
    assert_eq!(counts(&s).await, [5, 5, 0, 5]);
    w.crash("e");
    s.ended().await;
}

pub(crate) async fn row_070_all_children_share_the_window(w: &World) {
    let s = w.workers(bears(w, 1, HOUR), "a b").await;
    w.crash("a");
    assert_eq!(w.ping("a").await, Ok(2));
    w.crash("b");
    s.ended().await;
    w.check("+a1 +b1 -a1 +a2 -b1 -a2");
}

pub(crate) async fn row_071_every_failed_attempt_counts(w: &World) {
    let mut starts = vec![Start::Fails; 9];
    starts[0] = Start::Ok;
    let s = w.start(bears(w, 3, HOUR).child(w.starts("a", &starts))).await;
    w.crash("a");
    let ExitReason::ShutdownWith(failure) = s.ended().await else { panic!("it gave up") };
    match failure.downcast_ref() {
        Some(SupervisorError::Finished { finish: Finish::GaveUp { restarts: 4, .. }, .. }) => {}
        other => panic!("{other:?}"),
    }
    w.check("+a1 -a1 +a2 -a2 +a3 -a3 +a4 -a4");
}

pub(crate) async fn row_072_the_failing_child_leaves_first_then_the_others_in_reverse(w: &World) {
    let inner = Supervisor::new("inner").intensity(0, HOUR);
    let inner =
        ["a", "b", "c"].map(|name| w.child(name)).into_iter().fold(inner, Supervisor::child);
    let s = w.supervisor("s", Strategy::OneForOne).intensity(1, HOUR).supervisor(inner);
    w.start(s).await;
    w.crash("b");
    w.until("+c2").await;
    w.check("+a1 +b1 +c1 -b1 -c1 -a1 +a2 +b2 +c2");
    w.told("crash b").await;
    w.told("gave up b").await;
    w.told("restarting inner").await;
}

pub(crate) async fn row_073_two_levels_multiply(w: &World) {
    let inner = Supervisor::new("inner").intensity(2, HOUR).child(w.child("leaf"));
    let s = w.start(bears(w, 1, HOUR).supervisor(inner)).await;
    for crash in 1..6 {
        w.crash("leaf");
        assert_eq!(w.ping("leaf").await, Ok(crash + 1));
    }
    w.crash("leaf");
    s.ended().await;
    // (2 + 1) x (1 + 1) crashes.
    assert_eq!(w.log.take().last().map(String::as_str), Some("-leaf6"));
}

pub(crate) async fn row_074_requests_are_served_between_attempts(w: &World) {
    let mut starts = vec![Start::Fails; 500];
    starts[0] = Start::Ok;
    let s = w.supervisor("s", Strategy::OneForOne).unlimited();
    let s = w.start(s.child(w.starts("a", &starts))).await;
    w.crash("a");
    w.until("+a9").await;
    s.start_child(w.child("b")).await.unwrap();
    assert_eq!(s.counts().await.unwrap().specs, 2);
    assert_eq!(w.ping("b").await, Ok(1));
    s.stop_child("b").await.unwrap();
    assert_eq!(w.ping("a").await, Ok(501), "the attempts went on");
}

pub(crate) async fn row_075_a_stop_drops_the_retry(w: &World) {
    let s = w.start(bears(w, 9, HOUR).child(w.child("a").backoff(paused()))).await;
    w.crash("a");
    w.told("restarting a").await;
    assert_eq!(state(&s, "a").await, Some(ChildState::Backoff));
    s.stop_child("a").await.unwrap();
    assert_eq!(state(&s, "a").await, Some(ChildState::Stopped));
    s.restart_child("a").await.unwrap();
    assert_eq!(w.ping("a").await, Ok(2), "no retry came in between");
    w.check("+a1 -a1 +a2");
}
