//! What Elixir and Akka say beyond OTP: conformance groups S to V.

use crate::support::{
    Start, Stop, Sup, dynamic, error, ms, panic, settings, shutdown_with, unordered, worker,
};
use bastion_supervision::plan::{
    AutoShutdown, Backoff, ChildError, ChildSpec, ChildState, ExitReason, Intensity, Order, Plan,
    RestartPolicy, RestartType, Settings, SettingsError, Shutdown, Strategy,
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
fn row_217_the_defaults_of_a_dynamic_supervisor_are_otps() {
    let settings = Settings::default().order(Order::Unordered);
    assert_eq!(settings.strategy, Strategy::OneForOne);
    assert_eq!(settings.intensity, Some(Intensity::new(1, Duration::from_secs(5))));
    assert!(Plan::new(settings).is_ok());
}

#[test]
fn row_218_invalid_options_of_a_dynamic_supervisor() {
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        let wrong = Settings::default().order(Order::Unordered).strategy(strategy);
        assert_eq!(Plan::new(wrong).err(), Some(SettingsError::UnorderedStrategy(strategy)));
    }
    let zero = unordered(1).intensity(Some(Intensity::new(1, Duration::ZERO)));
    assert_eq!(Plan::new(zero).err(), Some(SettingsError::InvalidPeriod(Duration::ZERO)));
}

#[test]
fn row_223_what_a_start_answers() {
    let mut sup = Sup::running(unordered(1), []);
    for (answer, expected) in [
        (Start::Ready, "start d0"),
        (Start::Ignores, "start d1, removed d1 (normal)"),
        (Start::Fails, "start d2, removed d2 (error: init)"),
    ] {
        sup.next_start(answer);
        sup.add(dynamic(Permanent)).unwrap();
        sup.check(expected);
    }
    sup.check_counts([1, 1, 0, 1]);
}

#[test]
fn row_224_a_start_that_panics_harms_nobody_else() {
    let mut sup = pool(1, dynamic(Permanent));
    sup.next_start(Start::Hangs);
    sup.add(dynamic(Permanent)).unwrap();
    sup.exit("d1", panic());
    sup.check("start d1, removed d1 (panicked: boom)");
    sup.check_children("d0.1 running");
}

#[test]
fn row_228_a_temporary_child_is_not_restarted() {
    for reason in [ExitReason::Shutdown, ExitReason::Killed, error("x")] {
        let mut sup = pool(0, dynamic(Temporary));
        sup.exit("d0", reason.clone());
        sup.check(&format!("removed d0 ({reason})"));
        sup.check_counts([0, 0, 0, 0]);
    }
}

#[test]
fn row_230_a_permanent_child_is_restarted() {
    for reason in [ExitReason::Normal, ExitReason::Shutdown, ExitReason::Killed, panic()] {
        let mut sup = pool(1, dynamic(Permanent));
        sup.exit("d0", reason);
        sup.check("start d0.2");
    }
}

#[test]
fn row_231_what_a_restart_answers() {
    for (answer, expected, counts) in [
        (Start::Ready, "start d0.2", [1, 1, 0, 1]),
        (Start::Ignores, "start d0.2, removed d0 (normal)", [0, 0, 0, 0]),
        // The next attempt is under way.
        (Start::Fails, "start d0.2, start d0.3", [1, 0, 0, 1]),
    ] {
        let mut sup = pool(9, dynamic(Permanent));
        sup.on_start("d0", &[answer, Start::Hangs]);
        sup.crash("d0");
        sup.check(expected);
        sup.check_counts(counts);
    }
}

#[test]
fn row_232_a_restart_that_fails_once() {
    let mut sup = pool(2, dynamic(Permanent));
    sup.on_start("d0", &[Start::Fails]);
    sup.crash("d0");
    sup.check("start d0.2, start d0.3");
    sup.check_children("d0.3 running");
}

#[test]
fn row_233_a_restart_that_fails_for_ever() {
    for max in [1, 10] {
        let mut sup = pool(max, dynamic(Permanent));
        sup.on_start("d0", &[Start::Fails; 20]);
        sup.crash("d0");
        let log = sup.take_log();
        assert_eq!(log.len(), max as usize + 2, "{log:?}");
        assert_eq!(*log.last().unwrap(), format!("gave up: d0 after {}", max + 1));
    }
}

/// Stops a dynamic supervisor over children that are stopped this way and end so.
fn stopped(children: &[(Shutdown, Stop)]) -> Sup {
    let mut sup = Sup::running(unordered(1), []);
    for (index, (shutdown, stop)) in children.iter().enumerate() {
        sup.add(dynamic(Permanent).shutdown(*shutdown)).unwrap();
        sup.on_stop(&format!("d{index}"), stop.clone());
    }
    sup.take_log();
    sup.stop();
    sup
}

#[test]
fn row_234_brutal_kills() {
    stopped(&[(Shutdown::Brutal, Stop::Obeys), (Shutdown::Brutal, Stop::Hangs)])
        .check("kill d1, kill d0, removed d1 (killed), removed d0 (killed), finish (shutdown)");
}

#[test]
fn row_235_infinity_and_long_timeouts() {
    for shutdown in [Shutdown::Infinity, Shutdown::Timeout(ms(1000))] {
        let oops = Stop::Ends(shutdown_with("oops"));
        stopped(&[(shutdown, Stop::Obeys), (shutdown, oops)]).check(
            "stop d1, stop d0, removed d1 (shutdown: oops), removed d0 (shutdown), \
             finish (shutdown)",
        );
    }
}

#[test]
fn row_237_a_permanent_child_that_ends_normally_in_the_stop() {
    let mut sup = stopped(&[(Shutdown::Infinity, Stop::Ends(ExitReason::Normal))]);
    sup.check("stop d0, removed d0 (normal), finish (shutdown)");
}

#[test]
fn row_238_mixed_children() {
    stopped(&[(Shutdown::Infinity, Stop::Obeys), (Shutdown::Brutal, Stop::Obeys)])
        .check("kill d1, stop d0, removed d1 (killed), removed d0 (shutdown), finish (shutdown)");
}

#[test]
fn row_239_a_child_is_stopped_once() {
    let mut sup = pool(1, dynamic(Permanent));
    assert_eq!(sup.stop_child("d0"), Ok(()));
    assert_eq!(sup.stop_child("d0"), Err(ChildError::NotFound));
}

#[test]
fn row_270_the_life_of_a_child() {
    let mut sup = Sup::running(settings(Strategy::OneForOne, 1), []);
    sup.add(worker("a")).unwrap();
    sup.check_counts([1, 1, 0, 1]);
    sup.stop_child("a").unwrap();
    sup.check_counts([1, 0, 0, 1]);
    sup.restart_child("a").unwrap();
    sup.check_counts([1, 1, 0, 1]);
    sup.stop_child("a").unwrap();
    sup.delete_child("a").unwrap();
    sup.check_counts([0, 0, 0, 0]);
    sup.check("start a, stop a, stopped a, start a.2, stop a, stopped a, removed a (shutdown)");
}

/// Waits 100 ms for the first restart, 200 ms for the next.
fn doubling() -> Backoff {
    Backoff::exponential(ms(100), 2, ms(9999))
}

#[test]
fn row_274_restarted_after_its_delay_however_it_ended() {
    for reason in [ExitReason::Normal, ExitReason::Shutdown, error("x"), panic()] {
        let mut sup = one(9, worker("a").backoff(doubling()));
        sup.exit("a", reason);
        sup.check("");
        sup.wait(ms(100));
        sup.check("start a.2");
    }
}

#[test]
fn row_275_the_supervisor_ends_when_the_child_has_done_its_work() {
    let rules = settings(Strategy::OneForOne, 9).auto_shutdown(AutoShutdown::AnySignificant);
    let spec = worker("a").restart(Transient).significant(true).backoff(doubling());
    let mut sup = Sup::running(rules, [spec]);
    sup.crash("a");
    sup.wait(ms(100));
    sup.check("start a.2");
    sup.exit("a", ExitReason::Normal);
    sup.check("stopped a, removed a (shutdown), finish (shutdown)");
}

#[test]
fn row_279_what_is_told_of_the_child_and_its_restarts() {
    let mut sup = one(9, worker("a").backoff(doubling()));
    for (restarts, state) in [(0, ChildState::Running), (1, ChildState::Backoff)] {
        let view = sup.plan.child(sup.pid("a")).unwrap();
        assert_eq!((view.restarts, view.state), (restarts, state));
        if restarts == 0 {
            sup.crash("a");
        }
    }
}

#[test]
fn row_281_so_many_retries_and_no_more() {
    for (restart, reason) in [(Permanent, ExitReason::Normal), (Transient, error("x"))] {
        let mut sup = one(9, worker("a").restart(restart).policy(RestartPolicy::Tries(2)));
        for _ in 0..3 {
            sup.exit("a", reason.clone());
        }
        sup.check(&format!("start a.2, start a.3, removed a ({reason})"));
    }
}

#[test]
fn row_284_one_child_at_a_time_also_when_it_stops_slowly() {
    let mut sup = one(9, worker("a"));
    sup.on_stop("a", Stop::Hangs);
    sup.stop_child("a").unwrap();
    assert_eq!(sup.restart_child("a"), Err(ChildError::Running));
    sup.check("stop a");
    sup.exit("a", ExitReason::Shutdown);
    sup.restart_child("a").unwrap();
    sup.check("stopped a, start a.2");
}

/// Crashes the only child after pauses of these milliseconds, under `max` restarts in 10 s; and says how often it was started again.
fn restarts(max: u32, pauses: &[u64]) -> u32 {
    let mut sup = one(max, worker("a"));
    for &pause in pauses {
        sup.wait(ms(pause));
        if sup.plan.find("a").is_some() {
            sup.crash("a");
        }
    }
    sup.incarnation("a") - 1
}

#[test]
fn row_285_failures_outside_of_the_range() {
    assert_eq!(restarts(2, &[0, 6000, 6000, 6000, 6000]), 5);
    assert_eq!(restarts(2, &[0, 4000, 4000, 4000, 4000]), 2);
}

#[test]
fn row_287_the_third_failure_is_for_good() {
    assert_eq!(restarts(2, &[0, 0, 0, 0]), 2);
}

#[test]
fn row_289_failures_before_the_range_do_not_count() {
    assert_eq!(restarts(2, &[0, 0, 10_001]), 3);
}
