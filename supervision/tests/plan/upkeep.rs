//! Watchdogs, lifetimes, and restarts on request.

use crate::support::{Start, Stop, Sup, dynamic, ms, settings, unordered, worker};
use bastion_supervision::plan::{
    Action, ChildError, ChildSpec, ExitReason, RestartType, Settings, Shutdown, Strategy, Stuck,
    Time,
};

fn watched() -> ChildSpec {
    worker("a").watchdog(ms(1000))
}

#[test]
fn one_without_progress_is_killed_and_has_failed() {
    let specs = [watched().restart(RestartType::Transient), worker("b")];
    let mut sup = Sup::running(settings(Strategy::OneForOne, 1), specs);
    sup.wait(ms(2500));
    sup.check("watch a, watch a");
    sup.silent("a", true);
    sup.wait(ms(499));
    sup.check("");
    sup.wait(ms(1));
    sup.check("watch a, kill a, start a.2");
    sup.check_reports("stuck a, restarting a.1 (error: no progress for 1s) in 0");
    sup.wait(ms(1000));
    sup.check("watch a, kill a, removed a (error: no progress for 1s), stop b, removed b (shutdown), gave up: a after 2");
}

#[test]
fn one_that_does_not_even_end_when_killed_is_abandoned_and_restarted() {
    let mut sup = Sup::running(Settings::default().kill_grace(ms(100)), [watched()]);
    sup.never_yields("a");
    sup.silent("a", true);
    sup.wait(ms(1099));
    sup.check("watch a, kill a");
    sup.wait(ms(1));
    sup.check("abandoned a, start a.2");
    sup.check_reports("stuck a, restarting a.1 (error: no progress for 1s) in 0");
}

#[test]
fn its_group_is_restarted_with_it() {
    let specs = [watched(), worker("b")];
    let mut sup = Sup::running(settings(Strategy::OneForAll, 1), specs);
    sup.silent("a", true);
    sup.wait(ms(1000));
    sup.check("watch a, kill a, stop b, start a.2, start b.2");
}

#[test]
fn a_stop_on_request_while_it_is_killed_lets_it_rest() {
    let mut sup = Sup::running(settings(Strategy::OneForOne, 1), [watched()]);
    sup.never_yields("a");
    sup.silent("a", true);
    sup.wait(ms(1000));
    sup.stop_child("a").unwrap();
    sup.exit("a", ExitReason::Killed);
    sup.check("watch a, kill a, stopped a");
    assert_eq!(sup.due_ms(), None);
}

#[test]
fn nobody_is_watched_who_does_not_run() {
    let mut sup = Sup::running(settings(Strategy::OneForOne, 1), [watched()]);
    sup.on_stop("a", Stop::Hangs);
    sup.stop_child("a").unwrap();
    sup.take_log();
    sup.silent("a", true);
    sup.wait(ms(4999));
    sup.check("");
    let pid = sup.pid("a");
    let mut out = Vec::new();
    sup.plan.silent(pid, 1, Time::ZERO, &mut out);
    assert!(out.is_empty(), "late word of a child that is being stopped");
}

#[test]
fn the_reason_says_that_it_was_stuck() {
    let mut sup = Sup::running(settings(Strategy::OneForOne, 0), [watched()]);
    let (pid, mut out) = (sup.pid("a"), Vec::new());
    sup.plan.silent(pid, 1, Time::ZERO, &mut out);
    sup.plan.exited(pid, 1, ExitReason::Killed, Time::ZERO, &mut out);
    let reason = out.into_iter().find_map(|action| match action {
        Action::Removed { reason, .. } => Some(reason),
        _ => None,
    });
    let Some(ExitReason::Error(failure)) = reason else { panic!("{reason:?}") };
    assert_eq!(failure.downcast_ref::<Stuck>().map(|stuck| stuck.limit), Some(ms(1000)));
}

#[test]
fn a_lifetime_ends_in_its_last_tenth_and_counts_for_nothing() {
    let spec = worker("a").max_lifetime(ms(1000));
    let mut sup = Sup::running(settings(Strategy::OneForOne, 0), [spec]);
    sup.wait(ms(899));
    sup.check("");
    sup.wait(ms(101));
    sup.check("stop a, start a.2");
    sup.check_reports("recycled a");
    let since = sup.plan.children().next().and_then(|child| child.since).expect("it runs");
    assert!(sup.now().since(since) <= ms(100), "{since:?}");
    sup.wait(ms(799));
    sup.check("");
    sup.wait(ms(201));
    sup.check("stop a, start a.3");
}

#[test]
fn those_that_started_together_do_not_end_together() {
    let specs = (0..10).map(|n| worker(&format!("w{n}")).max_lifetime(ms(1000)));
    let mut sup = Sup::running(settings(Strategy::OneForOne, 0), specs);
    sup.wait(ms(950));
    let stops = sup.take_log().iter().filter(|line| line.starts_with("stop")).count();
    assert!((1..10).contains(&stops), "{stops}");
}

#[test]
fn what_fails_together_is_recycled_together() {
    let specs = || [worker("a"), worker("b").depends_on("a"), worker("c")];
    for (strategy, expected) in [
        (Strategy::OneForOne, "stop b, stop a, start a.2, start b.2"),
        (Strategy::OneForAll, "stop c, stop b, stop a, start a.2, start b.2, start c.2"),
        (Strategy::RestForOne, "stop c, stop b, stop a, start a.2, start b.2, start c.2"),
    ] {
        let mut sup = Sup::running(settings(strategy, 0), specs());
        sup.recycle_child("a", ms(0)).unwrap();
        sup.check(expected);
        let mut sup = Sup::running(settings(strategy, 0), specs());
        sup.recycle_child("a", ms(70)).unwrap();
        sup.wait(ms(69));
        sup.check("");
        sup.wait(ms(1));
        sup.check(expected);
    }
}

#[test]
fn dynamic_and_temporary_children_have_lifetimes_too() {
    let specs = [RestartType::Permanent, RestartType::Temporary]
        .map(|restart| dynamic(restart).max_lifetime(ms(1000)));
    let mut sup = Sup::running(unordered(0), specs);
    sup.wait(ms(1000));
    let log = sup.take_log();
    assert!(log.contains(&"start d0.2".to_owned()), "{log:?}");
    assert!(log.contains(&"removed d1 (shutdown)".to_owned()), "{log:?}");
}

#[test]
fn who_does_not_run_is_not_recycled() {
    let mut sup = Sup::running(settings(Strategy::OneForOne, 0), [worker("a")]);
    sup.stop_child("a").unwrap();
    assert_eq!(sup.recycle_child("a", ms(0)), Err(ChildError::NotRunning));
    sup.restart_child("a").unwrap();
    sup.recycle_child("a", ms(100)).unwrap();
    sup.on_stop("a", Stop::Hangs);
    sup.stop();
    assert_eq!(sup.recycle_child("a", ms(0)), Err(ChildError::Stopping));
    assert_eq!(sup.due_ms(), Some(5000));
}

#[test]
fn a_request_goes_with_its_incarnation() {
    let mut sup = Sup::running(settings(Strategy::OneForOne, 1), [worker("a")]);
    sup.recycle_child("a", ms(100)).unwrap();
    sup.crash("a");
    sup.check("start a.2");
    sup.wait(ms(1000));
    sup.check("");
}

#[test]
fn nobody_is_watched_or_recycled_while_all_are_being_stopped() {
    let specs = [watched().max_lifetime(ms(2000)), worker("b").shutdown(Shutdown::Infinity)];
    let mut sup = Sup::running(settings(Strategy::OneForOne, 1), specs);
    sup.on_stop("b", Stop::Hangs);
    sup.silent("a", true);
    sup.stop();
    sup.wait(ms(9000));
    sup.check("stop b");
}

#[test]
fn one_that_becomes_ready_while_all_are_being_stopped_has_no_lifetime() {
    let specs = [worker("a").max_lifetime(ms(100)), worker("b").shutdown(Shutdown::Infinity)];
    let mut sup = Sup::running(settings(Strategy::OneForOne, 1), specs);
    sup.on_start("a", &[Start::Hangs]);
    sup.on_stop("b", Stop::Hangs);
    sup.crash("a");
    sup.stop();
    sup.ready("a");
    sup.wait(ms(9000));
    sup.check("start a.2, stop b");
}

#[test]
fn one_that_waits_to_go_down_is_watched() {
    let specs = [watched(), worker("b").depends_on("a").shutdown(Shutdown::Infinity)];
    let mut sup = Sup::running(settings(Strategy::OneForOne, 1), specs);
    sup.on_stop("b", Stop::Hangs);
    sup.recycle_child("a", ms(0)).unwrap();
    sup.silent("a", true);
    sup.wait(ms(1000));
    sup.check("stop b, watch a, kill a");
    sup.exit("b", ExitReason::Shutdown);
    sup.check("start a.2, start b.2");
}
