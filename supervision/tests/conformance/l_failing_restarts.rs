//! Group L: children whose restarts fail again and again.

use crate::kit::{Do, SECOND, Start, World, count_to, counts, paused, state};
use bastion_supervision::plan::{AddError, ChildState, Strategy};
use bastion_supervision::{Child, StartChildError, SupervisorRef};

/// One whose next restarts fail, with an hour before the third.
fn failing(w: &World) -> Child<Do> {
    w.starts("a", &[Start::Ok, Start::Fails, Start::Fails]).backoff(paused())
}

/// A supervisor whose child `a` is in a loop of failing restarts.
async fn looping(w: &World, strategy: Strategy) -> SupervisorRef {
    let s = w.supervisor("s", strategy).child(failing(w));
    let s = w.start(s.child(w.child("b")).child(w.child("c"))).await;
    w.crash("a");
    w.told("restarting a").await;
    s
}

pub(crate) async fn row_151_an_id_that_is_being_restarted(w: &World) {
    let s = looping(w, Strategy::OneForOne).await;
    let pid = w.address("a").pid().unwrap();
    let error = s.start_child(w.child("a")).await.unwrap_err();
    let StartChildError::Refused(error) = error else { panic!("{error}") };
    assert_eq!(error, AddError::AlreadyPresent(pid));
}

pub(crate) async fn row_152_what_is_told_of_it(w: &World) {
    let s = looping(w, Strategy::OneForOne).await;
    assert_eq!(state(&s, "a").await, Some(ChildState::Backoff));
    assert_eq!(counts(&s).await, [3, 2, 0, 3]);
}

pub(crate) async fn row_153_a_stop_ends_the_loop(w: &World) {
    let s = looping(w, Strategy::OneForOne).await;
    s.stop_child("a").await.unwrap();
    assert_eq!(state(&s, "a").await, Some(ChildState::Stopped));
    // The script still has failures; a request says so, and the child rests again.
    s.restart_child("a").await.unwrap_err();
    s.restart_child("a").await.unwrap_err();
    s.restart_child("a").await.unwrap();
    assert_eq!(state(&s, "a").await, Some(ChildState::Running));
    assert_eq!(counts(&s).await, [3, 3, 0, 3]);
}

pub(crate) async fn row_154_a_stop_of_the_supervisor_ends_the_loop(w: &World) {
    looping(w, Strategy::OneForOne).await;
    w.system.root().stop_child("s").await.unwrap();
    w.check("+a1 +b1 +c1 -a1 -c1 -b1");
    // On virtual time also this took none.
    assert!(w.system.stop(SECOND).await.forced.is_empty());
}

pub(crate) async fn row_155_the_group_of_a_looping_child_is_down(w: &World) {
    let s = looping(w, Strategy::OneForAll).await;
    count_to(&s, [3, 0, 0, 3]).await;
    assert_eq!(state(&s, "a").await, Some(ChildState::Backoff));
    for name in ["b", "c"] {
        assert_eq!(state(&s, name).await, Some(ChildState::Stopped));
    }
    w.check("+a1 +b1 +c1 -a1 -c1 -b1");
}
