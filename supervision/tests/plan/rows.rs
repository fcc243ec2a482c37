//! Rows of the conformance list that have no other place: queries, trees, limits of time.

use crate::support::{Stop, Sup, dynamic, error, ms, settings, shutdown_with, unordered, worker};
use bastion_supervision::pid::Pid;
use bastion_supervision::plan::{
    AddError, Backoff, ChildError, ChildKind, ChildSpec, ChildState, ExitReason, Intensity,
    RestartType, Shutdown, Strategy, Time,
};
use std::time::Duration;

use RestartType::{Permanent, Temporary, Transient};

/// Returns a running supervisor over one child.
fn one(max: u32, spec: ChildSpec) -> Sup {
    Sup::running(settings(Strategy::OneForOne, max), [spec.id("a")])
}

/// Returns a running dynamic supervisor with one child, `d0`, that bears so many restarts.
fn pool(max: u32, spec: ChildSpec) -> Sup {
    let mut sup = Sup::running(unordered(max), []);
    sup.add(spec).unwrap();
    sup.check("start d0");
    sup
}

#[test]
fn row_024_a_stop_is_complete_when_every_child_has_ended() {
    let mut sup = Sup::workers(settings(Strategy::OneForOne, 1), "a b");
    sup.on_stop("b", Stop::Hangs);
    sup.plan.stop(shutdown_with("why"), None, Time::ZERO, &mut Vec::new());
    sup.wait(ms(4999));
    sup.check("");
    sup.wait(ms(1));
    sup.check("kill b, removed b (killed), stop a, removed a (shutdown), finish (shutdown: why)");
}

#[test]
fn row_045_every_pair_of_restart_type_kind_and_shutdown_is_valid() {
    let mut sup = Sup::running(settings(Strategy::OneForOne, 1), []);
    let zero = Shutdown::Timeout(Duration::ZERO);
    for shutdown in [zero, Shutdown::Timeout(Duration::MAX), Shutdown::Infinity, Shutdown::Brutal] {
        for restart in [Permanent, Transient, Temporary] {
            for spec in [ChildSpec::worker(), ChildSpec::supervisor()] {
                assert_eq!(sup.add(spec.restart(restart).shutdown(shutdown)), Ok(()));
            }
        }
    }
    sup.check_counts([24, 24, 12, 12]);
}

#[test]
fn row_048_a_refused_child_changes_no_count() {
    let mut sup = Sup::workers(settings(Strategy::OneForOne, 1), "a");
    for wrong in [worker("a"), worker("b").significant(true)] {
        assert!(sup.add(wrong).is_err());
        sup.check_counts([1, 1, 0, 1]);
        sup.check("");
    }
}

#[test]
fn row_068_a_clock_that_goes_back_does_no_harm() {
    let mut sup = one(1, worker("a"));
    let (pid, mut out) = (sup.pid("a"), Vec::new());
    sup.wait(ms(60_000));
    sup.crash("a");
    sup.check("start a.2");
    // An hour before: less time seems to have passed, and the restart before still counts.
    sup.plan.exited(pid, 2, error("x"), Time::ZERO, &mut out);
    assert!(sup.plan.is_ending());
}

#[test]
fn row_124_a_killed_supervisor_is_an_abnormal_end_to_the_one_above() {
    for (restart, expected) in
        [(Permanent, "start a.2"), (Transient, "start a.2"), (Temporary, "removed a (killed)")]
    {
        let mut sup = one(1, ChildSpec::supervisor().restart(restart));
        sup.exit("a", ExitReason::Killed);
        sup.check(expected);
    }
}

#[test]
fn row_139_a_supervisor_that_has_ended_refuses_everything() {
    let mut sup = Sup::workers(settings(Strategy::OneForOne, 1), "a");
    let a = sup.pid("a");
    sup.stop();
    sup.check("stop a, removed a (shutdown), finish (shutdown)");
    let (plan, mut out) = (&mut sup.plan, Vec::new());
    let not_found = Err(ChildError::NotFound);
    assert_eq!(plan.stop_child(a, Time::ZERO, &mut out), not_found);
    assert_eq!(plan.restart_child(a, Time::ZERO, &mut out), not_found);
    assert_eq!(plan.delete_child(a, Time::ZERO, &mut out), not_found);
    assert_eq!(plan.add(a, worker("a"), Time::ZERO, &mut out), Err(AddError::Stopping));
    assert!(out.is_empty(), "{out:?}");
}

#[test]
fn row_143_counts_of_many_while_they_die() {
    let mut sup = Sup::running(unordered(1), []);
    for expected in [1000, 2000] {
        while sup.plan.counts().specs < expected {
            sup.add(dynamic(Temporary)).unwrap();
        }
        sup.check_counts([expected, expected, 0, expected]);
    }
    for gone in 0..500 {
        sup.crash(&format!("d{gone}"));
        let left = 1999 - gone;
        sup.check_counts([left, left, 0, left]);
    }
}

#[test]
fn row_146_a_stop_takes_one_that_is_being_restarted_off_the_list() {
    let mut sup = pool(9, dynamic(Permanent).backoff(Backoff::storm_guard()));
    sup.crash("d0");
    sup.crash("d0");
    sup.check("start d0.2");
    sup.check_children("d0.2 backoff");
    sup.check_counts([1, 0, 0, 1]);
    sup.stop_child("d0").unwrap();
    sup.check_children("");
    sup.check_counts([0, 0, 0, 0]);
}

#[test]
fn row_149_one_row_of_one_child() {
    let sup = one(1, worker("a"));
    let pid = sup.plan.find("a").unwrap();
    let row = sup.plan.child(pid).unwrap();
    assert_eq!((row.pid, row.state, row.spec.kind), (pid, ChildState::Running, ChildKind::Worker));
    assert!(sup.plan.child(Pid::new(9, 9)).is_none());
}

/// An inner supervisor that bears nothing gives up: what it ends with, and what the outer one does.
fn gives_up(restart: RestartType) -> Sup {
    let mut inner = one(0, worker("a"));
    inner.crash("a");
    inner.check("removed a (error: x), gave up: a after 1");
    let mut outer = one(9, ChildSpec::supervisor().restart(restart));
    // The driver's translation of giving up.
    outer.exit("a", shutdown_with("gave up"));
    outer
}

#[test]
fn row_176_a_crash_that_is_borne_stays_where_it_is() {
    let mut mid = Sup::workers(settings(Strategy::OneForOne, 1), "b c");
    mid.crash("b");
    mid.check("start b.2");
    mid.check_children("b.2 running, c.1 running");
}

#[test]
fn row_177_one_that_is_not_borne_restarts_the_group_above() {
    let specs = [worker("a"), ChildSpec::supervisor().id("mid")];
    let mut root = Sup::running(settings(Strategy::OneForAll, 9), specs);
    root.exit("mid", shutdown_with("gave up"));
    root.check("stop a, start a.2, start mid.2");
}

#[test]
fn row_178_a_supervisor_that_gives_up_has_shut_down() {
    gives_up(Permanent).check("start a.2");
    gives_up(Transient).check("stopped a");
    gives_up(Temporary).check("removed a (shutdown: gave up)");
}

#[test]
fn row_179_what_the_one_above_sees_is_a_shutdown() {
    gives_up(Transient).check_reports("not restarted a (shutdown: gave up)");
}

#[test]
fn row_x7_durations_at_their_limits() {
    const MAX: Duration = Duration::MAX;
    let for_ever = Backoff::exponential(MAX, 2, MAX);
    let rules = settings(Strategy::OneForOne, 9).kill_grace(MAX);
    let rules = rules.intensity(Some(Intensity::new(9, MAX)));
    let spec = worker("a").backoff(for_ever).shutdown(Shutdown::Timeout(MAX));
    let mut sup = Sup::running(rules, [spec]);
    sup.wait(ms(5));
    sup.crash("a");
    sup.check("");
    sup.check_children("a.1 backoff");
    assert!(sup.due_ms().is_some_and(|ms| ms > 1 << 40), "in more than thirty years");
    sup.stop_within(MAX);
    sup.check("removed a (shutdown), finish (shutdown)");
}
