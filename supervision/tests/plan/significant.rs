//! Significant children, whose end may end their supervisor: conformance group M, and rows 43 and 44.

use crate::support::{Start, Stop, Sup, error, ms, settings, unordered, worker};
use bastion_supervision::plan::{
    AddError, AutoShutdown, ChildSpec, ExitReason, RestartPolicy, RestartType, Settings, SpecError,
    Strategy,
};

use AutoShutdown::{AllSignificant, AnySignificant, Never};
use RestartType::{Permanent, Temporary, Transient};

fn rules(auto_shutdown: AutoShutdown) -> Settings {
    settings(Strategy::OneForOne, 3).auto_shutdown(auto_shutdown)
}

fn significant(id: &str, restart: RestartType) -> ChildSpec {
    worker(id).restart(restart).significant(true)
}

/// A supervisor over a permanent sibling `x` and what else is given.
fn beside(settings: Settings, specs: impl IntoIterator<Item = ChildSpec>) -> Sup {
    Sup::running(settings, std::iter::once(worker("x")).chain(specs))
}

/// Every way in which a child can end by itself.
fn ends() -> [ExitReason; 4] {
    [ExitReason::Normal, ExitReason::Shutdown, error("bad"), ExitReason::Killed]
}

#[test]
fn row_156_and_157_children_that_are_not_significant_end_no_supervisor() {
    for auto_shutdown in [Never, AnySignificant, AllSignificant] {
        for restart in [Temporary, Transient] {
            for end in ends() {
                let mut sup = beside(rules(auto_shutdown), [worker("a").restart(restart)]);
                sup.exit("a", end);
                assert!(!sup.plan.is_ending(), "{auto_shutdown:?} {restart:?}");
            }
        }
    }
}

#[test]
fn row_158_the_end_of_a_significant_temporary_child_ends_the_supervisor() {
    for end in ends() {
        let mut sup = beside(rules(AnySignificant), [significant("s", Temporary)]);
        let told = end.to_string();
        sup.exit("s", end);
        sup.check(&format!("removed s ({told}), stop x, removed x (shutdown), finish (shutdown)"));
        sup.check_reports(&format!("not restarted s ({told}), auto-shutdown by s"));
    }
}

#[test]
fn row_159_a_significant_child_that_was_stopped_by_request_ends_nothing() {
    for auto_shutdown in [AnySignificant, AllSignificant] {
        for restart in [Temporary, Transient] {
            let mut sup = beside(rules(auto_shutdown), [significant("s", restart)]);
            sup.stop_child("s").unwrap();
            assert!(!sup.plan.is_ending(), "{auto_shutdown:?} {restart:?}");
        }
    }
}

#[test]
fn row_160_all_significant_children_have_to_end() {
    for (first, second) in [(Temporary, Temporary), (Temporary, Transient), (Transient, Transient)]
    {
        let specs = [significant("s", first), significant("t", second)];
        let mut sup = beside(rules(AllSignificant), specs);
        sup.exit("s", ExitReason::Normal);
        assert!(!sup.plan.is_ending(), "{first:?} {second:?}");
        sup.exit("t", ExitReason::Normal);
        assert!(sup.plan.is_ending(), "{first:?} {second:?}");
    }
}

#[test]
fn one_that_was_stopped_by_request_is_not_waited_for_by_all() {
    let specs = [significant("s", Transient), significant("t", Transient)];
    let mut sup = beside(rules(AllSignificant), specs);
    sup.stop_child("s").unwrap();
    sup.exit("t", ExitReason::Normal);
    assert!(sup.plan.is_ending());
    // One that was called back is.
    let specs = [significant("s", Transient), significant("t", Transient)];
    let mut sup = beside(rules(AllSignificant), specs);
    sup.exit("s", ExitReason::Normal);
    sup.restart_child("s").unwrap();
    sup.exit("t", ExitReason::Normal);
    assert!(!sup.plan.is_ending());
    sup.exit("s", ExitReason::Normal);
    assert!(sup.plan.is_ending());
}

#[test]
fn row_161_and_162_a_transient_one_counts_when_it_is_not_restarted() {
    for auto_shutdown in [AnySignificant, AllSignificant] {
        let mut sup = beside(rules(auto_shutdown), [significant("s", Transient)]);
        sup.exit("s", error("bad"));
        assert!(!sup.plan.is_ending());
        sup.exit("s", ExitReason::Normal);
        assert!(sup.plan.is_ending());
    }
}

#[test]
fn one_that_has_used_up_its_tries_counts() {
    let spec = significant("s", Transient).policy(RestartPolicy::Tries(1));
    let mut sup = beside(rules(AnySignificant), [spec]);
    sup.exit("s", error("bad"));
    assert!(!sup.plan.is_ending());
    sup.exit("s", error("bad"));
    assert_eq!(sup.take_log().last().map(String::as_str), Some("finish (shutdown)"));
}

#[test]
fn row_163_one_that_is_being_restarted_has_not_ended() {
    let backoff =
        bastion_supervision::plan::Backoff::linear(ms(100), ms(100)).healthy_after(ms(1000));
    let specs = [significant("s", Temporary), significant("t", Transient).backoff(backoff)];
    let mut sup = beside(rules(AllSignificant), specs);
    sup.exit("t", error("bad"));
    sup.exit("s", ExitReason::Normal);
    assert!(!sup.plan.is_ending(), "t waits for its restart");
    sup.wait(ms(100));
    sup.exit("t", ExitReason::Normal);
    assert!(sup.plan.is_ending());
}

#[test]
fn row_164_one_that_is_stopped_because_a_sibling_failed_ends_nothing() {
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        for restart in [Temporary, Transient] {
            let rules = settings(strategy, 3).auto_shutdown(AnySignificant);
            let mut sup = beside(rules, [significant("s", restart)]);
            sup.exit("x", error("bad"));
            assert!(!sup.plan.is_ending(), "{strategy:?} {restart:?}");
        }
    }
}

#[test]
fn a_significant_child_that_ends_while_others_start_ends_the_start() {
    let specs = [significant("s", Temporary), worker("a"), worker("b")];
    let mut sup = Sup::declared(rules(AnySignificant), specs);
    sup.on_start("a", &[Start::Hangs]);
    sup.on_stop("a", Stop::Obeys);
    sup.start();
    sup.exit("s", ExitReason::Normal);
    assert!(sup.plan.is_ending());
    assert_eq!(sup.take_log().last().map(String::as_str), Some("finish (shutdown)"));
}

#[test]
fn row_043_044_and_166_who_may_be_significant() {
    for auto_shutdown in [Never, AnySignificant, AllSignificant] {
        for order in [rules(auto_shutdown), unordered(3).auto_shutdown(auto_shutdown)] {
            for restart in [Permanent, Transient, Temporary] {
                let expected = match (restart, auto_shutdown) {
                    (Permanent, _) => Err(AddError::Invalid(SpecError::SignificantPermanent)),
                    (_, Never) => Err(AddError::SignificantInVain),
                    _ => Ok(()),
                };
                let mut sup = Sup::declared(order.clone(), []);
                let added = sup.add(significant("s", restart));
                assert_eq!(added, expected, "{auto_shutdown:?} {restart:?}");
            }
        }
    }
}

#[test]
fn row_166_a_dynamic_supervisor_ends_with_its_significant_children() {
    let dynamic = |restart| ChildSpec::worker().restart(restart).significant(true);
    let mut sup = Sup::running(unordered(3).auto_shutdown(AllSignificant), []);
    for restart in [Temporary, Transient, Temporary] {
        sup.add(dynamic(restart)).unwrap();
    }
    for (name, ends) in [("d0", false), ("d1", false), ("d2", true)] {
        sup.exit(name, ExitReason::Normal);
        assert_eq!(sup.plan.is_ending(), ends, "{name}");
    }
}
