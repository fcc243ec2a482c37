//! Children that depend on siblings: who starts when, who goes down with whom.

use crate::support::{Start, Stop, Sup, dynamic, ms, settings, unordered, worker};
use bastion_supervision::plan::{
    AddError, Backoff, ChildError, ChildSpec, ExitReason, RestartType, Settings, Strategy,
};

/// `b` and `c` need `a`, `d` needs `b`; `e` needs nobody.
fn tied() -> Vec<ChildSpec> {
    vec![
        worker("a"),
        worker("b").depends_on("a"),
        worker("c").depends_on("a"),
        worker("d").depends_on("b"),
        worker("e"),
    ]
}

fn sup() -> Sup {
    Sup::running(Settings::default().intensity(None), tied())
}

#[test]
fn those_that_depend_on_the_failed_one_are_restarted_after_it_and_nobody_else() {
    let mut sup = sup();
    sup.crash("a");
    sup.check("stop d, stop c, stop b, start a.2, start b.2, start c.2, start d.2");
    sup.check_reports("restarting a.1 (error: x) in 0");
    sup.crash("b");
    sup.check("stop d, start b.3, start d.3");
    sup.crash("c");
    sup.check("start c.3");
    sup.crash("e");
    sup.check("start e.2");
}

#[test]
fn each_waits_for_those_that_it_depends_on_and_for_nobody_else() {
    let mut sup = sup();
    sup.on_start("a", &[Start::Hangs]);
    sup.on_start("b", &[Start::Hangs]);
    sup.on_stop("d", Stop::Hangs);
    sup.crash("a");
    sup.check("stop d, stop c");
    sup.crash("e");
    sup.check("start e.2");
    sup.exit("d", ExitReason::Shutdown);
    sup.check("stop b, start a.2");
    sup.check_children("a.2 starting, b.1 backoff, c.1 backoff, d.1 backoff, e.2 running");
    assert_eq!(sup.restart_child("d"), Err(ChildError::Restarting));
    sup.ready("a");
    sup.check("start b.2, start c.2");
    sup.ready("b");
    sup.check("start d.2");
}

#[test]
fn a_back_off_is_waited_for_by_those_that_depend_on_it() {
    let mut specs = tied();
    specs[0].backoff = Backoff::linear(ms(100), ms(100));
    let mut sup = Sup::running(Settings::default().intensity(None), specs);
    sup.crash("a");
    sup.check("stop d, stop c, stop b");
    sup.wait(ms(99));
    sup.check("");
    sup.wait(ms(1));
    sup.check("start a.2, start b.2, start c.2, start d.2");
}

#[test]
fn one_that_fails_while_its_dependency_is_away_waits_for_it() {
    let mut sup = sup();
    sup.on_start("a", &[Start::Hangs]);
    sup.crash("a");
    sup.take_log();
    sup.fail("a");
    sup.check("start a.3, start b.2, start c.2, start d.2");
    sup.on_start("a", &[Start::Hangs]);
    sup.on_stop("b", Stop::Hangs);
    sup.crash("a");
    sup.check("stop d, stop c, stop b");
    // It was going down anyway: how it ends does not matter.
    sup.crash("b");
    sup.check("start a.4");
    sup.ready("a");
    sup.check("start b.3, start c.3, start d.3");
}

#[test]
fn a_dependency_that_does_not_come_back_holds_nobody_up() {
    let mut sup = sup();
    sup.on_start("a", &[Start::Hangs]);
    sup.crash("a");
    sup.take_log();
    sup.stop_child("a").unwrap();
    sup.check("stop a, stopped a, start b.2, start c.2, start d.2");
    sup.restart_child("a").unwrap();
    sup.check("start a.3");
}

#[test]
fn a_stop_of_one_that_waits_takes_it_out_of_the_row() {
    let mut sup = sup();
    sup.on_start("a", &[Start::Hangs]);
    sup.crash("a");
    sup.take_log();
    sup.stop_child("b").unwrap();
    sup.check("stopped b, start d.2");
    sup.ready("a");
    sup.check("start c.2");
    sup.restart_child("b").unwrap();
    sup.check("start b.2");
}

#[test]
fn temporary_dependants_do_not_come_back() {
    let specs = [worker("a"), worker("b").depends_on("a").restart(RestartType::Temporary)];
    let mut sup = Sup::running(settings(Strategy::OneForOne, 1), specs);
    sup.crash("a");
    sup.check("stop b, removed b (shutdown), start a.2");
}

#[test]
fn a_stop_of_all_ends_what_was_under_way() {
    let mut sup = sup();
    sup.on_start("a", &[Start::Hangs]);
    sup.crash("a");
    sup.take_log();
    sup.stop();
    sup.check(
        "stop e, removed e (shutdown), removed d (shutdown), removed c (shutdown), \
         removed b (shutdown), stop a, removed a (shutdown), finish (shutdown)",
    );
}

#[test]
fn a_child_that_is_added_waits_for_its_dependency() {
    let mut sup = sup();
    sup.on_start("a", &[Start::Hangs]);
    sup.crash("a");
    sup.take_log();
    sup.add(worker("f").depends_on("a")).unwrap();
    sup.check("");
    sup.ready("a");
    sup.check("start b.2, start c.2, start f, start d.2");
}

#[test]
fn during_the_first_start_a_failure_takes_down_what_had_been_started() {
    let mut sup = Sup::declared(Settings::default().intensity(None), tied());
    sup.on_start("d", &[Start::Hangs]);
    sup.start();
    sup.check("start a, start b, start c, start d");
    sup.crash("a");
    sup.check("stop d, stop c, start e, stop b, start a.2, start b.2, start c.2, start d.2, ready");
}

#[test]
fn dependencies_are_checked() {
    let mut sup = sup();
    let error = AddError::UnknownDependency("x".into());
    assert_eq!(sup.add(worker("f").depends_on("a").depends_on("x")), Err(error.clone()));
    assert_eq!(error.to_string(), "there is no sibling \"x\" to depend on");
    let mut sup = Sup::running(unordered(1), [worker("a")]);
    let spec = dynamic(RestartType::Permanent).depends_on("a");
    assert_eq!(sup.add(spec), Err(AddError::DependencyWithoutOrder));
}

#[test]
fn one_that_ends_by_itself_while_it_is_to_go_down_has_not_failed() {
    let mut sup = sup();
    sup.on_stop("d", Stop::Hangs);
    sup.crash("a");
    sup.check("stop d, stop c");
    // `b` itself waits for `d`, which needs it.
    sup.crash("b");
    sup.check("start a.2, start c.2");
    sup.exit("d", ExitReason::Shutdown);
    sup.check("start b.2, start d.2");
    sup.check_reports("restarting a.1 (error: x) in 0, unexpected end b (error: x)");
}

#[test]
fn one_that_is_being_stopped_on_request_is_waited_for_too() {
    let mut sup = sup();
    sup.on_stop("c", Stop::Hangs);
    sup.stop_child("c").unwrap();
    sup.crash("a");
    sup.check("stop c, stop d, stop b");
    sup.exit("c", ExitReason::Shutdown);
    sup.check("stopped c, start a.2, start b.2, start d.2");
}

#[test]
fn one_that_was_spawned_waits_for_a_dependency_that_is_not_yet_started() {
    let mut sup = Sup::declared(settings(Strategy::OneForOne, 9), [worker("a"), worker("b")]);
    sup.on_start("a", &[Start::Hangs]);
    sup.start();
    sup.adopt(worker("c").depends_on("b")).unwrap();
    sup.crash("c");
    sup.check("start a");
    sup.ready("a");
    sup.check("start b, start c.2, ready");
}

#[test]
fn what_follows_goes_on_under_another_strategy() {
    let mut specs = tied();
    specs[0].backoff = Backoff::linear(ms(100), ms(100));
    let mut sup = Sup::running(Settings::default().intensity(None), specs);
    sup.crash("a");
    sup.check("stop d, stop c, stop b");
    sup.plan.change_settings(settings(Strategy::OneForAll, 9)).unwrap();
    sup.wait(ms(100));
    sup.check("start a.2, start b.2, start c.2, start d.2");
    let mut sup = Sup::running(settings(Strategy::OneForOne, 9), tied());
    sup.on_stop("b", Stop::Hangs);
    sup.recycle_child("a", ms(0)).unwrap();
    sup.check("stop d, stop c, stop b");
    sup.plan.change_settings(settings(Strategy::OneForAll, 9)).unwrap();
    sup.exit("b", ExitReason::Shutdown);
    sup.check("stop a, start a.2, start b.2, start c.2, start d.2");
}

#[test]
fn nobody_comes_to_depend_on_itself() {
    let mut sup = sup();
    sup.stop_child("a").unwrap();
    sup.delete_child("a").unwrap();
    for other in ["b", "d"] {
        let spec = worker("a").depends_on("e").depends_on(other);
        assert_eq!(sup.add(spec), Err(AddError::DependencyCycle), "{other}");
    }
    assert_eq!(sup.add(worker("a").depends_on("e")), Ok(()));
}

#[test]
fn one_that_needs_another_and_joins_while_that_goes_down_goes_with_it() {
    let mut sup = sup();
    sup.on_stop("d", Stop::Hangs);
    sup.recycle_child("a", ms(0)).unwrap();
    sup.check("stop d, stop c");
    sup.adopt(worker("f").depends_on("a")).unwrap();
    sup.adopt(worker("g").depends_on("e")).unwrap();
    sup.check("stop f");
    sup.exit("d", ExitReason::Shutdown);
    sup.check("stop b, stop a, start a.2, start b.2, start c.2, start f.2, start d.2");
}

#[test]
fn children_that_were_spawned_follow_each_other_before_the_start() {
    let mut sup = Sup::declared(settings(Strategy::OneForOne, 9), []);
    sup.adopt(worker("a")).unwrap();
    sup.adopt(worker("b").depends_on("a")).unwrap();
    sup.crash("a");
    sup.check("stop b, start a.2, start b.2");
    sup.start();
    sup.check("ready");
}

#[test]
fn what_is_recycled_before_the_start_of_a_group_is_restarted_in_its_turn() {
    let rules = settings(Strategy::OneForAll, 9);
    let mut sup = Sup::declared(rules.clone(), [worker("a"), worker("b")]);
    sup.adopt(worker("c").depends_on("a")).unwrap();
    sup.adopt(worker("d")).unwrap();
    sup.recycle_child("c", ms(0)).unwrap();
    sup.check("stop c");
    sup.on_start("a", &[Start::Hangs]);
    sup.start();
    sup.check("start a");
    sup.on_start("b", &[Start::Hangs]);
    sup.ready("a");
    sup.check("start b");
    sup.ready("b");
    sup.check("start c.2, ready");

    // One that has not ended when the others start takes its group with it.
    let mut sup = Sup::declared(rules, [worker("a")]);
    sup.adopt(worker("c")).unwrap();
    sup.adopt(worker("d")).unwrap();
    sup.on_stop("c", Stop::Hangs);
    sup.recycle_child("c", ms(0)).unwrap();
    sup.start();
    sup.check("stop c, stop d");
    sup.exit("c", ExitReason::Shutdown);
    sup.check("start a, start c.2, ready, start d.2");
}

#[test]
fn in_a_group_the_order_of_the_children_says_all() {
    let specs = [worker("a"), worker("b").depends_on("a"), worker("c")];
    let mut sup = Sup::running(settings(Strategy::RestForOne, 9), specs);
    sup.stop_child("a").unwrap();
    sup.on_start("a", &[Start::Hangs]);
    sup.restart_child("a").unwrap();
    sup.take_log();
    sup.crash("b");
    sup.check("stop c, start b.2, start c.2");
}

#[test]
fn a_first_start_does_not_wait_for_those_that_need_it() {
    let mut sup = Sup::declared(settings(Strategy::OneForOne, 9), [worker("a"), worker("b")]);
    sup.adopt(worker("c").depends_on("a").depends_on("b")).unwrap();
    sup.on_stop("c", Stop::Hangs);
    sup.recycle_child("c", ms(0)).unwrap();
    sup.on_start("a", &[Start::Hangs]);
    sup.start();
    sup.check("stop c, start a");
    sup.exit("c", ExitReason::Shutdown);
    sup.check("");
    sup.ready("a");
    sup.check("start b, start c.2, ready");
}
