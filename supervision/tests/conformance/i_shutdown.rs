//! Group I: how children and supervisors are stopped.

use crate::kit::{Do, HOUR, Stop, World, counts, state};
use bastion_supervision::plan::{ChildState, ExitReason, RestartType, Shutdown, Strategy};
use bastion_supervision::{Child, Context, Exit, Supervisor, SupervisorRef, child};
use std::time::Duration;

/// So long a child that does not obey is waited for: short, because on real time it passes.
const SHORT: Duration = Duration::from_millis(10);

async fn one(w: &World, child: Child<Do>) -> SupervisorRef {
    w.start(w.supervisor("s", Strategy::OneForOne).child(child)).await
}

async fn stop(w: &World) {
    w.system.root().stop_child("s").await.unwrap();
}

pub(crate) async fn row_110_children_stop_in_reverse_one_after_another(w: &World) {
    let ways = [Shutdown::Timeout(HOUR), Shutdown::Infinity, Shutdown::Brutal];
    let s = w.supervisor("s", Strategy::OneForOne);
    let names = ["a", "b", "c", "d", "e"].into_iter().zip(ways.into_iter().cycle());
    let s = names.fold(s, |s, (name, way)| s.child(w.child(name).shutdown(way)));
    w.start(s).await;
    stop(w).await;
    w.check("+a1 +b1 +c1 +d1 +e1 -e1 -d1 -c1 -b1 -a1");
}

pub(crate) async fn row_111_a_child_that_obeys_is_not_waited_for_longer(w: &World) {
    // On real time an hour would be too long for the scenario, on virtual time the clock stands still.
    let s = one(w, w.child("a").shutdown(Shutdown::Timeout(HOUR))).await;
    stop(w).await;
    assert!(matches!(s.ended().await, ExitReason::Shutdown));
    assert!(matches!(w.ended("a").await, ExitReason::Shutdown));
    assert_eq!(w.system.stats().forced_kills, 0);
}

pub(crate) async fn row_112_a_child_that_does_not_obey_is_killed(w: &World) {
    let s = one(w, w.stops("a", Stop::Deaf).shutdown(Shutdown::Timeout(SHORT))).await;
    stop(w).await;
    w.told("forced kill a").await;
    assert!(w.lines.all().iter().any(|line| line.contains("crashed: killed")));
    assert!(matches!(s.ended().await, ExitReason::Shutdown), "its own end is as it should be");
}

pub(crate) async fn row_113_infinity_waits_as_long_as_needed(w: &World) {
    let (log, go) = (w.log.clone(), w.reports.clone());
    let slow = child(move |cx: Context<()>| {
        let (log, go) = (log.clone(), go.clone());
        async move {
            cx.stop_signal().requested().await;
            log.add("asked");
            go.until("go").await;
            log.add("done");
            Ok(())
        }
    });
    let slow = slow.shutdown(Shutdown::Infinity).restart(RestartType::Temporary);
    let address = slow.address();
    let s = w.start(w.supervisor("s", Strategy::OneForOne).child(slow)).await;
    let stopper = {
        let (log, root) = (w.log.clone(), w.system.root().clone());
        child(move |_: Context<()>| {
            let (log, root) = (log.clone(), root.clone());
            async move {
                let _ = root.stop_child("s").await;
                log.add("stopped");
                Ok(())
            }
        })
    };
    w.system.spawn_child(stopper.restart(RestartType::Temporary)).unwrap();
    w.until("asked").await;
    w.reports.add("go");
    w.until("stopped").await;
    w.check("asked done stopped");
    assert!(matches!(address.ended().await, ExitReason::Shutdown));
    assert!(matches!(s.ended().await, ExitReason::Shutdown));
}

pub(crate) async fn row_114_a_brutal_kill_runs_no_clean_up(w: &World) {
    let log = w.log.clone();
    let tidy = child(move |cx: Context<()>| {
        let log = log.clone();
        async move {
            cx.stop_signal().requested().await;
            log.add("cleaned up");
            Ok(())
        }
    });
    let tidy = tidy.named("tidy");
    let s = w.supervisor("s", Strategy::OneForOne).child(w.child("a"));
    let s = w.start(s.child(tidy.shutdown(Shutdown::Brutal))).await;
    s.stop_child("tidy").await.unwrap();
    assert_eq!(state(&s, "tidy").await, Some(ChildState::Stopped));
    w.told("crash tidy").await;
    assert_eq!(w.system.stats().forced_kills, 0, "it was not late: nobody asked it");
    w.check("+a1");
}

pub(crate) async fn row_115_brutal_children_are_killed_at_once(w: &World) {
    let pool = w.pool("pool").await;
    for name in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] {
        let child = w.anonymous(name).shutdown(Shutdown::Brutal);
        pool.start_child(child.restart(RestartType::Temporary)).await.unwrap();
    }
    w.system.root().stop_child("pool").await.unwrap();
    for name in ["a", "j"] {
        assert!(matches!(w.ended(name).await, ExitReason::Killed));
    }
    w.system.stop(HOUR).await;
}

pub(crate) async fn row_116_dynamic_children_that_do_not_obey_are_killed_in_parallel(w: &World) {
    let pool = w.pool("pool").await;
    for name in ["a", "b"] {
        pool.start_child(w.child(name).shutdown(Shutdown::Timeout(HOUR))).await.unwrap();
    }
    for name in ["x", "y", "z"] {
        let deaf = w.stops(name, Stop::Deaf).shutdown(Shutdown::Timeout(SHORT));
        pool.start_child(deaf).await.unwrap();
    }
    w.system.root().stop_child("pool").await.unwrap();
    for (name, killed) in [("a", false), ("b", false), ("x", true), ("y", true), ("z", true)] {
        assert_eq!(matches!(w.ended(name).await, ExitReason::Killed), killed, "{name}");
    }
    assert_eq!(w.system.stats().forced_kills, 3);
}

pub(crate) async fn row_117_other_ends_during_the_stop_are_reported(w: &World) {
    let pool = w.pool("pool").await;
    let ends: [(&str, Stop); 3] = [
        ("a", Stop::Exits(|| Exit::error("x"))),
        ("b", Stop::Panics),
        ("c", Stop::Exits(|| Exit::with(ExitReason::Normal))),
    ];
    for (name, stop) in ends {
        pool.start_child(w.stops(name, stop)).await.unwrap();
    }
    w.system.root().stop_child("pool").await.unwrap();
    assert!(matches!(pool.ended().await, ExitReason::Shutdown));
    for name in ["a", "b", "c"] {
        assert!(w.reports.all().contains(&format!("unexpected end {name}")), "{name}");
    }
}

pub(crate) async fn row_118_a_child_that_ends_by_itself_while_it_is_stopped(w: &World) {
    let types = [RestartType::Permanent, RestartType::Transient, RestartType::Temporary];
    for restart in types {
        let ends = [
            Do::Finish,
            Do::Exit(Exit::shutdown()),
            Do::Exit(Exit::shutdown_with(std::io::Error::other("x"))),
            Do::Exit(Exit::error("x")),
            Do::Panic,
        ];
        for end in ends {
            let s = one(w, w.child("a").restart(restart)).await;
            // Which of the two comes first is up to the runtime.
            w.tell("a", end);
            stop(w).await;
            s.ended().await;
            let log = w.log.take();
            assert!(log == ["+a1", "-a1"] || log == ["+a1", "-a1", "+a2", "-a2"], "{log:?}");
        }
    }
}

pub(crate) async fn row_119_a_permanent_child_that_stops_with_another_reason(w: &World) {
    let ends: [(Stop, RestartType, bool); 4] = [
        (Stop::Exits(|| Exit::with(ExitReason::Normal)), RestartType::Permanent, true),
        (
            Stop::Exits(|| Exit::shutdown_with(std::io::Error::other("x"))),
            RestartType::Permanent,
            true,
        ),
        (Stop::Exits(|| Exit::with(ExitReason::Normal)), RestartType::Transient, false),
        (Stop::Obeys, RestartType::Permanent, false),
    ];
    for (end, restart, reported) in ends {
        let s = one(w, w.stops("a", end).restart(restart)).await;
        w.reports.take();
        stop(w).await;
        s.ended().await;
        assert_eq!(w.reports.take().contains(&"unexpected end a".to_owned()), reported);
    }
}

pub(crate) async fn row_120_a_stop_of_a_child_that_is_dead_already(w: &World) {
    let s = one(w, w.child("a").restart(RestartType::Transient)).await;
    w.tell("a", Do::Finish);
    w.until("-a1").await;
    s.stop_child("a").await.unwrap();
    s.stop_child("a").await.unwrap();
    assert_eq!(state(&s, "a").await, Some(ChildState::Stopped));
}

pub(crate) async fn row_121_a_timeout_of_zero(w: &World) {
    let s = one(w, w.child("a").shutdown(Shutdown::Timeout(Duration::ZERO))).await;
    s.stop_child("a").await.unwrap();
    stop(w).await;
    w.check("+a1 -a1");
}

pub(crate) async fn row_122_a_tree_stops_from_below(w: &World) {
    let inner = Supervisor::new("inner").child(w.child("b")).child(w.child("c"));
    let s = w.supervisor("s", Strategy::OneForOne).child(w.child("a")).supervisor(inner);
    w.start(s.child(w.child("d"))).await;
    stop(w).await;
    w.check("+a1 +b1 +c1 +d1 -d1 -c1 -b1 -a1");
}

pub(crate) async fn row_123_a_supervisor_ends_with_the_one_above_it(w: &World) {
    // The one above is killed: it cannot ask anybody to stop.
    let inner = Supervisor::new("inner").child(w.child("a"));
    let (below, s) = (inner.reference(), w.supervisor("s", Strategy::OneForOne));
    let s = w.start(s.supervisor(inner).shutdown(Shutdown::Brutal)).await;
    stop(w).await;
    assert!(s.ended().await.is_abnormal());
    below.ended().await;
    w.ended("a").await;
    w.check("+a1 -a1");
}

pub(crate) async fn row_124_a_killed_supervisor_takes_its_children_with_it(w: &World) {
    let inner = Supervisor::new("inner").child(w.child("a")).child(w.child("b"));
    let inner = inner.shutdown(Shutdown::Brutal);
    let reference = inner.reference();
    let s = w.start(w.supervisor("s", Strategy::OneForOne).supervisor(inner)).await;
    s.stop_child("inner").await.unwrap();
    s.restart_child("inner").await.unwrap();
    assert_eq!((w.ping("a").await, w.ping("b").await), (Ok(2), Ok(2)));
    assert_eq!(counts(&reference).await, [2, 2, 0, 2]);
    w.check_unordered("+a1 +a2 +b1 +b2 -a1 -b1");
}
