//! What happens while a group restart is under way: each stop and start takes time, and children
//! crash, are added and are stopped in between.

use crate::support::{Start, Stop, Sup, error, ms, settings, worker};
use bastion_supervision::plan::{Backoff, ChildError, ExitReason, RestartType, Strategy};

use Strategy::{OneForAll, RestForOne};

/// Returns a supervisor whose children neither stop nor become ready before the test says so.
fn slow(strategy: Strategy, names: &str) -> Sup {
    let mut sup = Sup::workers(settings(strategy, 9), names);
    for name in names.split(' ') {
        sup.on_stop(name, Stop::Hangs);
        sup.on_start(name, &[Start::Hangs; 9]);
    }
    sup
}

/// The child obeys at last.
fn obey(sup: &mut Sup, name: &str) {
    sup.exit(name, ExitReason::Shutdown);
}

#[test]
fn each_stop_and_each_start_is_waited_for() {
    let mut sup = slow(OneForAll, "a b c");
    sup.crash("b");
    sup.check("stop c");
    obey(&mut sup, "c");
    sup.check("stop a");
    obey(&mut sup, "a");
    sup.check("start a.2");
    sup.ready("a");
    sup.check("start b.2");
    sup.ready("b");
    sup.check("start c.2");
    sup.check_children("a.2 running, b.2 running, c.2 starting");
}

#[test]
fn a_sibling_that_crashes_before_it_is_asked_is_part_of_the_restart() {
    let mut sup = slow(OneForAll, "a b c");
    sup.crash("b");
    sup.check("stop c");
    sup.crash("a");
    sup.check("");
    obey(&mut sup, "c");
    sup.check("start a.2");
    sup.check_reports("restarting b.1 (error: x) in 0, unexpected end a (error: x)");
}

#[test]
fn an_elder_siblings_crash_widens_the_restart() {
    let mut sup = slow(RestForOne, "a b c d");
    sup.crash("c");
    sup.check("stop d");
    sup.crash("a");
    sup.check("");
    obey(&mut sup, "d");
    sup.check("stop b");
    obey(&mut sup, "b");
    sup.check("start a.2");
    sup.ready("a");
    sup.ready("b");
    sup.check("start b.2, start c.2");
}

#[test]
fn a_crash_while_later_siblings_start() {
    let mut sup = slow(RestForOne, "a b c");
    sup.crash("a");
    obey(&mut sup, "c");
    obey(&mut sup, "b");
    sup.ready("a");
    sup.ready("b");
    sup.check("stop c, stop b, start a.2, start b.2, start c.2");
    sup.crash("b");
    sup.check("stop c");
    sup.ready("c");
    sup.check("");
    obey(&mut sup, "c");
    sup.check("start b.3");
    sup.check_children("a.2 running, b.3 starting, c.2 stopped");
}

#[test]
fn a_child_that_dies_while_it_starts_failed_to_start() {
    let mut sup = slow(OneForAll, "a b");
    sup.crash("a");
    obey(&mut sup, "b");
    sup.ready("a");
    sup.check("stop b, start a.2, start b.2");
    sup.exit("b", ExitReason::Normal);
    sup.check("stop a");
    sup.check_reports(
        "restarting a.1 (error: x) in 0, start failed b (normal), restarting b.2 (normal) in 0",
    );
}

#[test]
fn a_back_off_keeps_the_whole_group_down() {
    let backoff = Backoff::linear(ms(100), ms(1000)).healthy_after(ms(5000));
    let mut sup = Sup::running(settings(OneForAll, 9), [worker("a"), worker("b").backoff(backoff)]);
    sup.crash("b");
    sup.check("stop a");
    sup.check_children("a.1 stopped, b.1 backoff");
    assert_eq!(sup.due_ms(), Some(100));
    assert_eq!(sup.restart_child("a"), Err(ChildError::Restarting));
    assert_eq!(sup.delete_child("a"), Err(ChildError::Restarting));
    sup.wait(ms(99));
    sup.check("");
    sup.wait(ms(1));
    sup.check("start a.2, start b.2");
}

#[test]
fn the_longest_of_several_back_offs_counts() {
    let step = |ms_| Backoff::linear(ms(ms_), ms(1000)).healthy_after(ms(5000));
    let specs = [worker("a").backoff(step(50)), worker("b").backoff(step(200)), worker("c")];
    let mut sup = Sup::running(settings(RestForOne, 9), specs);
    sup.crash("b");
    sup.check("stop c");
    sup.crash("a");
    sup.wait(ms(199));
    sup.check("");
    sup.wait(ms(1));
    sup.check("start a.2, start b.2, start c.2");
}

#[test]
fn the_back_off_runs_while_the_group_stops() {
    let backoff = Backoff::linear(ms(100), ms(100)).healthy_after(ms(5000));
    let mut sup = Sup::running(settings(OneForAll, 9), [worker("a"), worker("b").backoff(backoff)]);
    sup.on_stop("a", Stop::Hangs);
    sup.crash("b");
    sup.wait(ms(150));
    sup.check("stop a");
    obey(&mut sup, "a");
    sup.check("start a.2, start b.2");
}

#[test]
fn a_stop_during_the_group_restart_holds_and_the_others_go_on() {
    // While it is stopped for the group.
    let mut sup = slow(OneForAll, "a b c");
    sup.crash("a");
    sup.check("stop c");
    sup.stop_child("c").unwrap();
    obey(&mut sup, "c");
    sup.check("stopped c, stop b");
    // When it is down already.
    obey(&mut sup, "b");
    sup.check("start a.2");
    sup.stop_child("b").unwrap();
    sup.check("stopped b");
    sup.ready("a");
    sup.check("");
    sup.check_children("a.2 running, b.1 stopped, c.1 stopped");
    // The next failure starts them again (row 84).
    sup.crash("a");
    sup.ready("a");
    sup.ready("b");
    sup.check("start a.3, start b.2, start c.2");
}

#[test]
fn a_stop_of_the_child_in_back_off_drops_the_retry_but_not_the_siblings() {
    let backoff = Backoff::linear(ms(9999), ms(9999)).healthy_after(ms(1));
    let mut sup = Sup::running(settings(OneForAll, 9), [worker("a"), worker("b").backoff(backoff)]);
    sup.crash("b");
    sup.check("stop a");
    sup.stop_child("b").unwrap();
    sup.check("stopped b, start a.2");
    sup.wait(ms(20_000));
    sup.check("");
    sup.restart_child("b").unwrap();
    sup.check("start b.2");
}

#[test]
fn a_stop_requested_before_the_sibling_failed_does_not_hold() {
    let mut sup = slow(OneForAll, "a b");
    sup.stop_child("b").unwrap();
    sup.crash("a");
    sup.check("stop b");
    obey(&mut sup, "b");
    sup.check("stopped b, start a.2");
    sup.ready("a");
    sup.check("start b.2");
}

#[test]
fn a_held_child_is_let_go_by_a_restart_request() {
    let mut sup = slow(OneForAll, "a b c");
    sup.crash("a");
    obey(&mut sup, "c");
    obey(&mut sup, "b");
    sup.check("stop c, stop b, start a.2");
    sup.stop_child("b").unwrap();
    sup.restart_child("b").unwrap();
    assert_eq!(sup.restart_child("b"), Err(ChildError::Restarting));
    sup.ready("a");
    sup.check("stopped b, start b.2");
    // It was asked for: when it fails it rests, and the group goes on.
    sup.fail("b");
    sup.check("stopped b, start c.2");
}

#[test]
fn children_added_during_a_restart_are_started_in_their_turn() {
    let mut sup = slow(OneForAll, "a b");
    sup.crash("a");
    sup.add(worker("c")).unwrap();
    sup.check("stop b");
    sup.check_children("a.1 stopped, b.1 stopping, c.0 stopped");
    obey(&mut sup, "b");
    sup.ready("a");
    sup.check("start a.2, start b.2");
    sup.ready("b");
    sup.check("start c");
}

#[test]
fn an_added_child_that_fails_in_its_turn_leaves_and_the_group_is_not_restarted() {
    let mut sup = slow(RestForOne, "a");
    sup.crash("a");
    sup.add(worker("b")).unwrap();
    sup.on_start("b", &[Start::Fails]);
    sup.add(worker("c")).unwrap();
    sup.ready("a");
    sup.check("start a.2, start b, removed b (error: init), start c");
    sup.check_children("a.2 running, c.1 running");
}

#[test]
fn a_child_adopted_during_a_restart_is_left_alone() {
    for strategy in [OneForAll, RestForOne] {
        let mut sup = slow(strategy, "a b");
        sup.crash("a");
        sup.adopt(worker("new").restart(RestartType::Temporary)).unwrap();
        obey(&mut sup, "b");
        sup.ready("a");
        sup.ready("b");
        sup.check("stop b, start a.2, start b.2");
        sup.check_children("a.2 running, b.2 running, new.1 running");
    }
}

#[test]
fn an_adopted_childs_crash_during_a_restart() {
    // Rest-for-one: the child that is just starting is its elder, and is not concerned.
    let mut sup = slow(RestForOne, "a");
    sup.crash("a");
    sup.adopt(worker("b")).unwrap();
    sup.crash("b");
    sup.check("start a.2");
    sup.ready("a");
    sup.check("start b.2");
    // One-for-all: it is.
    let mut sup = slow(OneForAll, "a");
    sup.crash("a");
    sup.adopt(worker("b")).unwrap();
    sup.crash("b");
    sup.check("start a.2, stop a");
}

#[test]
fn a_group_member_that_does_not_stop_is_killed_and_one_that_never_yields_abandoned() {
    let mut sup = Sup::workers(settings(OneForAll, 9), "a b");
    sup.never_yields("b");
    sup.crash("a");
    sup.wait(ms(5000));
    sup.check("stop b, kill b");
    sup.wait(ms(1000));
    sup.check("abandoned b, start a.2, start b.2");
    // What the abandoned incarnation does later is of no importance.
    let (pid, mut out) = (sup.pid("b"), Vec::new());
    let now = bastion_supervision::plan::Time::from_duration(ms(6000));
    sup.plan.exited(pid, 1, error("late"), now, &mut out);
    assert!(out.is_empty(), "{out:?}");
}

#[test]
fn giving_up_in_the_middle_of_a_restart() {
    let mut sup = Sup::workers(settings(RestForOne, 1), "a b c");
    sup.on_stop("c", Stop::Hangs);
    sup.crash("b");
    sup.check("stop c");
    sup.crash("a");
    sup.check("removed a (error: x)");
    obey(&mut sup, "c");
    sup.check("removed c (shutdown), removed b (shutdown), gave up: a after 2");
}

#[test]
fn a_child_that_rested_once_is_a_member_like_all_others_afterwards() {
    let mut sup = Sup::workers(settings(OneForAll, 9), "a b");
    sup.stop_child("b").unwrap();
    sup.restart_child("b").unwrap();
    sup.check("stop b, stopped b, start b.2");
    sup.crash("a");
    sup.check("stop b, start a.2, start b.3");
}

#[test]
fn a_child_that_declines_while_it_is_stopped_for_the_group_is_started_again() {
    let mut sup = slow(OneForAll, "a b");
    sup.crash("a");
    obey(&mut sup, "b");
    sup.ready("a");
    sup.check("stop b, start a.2, start b.2");
    sup.crash("a");
    sup.ignore("b");
    sup.ready("a");
    sup.check("stop b, start a.3, start b.3");
}
