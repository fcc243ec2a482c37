//! Budgets of single children, and quarantine instead of giving up.

use crate::support::{Start, Sup, ms, settings, worker};
use bastion_supervision::plan::{Intensity, Quarantine, RestartPolicy, Settings, Strategy};

const RULE: Quarantine = Quarantine::new(ms(1000), ms(500));

#[test]
fn a_childs_own_window_rolls_and_its_end_harms_no_sibling() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        let budget = RestartPolicy::Within(Intensity::new(2, ms(1000)));
        let specs = [worker("a").policy(budget), worker("b")];
        let mut sup = Sup::running(settings(strategy, 99), specs);
        for _ in 0..3 {
            sup.crash("a");
            sup.crash("a");
            sup.wait(ms(1001));
        }
        sup.crash("a");
        sup.crash("a");
        assert_eq!((sup.incarnation("a"), sup.plan.children().count()), (9, 2));
        sup.take_log();
        sup.crash("a");
        sup.check("removed a (error: x)");
    }
}

#[test]
fn restarts_of_a_sibling_do_not_count_for_it() {
    let budget = RestartPolicy::Within(Intensity::new(0, ms(1000)));
    let specs = [worker("a"), worker("b").policy(budget)];
    let mut sup = Sup::running(settings(Strategy::OneForAll, 99), specs);
    sup.crash("a");
    sup.crash("a");
    sup.check_children("a.3 running, b.3 running");
}

#[test]
fn instead_of_giving_up_it_rests_is_tried_and_rests_again() {
    let specs = [worker("a").quarantine(RULE), worker("b")];
    let mut sup = Sup::running(settings(Strategy::OneForOne, 1), specs);
    sup.crash("a");
    sup.check("start a.2");
    sup.crash("a");
    sup.check("");
    sup.check_children("a.2 quarantined, b.1 running");
    sup.wait(ms(999));
    sup.check("");
    sup.wait(ms(1));
    sup.check("start a.3");
    sup.wait(ms(499));
    sup.crash("a");
    sup.check("");
    sup.wait(ms(1000));
    sup.check("start a.4");
    sup.check_reports(
        "restarting a.1 (error: x) in 0, quarantined a (error: x) for 1000, \
         quarantined a (error: x) for 1000",
    );
}

#[test]
fn a_good_trial_closes_the_matter() {
    let mut sup = Sup::running(settings(Strategy::OneForOne, 1), [worker("a").quarantine(RULE)]);
    sup.crash("a");
    sup.crash("a");
    sup.wait(ms(1000));
    sup.check("start a.2, start a.3");
    sup.wait(ms(12_000));
    sup.crash("a");
    sup.check("start a.4");
    sup.crash("a");
    sup.check("");
    sup.check_children("a.4 quarantined");
}

#[test]
fn a_child_closes_the_matter_itself() {
    let mut sup = Sup::running(settings(Strategy::OneForOne, 1), [worker("a").quarantine(RULE)]);
    sup.crash("a");
    sup.crash("a");
    sup.wait(ms(1000));
    sup.check("start a.2, start a.3");
    let (pid, incarnation) = (sup.pid("a"), sup.incarnation("a"));
    sup.plan.healthy(pid, incarnation);
    sup.wait(ms(499));
    // A failure like any other again: the window holds one, and bears no second.
    sup.check_reports("restarting a.1 (error: x) in 0, quarantined a (error: x) for 1000");
    sup.plan.change_settings(settings(Strategy::OneForOne, 2)).unwrap();
    sup.crash("a");
    sup.check("start a.4");
}

#[test]
fn a_start_that_fails_on_trial_goes_back() {
    let mut sup = Sup::running(settings(Strategy::OneForOne, 0), [worker("a").quarantine(RULE)]);
    sup.on_start("a", &[Start::Fails]);
    sup.crash("a");
    sup.wait(ms(1000));
    sup.check("start a.2");
    sup.check_children("a.2 quarantined");
    sup.wait(ms(1000));
    sup.check("start a.3");
}

#[test]
fn a_budget_of_its_own_leads_there_as_well() {
    for policy in [RestartPolicy::Tries(1), RestartPolicy::Within(Intensity::new(1, ms(9000)))] {
        let spec = worker("a").policy(policy).quarantine(RULE);
        let mut sup = Sup::running(Settings::default().intensity(None), [spec]);
        sup.crash("a");
        sup.check("start a.2");
        sup.crash("a");
        sup.check("");
        sup.wait(ms(1000));
        sup.check("start a.3");
    }
}

#[test]
fn siblings_without_one_still_end_the_supervisor() {
    let specs = [worker("a").quarantine(RULE), worker("b")];
    let mut sup = Sup::running(settings(Strategy::OneForOne, 0), specs);
    sup.crash("a");
    sup.check("");
    sup.crash("b");
    sup.check("removed b (error: x), removed a (shutdown), gave up: b after 1");
}

#[test]
fn a_group_is_down_as_long_as_the_failed_one() {
    let specs = [worker("a"), worker("b").quarantine(RULE), worker("c")];
    let mut sup = Sup::running(settings(Strategy::RestForOne, 0), specs);
    sup.crash("b");
    sup.check("stop c");
    sup.wait(ms(1000));
    sup.check("start b.2, start c.2");
}

#[test]
fn a_stop_does_not_wait_for_it() {
    let mut sup = Sup::running(settings(Strategy::OneForOne, 0), [worker("a").quarantine(RULE)]);
    sup.crash("a");
    sup.stop_child("a").unwrap();
    sup.check("stopped a");
    assert_eq!(sup.due_ms(), None);
    sup.restart_child("a").unwrap();
    sup.stop();
    sup.check("start a.2, stop a, removed a (shutdown), finish (shutdown)");
}

#[test]
fn a_good_trial_counts_however_it_ends() {
    let spec = worker("a").quarantine(RULE).watchdog(ms(9000));
    let mut sup = Sup::running(settings(Strategy::OneForOne, 1), [spec]);
    sup.crash("a");
    sup.crash("a");
    sup.wait(ms(1000));
    sup.check("start a.2, start a.3");
    sup.silent("a", true);
    sup.wait(ms(11_000));
    // It ran for longer than its trial, and is found out then.
    sup.check("watch a, kill a, start a.4");
    sup.wait(ms(500));
    sup.recycle_child("a", ms(0)).unwrap();
    sup.check("stop a, start a.5");
}
