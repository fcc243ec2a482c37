//! Group E: one-for-one.

use crate::kit::{HOUR, Start, World, counts};
use bastion_supervision::plan::{ExitReason, Strategy};

pub(crate) async fn row_076_only_the_child_is_restarted(w: &World) {
    let s = w.workers(w.supervisor("s", Strategy::OneForOne), "a b").await;
    w.crash("a");
    assert_eq!((w.ping("a").await, w.ping("b").await), (Ok(2), Ok(1)));
    assert_eq!(counts(&s).await, [2, 2, 0, 2]);
    w.check("+a1 +b1 -a1 +a2");
}

pub(crate) async fn row_077_a_restart_that_always_fails_escalates(w: &World) {
    let mut starts = vec![Start::Fails; 9];
    starts[0] = Start::Ok;
    let s = w.supervisor("s", Strategy::OneForOne).intensity(4, HOUR);
    let s = w.start(s.child(w.starts("a", &starts)).child(w.child("b"))).await;
    w.crash("a");
    assert!(matches!(s.ended().await, ExitReason::ShutdownWith(_)));
    // The crash, and four attempts.
    w.check("+a1 +b1 -a1 +a2 -a2 +a3 -a3 +a4 -a4 +a5 -a5 -b1");
    assert!(!w.reports.all().contains(&"unexpected end b".to_owned()), "it has shut down");
}

pub(crate) async fn row_078_a_crash_during_the_start_of_another_child(w: &World) {
    let s = w.workers(w.supervisor("s", Strategy::OneForOne), "a").await;
    w.crash("a");
    s.start_child(w.child("b")).await.unwrap();
    assert_eq!((w.ping("a").await, w.ping("b").await), (Ok(2), Ok(1)));
    assert_eq!(counts(&s).await, [2, 2, 0, 2]);
    w.check_unordered("+a1 +a2 +b1 -a1");
}
