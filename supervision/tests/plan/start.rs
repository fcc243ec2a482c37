//! The start of a supervisor and of its children: conformance group A.

use crate::support::{Start, Stop, Sup, dynamic, error, ms, settings, unordered, worker};
use bastion_supervision::plan::{
    ChildSpec, ExitReason, Intensity, Order, Plan, RestartType, Settings, SettingsError, Strategy,
};

/// Starts a supervisor over children of these names, with one child's scripted start, and
/// compares what is done.
#[track_caller]
fn check(names: &str, scripted: &str, answer: Start, expected: &str) -> Sup {
    let mut sup = Sup::declared(settings(Strategy::OneForOne, 1), names.split(' ').map(worker));
    sup.on_start(scripted, &[answer]);
    sup.start();
    sup.check(expected);
    sup
}

#[test]
fn row_004_a_supervisor_without_children() {
    let mut sup = Sup::declared(Settings::default(), []);
    sup.start();
    sup.check("ready");
    sup.stop();
    sup.check("finish (shutdown)");
    assert_eq!(sup.plan.next_deadline(), None);
    sup.stop();
    sup.start();
    sup.wait(ms(10_000));
    sup.check("");
}

#[test]
fn row_008_an_added_child_that_ignores_its_start_is_kept() {
    let mut sup = Sup::running(Settings::default(), []);
    add(&mut sup, worker("a"), Start::Ignores);
    add(&mut sup, worker("b"), Start::Ready);
    sup.check("start a, stopped a, start b");
    sup.check_children("a.1 stopped, b.1 running");
    sup.check_counts([2, 1, 0, 2]);
}

#[test]
fn row_009_a_declared_child_that_ignores_its_start_is_kept() {
    let mut sup =
        check("a b c", "b", Start::Ignores, "start a, start b, stopped b, start c, ready");
    sup.check_children("a.1 running, b.1 stopped, c.1 running");
    sup.restart_child("b").unwrap();
    sup.check("start b.2");
}

#[test]
fn row_010_a_declared_temporary_child_that_ignores_its_start_leaves() {
    let specs = [worker("a").restart(RestartType::Temporary), worker("b")];
    let mut sup = Sup::declared(Settings::default(), specs);
    sup.on_start("a", &[Start::Ignores]);
    sup.start();
    sup.check("start a, removed a (normal), start b, ready");
    sup.check_counts([1, 1, 0, 1]);
}

/// Adds a child whose first start answers so.
fn add(sup: &mut Sup, spec: ChildSpec, answer: Start) {
    sup.next_start(answer);
    sup.add(spec).unwrap();
}

#[test]
fn row_011_an_added_temporary_child_that_ignores_its_start_leaves_and_frees_its_id() {
    let mut sup = Sup::running(Settings::default(), []);
    add(&mut sup, worker("a").restart(RestartType::Temporary), Start::Ignores);
    sup.check("start a, removed a (normal)");
    sup.add(worker("a")).unwrap();
    sup.check("start a");
}

#[test]
fn rows_012_and_013_a_dynamic_child_that_ignores_its_start_leaves() {
    for restart in [RestartType::Temporary, RestartType::Permanent] {
        let mut sup = Sup::running(unordered(1), []);
        add(&mut sup, dynamic(restart), Start::Ignores);
        sup.check("start d0, removed d0 (normal)");
        sup.check_counts([0, 0, 0, 0]);
        sup.stop();
        sup.check("finish (shutdown)");
    }
}

#[test]
fn row_014_a_restart_request_that_fails_leaves_the_child_at_rest() {
    let mut sup = Sup::workers(settings(Strategy::OneForOne, 0), "a");
    sup.stop_child("a").unwrap();
    sup.on_start("a", &[Start::Fails]);
    sup.restart_child("a").unwrap();
    sup.check("stop a, stopped a, start a.2, stopped a");
    sup.check_reports("start failed a (error: init)");
    sup.check_children("a.2 stopped");
    sup.restart_child("a").unwrap();
    sup.check("start a.3");
}

#[test]
fn row_015_an_added_child_that_fails_to_start_leaves() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        let mut sup = Sup::workers(settings(strategy, 0), "a");
        add(&mut sup, worker("b"), Start::Fails);
        sup.check("start b, removed b (error: init)");
        assert_eq!(sup.plan.find("b"), None);
        sup.check_children("a.1 running");
    }
}

#[test]
fn row_016_an_added_dynamic_child_that_fails_to_start_leaves() {
    let mut sup = Sup::running(unordered(0), []);
    add(&mut sup, dynamic(RestartType::Permanent), Start::Fails);
    sup.check("start d0, removed d0 (error: init)");
    sup.check_counts([0, 0, 0, 0]);
}

#[test]
fn row_017_a_failed_start_is_undone_in_reverse() {
    let mut sup = check(
        "a b c d",
        "c",
        Start::Fails,
        "start a, start b, start c, removed c (error: init), removed d (shutdown), \
         stop b, removed b (shutdown), stop a, removed a (shutdown), \
         start failed: c (error: init)",
    );
    sup.check_reports("start failed c (error: init)");
}

#[test]
fn row_017_a_failed_start_under_the_other_settings() {
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        let mut sup = Sup::declared(settings(strategy, 9), ["a", "b"].map(worker));
        sup.on_start("b", &[Start::Fails]);
        sup.start();
        sup.check(
            "start a, start b, removed b (error: init), stop a, removed a (shutdown), \
             start failed: b (error: init)",
        );
    }
    let mut sup = Sup::declared(unordered(9), ["a", "b", "c"].map(worker));
    sup.on_start("b", &[Start::Fails]);
    sup.start();
    sup.check(
        "start a, start b, start c, removed b (error: init), stop c, stop a, \
         removed c (shutdown), removed a (shutdown), start failed: b (error: init)",
    );
}

#[test]
fn row_018_each_start_waits_for_the_one_before() {
    let mut sup = check("a b", "a", Start::Hangs, "start a");
    sup.wait(ms(100));
    sup.check_children("a.1 starting, b.0 stopped");
    sup.check_counts([2, 0, 0, 2]);
    sup.ready("a");
    sup.check("start b, ready");
}

#[test]
fn row_018_an_unordered_supervisor_does_not_wait() {
    let mut sup = Sup::declared(unordered(1), ["a", "b"].map(worker));
    sup.on_start("a", &[Start::Hangs]);
    sup.start();
    sup.check("start a, start b");
    sup.ready("a");
    sup.check("ready");
}

#[test]
fn row_028_every_intensity_is_valid() {
    for max in [0, 1, u32::MAX] {
        let intensity = Some(Intensity::new(max, ms(1)));
        assert!(Plan::new(Settings::default().intensity(intensity)).is_ok());
    }
}

#[test]
fn row_029_settings_are_validated() {
    let zero = Settings::default().intensity(Some(Intensity::new(1, ms(0))));
    assert_eq!(Plan::new(zero).err(), Some(SettingsError::InvalidPeriod(ms(0))));
    let all = Settings::default().order(Order::Unordered).strategy(Strategy::OneForAll);
    let error = SettingsError::UnorderedStrategy(Strategy::OneForAll);
    assert_eq!(Plan::new(all).err(), Some(error));
}

#[test]
fn row_171_children_start_from_left_to_right() {
    check("a b c d", "a", Start::Ready, "start a, start b, start c, start d, ready");
}

#[test]
fn a_crash_during_the_start_is_not_a_failed_start() {
    // One-for-one: the child is restarted while the next is still starting.
    let mut sup = check("a b", "b", Start::Hangs, "start a, start b");
    sup.crash("a");
    sup.check("start a.2");
    sup.ready("b");
    sup.check("ready");
    // One-for-all: what was started starts again, and the start goes on.
    let mut sup = Sup::declared(settings(Strategy::OneForAll, 1), ["a", "b"].map(worker));
    sup.on_start("b", &[Start::Hangs]);
    sup.start();
    sup.crash("a");
    sup.check("start a, start b, stop b, start a.2, start b.2, ready");
}

#[test]
fn a_start_that_fails_for_the_second_time_is_still_the_first_start() {
    let mut sup = Sup::declared(settings(Strategy::OneForAll, 1), ["a", "b"].map(worker));
    sup.on_start("b", &[Start::Hangs, Start::Fails]);
    sup.start();
    sup.crash("a");
    sup.check(
        "start a, start b, stop b, start a.2, start b.2, removed b (error: init), stop a, \
         removed a (shutdown), start failed: b (error: init)",
    );
}

#[test]
fn a_child_that_ends_before_it_is_ready_failed_to_start() {
    for reason in [ExitReason::Normal, ExitReason::Shutdown, error("x")] {
        let mut sup = check("a b", "a", Start::Hangs, "start a");
        sup.exit("a", reason.clone());
        sup.check(&format!(
            "removed a ({reason}), removed b (shutdown), start failed: a ({reason})"
        ));
    }
}

#[test]
fn children_added_during_the_start_come_after_the_declared_ones() {
    let mut sup = check("a b", "a", Start::Hangs, "start a");
    sup.add(worker("c")).unwrap();
    sup.check("");
    sup.ready("a");
    sup.check("start b, start c, ready");
}

#[test]
fn a_child_adopted_before_the_start_is_not_started_again() {
    let mut sup = Sup::declared(Settings::default(), [worker("a")]);
    sup.adopt(worker("b")).unwrap();
    sup.start();
    sup.check("start a, ready");
    sup.crash("b");
    sup.check("start b.2");
}

#[test]
fn an_adopted_child_that_reports_a_failed_start_leaves() {
    let mut sup = Sup::workers(settings(Strategy::OneForOne, 0), "a");
    sup.adopt(worker("b")).unwrap();
    sup.fail("b");
    sup.check("removed b (error: late)");
    sup.adopt(worker("c")).unwrap();
    sup.ready("c");
    sup.check_children("a.1 running, c.1 running");
}

#[test]
fn a_stop_before_and_during_the_start() {
    let mut sup = Sup::declared(Settings::default(), ["a", "b"].map(worker));
    sup.stop();
    sup.check("removed b (shutdown), removed a (shutdown), finish (shutdown)");
    let mut sup = check("a b c", "b", Start::Hangs, "start a, start b");
    sup.stop();
    sup.check(
        "removed c (shutdown), stop b, removed b (shutdown), stop a, removed a (shutdown), \
         finish (shutdown)",
    );
}

#[test]
fn requests_before_the_start() {
    let mut sup = Sup::declared(Settings::default(), ["a", "b", "c"].map(worker));
    sup.stop_child("b").unwrap();
    sup.stop_child("c").unwrap();
    sup.delete_child("c").unwrap();
    sup.check("stopped b, stopped c, removed c (shutdown)");
    sup.start();
    sup.check("start a, ready");
    sup.restart_child("b").unwrap();
    sup.check("start b");
}

#[test]
fn under_one_for_one_children_added_at_run_time_do_not_wait_for_one_another() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        let mut sup = Sup::workers(settings(strategy, 1), "a");
        add(&mut sup, worker("b"), Start::Hangs);
        add(&mut sup, worker("c"), Start::Ready);
        if strategy == Strategy::OneForOne {
            sup.check("start b, start c");
        } else {
            sup.check("start b");
            sup.ready("b");
            sup.check("start c");
        }
    }
}

#[test]
fn an_adopted_child_whose_restart_fails_is_tried_again() {
    let mut sup = Sup::workers(settings(Strategy::OneForOne, 2), "a");
    sup.adopt(worker("b")).unwrap();
    sup.on_start("b", &[Start::Fails]);
    sup.crash("b");
    sup.check("start b.2, start b.3");
}

#[test]
fn an_incarnation_that_declines_after_it_was_ready_has_ended_normally() {
    let mut sup = Sup::workers(settings(Strategy::OneForOne, 1), "a");
    sup.ignore("a");
    sup.check("start a.2");
    sup.check_reports("restarting a.1 (normal) in 0");
}

#[test]
fn a_stop_of_the_last_child_that_is_awaited_completes_the_start() {
    let mut sup = check("a b", "a", Start::Hangs, "start a");
    sup.stop_child("b").unwrap();
    sup.check("stopped b");
    sup.stop_child("a").unwrap();
    sup.check("stop a, stopped a, ready");
    let mut sup = Sup::declared(settings(Strategy::OneForAll, 1), ["a", "b"].map(worker));
    sup.on_start("b", &[Start::Hangs]);
    sup.start();
    sup.on_stop("b", Stop::Hangs);
    sup.crash("a");
    sup.check("start a, start b, stop b");
    sup.on_start("a", &[Start::Hangs]);
    sup.exit("b", ExitReason::Shutdown);
    sup.check("start a.2");
    sup.stop_child("b").unwrap();
    sup.check("stopped b, ready");
}
