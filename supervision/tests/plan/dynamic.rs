//! Dynamic supervisors: conformance group H.

use crate::support::{Start, Stop, Sup, dynamic, error, ms, unordered};
use bastion_supervision::pid::Pid;
use bastion_supervision::plan::{
    Backoff, ChildError, ChildSpec, ExitReason, RestartType, Shutdown, Time,
};

/// Returns a dynamic supervisor with children `d0`, `d1`, …
fn many(max: u32, children: usize, spec: &ChildSpec) -> Sup {
    let mut sup = Sup::running(unordered(max), []);
    for _ in 0..children {
        sup.add(spec.clone()).unwrap();
    }
    let starts: Vec<_> = (0..children).map(|n| format!("start d{n}")).collect();
    sup.check(&starts.join(", "));
    sup
}

fn permanent() -> ChildSpec {
    dynamic(RestartType::Permanent)
}

#[test]
fn row_094_dynamic_children_need_no_id() {
    let sup = many(1, 3, &permanent());
    sup.check_counts([3, 3, 0, 3]);
    assert!(sup.plan.children().all(|child| child.spec.id.is_none()));
}

#[test]
fn row_095_only_the_child_that_crashed_is_restarted() {
    let mut sup = many(1, 3, &permanent());
    sup.crash("d1");
    sup.check("start d1.2");
    sup.check_children("d0.1 running, d1.2 running, d2.1 running");
}

#[test]
fn row_097_a_restart_that_is_ignored_removes_the_child() {
    let mut sup = many(1, 2, &permanent());
    sup.on_start("d0", &[Start::Ignores]);
    sup.crash("d0");
    sup.check("start d0.2, removed d0 (normal)");
    sup.check_children("d1.1 running");
}

#[test]
fn row_098_one_child_too_often_ends_all() {
    let mut sup = many(1, 3, &permanent());
    sup.crash("d1");
    sup.crash("d1");
    sup.check(
        "start d1.2, removed d1 (error: x), stop d2, stop d0, removed d2 (shutdown), \
         removed d0 (shutdown), gave up: d1 after 2",
    );
}

#[test]
fn rows_100_and_241_children_stop_in_parallel() {
    let mut sup = many(1, 3, &permanent());
    for name in ["d0", "d1", "d2"] {
        sup.on_stop(name, Stop::Hangs);
    }
    sup.stop();
    sup.check("stop d2, stop d1, stop d0");
    sup.exit("d1", ExitReason::Shutdown);
    sup.exit("d2", ExitReason::Shutdown);
    sup.exit("d0", ExitReason::Shutdown);
    sup.check(
        "removed d1 (shutdown), removed d2 (shutdown), removed d0 (shutdown), finish (shutdown)",
    );
}

#[test]
fn row_101_a_dynamic_child_that_is_stopped_leaves() {
    let mut sup = many(1, 2, &permanent());
    sup.stop_child("d0").unwrap();
    sup.check("stop d0, removed d0 (shutdown)");
    sup.check_children("d1.1 running");
}

#[test]
fn rows_103_and_104_who_is_not_a_child_is_not_found() {
    let mut sup = many(1, 1, &permanent());
    sup.stop_child("d0").unwrap();
    assert_eq!(sup.stop_child("d0"), Err(ChildError::NotFound));
    // A process that lives, and is somebody else's.
    let (other, mut out) = (Pid::new(99, 0), Vec::new());
    let answer = sup.plan.stop_child(other, Time::ZERO, &mut out);
    assert_eq!((answer, out.len()), (Err(ChildError::NotFound), 0));
}

#[test]
fn row_105_dynamic_children_are_neither_restarted_nor_deleted_by_request() {
    let mut sup = many(1, 1, &permanent());
    assert_eq!(sup.restart_child("d0"), Err(ChildError::Unordered));
    assert_eq!(sup.delete_child("d0"), Err(ChildError::Unordered));
    sup.check("");
}

#[test]
fn rows_108_and_240_a_stop_ends_a_failing_restart() {
    let mut sup = many(9, 1, &permanent());
    sup.on_start("d0", &[Start::Fails, Start::Hangs]);
    sup.crash("d0");
    sup.check("start d0.2, start d0.3");
    sup.check_counts([1, 0, 0, 1]);
    sup.stop_child("d0").unwrap();
    sup.check("stop d0, removed d0 (shutdown)");
    sup.check_counts([0, 0, 0, 0]);
    // In back-off there is nobody to be stopped.
    let mut sup = many(9, 1, &permanent().backoff(Backoff::storm_guard()));
    sup.crash("d0");
    sup.crash("d0");
    sup.check("start d0.2");
    sup.stop_child("d0").unwrap();
    sup.check("removed d0 (shutdown)");
    sup.wait(ms(60_000));
    sup.check("");
}

#[test]
fn row_115_brutal_children_are_killed_at_once() {
    let mut sup = many(1, 2, &permanent().shutdown(Shutdown::Brutal));
    sup.stop();
    sup.check("kill d1, kill d0, removed d1 (killed), removed d0 (killed), finish (shutdown)");
    sup.check_reports("");
}

#[test]
fn rows_116_and_236_those_that_do_not_obey_are_killed_after_one_timeout() {
    let mut sup = many(1, 4, &permanent().shutdown(Shutdown::Timeout(ms(300))));
    sup.on_stop("d1", Stop::Hangs);
    sup.on_stop("d3", Stop::Hangs);
    sup.stop();
    sup.check("stop d3, stop d2, stop d1, stop d0, removed d2 (shutdown), removed d0 (shutdown)");
    sup.wait(ms(299));
    sup.check("");
    sup.wait(ms(1));
    sup.check("kill d1, kill d3, removed d1 (killed), removed d3 (killed), finish (shutdown)");
    sup.check_reports("forced kill d1, forced kill d3");
}

#[test]
fn row_117_other_ends_during_the_stop_are_reported() {
    let mut sup = many(1, 2, &permanent());
    sup.on_stop("d0", Stop::Ends(error("y")));
    sup.stop();
    sup.check("stop d1, stop d0, removed d1 (shutdown), removed d0 (error: y), finish (shutdown)");
    sup.check_reports("unexpected end d0 (error: y)");
}

#[test]
fn a_back_off_does_not_outlive_the_supervisor() {
    let mut sup = many(9, 2, &permanent().backoff(Backoff::storm_guard()));
    sup.on_stop("d0", Stop::Hangs);
    sup.crash("d1");
    sup.crash("d1");
    sup.stop();
    sup.check("start d1.2, removed d1 (shutdown), stop d0");
    sup.wait(ms(60_000));
    sup.check("kill d0, removed d0 (killed), finish (shutdown)");
}
