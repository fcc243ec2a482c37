//! A supervisor's own rules: how many children it may have, and changes at run time.

use crate::support::{Start, Stop, Sup, dynamic, ms, settings, unordered, worker};
use bastion_supervision::plan::{
    AddError, AutoShutdown, Backoff, Intensity, Order, RestartType, Settings, SettingsError,
    Strategy,
};

fn permanent() -> bastion_supervision::plan::ChildSpec {
    dynamic(RestartType::Permanent)
}

#[test]
fn row_225_no_child_is_one_too_many() {
    let mut sup = Sup::running(unordered(1).max_children(Some(0)), []);
    assert_eq!(sup.add(permanent()), Err(AddError::TooMany { max: 0 }));
    assert_eq!(sup.adopt(permanent()), Err(AddError::TooMany { max: 0 }));
    sup.check("");
    sup.check_counts([0; 4]);
}

#[test]
fn row_226_one_whose_restart_fails_counts() {
    let spec = permanent().backoff(Backoff::linear(ms(9), ms(9)));
    let mut sup = Sup::running(unordered(9).max_children(Some(1)), [spec]);
    sup.on_start("d0", &[Start::Fails, Start::Fails]);
    sup.crash("d0");
    sup.wait(ms(9));
    assert_eq!(sup.add(permanent()), Err(AddError::TooMany { max: 1 }));
}

#[test]
fn row_227_one_that_was_restarted_counts_and_one_that_left_does_not() {
    let mut sup = Sup::running(unordered(9).max_children(Some(1)), [permanent()]);
    sup.crash("d0");
    assert_eq!(sup.add(permanent()), Err(AddError::TooMany { max: 1 }));
    sup.stop_child("d0").unwrap();
    assert_eq!(sup.add(permanent()), Ok(()));
}

#[test]
fn row_242_children_beyond_a_lowered_limit_stay() {
    let mut sup = Sup::running(unordered(9), [permanent(), permanent()]);
    sup.plan.change_settings(unordered(9).max_children(Some(1))).unwrap();
    sup.check("");
    sup.crash("d0");
    sup.check("start d0.2");
    assert_eq!(sup.add(permanent()), Err(AddError::TooMany { max: 1 }));
}

#[test]
fn row_167_the_new_auto_shutdown_rules() {
    let significant = || worker("s").restart(RestartType::Transient).significant(true);
    let rule = |rule| settings(Strategy::OneForOne, 1).auto_shutdown(rule);
    let mut sup = Sup::running(rule(AutoShutdown::AnySignificant), [significant()]);
    sup.plan.change_settings(rule(AutoShutdown::Never)).unwrap();
    sup.exit("s", bastion_supervision::plan::ExitReason::Normal);
    sup.check("stopped s");
    sup.plan.change_settings(rule(AutoShutdown::AnySignificant)).unwrap();
    sup.restart_child("s").unwrap();
    sup.exit("s", bastion_supervision::plan::ExitReason::Normal);
    sup.check("start s.2, stopped s, removed s (shutdown), finish (shutdown)");
}

#[test]
fn row_168_another_strategy_holds_from_the_next_failure_on() {
    let mut sup = Sup::workers(settings(Strategy::OneForOne, 9), "a b c");
    for (strategy, expected) in [
        (Strategy::OneForAll, "stop c, stop a, start a.2, start b.2, start c.2"),
        (Strategy::RestForOne, "stop c, start b.3, start c.3"),
        (Strategy::OneForOne, "start b.4"),
    ] {
        sup.plan.change_settings(settings(strategy, 9)).unwrap();
        sup.check("");
        sup.crash("b");
        sup.check(expected);
    }
}

#[test]
fn what_is_under_way_goes_on_as_it_began() {
    let mut sup = Sup::workers(settings(Strategy::OneForAll, 9), "a b c");
    sup.on_stop("c", Stop::Hangs);
    sup.crash("a");
    sup.plan.change_settings(settings(Strategy::OneForOne, 9)).unwrap();
    sup.exit("c", bastion_supervision::plan::ExitReason::Shutdown);
    sup.check("stop c, stop b, start a.2, start b.2, start c.2");
    let slow = || worker("a").backoff(Backoff::linear(ms(100), ms(100)));
    let mut sup = Sup::running(settings(Strategy::OneForOne, 9), [slow(), worker("b")]);
    sup.crash("a");
    sup.plan.change_settings(settings(Strategy::OneForAll, 9)).unwrap();
    sup.wait(ms(100));
    sup.check("start a.2");
}

#[test]
fn restarts_stay_counted_under_another_intensity() {
    let with = |max| settings(Strategy::OneForOne, max);
    let mut sup = Sup::workers(with(9), "a");
    sup.crash("a");
    sup.crash("a");
    sup.plan.change_settings(with(2)).unwrap();
    sup.take_log();
    sup.crash("a");
    sup.check("removed a (error: x), gave up: a after 3");
    let mut sup = Sup::workers(with(0), "a");
    sup.plan.change_settings(with(0).intensity(None)).unwrap();
    sup.crash("a");
    sup.plan.change_settings(with(0).intensity(Some(Intensity::new(1, ms(5))))).unwrap();
    sup.crash("a");
    sup.check("start a.2, start a.3");
}

#[test]
fn a_child_without_a_back_off_has_its_supervisors() {
    let slow = Backoff::linear(ms(100), ms(100));
    let specs = [worker("a"), worker("b").backoff(Backoff::linear(ms(7), ms(7)))];
    let mut sup = Sup::running(settings(Strategy::OneForOne, 9).backoff(slow), specs);
    sup.crash("a");
    assert_eq!(sup.due_ms(), Some(100));
    sup.crash("b");
    assert_eq!(sup.due_ms(), Some(7));
    let wrong = Settings::default().backoff(Backoff::linear(ms(9), ms(8)));
    assert_eq!(wrong.validate(), Err(SettingsError::InvalidBackoff));
}

#[test]
fn row_169_wrong_rules_change_nothing() {
    let mut sup = Sup::workers(settings(Strategy::RestForOne, 9), "a b");
    let known = sup.plan.settings().clone();
    let zero = known.clone().intensity(Some(Intensity::new(1, ms(0))));
    assert_eq!(sup.plan.change_settings(zero), Err(SettingsError::InvalidPeriod(ms(0))));
    let other = Settings::default().order(Order::Unordered);
    assert_eq!(sup.plan.change_settings(other), Err(SettingsError::OrderIsFixed));
    assert_eq!(*sup.plan.settings(), known);
}
