//! Group O: order, and many children.

use crate::kit::{HOUR, World, counts};
use bastion_supervision::plan::{ExitReason, Strategy};
use bastion_supervision::{Context, Supervisor, child};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

pub(crate) async fn row_171_children_start_from_left_to_right(w: &World) {
    w.workers(w.supervisor("s", Strategy::OneForOne), "a b c d e f").await;
    w.check("+a1 +b1 +c1 +d1 +e1 +f1");
}

pub(crate) async fn row_172_a_stop_is_in_reverse_of_the_starts(w: &World) {
    let s = w.workers(w.supervisor("s", Strategy::OneForOne), "b").await;
    for name in ["c", "a"] {
        s.start_child(w.child(name)).await.unwrap();
    }
    w.system.root().stop_child("s").await.unwrap();
    w.check("+b1 +c1 +a1 -a1 -c1 -b1");
}

pub(crate) async fn row_173_many_static_children_start_and_stop(w: &World) {
    const MANY: usize = 3000;
    let alive = Arc::new(AtomicUsize::new(0));
    let counted = |index: usize| {
        let alive = alive.clone();
        let body = move |cx: Context<()>| {
            // Strictly one after another, also when they stop.
            assert_eq!(alive.fetch_add(1, SeqCst), index);
            let alive = alive.clone();
            async move {
                cx.stop_signal().requested().await;
                assert_eq!(alive.fetch_sub(1, SeqCst), index + 1);
                Ok(())
            }
        };
        child(body).named(index.to_string())
    };
    let s = w.supervisor("s", Strategy::OneForOne);
    let s = w.start((0..MANY).map(counted).fold(s, Supervisor::child)).await;
    assert_eq!(counts(&s).await, [MANY, MANY, 0, MANY]);
    w.system.root().stop_child("s").await.unwrap();
    assert!(matches!(s.ended().await, ExitReason::Shutdown));
    assert_eq!((alive.load(SeqCst), w.system.stats().crashes), (0, 0));
}

pub(crate) async fn row_174_a_restart_keeps_the_place(w: &World) {
    let s = w.workers(w.supervisor("s", Strategy::RestForOne), "a b c").await;
    w.crash("a");
    w.until("+c2").await;
    w.crash("b");
    w.until("+c3").await;
    assert_eq!(w.ping("a").await, Ok(2), "still before the others");
    let names: Vec<_> = s.children().await.unwrap().into_iter().filter_map(|c| c.name).collect();
    assert_eq!(names.iter().map(|name| &**name).collect::<Vec<_>>(), ["a", "b", "c"]);
    w.check("+a1 +b1 +c1 -a1 -c1 -b1 +a2 +b2 +c2 -b2 -c2 +b3 +c3");
}

pub(crate) async fn row_175_reports_are_data_and_one_line(w: &World) {
    let s = w.supervisor("s", Strategy::OneForOne).intensity(0, HOUR).child(w.child("a"));
    let s = w.start(s).await;
    let pid = w.address("a").pid().unwrap();
    w.crash("a");
    s.ended().await;
    let lines = w.lines.all();
    let crash = format!("a {pid} crashed: error: told to; incarnation 1, 0 messages waiting");
    assert_eq!(lines[0], crash);
    let gave_up = format!("s: a {pid} failed, 1 failures are more than is borne: error: told to");
    assert_eq!(lines[1], gave_up);
}
