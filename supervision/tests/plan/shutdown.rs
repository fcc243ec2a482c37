//! How children and the supervisor stop: conformance group I, and the deadlines that cap them.

use crate::support::{Stop, Sup, error, ms, settings, shutdown_with, unordered, worker};
use bastion_supervision::pid::Pid;
use bastion_supervision::plan::{
    ChildSpec, ExitReason, RestartType, Settings, Shutdown, Strategy, Time,
};

fn timeout(id: &str, time: u64) -> ChildSpec {
    worker(id).shutdown(Shutdown::Timeout(ms(time)))
}

/// Returns a running supervisor whose log shows deadlines.
fn running(specs: impl IntoIterator<Item = ChildSpec>) -> Sup {
    let mut sup = Sup::running(settings(Strategy::OneForOne, 1), specs);
    sup.deadlines = true;
    sup
}

/// Stops a supervisor over one child that ends so, and compares what is done and reported.
#[track_caller]
fn check(spec: ChildSpec, end: ExitReason, expected: &str, reports: &str) {
    let mut sup = running([spec.id("a")]);
    sup.on_stop("a", Stop::Ends(end));
    sup.stop();
    sup.check(expected);
    sup.check_reports(reports);
}

#[test]
fn row_110_children_stop_in_reverse_one_after_another() {
    let mut sup = running((1..=5).map(|n| timeout(&n.to_string(), 5000)));
    for n in ["1", "2", "3", "4", "5"] {
        sup.on_stop(n, Stop::Hangs);
    }
    sup.stop();
    sup.check("stop 5 by 5000");
    for (n, next) in [("5", "4"), ("4", "3"), ("3", "2"), ("2", "1")] {
        sup.exit(n, ExitReason::Shutdown);
        sup.check(&format!("removed {n} (shutdown), stop {next} by 5000"));
    }
    sup.exit("1", ExitReason::Shutdown);
    sup.check("removed 1 (shutdown), finish (shutdown)");
}

#[test]
fn row_111_a_child_that_obeys_is_not_waited_for_longer() {
    check(
        timeout("a", 300),
        ExitReason::Shutdown,
        "stop a by 300, removed a (shutdown), finish (shutdown)",
        "",
    );
}

#[test]
fn row_112_a_child_that_does_not_obey_is_killed() {
    let mut sup = running([timeout("a", 300)]);
    sup.on_stop("a", Stop::Hangs);
    sup.stop();
    sup.wait(ms(299));
    sup.check("stop a by 300");
    sup.wait(ms(1));
    sup.check("kill a, removed a (killed), finish (shutdown)");
    sup.check_reports("forced kill a");
}

#[test]
fn row_113_infinity_waits_as_long_as_needed() {
    let mut sup = running([worker("a").shutdown(Shutdown::Infinity)]);
    sup.on_stop("a", Stop::Hangs);
    sup.stop();
    sup.check("stop a some time");
    assert_eq!(sup.due_ms(), None);
    sup.wait(ms(1_000_000_000));
    sup.exit("a", ExitReason::Shutdown);
    sup.check("removed a (shutdown), finish (shutdown)");
}

#[test]
fn row_114_a_brutal_kill_does_not_ask() {
    let mut sup = running([worker("a").shutdown(Shutdown::Brutal)]);
    sup.stop();
    sup.check("kill a, removed a (killed), finish (shutdown)");
    sup.check_reports("");
}

#[test]
fn row_118_a_child_that_ends_by_itself_while_it_is_stopped() {
    let reasons = || {
        [
            (ExitReason::Normal, true),
            (ExitReason::Shutdown, true),
            (shutdown_with("x"), true),
            (error("x"), false),
            (ExitReason::Killed, false),
        ]
    };
    for restart in [RestartType::Permanent, RestartType::Transient, RestartType::Temporary] {
        for (reason, polite) in reasons() {
            // Row 119: a permanent child that does not say shutdown is reported.
            let expected = match reason {
                ExitReason::Shutdown => true,
                _ => polite && restart != RestartType::Permanent,
            };
            let report =
                if expected { String::new() } else { format!("unexpected end a ({reason})") };
            check(
                timeout("a", 300).restart(restart),
                reason.clone(),
                &format!("stop a by 300, removed a ({reason}), finish (shutdown)"),
                &report,
            );
        }
    }
}

#[test]
fn row_119_a_permanent_child_that_stops_with_another_reason_is_reported() {
    for reason in [ExitReason::Normal, shutdown_with("x")] {
        let done = format!("stop a by 5000, removed a ({reason}), finish (shutdown)");
        check(worker("a"), reason.clone(), &done, &format!("unexpected end a ({reason})"));
        check(worker("a").restart(RestartType::Transient), reason.clone(), &done, "");
    }
}

#[test]
fn row_118_a_child_that_ends_before_it_is_asked() {
    let mut sup = running(["a", "b"].map(worker));
    sup.on_stop("b", Stop::Hangs);
    sup.stop();
    sup.crash("a");
    sup.check("stop b by 5000, removed a (error: x)");
    sup.exit("b", ExitReason::Shutdown);
    sup.check("removed b (shutdown), finish (shutdown)");
}

#[test]
fn row_121_a_timeout_of_zero_asks_and_kills_almost_at_once() {
    let mut sup = running([timeout("a", 0)]);
    sup.on_stop("a", Stop::Hangs);
    sup.stop_child("a").unwrap();
    sup.check("stop a by 0");
    assert_eq!(sup.due_ms(), Some(0));
    sup.wait(ms(0));
    sup.check("kill a, stopped a");
}

#[test]
fn row_122_a_nested_supervisor_stops_before_its_elder_siblings() {
    let mut sup = running([worker("a"), ChildSpec::supervisor().id("s"), worker("b")]);
    sup.on_stop("s", Stop::Hangs);
    sup.stop();
    sup.check("stop b by 5000, removed b (shutdown), stop s some time");
    sup.wait(ms(60_000));
    sup.exit("s", ExitReason::Shutdown);
    sup.check("removed s (shutdown), stop a by 65000, removed a (shutdown), finish (shutdown)");
}

#[test]
fn row_126_an_exit_of_a_stranger_is_ignored() {
    let mut sup = running([worker("a")]);
    sup.crash("a");
    sup.check("start a.2");
    let (pid, mut out) = (sup.pid("a"), Vec::new());
    for (who, incarnation) in [(Pid::new(9, 0), 1), (Pid::new(0, 1), 2), (pid, 1), (pid, 3)] {
        sup.plan.exited(who, incarnation, error("x"), Time::ZERO, &mut out);
        sup.plan.started(who, incarnation, Time::ZERO, &mut out);
        sup.plan.start_failed(who, incarnation, error("x"), Time::ZERO, &mut out);
        sup.plan.start_ignored(who, incarnation, Time::ZERO, &mut out);
    }
    assert!(out.is_empty(), "{out:?}");
    sup.check_children("a.2 running");
}

#[test]
fn row_172_children_started_at_run_time_stop_in_reverse_of_their_start() {
    let mut sup = running([worker("a"), worker("b")]);
    sup.add(worker("c")).unwrap();
    sup.crash("a");
    sup.check("start c, start a.2");
    sup.deadlines = false;
    sup.stop();
    sup.check(
        "stop c, removed c (shutdown), stop b, removed b (shutdown), stop a, \
         removed a (shutdown), finish (shutdown)",
    );
}

#[test]
fn a_child_that_never_yields_is_abandoned() {
    let mut sup = running([worker("a"), timeout("b", 300)]);
    sup.never_yields("b");
    sup.stop();
    sup.wait(ms(300));
    sup.check("stop b by 300, kill b");
    sup.wait(ms(999));
    sup.check("");
    sup.wait(ms(1));
    sup.check(
        "abandoned b, removed b (killed), stop a by 6300, removed a (shutdown), \
         finish (shutdown)",
    );
}

#[test]
fn the_grace_can_be_set() {
    for grace in [0, 70] {
        let settings = Settings::default().kill_grace(ms(grace));
        let mut sup = Sup::running(settings, [timeout("a", 300)]);
        sup.never_yields("a");
        sup.stop();
        sup.wait(ms(300 + grace));
        sup.check("stop a, kill a, abandoned a, removed a (killed), finish (shutdown)");
    }
}

#[test]
fn the_supervisors_deadline_caps_those_of_its_children() {
    let nested = ChildSpec::supervisor().id("s");
    let mut sup = running([timeout("a", 50), worker("b"), nested]);
    sup.on_stop("s", Stop::Hangs);
    sup.stop_within(ms(1000));
    sup.check("stop s by 950");
    sup.wait(ms(400));
    sup.exit("s", ExitReason::Shutdown);
    sup.check(
        "removed s (shutdown), stop b by 1000, removed b (shutdown), stop a by 450, \
         removed a (shutdown), finish (shutdown)",
    );
}

#[test]
fn after_the_deadline_all_are_killed_at_once() {
    let mut sup = running([worker("a"), worker("b"), worker("c"), worker("d")]);
    for name in ["a", "b", "c"] {
        sup.never_yields(name);
    }
    sup.stop_child("b").unwrap();
    sup.stop_within(ms(1000));
    sup.check(
        "stop b by 5000, stop b by 1000, stop d by 1000, removed d (shutdown), stop c by 1000",
    );
    assert_eq!(sup.due_ms(), Some(1000));
    sup.wait(ms(1000));
    sup.check("kill c, kill b, kill a");
    sup.check_reports("forced kill c, forced kill b, forced kill a");
    assert_eq!(sup.due_ms(), Some(1000));
    sup.wait(ms(1000));
    sup.check(
        "abandoned a, removed a (killed), abandoned b, removed b (killed), \
         abandoned c, removed c (killed), finish (shutdown)",
    );
}

#[test]
fn a_deadline_that_has_passed_kills_without_asking() {
    let mut sup = running(["a", "b"].map(worker));
    sup.stop_within(ms(0));
    sup.check("kill b, kill a, removed b (killed), removed a (killed), finish (shutdown)");
    let mut sup = Sup::running(unordered(1), ["a", "b"].map(worker));
    sup.stop_within(ms(0));
    sup.check("kill b, kill a, removed b (killed), removed a (killed), finish (shutdown)");
}

#[test]
fn a_second_stop_can_only_tighten() {
    let mut sup = running([worker("a"), worker("b").shutdown(Shutdown::Infinity)]);
    sup.on_stop("b", Stop::Hangs);
    sup.stop();
    sup.check("stop b some time");
    sup.stop_within(ms(2000));
    sup.check("stop b by 2000");
    sup.stop_within(ms(3000));
    sup.stop();
    sup.check("");
    sup.stop_within(ms(1000));
    sup.check("stop b by 1000");
    sup.wait(ms(1000));
    sup.check("kill b, kill a, removed b (killed), removed a (killed), finish (shutdown)");
}

#[test]
fn a_stop_tightens_also_the_end_of_a_supervisor_that_gave_up() {
    let mut sup = Sup::workers(settings(Strategy::OneForOne, 0), "a b");
    sup.on_stop("b", Stop::Hangs);
    sup.crash("a");
    sup.stop_within(ms(100));
    sup.check("removed a (error: x), stop b, stop b");
    sup.wait(ms(100));
    sup.check("kill b, removed b (killed), gave up: a after 1");
}

#[test]
fn the_longest_times_do_not_overflow() {
    let forever = std::time::Duration::MAX;
    let settings = Settings::default().kill_grace(forever);
    let mut sup = Sup::running(settings, [worker("a").shutdown(Shutdown::Timeout(forever))]);
    sup.on_stop("a", Stop::Hangs);
    sup.wait(ms(1));
    sup.stop_within(forever);
    sup.check("stop a");
    sup.exit("a", ExitReason::Shutdown);
    sup.check("removed a (shutdown), finish (shutdown)");
}

#[test]
fn tightening_reaches_all_that_are_being_stopped_and_need_it() {
    let specs = [timeout("a", 1000), timeout("b", 3000), timeout("c", 2000)];
    let mut sup = Sup::running(unordered(1), specs);
    sup.deadlines = true;
    for name in ["a", "b", "c"] {
        sup.on_stop(name, Stop::Hangs);
    }
    sup.stop();
    sup.check("stop c by 2000, stop b by 3000, stop a by 1000");
    sup.stop_within(ms(1000));
    sup.check("stop c by 1000, stop b by 1000");
    sup.stop_within(ms(500));
    sup.check("stop c by 500, stop b by 500, stop a by 500");
    sup.wait(ms(500));
    sup.check_reports("forced kill c, forced kill b, forced kill a");
}
