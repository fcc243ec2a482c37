//! Group J: requests about one child.

use crate::kit::{World, counts, paused, state};
use bastion_supervision::plan::{AddError, ChildError, ChildState, RestartType, Strategy};
use bastion_supervision::{Gone, RequestError, StartChildError, SupervisorRef};

async fn one(w: &World) -> SupervisorRef {
    w.workers(w.supervisor("s", Strategy::OneForOne), "a").await
}

#[track_caller]
fn refused(result: Result<(), RequestError>, expected: ChildError) {
    match result {
        Err(RequestError::Refused(error)) => assert_eq!(error, expected),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn row_127_an_id_that_runs(w: &World) {
    let s = one(w).await;
    let pid = w.address("a").pid().unwrap();
    let error = s.start_child(w.child("a")).await.unwrap_err();
    let StartChildError::Refused(error) = error else { panic!("{error}") };
    assert_eq!(error, AddError::AlreadyStarted(pid));
    w.check("+a1");
}

pub(crate) async fn row_128_an_id_that_does_not_run(w: &World) {
    let s = one(w).await;
    let pid = w.address("a").pid().unwrap();
    s.stop_child("a").await.unwrap();
    let error = s.start_child(w.child("a")).await.unwrap_err();
    let StartChildError::Refused(error) = error else { panic!("{error}") };
    assert_eq!(error, AddError::AlreadyPresent(pid));
    w.check("+a1 -a1");
}

pub(crate) async fn row_129_a_stopped_child_is_kept(w: &World) {
    for restart in [RestartType::Permanent, RestartType::Transient] {
        let s = w.supervisor("s", Strategy::OneForOne).child(w.child("a").restart(restart));
        let s = w.start(s).await;
        s.stop_child("a").await.unwrap();
        assert_eq!(state(&s, "a").await, Some(ChildState::Stopped));
        assert_eq!(counts(&s).await, [1, 0, 0, 1]);
        w.check("+a1 -a1");
        w.system.root().stop_child("s").await.unwrap();
    }
}

pub(crate) async fn row_130_a_stopped_child_may_be_stopped_again(w: &World) {
    let s = one(w).await;
    s.stop_child("a").await.unwrap();
    s.stop_child("a").await.unwrap();
    w.check("+a1 -a1");
}

pub(crate) async fn row_131_a_stopped_child_can_be_started_again(w: &World) {
    let s = one(w).await;
    s.stop_child("a").await.unwrap();
    s.restart_child("a").await.unwrap();
    assert_eq!(w.ping("a").await, Ok(2));
    assert_eq!(counts(&s).await, [1, 1, 0, 1]);
}

pub(crate) async fn row_132_a_child_that_runs_is_not_restarted_by_request(w: &World) {
    let s = one(w).await;
    refused(s.restart_child("a").await, ChildError::Running);
    assert_eq!(w.ping("a").await, Ok(1));
}

pub(crate) async fn row_133_an_unknown_child(w: &World) {
    let s = one(w).await;
    refused(s.stop_child("x").await, ChildError::NotFound);
    refused(s.restart_child("x").await, ChildError::NotFound);
    refused(s.delete_child("x").await, ChildError::NotFound);
}

pub(crate) async fn row_134_a_child_that_runs_is_not_deleted(w: &World) {
    let s = one(w).await;
    refused(s.delete_child("a").await, ChildError::Running);
    assert_eq!(counts(&s).await, [1, 1, 0, 1]);
}

pub(crate) async fn row_135_a_deleted_child_frees_its_id(w: &World) {
    let s = one(w).await;
    s.stop_child("a").await.unwrap();
    s.delete_child("a").await.unwrap();
    assert_eq!(counts(&s).await, [0, 0, 0, 0]);
    s.start_child(w.child("a")).await.unwrap();
    w.check("+a1 -a1 +a1");
}

pub(crate) async fn row_136_a_child_that_is_being_restarted(w: &World) {
    let s = w.supervisor("s", Strategy::OneForOne).child(w.child("a").backoff(paused()));
    let s = w.start(s).await;
    w.crash("a");
    w.told("restarting a").await;
    refused(s.restart_child("a").await, ChildError::Restarting);
    refused(s.delete_child("a").await, ChildError::Restarting);
    assert_eq!(state(&s, "a").await, Some(ChildState::Backoff));
}

pub(crate) async fn row_137_a_temporary_child_that_is_stopped_leaves(w: &World) {
    let temporary = w.child("a").restart(RestartType::Temporary);
    let s = w.start(w.supervisor("s", Strategy::OneForOne).child(temporary)).await;
    s.stop_child("a").await.unwrap();
    assert_eq!(counts(&s).await, [0, 0, 0, 0]);
    refused(s.restart_child("a").await, ChildError::NotFound);
}

pub(crate) async fn row_138_a_pid_names_a_child_everywhere(w: &World) {
    let s = one(w).await;
    s.stop_child(w.address("a").pid().unwrap()).await.unwrap();
    assert_eq!(state(&s, "a").await, Some(ChildState::Stopped));
    // That of a process that is not its child does not.
    refused(s.stop_child(s.pid().unwrap()).await, ChildError::NotFound);
}

pub(crate) async fn row_139_a_supervisor_that_has_ended(w: &World) {
    let s = one(w).await;
    let never = w.supervisor("never", Strategy::OneForOne).reference();
    w.system.root().stop_child("s").await.unwrap();
    for gone in [s, never] {
        assert!(matches!(gone.start_child(w.child("b")).await, Err(StartChildError::Gone)));
        assert!(matches!(gone.stop_child("a").await, Err(RequestError::Gone)));
        assert!(matches!(gone.restart_child("a").await, Err(RequestError::Gone)));
        assert!(matches!(gone.delete_child("a").await, Err(RequestError::Gone)));
        assert_eq!(gone.counts().await, Err(Gone));
        assert_eq!(gone.children().await.unwrap_err(), Gone);
        assert_eq!(gone.spawn_child(w.child("b")).unwrap_err(), Gone);
    }
    w.check("+a1 -a1");
}

pub(crate) async fn row_140_a_child_added_at_run_time_takes_part(w: &World) {
    for (strategy, expected) in [
        (Strategy::OneForAll, "-b1 -c1 -a1 +a2 +b2 +c2"),
        (Strategy::RestForOne, "-b1 -c1 +b2 +c2"),
    ] {
        let s = w.workers(w.supervisor("s", strategy), "a b").await;
        s.start_child(w.child("c")).await.unwrap();
        w.check("+a1 +b1 +c1");
        w.crash("b");
        w.until("+c2").await;
        w.check(expected);
        w.system.root().stop_child("s").await.unwrap();
        w.log.take();
    }
}
