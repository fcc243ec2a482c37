//! Group T: the life of a child, as Elixir's supervisor tells it. And row 216: replies that come too late.

use crate::kit::{World, count_to, counts};
use bastion_supervision::plan::{AddError, RestartType, Shutdown, Strategy};
use bastion_supervision::{
    AskError, Context, Exit, ProcessShutdown, Reply, StartChildError, Supervisor, child, one_shot,
    worker,
};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
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

pub(crate) async fn row_255_a_future_runs_once_unless_something_else_is_said(w: &World) {
    let pool = w.pool("pool").await;
    let log = w.log.clone();
    let job = one_shot(async move {
        log.add("did it");
        Err(Exit::error("told to"))
    });
    pool.start_child(job).await.unwrap();
    w.until("did it").await;
    count_to(&pool, [0, 0, 0, 0]).await;
    let (log, runs) = (w.log.clone(), AtomicU32::new(0));
    let job = worker("job", move |shutdown: ProcessShutdown| {
        let run = runs.fetch_add(1, SeqCst);
        log.add(format!("run {run}"));
        async move {
            if run == 0 {
                return Err(Exit::error("told to"));
            }
            shutdown.requested().await;
            Ok(())
        }
    });
    pool.start_child(job.restart(RestartType::Transient)).await.unwrap();
    w.until("run 1").await;
    count_to(&pool, [1, 1, 0, 1]).await;
}

pub(crate) async fn row_256_one_future_too_many_is_refused(w: &World) {
    let pool = Supervisor::dynamic("pool").max_children(1).restart(RestartType::Temporary);
    let pool = w.start(pool).await;
    let waits = || one_shot(std::future::pending()).shutdown(Shutdown::Brutal);
    pool.start_child(waits()).await.unwrap();
    let refused = pool.start_child(waits()).await.unwrap_err();
    assert!(matches!(refused, StartChildError::Refused(AddError::TooMany { max: 1 })), "{refused}");
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
