//! How many restarts a supervisor bears, and what happens when it does not: conformance group D.

use crate::support::{Start, Stop, Sup, error, ms, settings, worker};
use bastion_supervision::plan::{
    ExitReason, Finish, Intensity, RestartType, Settings, Shutdown, Strategy,
};

fn within(max: u32, period_ms: u64) -> Settings {
    Settings::default().intensity(Some(Intensity::new(max, ms(period_ms))))
}

/// Crashes `a` at these milliseconds; the supervisor bears all but, at most, the last.
#[track_caller]
fn check(max: u32, period_ms: u64, crashes: &[u64], survives: bool) {
    let mut sup = Sup::workers(within(max, period_ms), "a");
    let mut now = 0;
    for (index, &at) in crashes.iter().enumerate() {
        sup.wait(ms(at - now));
        now = at;
        sup.crash("a");
        if survives || index + 1 < crashes.len() {
            sup.check(&format!("start a.{}", index + 2));
        } else {
            sup.check(&format!("removed a (error: x), gave up: a after {}", max + 1));
        }
    }
}

#[test]
fn row_059_a_normal_end_of_a_permanent_child_counts() {
    let mut sup = Sup::workers(settings(Strategy::OneForOne, 1), "a");
    sup.exit("a", ExitReason::Normal);
    sup.exit("a", ExitReason::Normal);
    sup.check("start a.2, removed a (normal), gave up: a after 2");
}

#[test]
fn row_060_ends_without_a_restart_do_not_count() {
    let mut sup = Sup::workers(settings(Strategy::OneForOne, 0), "p");
    for _ in 0..20 {
        sup.add(worker("x").restart(RestartType::Temporary)).unwrap();
        sup.crash("x");
        sup.add(worker("y").restart(RestartType::Transient)).unwrap();
        sup.exit("y", ExitReason::Normal);
        sup.delete_child("y").unwrap();
    }
    sup.check_children("p.1 running");
}

#[test]
fn row_063_slow_crashes_are_borne_for_ever() {
    check(1, 1000, &[2100, 4200, 6300, 8400], true);
}

#[test]
fn row_064_one_too_many_ends_the_supervisor() {
    let mut sup = Sup::workers(settings(Strategy::OneForOne, 2), "a b");
    sup.crash("a");
    sup.crash("a");
    sup.check("start a.2, start a.3");
    sup.crash("a");
    sup.check("removed a (error: x), stop b, removed b (shutdown), gave up: a after 3");
    assert_eq!(sup.plan.next_deadline(), None);
}

#[test]
fn row_065_intensity_zero_bears_nothing() {
    check(0, 5000, &[0], false);
}

#[test]
fn row_066_the_window_rolls() {
    check(2, 1000, &[0, 1, 1002, 1003], true);
    check(2, 1000, &[0, 900, 1001, 1900], false);
}

#[test]
fn row_067_the_bound_is_inclusive() {
    check(1, 1000, &[0, 1000], false);
    check(1, 1000, &[0, 1001], true);
}

#[test]
fn row_069_a_group_restart_counts_once() {
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        let mut sup = Sup::workers(settings(strategy, 1), "a b c d e");
        sup.crash("a");
        sup.check_children("a.2 running, b.2 running, c.2 running, d.2 running, e.2 running");
        sup.check_reports("restarting a.1 (error: x) in 0");
    }
}

#[test]
fn row_070_all_children_share_the_window() {
    let mut sup = Sup::workers(settings(Strategy::OneForOne, 1), "a b");
    sup.crash("a");
    sup.crash("b");
    sup.check("start a.2, removed b (error: x), stop a, removed a (shutdown), gave up: b after 2");
}

#[test]
fn row_071_every_failed_attempt_counts() {
    let mut sup = Sup::workers(settings(Strategy::OneForOne, 3), "a");
    sup.on_start("a", &[Start::Fails; 9]);
    sup.crash("a");
    sup.check("start a.2, start a.3, start a.4, removed a (error: init), gave up: a after 4");
}

#[test]
fn row_072_the_failing_child_leaves_first_then_the_others_in_reverse() {
    let mut sup = Sup::workers(settings(Strategy::OneForOne, 0), "a b c d");
    sup.crash("b");
    sup.check(
        "removed b (error: x), stop d, removed d (shutdown), stop c, removed c (shutdown), \
         stop a, removed a (shutdown), gave up: b after 1",
    );
}

/// A leaf under two supervisors: how many crashes until the upper one gives up?
fn crashes_until_the_top_gives_up(top: u32, middle: u32) -> u32 {
    let nested = || Sup::workers(settings(Strategy::OneForOne, middle), "leaf");
    let mut outer = Sup::workers(settings(Strategy::OneForOne, top), "middle");
    let (mut inner, mut crashes) = (nested(), 0);
    loop {
        crashes += 1;
        inner.crash("leaf");
        if inner.plan.counts().specs == 0 {
            outer.exit("middle", ExitReason::Shutdown);
            if outer.plan.counts().specs == 0 {
                return crashes;
            }
            inner = nested();
        }
    }
}

#[test]
fn row_073_two_levels_multiply() {
    assert_eq!(crashes_until_the_top_gives_up(1, 2), 6);
    assert_eq!(crashes_until_the_top_gives_up(3, 0), 4);
}

#[test]
fn row_074_requests_are_served_between_attempts() {
    let mut sup = Sup::workers(settings(Strategy::OneForOne, 9), "a");
    sup.on_start("a", &[Start::Fails, Start::Hangs]);
    sup.crash("a");
    sup.check("start a.2, start a.3");
    sup.add(worker("b")).unwrap();
    sup.check("start b");
    sup.check_children("a.3 starting, b.1 running");
    sup.fail("a");
    sup.check("start a.4");
}

#[test]
fn row_075_a_stop_drops_the_retry() {
    let mut sup = Sup::workers(settings(Strategy::OneForOne, 9), "a");
    sup.on_start("a", &[Start::Fails, Start::Hangs]);
    sup.crash("a");
    sup.check("start a.2, start a.3");
    sup.stop_child("a").unwrap();
    sup.check("stop a, stopped a");
    sup.wait(ms(60_000));
    sup.check("");
    sup.check_children("a.3 stopped");
}

#[test]
fn row_288_without_an_intensity_no_number_is_too_many() {
    let mut sup = Sup::workers(Settings::default().intensity(None), "a");
    for _ in 0..1000 {
        sup.crash("a");
    }
    sup.check_children("a.1001 running");
}

#[test]
fn giving_up_gives_the_others_their_own_time_to_stop() {
    let slow = worker("slow").shutdown(Shutdown::Timeout(ms(300)));
    let mut sup = Sup::running(settings(Strategy::OneForOne, 0), [slow, worker("a")]);
    sup.on_stop("slow", Stop::Hangs);
    sup.crash("a");
    sup.check("removed a (error: x), stop slow");
    assert_eq!(sup.due_ms(), Some(300));
    sup.wait(ms(300));
    sup.check("kill slow, removed slow (killed), gave up: a after 1");
}

#[test]
fn giving_up_during_a_back_off_of_a_sibling_cancels_it() {
    let guarded = |id| worker(id).backoff(bastion_supervision::plan::Backoff::storm_guard());
    let mut sup = Sup::running(settings(Strategy::OneForOne, 2), [guarded("a"), worker("b")]);
    sup.crash("a");
    sup.crash("a");
    sup.check("start a.2");
    sup.check_children("a.2 backoff, b.1 running");
    sup.crash("b");
    sup.check("removed b (error: x), removed a (shutdown), gave up: b after 3");
    sup.wait(ms(5000));
    sup.check("");
}

#[test]
fn what_a_finish_says() {
    let mut sup = Sup::workers(settings(Strategy::OneForOne, 0), "a");
    let (pid, mut out) = (sup.pid("a"), Vec::new());
    sup.plan.exited(pid, 1, error("x"), bastion_supervision::plan::Time::ZERO, &mut out);
    let finish = out.iter().find_map(|action| match action {
        bastion_supervision::plan::Action::Finish(finish) => Some(finish),
        _ => None,
    });
    let text = finish.map(Finish::to_string);
    let expected = "gave up after 1 failures, the last of child \"a\" <0.0>: error: x";
    assert_eq!(text.as_deref(), Some(expected));
}
