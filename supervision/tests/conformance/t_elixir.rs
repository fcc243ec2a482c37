//! Group T: the life of a child, as Elixir's supervisor tells it. And row 216: replies that come too late.

use crate::kit::{World, count_to, counts};
use bastion_supervision::plan::Strategy;
use bastion_supervision::{AskError, Context, Reply, child};
use std::time::Duration;

pub(crate) async fn row_270_the_life_of_a_child(w: &World) {
    let s = w.start(w.supervisor("s", Strategy::OneForOne)).await;
    assert_eq!(counts(&s).await, [0, 0, 0, 0]);
    s.start_child(w.child("a")).await.unwrap();
    assert_eq!(counts(&s).await, [1, 1, 0, 1]);
    s.stop_child("a").await.unwrap();
    assert_eq!(counts(&s).await, [1, 0, 0, 1]);
    s.restart_child("a").await.unwrap();
    assert_eq!(counts(&s).await, [1, 1, 0, 1]);
    s.stop_child("a").await.unwrap();
    s.delete_child("a").await.unwrap();
    count_to(&s, [0, 0, 0, 0]).await;
    w.check("+a1 -a1 +a2 -a2");
}

pub(crate) async fn row_216_a_reply_that_comes_too_late_is_dropped(w: &World) {
    let (log, go) = (w.log.clone(), w.reports.clone());
    let slow = child(move |mut cx: Context<Reply<u32>>| {
        let (log, go) = (log.clone(), go.clone());
        async move {
            while let Some(reply) = cx.recv().await {
                go.until("go").await;
                assert!(!reply.is_wanted());
                assert_eq!(reply.try_send(7), Err(7), "it comes back");
                log.add("answered");
            }
            Ok(())
        }
    });
    let slow = slow.named("slow");
    let address = slow.address();
    w.start(w.supervisor("s", Strategy::OneForOne).child(slow)).await;
    let limit = Duration::from_millis(5);
    let answer = address.ask_timeout(limit, |reply| reply).await;
    assert_eq!(answer, Err(AskError::Timeout(limit)));
    w.reports.add("go");
    w.until("answered").await;
    assert_eq!((address.queued(), w.system.stats().crashes), (0, 0));
}
