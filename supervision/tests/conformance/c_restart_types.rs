//! Group C: restart types, of one child of a one-for-one supervisor; and of temporary siblings.

use crate::kit::{Do, HOUR, World, count_to, counts};
use bastion_supervision::Exit;
use bastion_supervision::plan::{ExitReason, RestartType, Strategy};

/// Ends that are normal-like only to a transient child.
fn shutdowns() -> [Do; 2] {
    let why = std::io::Error::other("done");
    [Do::Exit(Exit::shutdown()), Do::Exit(Exit::shutdown_with(why))]
}

fn abnormals() -> [Do; 3] {
    [Do::Exit(Exit::error("x")), Do::Panic, Do::Exit(Exit::with(ExitReason::Killed))]
}

async fn restarted(w: &World, restart: RestartType, ends: impl IntoIterator<Item = Do>) {
    for end in ends {
        let s = w.supervisor("s", Strategy::OneForOne).child(w.child("a").restart(restart));
        let s = w.start(s).await;
        w.tell("a", end);
        assert_eq!(w.ping("a").await, Ok(2));
        assert_eq!(counts(&s).await, [1, 1, 0, 1]);
        w.check("+a1 -a1 +a2");
        w.system.root().stop_child("s").await.unwrap();
        w.check("-a2");
    }
}

async fn kept(w: &World, ends: impl IntoIterator<Item = Do>) {
    for end in ends {
        let a = w.child("a").restart(RestartType::Transient);
        let s = w.start(w.supervisor("s", Strategy::OneForOne).child(a)).await;
        w.tell("a", end);
        w.told("not restarted a").await;
        assert_eq!(counts(&s).await, [1, 0, 0, 1]);
        s.restart_child("a").await.unwrap();
        assert_eq!(counts(&s).await, [1, 1, 0, 1]);
        w.check("+a1 -a1 +a2");
        w.system.root().stop_child("s").await.unwrap();
        w.check("-a2");
    }
}

async fn removed(w: &World, ends: impl IntoIterator<Item = Do>) {
    let s = w.start(w.supervisor("s", Strategy::OneForOne)).await;
    for end in ends {
        // The name is free each time.
        s.start_child(w.child("a").restart(RestartType::Temporary)).await.unwrap();
        w.tell("a", end);
        w.ended("a").await;
        assert_eq!(counts(&s).await, [0, 0, 0, 0]);
        w.check("+a1 -a1");
    }
}

pub(crate) async fn row_049_permanent_normal(w: &World) {
    restarted(w, RestartType::Permanent, [Do::Finish]).await;
}

pub(crate) async fn row_050_permanent_shutdown(w: &World) {
    restarted(w, RestartType::Permanent, shutdowns()).await;
}

pub(crate) async fn row_051_permanent_abnormal(w: &World) {
    restarted(w, RestartType::Permanent, abnormals()).await;
}

pub(crate) async fn row_052_transient_normal(w: &World) {
    kept(w, [Do::Finish]).await;
}

pub(crate) async fn row_053_transient_shutdown(w: &World) {
    kept(w, shutdowns()).await;
}

pub(crate) async fn row_054_transient_abnormal(w: &World) {
    restarted(w, RestartType::Transient, abnormals()).await;
}

pub(crate) async fn row_055_temporary_normal(w: &World) {
    removed(w, [Do::Finish]).await;
}

pub(crate) async fn row_056_temporary_shutdown(w: &World) {
    removed(w, shutdowns()).await;
}

pub(crate) async fn row_057_temporary_abnormal(w: &World) {
    removed(w, abnormals()).await;
}

pub(crate) async fn row_058_temporary_killed_uses_no_intensity(w: &World) {
    let s = w.start(w.supervisor("s", Strategy::OneForOne).intensity(0, HOUR)).await;
    for _ in 0..3 {
        s.start_child(w.child("a").restart(RestartType::Temporary)).await.unwrap();
        w.tell("a", Do::Exit(Exit::with(ExitReason::Killed)));
        assert!(matches!(w.ended("a").await, ExitReason::Killed));
    }
    assert_eq!(counts(&s).await, [0, 0, 0, 0]);
}

pub(crate) async fn row_059_a_normal_end_of_a_permanent_child_counts(w: &World) {
    let s = w.supervisor("s", Strategy::OneForOne).intensity(1, HOUR);
    let s = w.workers(s, "a").await;
    w.tell("a", Do::Finish);
    assert_eq!(w.ping("a").await, Ok(2));
    w.tell("a", Do::Finish);
    s.ended().await;
    w.check("+a1 -a1 +a2 -a2");
}

pub(crate) async fn row_060_ends_without_a_restart_do_not_count(w: &World) {
    let transient = w.child("a").restart(RestartType::Transient);
    let s = w.supervisor("s", Strategy::OneForOne).intensity(0, HOUR).child(transient);
    let s = w.start(s).await;
    for _ in 0..5 {
        w.tell("a", Do::Finish);
        w.told("not restarted a").await;
        s.restart_child("a").await.unwrap();
        s.start_child(w.child("b").restart(RestartType::Temporary)).await.unwrap();
        w.crash("b");
        w.ended("b").await;
    }
    assert_eq!(counts(&s).await, [1, 1, 0, 1]);
}

pub(crate) async fn row_061_a_temporary_bystander_is_stopped_and_removed(w: &World) {
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        let s = w.supervisor("s", strategy).child(w.child("p"));
        let s = w.start(s.child(w.child("t").restart(RestartType::Temporary))).await;
        w.crash("p");
        assert_eq!(w.ping("p").await, Ok(2));
        assert!(matches!(w.ended("t").await, ExitReason::Shutdown));
        count_to(&s, [1, 1, 0, 1]).await;
        w.check("+p1 +t1 -p1 -t1 +p2");
        w.system.root().stop_child("s").await.unwrap();
        w.check("-p2");
    }
}
