//! Delayed restarts, limits per child, and how both are reset.

use std::time::Duration;

use crate::support::{Start, Sup, ms, settings, worker};
use bastion_supervision::plan::{
    Backoff, ExitReason, RestartPolicy, RestartType, Settings, Strategy,
};

/// Returns a supervisor that bears any number of restarts, over one child with this back-off.
fn with(backoff: Backoff) -> Sup {
    Sup::running(Settings::default().intensity(None), [worker("a").backoff(backoff)])
}

/// Crashes the child after runs of these lengths, and compares the delays of its restarts, all
/// in milliseconds.
#[track_caller]
fn check(backoff: Backoff, runs_and_delays: &[(u64, u64)]) {
    let mut sup = with(backoff);
    for (index, &(run, delay)) in runs_and_delays.iter().enumerate() {
        let restart = format!("start a.{}", index + 2);
        sup.wait(ms(run));
        sup.crash("a");
        if delay > 0 {
            sup.check("");
            assert_eq!(sup.due_ms(), Some(u128::from(delay)), "restart {index}");
            sup.wait(ms(delay - 1));
            sup.check("");
            sup.wait(ms(1));
        }
        sup.check(&restart);
        assert_eq!(sup.due_ms(), None);
    }
}

#[test]
fn row_276_the_child_is_absent_until_its_delay_has_passed() {
    let exponential = Backoff::exponential(ms(100), 3, ms(2000)).healthy_after(ms(10_000));
    check(exponential, &[(0, 100), (0, 300), (0, 900), (0, 2000), (9999, 2000)]);
}

#[test]
fn row_277_a_healthy_run_resets_the_count() {
    let linear = Backoff::linear(ms(100), ms(1000)).healthy_after(ms(500));
    check(linear, &[(0, 100), (499, 200), (0, 300), (500, 100), (0, 200)]);
}

#[test]
fn the_storm_guard() {
    let storm = [(0, 0), (0, 1), (0, 2), (0, 4), (0, 8), (999, 16), (1000, 0), (0, 1)];
    check(Backoff::storm_guard(), &storm);
}

#[test]
fn row_286_a_stop_during_the_back_off_cancels_it() {
    let mut sup = with(Backoff::storm_guard());
    sup.crash("a");
    sup.crash("a");
    sup.check("start a.2");
    sup.stop();
    sup.check("removed a (shutdown), finish (shutdown)");
    assert_eq!(sup.due_ms(), None);
}

#[test]
fn failed_starts_lengthen_the_back_off() {
    let mut sup = with(Backoff::storm_guard());
    sup.on_start("a", &[Start::Fails; 4]);
    sup.crash("a");
    sup.check("start a.2");
    sup.check_children("a.2 backoff");
    sup.wait(ms(7));
    sup.check("start a.3, start a.4, start a.5");
    sup.check_reports(
        "restarting a.1 (error: x) in 0, start failed a (error: init), \
         restarting a.2 (error: init) in 1, start failed a (error: init), \
         restarting a.3 (error: init) in 2, start failed a (error: init), \
         restarting a.4 (error: init) in 4, start failed a (error: init), \
         restarting a.5 (error: init) in 8",
    );
}

#[test]
fn attempts_count_for_the_intensity_when_they_fail_not_when_they_are_made() {
    let slow = Backoff::linear(ms(4000), ms(4000)).healthy_after(ms(60_000));
    let mut sup = Sup::running(settings(Strategy::OneForOne, 2), [worker("a").backoff(slow)]);
    for restart in 2..5 {
        sup.crash("a");
        sup.wait(ms(5001));
        sup.check(&format!("start a.{restart}"));
    }
}

#[test]
fn a_restart_request_forgets_the_failures() {
    let mut sup = with(Backoff::storm_guard());
    for _ in 0..4 {
        sup.crash("a");
        sup.wait(ms(10));
    }
    sup.stop_child("a").unwrap();
    sup.restart_child("a").unwrap();
    sup.check("start a.2, start a.3, start a.4, start a.5, stop a, stopped a, start a.6");
    sup.crash("a");
    sup.check("start a.7");
}

#[test]
fn back_offs_of_several_children_do_not_wait_for_one_another() {
    let guarded = |id| worker(id).backoff(Backoff::storm_guard());
    let mut sup = Sup::running(Settings::default().intensity(None), [guarded("a"), guarded("b")]);
    for _ in 0..4 {
        sup.crash("a");
        sup.wait(ms(4));
    }
    sup.crash("a");
    sup.crash("b");
    sup.crash("b");
    sup.check("start a.2, start a.3, start a.4, start a.5, start b.2");
    sup.wait(ms(8));
    sup.check("start b.3, start a.6");
}

#[test]
fn the_longest_delay_does_not_overflow() {
    let backoff = Backoff::linear(Duration::MAX, Duration::MAX).healthy_after(Duration::MAX);
    let mut sup = with(backoff);
    sup.wait(ms(5));
    sup.crash("a");
    let years = 365 * 24 * 3_600_000;
    assert!(sup.due_ms().is_some_and(|due| due > 500 * years));
}

#[test]
fn tries_remove_the_child_without_harm_to_others() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        let specs = [worker("a").policy(RestartPolicy::Tries(2)), worker("b")];
        let mut sup = Sup::running(settings(strategy, 2), specs);
        sup.crash("a");
        sup.crash("a");
        let _ = sup.incarnation("a");
        sup.check(match strategy {
            Strategy::OneForOne => "start a.2, start a.3",
            _ => "stop b, start a.2, start b.2, stop b, start a.3, start b.3",
        });
        sup.crash("a");
        sup.check("removed a (error: x)");
        sup.check_counts([1, 1, 0, 1]);
    }
}

#[test]
fn row_290_tries_are_for_the_whole_life() {
    let specs = [worker("a").policy(RestartPolicy::Tries(2))];
    let mut sup = Sup::running(settings(Strategy::OneForOne, 1), specs);
    for _ in 0..3 {
        sup.wait(ms(1_000_000));
        sup.crash("a");
    }
    sup.check("start a.2, start a.3, removed a (error: x)");
    sup.check_reports(
        "restarting a.1 (error: x) in 0, restarting a.2 (error: x) in 0, exhausted a after 2",
    );
}

#[test]
fn row_298_failed_restarts_use_up_tries_too() {
    let mut sup = Sup::running(
        settings(Strategy::OneForOne, 9),
        [worker("a").policy(RestartPolicy::Tries(2)), worker("b")],
    );
    sup.on_start("a", &[Start::Fails; 9]);
    sup.crash("a");
    sup.check("start a.2, start a.3, removed a (error: init)");
}

#[test]
fn restarts_caused_by_a_sibling_use_up_no_tries() {
    let specs = [worker("a"), worker("b").policy(RestartPolicy::Tries(0))];
    let mut sup = Sup::running(settings(Strategy::OneForAll, 9), specs);
    sup.crash("a");
    sup.check("stop b, start a.2, start b.2");
    sup.crash("b");
    sup.check("removed b (error: x)");
}

#[test]
fn row_295_never_means_never() {
    for (restart, reason) in [
        (RestartType::Permanent, ExitReason::Normal),
        (RestartType::Permanent, ExitReason::Killed),
        (RestartType::Transient, ExitReason::Killed),
    ] {
        let spec = worker("a").policy(RestartPolicy::Never).restart(restart);
        let mut sup = Sup::running(settings(Strategy::OneForOne, 0), [spec]);
        sup.exit("a", reason.clone());
        sup.check(&format!("removed a ({reason})"));
        sup.check_reports(&format!("not restarted a ({reason})"));
    }
    // A restart that somebody asks for is none of the policy's business.
    let spec = worker("a").policy(RestartPolicy::Never).restart(RestartType::Transient);
    let mut sup = Sup::running(settings(Strategy::OneForOne, 0), [spec]);
    sup.exit("a", ExitReason::Normal);
    sup.restart_child("a").unwrap();
    sup.check("stopped a, start a.2");
}

#[test]
fn row_272_jitter_comes_from_the_number_that_is_given() {
    let delays = |seed| {
        let mut sup = with(Backoff::linear(ms(1000), ms(1000)).jitter(50));
        sup.plan.seed(seed);
        let mut delay = || {
            sup.crash("a");
            let due = sup.due_ms().expect("a delay");
            sup.wait(ms(1500));
            due
        };
        [delay(), delay(), delay()]
    };
    let (one, other) = (delays(1), delays(2));
    assert_eq!(one, delays(1));
    assert_ne!(one, other);
    assert!(one.iter().chain(&other).all(|ms| (1000..=1500).contains(ms)), "{one:?} {other:?}");
}

#[test]
fn row_278_a_child_resets_its_own_count() {
    let mut sup = with(Backoff::linear(ms(100), ms(900)).healthy_after(ms(99_999)));
    for (healthy, delay) in [(false, 100), (false, 200), (true, 100), (false, 200)] {
        if healthy {
            let (pid, incarnation) = (sup.pid("a"), sup.incarnation("a"));
            sup.plan.healthy(pid, incarnation - 1);
            sup.plan.healthy(pid, incarnation);
        }
        sup.crash("a");
        assert_eq!(sup.due_ms(), Some(delay));
        sup.wait(ms(900));
    }
}
