//! Group T: tasks that a process waits for.

use crate::kit::{End, World, count_to, yield_now};
use crate::tied::{reason, start};
use bastion_supervision::plan::{ExitReason, RestartType};
use bastion_supervision::{Context, Exit, SupervisorRef, Task, child};
use futures_core::Stream;
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// One that never ends, and says when it begins and when it is dropped.
fn endless(w: &World, name: &'static str) -> impl Future<Output = Result<(), Exit>> + Send + use<> {
    let log = w.log.clone();
    async move {
        log.add(format!("begins {name}"));
        let _end = End(log, format!("ends {name}"));
        pending().await
    }
}

pub(crate) async fn row_252_a_task_dies_with_its_caller_or_not(w: &World) {
    let pool = w.pool("pool").await;
    let caller = start(w, "caller");
    let job = endless(w, "linked");
    let linked = caller.run(move |cx| cx.spawn_task(job).unwrap()).await.unwrap();
    let free: Task<()> = pool.spawn_task(endless(w, "free")).unwrap();
    w.until("begins linked").await;
    w.until("begins free").await;
    assert_eq!(caller.ends(reason("oops")).await, "error: oops");
    assert_eq!(linked.await.unwrap_err().to_string(), "error: oops");
    assert!(!free.address().has_ended());
    free.kill();
    assert!(matches!(free.await, Err(ExitReason::Killed)));
    count_to(&pool, [0, 0, 0, 0]).await;
}

pub(crate) async fn row_253_a_task_that_crashes_tells_its_caller(w: &World) {
    let pool = w.pool("pool").await;
    let caller = start(w, "caller");
    let free = pool.clone();
    let told = caller.run(move |_| free.spawn_task(async { Err::<u32, _>(Exit::error("crash")) }));
    let task = told.await.unwrap().unwrap();
    assert_eq!(task.await.unwrap_err().to_string(), "error: crash");
    let panics: Task<u32> = pool.spawn_task(async { panic!("told to") }).unwrap();
    assert!(matches!(panics.await, Err(ExitReason::Panic(_))));
    assert!(caller.lives().await);
    let linked = caller.run(|cx| cx.spawn_task(async { Err::<u32, _>(Exit::error("both")) }));
    drop(linked.await.unwrap());
    assert_eq!(caller.ended().await, "error: both");
}

pub(crate) async fn row_253_a_task_that_ends_well_has_its_result(w: &World) {
    let caller = start(w, "caller");
    let task = caller.run(|cx| cx.spawn_task(async { Ok(42) }).unwrap()).await.unwrap();
    assert_eq!(task.await.unwrap(), 42);
    assert!(caller.lives().await);
}

pub(crate) async fn row_254_waiting_with_a_limit(w: &World) {
    let pool = w.pool("pool").await;
    let (log, done) = (w.log.clone(), w.log.clone());
    let caller = child(move |mut cx: Context<u32>| {
        let (pool, log) = (pool.clone(), log.clone());
        async move {
            let late = Arc::new(gate::Gate::default());
            let opens = late.clone();
            let mut task = pool.spawn_task(async move {
                opens.opened().await;
                Ok(7)
            })?;
            assert!(cx.timeout(Duration::from_millis(1), &mut task).await.is_none());
            late.open();
            // The result waits with the task, and comes into no mailbox.
            assert_eq!(task.await.unwrap(), 7);
            assert!(cx.try_recv().is_none());
            log.add("done");
            Ok(())
        }
    });
    let caller = w.system.spawn_child(caller.restart(RestartType::Temporary)).unwrap();
    assert_eq!(caller.ended().await.to_string(), "normal");
    done.until("done").await;
}

/// Something to wait for that needs no runtime.
mod gate {
    use std::future::poll_fn;
    use std::sync::Mutex;
    use std::task::{Poll, Waker};

    #[derive(Default)]
    pub(super) struct Gate(Mutex<(bool, Option<Waker>)>);

    impl Gate {
        pub(super) fn open(&self) {
            let waker = {
                let mut gate = self.0.lock().unwrap();
                gate.0 = true;
                gate.1.take()
            };
            waker.into_iter().for_each(Waker::wake);
        }

        pub(super) async fn opened(&self) {
            poll_fn(|task| {
                let mut gate = self.0.lock().unwrap();
                if gate.0 {
                    return Poll::Ready(());
                }
                gate.1 = Some(task.waker().clone());
                Poll::Pending
            })
            .await;
        }
    }
}

pub(crate) async fn row_257_a_stream_of_tasks_in_order(w: &World) {
    let pool = w.pool("pool").await;
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let jobs = (0..20_u32).map(|number| {
        let (running, most) = (running.clone(), most.clone());
        async move {
            most.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
            // The first one is the slowest.
            for _ in 0..(20 - number) {
                yield_now().await;
            }
            running.fetch_sub(1, SeqCst);
            if number == 7 { Err(Exit::error("seven")) } else { Ok(number) }
        }
    });
    let mut results = pin!(pool.run_tasks(4, jobs));
    for expected in 0..20 {
        let result = poll_fn(|task| results.as_mut().poll_next(task)).await.expect("twenty");
        match expected {
            7 => assert_eq!(result.unwrap_err().to_string(), "error: seven"),
            _ => assert_eq!(result.unwrap(), expected),
        }
    }
    assert!(poll_fn(|task| results.as_mut().poll_next(task)).await.is_none());
    assert!(most.load(SeqCst) <= 4);
    count_to(&pool, [0, 0, 0, 0]).await;
}

pub(crate) async fn row_257_a_consumer_that_stops_early_leaves_nothing(w: &World) {
    let pool: SupervisorRef = w.pool("pool").await;
    let jobs = ["a", "b", "c", "d"].map(|name| endless(w, name));
    {
        let mut results = pin!(pool.run_tasks(2, jobs));
        let first = poll_fn(|task| {
            assert!(results.as_mut().poll_next(task).is_pending());
            std::task::Poll::Ready(())
        });
        first.await;
        w.log.until("begins a").await;
        w.log.until("begins b").await;
    }
    count_to(&pool, [0, 0, 0, 0]).await;
    let mut log = w.log.take();
    log.sort();
    assert_eq!(log, ["begins a", "begins b", "ends a", "ends b"]);
}
