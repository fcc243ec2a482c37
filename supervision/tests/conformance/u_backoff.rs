//! Group U: back-off, as Akka has it.

use crate::kit::{Do, HOUR, SECOND, World, count_to, counts, info, state};
use bastion_supervision::plan::{
    AutoShutdown, Backoff, ChildError, ChildState, ExitReason, Intensity, RestartPolicy,
    RestartType, Strategy,
};
use bastion_supervision::{Context, RequestError, SupervisorRef, child};
use std::time::Duration;

fn doubling(initial: Duration, max: Duration) -> Backoff {
    Backoff::exponential(initial, 2, max).healthy_after(max * 10)
}

async fn backing_off(w: &World, backoff: Backoff, restart: RestartType) -> SupervisorRef {
    let a = w.child("a").backoff(backoff).restart(restart);
    w.start(w.supervisor("s", Strategy::OneForOne).unlimited().child(a)).await
}

/// Fails so often, and returns how many seconds each restart took.
async fn delays(w: &World, failures: u32) -> Vec<u64> {
    let mut delays = Vec::new();
    for _ in 0..failures {
        let before = w.now();
        w.crash("a");
        w.ping("a").await.unwrap();
        delays.push((w.now() - before).as_secs());
    }
    delays
}

pub(crate) async fn row_271_delays_double_up_to_the_longest(w: &World) {
    backing_off(w, doubling(5 * SECOND, 7 * SECOND), RestartType::Permanent).await;
    assert_eq!(delays(w, 4).await, [5, 7, 7, 7]);
}

pub(crate) async fn row_273_five_failures(w: &World) {
    backing_off(w, doubling(3 * SECOND, 30 * SECOND), RestartType::Permanent).await;
    assert_eq!(delays(w, 6).await, [3, 6, 12, 24, 30, 30]);
}

pub(crate) async fn row_274_restarted_however_it_ended(w: &World) {
    backing_off(w, doubling(SECOND, 9 * SECOND), RestartType::Permanent).await;
    for (end, at) in [(Do::Finish, 1), (Do::Panic, 3)] {
        w.tell("a", end);
        w.ping("a").await.unwrap();
        assert_eq!(w.now(), at * SECOND);
    }
}

pub(crate) async fn row_275_the_supervisor_ends_when_the_child_has_done_its_work(w: &World) {
    let a = w.child("a").backoff(doubling(SECOND, HOUR)).restart(RestartType::Transient);
    let s = w.supervisor("s", Strategy::OneForOne).auto_shutdown(AutoShutdown::AnySignificant);
    let s = w.start(s.child(a.significant(true))).await;
    w.tell("a", Do::Finish);
    assert!(matches!(s.ended().await, ExitReason::Shutdown));
    w.check("+a1 -a1");
}

pub(crate) async fn row_278_a_child_resets_its_own_count(w: &World) {
    backing_off(w, doubling(SECOND, HOUR), RestartType::Permanent).await;
    assert_eq!(delays(w, 3).await, [1, 2, 4]);
    w.tell("a", Do::Healthy);
    assert_eq!(delays(w, 2).await, [1, 2]);
}

pub(crate) async fn row_276_the_child_is_absent_meanwhile(w: &World) {
    let s = backing_off(w, doubling(SECOND, HOUR), RestartType::Transient).await;
    w.crash("a");
    w.told("restarting a").await;
    w.sleep(SECOND - Duration::from_nanos(1)).await;
    assert_eq!(counts(&s).await, [1, 0, 0, 1]);
    assert_eq!(state(&s, "a").await, Some(ChildState::Backoff));
    assert_eq!(w.ping("a").await, Ok(2));
    assert_eq!(w.now(), SECOND);
}

pub(crate) async fn row_277_a_healthy_run_resets_the_count(w: &World) {
    let backoff = Backoff::exponential(SECOND, 2, HOUR).healthy_after(10 * SECOND);
    backing_off(w, backoff, RestartType::Permanent).await;
    assert_eq!(delays(w, 3).await, [1, 2, 4]);
    w.sleep(Duration::from_millis(9_999)).await;
    assert_eq!(delays(w, 1).await, [8], "a failure came in between");
    w.sleep(10 * SECOND).await;
    assert_eq!(delays(w, 2).await, [1, 2]);
}

pub(crate) async fn row_279_what_is_told_of_the_child_and_its_restarts(w: &World) {
    let s = backing_off(w, doubling(HOUR, HOUR), RestartType::Permanent).await;
    let a = info(&s, "a").await.unwrap();
    assert_eq!((a.state, a.restarts), (ChildState::Running, 0));
    w.crash("a");
    w.told("restarting a").await;
    let a = info(&s, "a").await.unwrap();
    assert_eq!((a.state, a.restarts), (ChildState::Backoff, 1));
}

pub(crate) async fn row_280_messages_to_a_child_that_is_absent(w: &World) {
    let short = Duration::from_millis(5);
    backing_off(w, doubling(short, short), RestartType::Permanent).await;
    w.crash("a");
    w.told("restarting a").await;
    // They wait for it, and are answered by the next incarnation.
    assert_eq!(w.ping("a").await, Ok(2));
    assert_eq!(w.system.stats().dead_letters, 0);
}

pub(crate) async fn row_281_so_many_retries_and_no_more(w: &World) {
    for (restart, end) in [
        (RestartType::Permanent, (|| Do::Finish) as fn() -> Do),
        (RestartType::Transient, || Do::Panic),
    ] {
        let a = w.child("a").restart(restart).policy(RestartPolicy::Tries(2));
        let s = w.start(w.supervisor("s", Strategy::OneForOne).child(a)).await;
        for incarnation in [2, 3] {
            w.tell("a", end());
            assert_eq!(w.ping("a").await, Ok(incarnation));
        }
        w.tell("a", end());
        w.ended("a").await;
        w.told("exhausted a").await;
        assert_eq!(counts(&s).await, [0, 0, 0, 0]);
        w.check("+a1 -a1 +a2 -a2 +a3 -a3");
        w.system.root().stop_child("s").await.unwrap();
    }
}

pub(crate) async fn row_284_one_child_at_a_time_also_when_it_stops_slowly(w: &World) {
    let log = w.log.clone();
    let go = w.reports.clone();
    let slow = child(move |cx: Context<()>| {
        let (log, go) = (log.clone(), go.clone());
        log.add(format!("start {}", cx.incarnation()));
        async move {
            cx.stop_signal().requested().await;
            log.add("stopping");
            go.until("go").await;
            log.add("gone");
            Ok(())
        }
    });
    let s = w.supervisor("s", Strategy::OneForOne).child(slow.named("slow"));
    let s = w.start(s).await;
    let requests = s.clone();
    let helper = child(move |_: Context<()>| {
        let requests = requests.clone();
        async move {
            requests.stop_child("slow").await?;
            Ok(())
        }
    });
    let helper = w.system.spawn_child(helper.restart(RestartType::Temporary)).unwrap();
    w.until("stopping").await;
    let error = s.restart_child("slow").await.unwrap_err();
    assert!(matches!(error, RequestError::Refused(ChildError::Running)), "{error}");
    w.reports.add("go");
    assert!(matches!(helper.ended().await, ExitReason::Normal));
    s.restart_child("slow").await.unwrap();
    w.check("start 1 stopping gone start 2");
}

pub(crate) async fn row_285_failures_outside_of_the_range(w: &World) {
    let s = w.supervisor("s", Strategy::OneForOne).intensity(2, 10 * SECOND);
    let s = w.start(s.child(w.child("a"))).await;
    for incarnation in 2..8 {
        w.crash("a");
        assert_eq!(w.ping("a").await, Ok(incarnation));
        w.sleep(6 * SECOND).await;
    }
    for incarnation in [8, 9] {
        w.crash("a");
        if incarnation == 8 {
            assert_eq!(w.ping("a").await, Ok(incarnation));
        }
    }
    s.ended().await;
}

pub(crate) async fn row_286_a_stop_during_the_back_off(w: &World) {
    let s = backing_off(w, doubling(HOUR, HOUR), RestartType::Permanent).await;
    w.crash("a");
    w.told("restarting a").await;
    w.system.root().stop_child("s").await.unwrap();
    assert!(matches!(s.ended().await, ExitReason::Shutdown));
    w.check("+a1 -a1");
    count_to(w.system.root(), [1, 1, 1, 0]).await;
}

pub(crate) async fn row_272_a_random_part_of_the_delay(w: &World) {
    let backoff = Backoff::exponential(SECOND, 1, SECOND).jitter(50);
    backing_off(w, backoff, RestartType::Permanent).await;
    let mut delays = Vec::new();
    for _ in 0..20 {
        let before = w.now();
        w.crash("a");
        w.ping("a").await.unwrap();
        delays.push(w.now() - before);
    }
    assert!(delays.iter().all(|delay| (SECOND..=SECOND * 3 / 2).contains(delay)), "{delays:?}");
    delays.sort();
    delays.dedup();
    assert!(delays.len() > 10, "by chance, and not the same each time: {delays:?}");
}

pub(crate) async fn row_300_a_run_of_the_middle_length_is_healthy(w: &World) {
    let backoff = Backoff::exponential(2 * SECOND, 2, 10 * SECOND);
    backing_off(w, backoff, RestartType::Permanent).await;
    assert_eq!(delays(w, 2).await, [2, 4]);
    w.sleep(6 * SECOND - Duration::from_millis(1)).await;
    assert_eq!(delays(w, 1).await, [8]);
    w.sleep(6 * SECOND).await;
    assert_eq!(delays(w, 1).await, [2]);
}

pub(crate) async fn row_285_a_childs_own_range(w: &World) {
    let a = w.child("a").policy(RestartPolicy::Within(Intensity::new(2, 10 * SECOND)));
    let s = w.supervisor("s", Strategy::OneForOne).unlimited().child(a).child(w.child("b"));
    let s = w.start(s).await;
    for incarnation in 2..8 {
        w.crash("a");
        assert_eq!(w.ping("a").await, Ok(incarnation));
        w.sleep(6 * SECOND).await;
    }
    w.crash("a");
    assert_eq!(w.ping("a").await, Ok(8));
    w.crash("a");
    w.ended("a").await;
    count_to(&s, [1, 1, 0, 1]).await;
    assert_eq!(w.ping("b").await, Ok(1), "its siblings do not notice");
}
