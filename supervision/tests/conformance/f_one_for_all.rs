//! Group F: one-for-all.

use crate::kit::{Do, HOUR, Start, World, counts};
use bastion_supervision::plan::{ExitReason, RestartType, Strategy};

pub(crate) async fn row_079_all_are_restarted(w: &World) {
    let s = w.workers(w.supervisor("s", Strategy::OneForAll), "a b").await;
    w.crash("a");
    w.until("+b2").await;
    assert_eq!((w.ping("a").await, w.ping("b").await), (Ok(2), Ok(2)));
    assert_eq!(counts(&s).await, [2, 2, 0, 2]);
    w.check("+a1 +b1 -a1 -b1 +a2 +b2");
}

pub(crate) async fn row_080_the_living_stop_in_reverse_and_all_start_in_order(w: &World) {
    w.workers(w.supervisor("s", Strategy::OneForAll), "a b c").await;
    w.crash("b");
    w.until("+c2").await;
    w.check("+a1 +b1 +c1 -b1 -c1 -a1 +a2 +b2 +c2");
}

pub(crate) async fn row_081_the_third_crash_is_one_too_many(w: &World) {
    let s = w.supervisor("s", Strategy::OneForAll).intensity(2, HOUR);
    let s = w.workers(s, "a b").await;
    for incarnation in [2, 3] {
        w.crash("a");
        w.until(&format!("+b{incarnation}")).await;
    }
    w.crash("a");
    assert!(matches!(s.ended().await, ExitReason::ShutdownWith(_)));
    w.check("+a1 +b1 -a1 -b1 +a2 +b2 -a2 -b2 +a3 +b3 -a3 -b3");
}

pub(crate) async fn row_082_a_restart_that_always_fails_escalates(w: &World) {
    let mut starts = vec![Start::Fails; 9];
    starts[0] = Start::Ok;
    let s = w.supervisor("s", Strategy::OneForAll).intensity(2, HOUR);
    let s = w.start(s.child(w.starts("a", &starts)).child(w.child("b"))).await;
    w.crash("a");
    assert!(matches!(s.ended().await, ExitReason::ShutdownWith(_)));
    w.check("+a1 +b1 -a1 -b1 +a2 -a2 +a3 -a3");
}

pub(crate) async fn row_083_another_child_fails_during_the_group_restart(w: &World) {
    let b = w.starts("b", &[Start::Ok, Start::Fails]);
    let s = w.supervisor("s", Strategy::OneForAll).child(w.child("a")).child(b);
    let s = w.start(s).await;
    w.crash("a");
    w.until("+b3").await;
    assert_eq!(w.ping("b").await, Ok(3));
    assert_eq!(counts(&s).await, [2, 2, 0, 2]);
    w.check("+a1 +b1 -a1 -b1 +a2 +b2 -b2 -a2 +a3 +b3");
}

pub(crate) async fn row_084_a_terminated_sibling_is_started_again_with_the_group(w: &World) {
    for restart in [RestartType::Permanent, RestartType::Transient] {
        let s = w.supervisor("s", Strategy::OneForAll).child(w.child("a").restart(restart));
        let s = w.start(s.child(w.child("b"))).await;
        s.stop_child("a").await.unwrap();
        w.crash("b");
        assert_eq!(w.ping("b").await, Ok(2));
        w.check("+a1 +b1 -a1 -b1 +a2 +b2");
        w.system.root().stop_child("s").await.unwrap();
        w.check("-b2 -a2");
    }
}

pub(crate) async fn row_085_a_transient_child_that_did_its_work_is_started_again(w: &World) {
    let t = w.child("t").restart(RestartType::Transient);
    let s = w.supervisor("s", Strategy::OneForAll).child(t).child(w.child("b"));
    w.start(s).await;
    w.tell("t", Do::Finish);
    w.told("not restarted t").await;
    w.crash("b");
    assert_eq!(w.ping("b").await, Ok(2));
    w.check("+t1 +b1 -t1 -b1 +t2 +b2");
}
