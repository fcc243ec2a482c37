//! Group G: rest-for-one.

use crate::kit::{HOUR, SECOND, Start, World, counts, state};
use bastion_supervision::SupervisorRef;
use bastion_supervision::plan::{ChildState, ExitReason, Strategy};

async fn of(w: &World, names: &str) -> SupervisorRef {
    w.workers(w.supervisor("s", Strategy::RestForOne), names).await
}

pub(crate) async fn row_086_elder_siblings_are_left_alone(w: &World) {
    let s = of(w, "a b c").await;
    w.crash("b");
    w.until("+c2").await;
    assert_eq!((w.ping("a").await, w.ping("c").await), (Ok(1), Ok(2)));
    assert_eq!(counts(&s).await, [3, 3, 0, 3]);
    w.check("+a1 +b1 +c1 -b1 -c1 +b2 +c2");
}

pub(crate) async fn row_087_of_the_first_is_all(w: &World) {
    of(w, "a b c").await;
    w.crash("a");
    w.until("+c2").await;
    w.check("+a1 +b1 +c1 -a1 -c1 -b1 +a2 +b2 +c2");
}

pub(crate) async fn row_088_of_the_last_is_one(w: &World) {
    let s = of(w, "a b c").await;
    w.crash("c");
    assert_eq!(w.ping("c").await, Ok(2));
    assert_eq!(counts(&s).await, [3, 3, 0, 3]);
    w.check("+a1 +b1 +c1 -c1 +c2");
}

pub(crate) async fn row_089_order(w: &World) {
    of(w, "a b c d e").await;
    w.crash("c");
    w.until("+e2").await;
    w.check("+a1 +b1 +c1 +d1 +e1 -c1 -e1 -d1 +c2 +d2 +e2");
}

pub(crate) async fn row_090_gives_up(w: &World) {
    let s = w.supervisor("s", Strategy::RestForOne).intensity(1, HOUR);
    let s = w.workers(s, "a b").await;
    w.crash("a");
    w.until("+b2").await;
    w.crash("b");
    assert!(matches!(s.ended().await, ExitReason::ShutdownWith(_)));
    w.check("+a1 +b1 -a1 -b1 +a2 +b2 -b2 -a2");
}

pub(crate) async fn row_091_escalates(w: &World) {
    let mut starts = vec![Start::Fails; 9];
    starts[0] = Start::Ok;
    let s = w.supervisor("s", Strategy::RestForOne).intensity(2, HOUR).child(w.child("a"));
    let s = w.start(s.child(w.starts("b", &starts)).child(w.child("c"))).await;
    w.crash("b");
    assert!(matches!(s.ended().await, ExitReason::ShutdownWith(_)));
    w.check("+a1 +b1 +c1 -b1 -c1 +b2 -b2 +b3 -b3 -a1");
}

pub(crate) async fn row_092_only_from_the_child_that_failed_to_start_on(w: &World) {
    let c = w.starts("c", &[Start::Ok, Start::Fails]);
    let s = w.supervisor("s", Strategy::RestForOne).child(w.child("a")).child(w.child("b"));
    w.start(s.child(c)).await;
    w.crash("a");
    w.until("+c3").await;
    assert_eq!(w.ping("c").await, Ok(3));
    assert_eq!((w.ping("a").await, w.ping("b").await), (Ok(2), Ok(2)));
    w.check("+a1 +b1 +c1 -a1 -c1 -b1 +a2 +b2 +c2 -c2 +c3");
}

pub(crate) async fn row_093_later_siblings_wait_for_a_restart_that_hangs(w: &World) {
    let b = w.starts("b", &[Start::Ok, Start::Fails, Start::Hangs]);
    let s = w.supervisor("s", Strategy::RestForOne).child(w.child("a"));
    let s = w.start(s.child(b).child(w.child("c"))).await;
    w.crash("b");
    w.until("+b3").await;
    assert_eq!(w.ping("a").await, Ok(1));
    assert_eq!(state(&s, "b").await, Some(ChildState::Starting));
    assert_eq!(state(&s, "c").await, Some(ChildState::Stopped));
    w.check("+a1 +b1 +c1 -b1 -c1 +b2 -b2 +b3");
    // What hangs does not keep the system from its stop.
    assert!(w.system.stop(60 * SECOND).await.forced.is_empty());
    w.check("-b3 -a1");
}
