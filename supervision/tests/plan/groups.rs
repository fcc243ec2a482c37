//! Who is restarted with whom, in which order: conformance groups E, F and G, rows 61, 140, 174.

use crate::support::{Start, Stop, Sup, ms, settings, worker};
use bastion_supervision::plan::{Backoff, ExitReason, RestartPolicy, RestartType, Strategy};

use Strategy::{OneForAll, OneForOne, RestForOne};

/// Crashes a child of a supervisor over permanent workers, and compares what is done.
#[track_caller]
fn check(strategy: Strategy, names: &str, crash: &str, expected: &str) -> Sup {
    let mut sup = Sup::workers(settings(strategy, 9), names);
    sup.crash(crash);
    sup.check(expected);
    sup
}

#[test]
fn row_061_a_temporary_bystander_is_stopped_and_removed() {
    for strategy in [OneForAll, RestForOne] {
        let specs = [worker("p"), worker("t").restart(RestartType::Temporary)];
        let mut sup = Sup::running(settings(strategy, 1), specs);
        sup.crash("p");
        sup.check("stop t, removed t (shutdown), start p.2");
        sup.check_children("p.2 running");
    }
}

#[test]
fn a_bystander_that_is_never_restarted_is_removed_too() {
    let never = worker("n").policy(RestartPolicy::Never);
    let mut sup = Sup::running(settings(OneForAll, 1), [worker("p"), never]);
    sup.crash("p");
    sup.check("stop n, removed n (shutdown), start p.2");
}

#[test]
fn row_076_one_for_one_restarts_only_the_child() {
    let sup = check(OneForOne, "a b", "a", "start a.2");
    sup.check_children("a.2 running, b.1 running");
}

#[test]
fn row_077_one_for_one_escalates() {
    let mut sup = Sup::workers(settings(OneForOne, 4), "a b");
    sup.on_start("a", &[Start::Fails; 9]);
    sup.crash("a");
    sup.check(
        "start a.2, start a.3, start a.4, start a.5, removed a (error: init), \
         stop b, removed b (shutdown), gave up: a after 5",
    );
}

#[test]
fn row_078_a_crash_during_the_start_of_another_child() {
    for strategy in [OneForOne, RestForOne, OneForAll] {
        let mut sup = Sup::workers(settings(strategy, 4), "a");
        let answers = [Start::Hangs, Start::Ready];
        sup.add(worker("b").restart(RestartType::Transient)).unwrap();
        sup.exit("b", ExitReason::Normal);
        sup.on_start("b", &answers);
        sup.restart_child("b").unwrap();
        sup.check("start b, stopped b, start b.2");
        sup.crash("a");
        sup.ready("b");
        if strategy == OneForOne {
            sup.check("start a.2");
            sup.check_children("a.2 running, b.2 running");
        } else {
            sup.check("stop b, start a.2, start b.3");
            sup.check_children("a.2 running, b.3 running");
        }
    }
}

#[test]
fn row_079_one_for_all_restarts_all() {
    let sup = check(OneForAll, "a b", "a", "stop b, start a.2, start b.2");
    sup.check_children("a.2 running, b.2 running");
}

#[test]
fn row_080_one_for_all_stops_the_living_in_reverse_and_starts_in_order() {
    let expected = "stop c, stop a, start a.2, start b.2, start c.2";
    let sup = check(OneForAll, "a b c", "b", expected);
    sup.check_counts([3, 3, 0, 3]);
}

#[test]
fn row_081_one_for_all_gives_up() {
    let mut sup = Sup::workers(settings(OneForAll, 2), "a b");
    sup.crash("a");
    sup.crash("b");
    sup.check("stop b, start a.2, start b.2, stop a, start a.3, start b.3");
    sup.crash("a");
    sup.check("removed a (error: x), stop b, removed b (shutdown), gave up: a after 3");
}

#[test]
fn row_082_one_for_all_escalates_when_the_restart_always_fails() {
    let mut sup = Sup::workers(settings(OneForAll, 2), "a b");
    sup.on_start("a", &[Start::Fails; 9]);
    sup.crash("a");
    sup.check(
        "stop b, start a.2, start a.3, removed a (error: init), removed b (shutdown), \
         gave up: a after 3",
    );
}

#[test]
fn row_083_another_child_fails_during_the_group_restart() {
    let mut sup = Sup::workers(settings(OneForAll, 9), "a b");
    sup.on_start("b", &[Start::Fails]);
    sup.crash("a");
    sup.check("stop b, start a.2, start b.2, stop a, start a.3, start b.3");
    sup.check_children("a.3 running, b.3 running");
}

#[test]
fn row_084_a_terminated_sibling_is_started_again_with_the_group() {
    for strategy in [OneForAll, RestForOne] {
        for restart in [RestartType::Permanent, RestartType::Transient] {
            let specs = [worker("a"), worker("b").restart(restart)];
            let mut sup = Sup::running(settings(strategy, 9), specs);
            sup.stop_child("b").unwrap();
            sup.check("stop b, stopped b");
            sup.crash("a");
            sup.check("start a.2, start b.2");
        }
    }
}

#[test]
fn row_085_a_transient_child_that_did_its_work_is_started_again_with_the_group() {
    let specs = [worker("a"), worker("b").restart(RestartType::Transient)];
    let mut sup = Sup::running(settings(OneForAll, 9), specs);
    sup.exit("b", ExitReason::Normal);
    sup.crash("a");
    sup.check("stopped b, start a.2, start b.2");
}

#[test]
fn row_086_rest_for_one_leaves_elder_siblings_alone() {
    let sup = check(RestForOne, "a b c", "b", "stop c, start b.2, start c.2");
    sup.check_children("a.1 running, b.2 running, c.2 running");
    sup.check_counts([3, 3, 0, 3]);
}

#[test]
fn row_087_rest_for_one_of_the_first_is_all() {
    check(RestForOne, "a b c", "a", "stop c, stop b, start a.2, start b.2, start c.2");
}

#[test]
fn row_088_rest_for_one_of_the_last_is_one() {
    check(RestForOne, "a b c", "c", "start c.2");
}

#[test]
fn row_089_rest_for_one_order() {
    check(RestForOne, "a b c d e", "c", "stop e, stop d, start c.2, start d.2, start e.2");
}

#[test]
fn row_090_rest_for_one_gives_up() {
    let mut sup = Sup::workers(settings(RestForOne, 0), "a b c");
    sup.crash("b");
    sup.check(
        "removed b (error: x), stop c, removed c (shutdown), stop a, removed a (shutdown), \
         gave up: b after 1",
    );
}

#[test]
fn row_091_rest_for_one_escalates() {
    let mut sup = Sup::workers(settings(RestForOne, 2), "a b c");
    sup.on_start("b", &[Start::Fails; 9]);
    sup.crash("b");
    sup.check(
        "stop c, start b.2, start b.3, removed b (error: init), removed c (shutdown), \
         stop a, removed a (shutdown), gave up: b after 3",
    );
}

#[test]
fn row_092_rest_for_one_retries_only_from_the_child_that_failed_to_start() {
    let mut sup = Sup::workers(settings(RestForOne, 9), "a b c");
    sup.on_start("c", &[Start::Fails]);
    sup.crash("a");
    sup.check("stop c, stop b, start a.2, start b.2, start c.2, start c.3");
    sup.check_children("a.2 running, b.2 running, c.3 running");
}

#[test]
fn row_093_later_siblings_wait_for_a_restart_that_hangs() {
    let mut sup = Sup::workers(settings(RestForOne, 9), "a b c");
    sup.on_start("b", &[Start::Fails, Start::Hangs]);
    sup.crash("b");
    sup.check("stop c, start b.2, start b.3");
    sup.check_children("a.1 running, b.3 starting, c.1 stopped");
    sup.check_counts([3, 1, 0, 3]);
    sup.ready("b");
    sup.check("start c.2");
}

#[test]
fn row_140_a_child_added_at_run_time_takes_part() {
    let mut sup = Sup::workers(settings(OneForAll, 9), "a");
    sup.add(worker("b")).unwrap();
    sup.crash("a");
    sup.check("start b, stop b, start a.2, start b.2");
    let mut sup = Sup::workers(settings(RestForOne, 9), "a b");
    sup.add(worker("c")).unwrap();
    sup.crash("b");
    sup.check("start c, stop c, start b.2, start c.2");
}

#[test]
fn row_164_a_child_stopped_with_its_sibling_does_not_count_and_is_not_reported() {
    let mut sup = Sup::workers(settings(OneForAll, 1), "a b c");
    sup.crash("c");
    sup.check_reports("restarting c.1 (error: x) in 0");
}

#[test]
fn row_174_a_restart_keeps_the_place() {
    let mut sup = check(RestForOne, "a b c", "c", "start c.2");
    sup.crash("b");
    sup.check("stop c, start b.2, start c.3");
    sup.crash("a");
    sup.check("stop c, stop b, start a.2, start b.3, start c.4");
}

#[test]
fn a_group_that_waits_is_started_as_one_under_another_strategy_too() {
    let slow = Backoff::linear(ms(100), ms(100));
    let specs = [worker("a").backoff(slow), worker("b")];
    let mut sup = Sup::running(settings(Strategy::OneForAll, 9), specs);
    sup.on_stop("b", Stop::Hangs);
    sup.crash("a");
    sup.plan.change_settings(settings(Strategy::OneForOne, 9)).unwrap();
    sup.wait(ms(100));
    sup.check("stop b");
    sup.exit("b", ExitReason::Shutdown);
    sup.check("start a.2, start b.2");
}

#[test]
fn an_adopted_child_that_was_restarted_with_others_is_not_given_up_for_a_failed_start() {
    let mut sup = Sup::workers(settings(Strategy::OneForAll, 9), "a");
    sup.adopt(worker("b")).unwrap();
    sup.on_start("b", &[Start::Fails]);
    sup.crash("a");
    sup.check("stop b, start a.2, start b.2, stop a, start a.3, start b.3");
}
