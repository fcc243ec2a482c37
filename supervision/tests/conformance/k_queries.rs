//! Group K: what a supervisor tells of its children.

use crate::kit::{Do, World, count_to, counts, paused};
use bastion_supervision::plan::{
    ChildError, ChildKind, ChildSpec, ChildState, RestartType, Shutdown, Strategy,
};
use bastion_supervision::{Context, RequestError, Supervisor, SupervisorRef, child};

/// A worker that runs, one that rests, one that waits for its restart, and a nested supervisor.
async fn mixed(w: &World) -> SupervisorRef {
    let s = w.supervisor("s", Strategy::OneForOne).child(w.child("runs"));
    let s = s.child(w.child("rests").restart(RestartType::Transient));
    let s = s.child(w.child("waits").backoff(paused())).supervisor(Supervisor::new("nested"));
    let s = w.start(s).await;
    w.tell("rests", Do::Finish);
    w.told("not restarted rests").await;
    w.crash("waits");
    w.told("restarting waits").await;
    s
}

pub(crate) async fn row_141_the_children_in_order(w: &World) {
    let s = mixed(w).await;
    let children = s.children().await.unwrap();
    let rows: Vec<_> = children
        .iter()
        .map(|child| (child.name.as_deref().unwrap_or(""), child.state, child.kind, child.restart))
        .collect();
    use ChildKind::{Supervisor, Worker};
    use RestartType::{Permanent, Transient};
    let expected = [
        ("runs", ChildState::Running, Worker, Permanent),
        ("rests", ChildState::Stopped, Worker, Transient),
        ("waits", ChildState::Backoff, Worker, Permanent),
        ("nested", ChildState::Running, Supervisor, Permanent),
    ];
    assert_eq!(rows, expected, "in the order of their start");
    assert!(children.iter().all(|child| child.pid != s.pid().unwrap()));
    assert_eq!(children[3].supervisor.as_ref().map(SupervisorRef::name), Some("nested"));
}

pub(crate) async fn row_142_counts(w: &World) {
    let s = mixed(w).await;
    assert_eq!(counts(&s).await, [4, 2, 1, 3]);
}

pub(crate) async fn row_143_counts_of_many_while_they_die(w: &World) {
    let pool = w.pool("pool").await;
    let mut children = Vec::new();
    for many in [500, 1000] {
        while children.len() < many {
            let body = |mut cx: Context<()>| async move {
                cx.recv().await;
                Ok(())
            };
            let child = child(body).restart(RestartType::Temporary);
            children.push(pool.spawn_child(child).unwrap());
        }
        assert_eq!(counts(&pool).await, [many, many, 0, many]);
    }
    for child in &children[..600] {
        child.tell(()).unwrap();
        let [specs, active, supervisors, workers] = counts(&pool).await;
        assert!(specs == active && specs == workers && supervisors == 0);
    }
    count_to(&pool, [400, 400, 0, 400]).await;
}

pub(crate) async fn row_144_supervisors_are_not_workers(w: &World) {
    let s = w.supervisor("s", Strategy::OneForOne);
    let s = s.supervisor(Supervisor::new("x")).supervisor(Supervisor::dynamic("y"));
    let s = w.start(s).await;
    assert_eq!(counts(&s).await, [2, 2, 2, 0]);
    s.stop_child("x").await.unwrap();
    assert_eq!(counts(&s).await, [2, 1, 2, 0]);
}

pub(crate) async fn row_145_children_that_are_being_restarted(w: &World) {
    let pool = w.pool("pool").await;
    for name in ["a", "b", "c"] {
        pool.start_child(w.child(name).backoff(paused())).await.unwrap();
    }
    for name in ["a", "b"] {
        w.crash(name);
        w.told(&format!("restarting {name}")).await;
    }
    // Our dynamic supervisors have no template: each child has its own spec.
    assert_eq!(counts(&pool).await, [3, 1, 0, 3]);
}

pub(crate) async fn row_146_a_stop_takes_one_that_is_being_restarted_off_the_list(w: &World) {
    let pool = w.pool("pool").await;
    let a = pool.start_child(w.child("a").backoff(paused())).await.unwrap();
    w.crash("a");
    w.told("restarting a").await;
    assert_eq!(counts(&pool).await, [1, 0, 0, 1]);
    pool.stop_child(a.pid().unwrap()).await.unwrap();
    assert_eq!(counts(&pool).await, [0, 0, 0, 0]);
    assert!(pool.children().await.unwrap().is_empty());
}

pub(crate) async fn row_150_a_query_beside_a_death(w: &World) {
    let pool = w.pool("pool").await;
    for _ in 0..20 {
        pool.start_child(w.anonymous("t").restart(RestartType::Temporary)).await.unwrap();
        w.tell("t", Do::Panic);
        // Whatever the supervisor knows of the end by now.
        assert!(pool.children().await.unwrap().len() <= 1);
        count_to(&pool, [0, 0, 0, 0]).await;
        w.ended("t").await;
    }
}

pub(crate) async fn row_147_the_rules_of_a_child(w: &World) {
    let a = w.child("a").restart(RestartType::Transient).shutdown(Shutdown::Brutal);
    let s = w.start(w.supervisor("s", Strategy::OneForOne).child(a)).await;
    let expected = ChildSpec::worker().id("a");
    let expected = expected.restart(RestartType::Transient).shutdown(Shutdown::Brutal);
    assert_eq!(s.child_spec("a").await.unwrap(), expected);
    s.stop_child("a").await.unwrap();
    assert_eq!(s.child_spec("a").await.unwrap(), expected, "running or not");
    let error = s.child_spec("b").await.unwrap_err();
    assert!(matches!(error, RequestError::Refused(ChildError::NotFound)), "{error}");
}

pub(crate) async fn row_148_the_rules_of_a_dynamic_child(w: &World) {
    let pool = w.pool("pool").await;
    let a = w.anonymous("a").restart(RestartType::Temporary);
    let a = pool.start_child(a).await.unwrap().pid().unwrap();
    let expected = ChildSpec::worker().restart(RestartType::Temporary);
    assert_eq!(pool.child_spec(a).await.unwrap(), expected);
}

pub(crate) async fn row_149_one_child(w: &World) {
    let s = mixed(w).await;
    let waits = s.child("waits").await.unwrap();
    assert_eq!((waits.state, waits.restarts), (ChildState::Backoff, 1));
    assert_eq!(s.child(waits.pid).await.unwrap().name.as_deref(), Some("waits"));
    let error = s.child("nobody").await.unwrap_err();
    assert!(matches!(error, RequestError::Refused(ChildError::NotFound)), "{error}");
}
