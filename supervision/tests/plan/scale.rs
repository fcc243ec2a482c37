//! Supervisors with very many children. What is counted is actions, not seconds: every event may
//! cause a fixed number of them. That no event scans all children shows in that these tests end:
//! one scan for each of 100,000 children would be 10,000,000,000 steps.

use std::collections::VecDeque;
use std::time::Duration;

use crate::support::{dynamic, error, ms, settings, unordered};
use bastion_supervision::pid::Pid;
use bastion_supervision::plan::{
    Action, Backoff, ChildSpec, ExitReason, Plan, Report, RestartType, Settings, Strategy, Time,
};

/// What was done, by kind of action.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    starts: usize,
    stops: usize,
    removed: usize,
    ready: usize,
    finished: usize,
    others: usize,
}

/// A plan whose children answer when they are told to.
struct Many {
    plan: Plan,
    now: Time,
    out: Vec<Action>,
    tally: Tally,
}

impl Many {
    fn declared(settings: Settings, children: u32, spec: &ChildSpec) -> Self {
        let mut plan = Plan::new(settings).unwrap();
        let mut out = Vec::new();
        for slot in 0..children {
            plan.add(Pid::new(slot, 0), spec.clone(), Time::ZERO, &mut out).unwrap();
        }
        assert!(out.is_empty(), "declaring does nothing");
        Self { plan, now: Time::ZERO, out, tally: Tally::default() }
    }

    /// Counts what the last event caused, and returns it.
    fn take(&mut self) -> Vec<Action> {
        let actions = std::mem::take(&mut self.out);
        for action in &actions {
            *match action {
                Action::Start { .. } => &mut self.tally.starts,
                Action::Stop { .. } => &mut self.tally.stops,
                Action::Removed { .. } => &mut self.tally.removed,
                Action::Ready => &mut self.tally.ready,
                Action::Finish(_) => &mut self.tally.finished,
                _ => &mut self.tally.others,
            } += 1;
        }
        actions
    }

    /// All that is started becomes ready, all that is stopped ends; at most `each` actions follow
    /// from one answer.
    fn answer_all(&mut self, each: usize) {
        let mut queue = VecDeque::from(self.take());
        while let Some(action) = queue.pop_front() {
            match action {
                Action::Start { pid, incarnation } => {
                    self.plan.started(pid, incarnation, self.now, &mut self.out);
                }
                Action::Stop { pid, incarnation, .. } => {
                    let reason = ExitReason::Shutdown;
                    self.plan.exited(pid, incarnation, reason, self.now, &mut self.out);
                }
                _ => continue,
            }
            assert!(self.out.len() <= each, "{} actions from one answer", self.out.len());
            queue.extend(self.take());
        }
    }
}

/// Starts so many children, and stops them again.
fn check(settings: Settings, children: u32) {
    let spec = dynamic(RestartType::Permanent);
    let mut many = Many::declared(settings, children, &spec);
    let all = children as usize;
    many.plan.start(many.now, &mut many.out);
    many.answer_all(1);
    assert_eq!(many.tally, Tally { starts: all, ready: 1, ..Tally::default() });
    assert_eq!(many.plan.counts().active, all);
    many.plan.stop(ExitReason::Shutdown, None, many.now, &mut many.out);
    many.answer_all(2);
    let expected =
        Tally { starts: all, stops: all, removed: all, ready: 1, finished: 1, others: 0 };
    assert_eq!(many.tally, expected);
    assert_eq!(many.plan.counts().specs, 0);
}

#[test]
fn row_173_many_static_children_start_and_stop() {
    for strategy in [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne] {
        check(settings(strategy, 1), 1000);
    }
    check(settings(Strategy::RestForOne, 1), 100_000);
}

#[test]
fn row_173_many_children_of_an_unordered_supervisor_start_and_stop() {
    check(unordered(1), 1000);
    check(unordered(1), 100_000);
}

#[test]
fn row_106_many_temporary_children_come_and_go() {
    let children = 100_000;
    let spec = dynamic(RestartType::Temporary);
    let mut many = Many::declared(unordered(1), 0, &spec);
    many.plan.start(many.now, &mut many.out);
    many.take();
    for slot in 0..children {
        let pid = Pid::new(slot, 0);
        many.plan.add(pid, spec.clone(), many.now, &mut many.out).unwrap();
        many.plan.started(pid, 1, many.now, &mut many.out);
        assert_eq!(many.out.len(), 1, "one action for one child");
        many.take();
    }
    for slot in (0..children).step_by(2) {
        many.plan.exited(Pid::new(slot, 0), 1, ExitReason::Killed, many.now, &mut many.out);
        assert_eq!(many.out.len(), 2, "a report, and the removal");
        many.take();
        many.plan.stop_child(Pid::new(slot + 1, 0), many.now, &mut many.out).unwrap();
        many.answer_all(1);
    }
    assert_eq!(many.plan.counts().specs, 0);
    assert_eq!(many.plan.next_deadline(), None);
}

#[test]
fn one_for_all_over_many_children_restarts_each_once() {
    let all = 10_000;
    let mut many =
        Many::declared(settings(Strategy::OneForAll, 1), all, &dynamic(RestartType::Permanent));
    many.plan.start(many.now, &mut many.out);
    many.answer_all(1);
    many.tally = Tally::default();
    many.plan.exited(Pid::new(all / 2, 0), 1, error("x"), many.now, &mut many.out);
    many.answer_all(1);
    let all = all as usize;
    assert_eq!(many.tally, Tally { starts: all, stops: all - 1, others: 1, ..Tally::default() });
    assert_eq!(many.plan.counts().active, all);
}

#[test]
fn many_that_depend_on_one_child_follow_it_in_whatever_order_they_end() {
    let children = 100_000;
    let unlimited = settings(Strategy::OneForOne, 1).intensity(None);
    let mut many = Many::declared(unlimited, 1, &ChildSpec::worker().id("db"));
    for slot in 1..children {
        let spec = dynamic(RestartType::Permanent).depends_on("db");
        many.plan.add(Pid::new(slot, 0), spec, many.now, &mut many.out).unwrap();
    }
    many.plan.start(many.now, &mut many.out);
    many.answer_all(1);
    let db = Pid::new(0, 0);
    many.plan.exited(db, 1, error("x"), many.now, &mut many.out);
    assert_eq!(many.take().len(), children as usize, "a report, and all but one are stopped");
    // In the order of the table, not in reverse.
    for slot in 1..children - 1 {
        let reason = ExitReason::Shutdown;
        many.plan.exited(Pid::new(slot, 0), 1, reason, many.now, &mut many.out);
        assert!(many.take().is_empty());
    }
    let last = Pid::new(children - 1, 0);
    many.plan.exited(last, 1, ExitReason::Shutdown, many.now, &mut many.out);
    assert!(matches!(many.out[..], [Action::Start { incarnation: 2, .. }]));
    many.answer_all(children as usize);
    assert_eq!(many.plan.counts().active, children as usize);
    many.plan.stop(ExitReason::Shutdown, None, many.now, &mut many.out);
    many.answer_all(3);
    assert_eq!(many.tally.finished, 1);
}

#[test]
fn rest_for_one_does_not_scan_the_children_that_wait_behind_a_failing_restart() {
    let children = 100_000;
    let spec = dynamic(RestartType::Permanent).backoff(Backoff::storm_guard());
    let unlimited = settings(Strategy::RestForOne, 1).intensity(None);
    let mut many = Many::declared(unlimited, children, &spec);
    many.plan.start(many.now, &mut many.out);
    many.answer_all(1);
    let first = Pid::new(0, 0);
    many.plan.exited(first, 1, error("x"), many.now, &mut many.out);
    // Everybody stops; the one start under way is left without an answer.
    let mut queue = VecDeque::from(many.take());
    while let Some(action) = queue.pop_front() {
        if let Action::Stop { pid, incarnation, .. } = action {
            let reason = ExitReason::Shutdown;
            many.plan.exited(pid, incarnation, reason, many.now, &mut many.out);
            queue.extend(many.take());
        }
    }
    for incarnation in 2..100_000 {
        many.plan.start_failed(first, incarnation, error("x"), many.now, &mut many.out);
        many.now = many.plan.next_deadline().expect("a back-off");
        many.plan.tick(many.now, &mut many.out);
        let [Action::Report(_), Action::Report(_), Action::Start { .. }] = many.take()[..] else {
            panic!("more than one attempt at a time");
        };
    }
}

#[test]
fn a_storm_of_failures_of_all_children_at_once() {
    let children = 100_000;
    let spec = dynamic(RestartType::Permanent).backoff(Backoff::storm_guard());
    let mut many = Many::declared(unordered(1).intensity(None), children, &spec);
    many.plan.start(many.now, &mut many.out);
    many.answer_all(1);
    for round in 1..=3 {
        for slot in 0..children {
            many.plan.exited(Pid::new(slot, 0), round, error("x"), many.now, &mut many.out);
            let actions = many.take();
            assert!(matches!(actions[0], Action::Report(Report::Restarting { .. })));
            if let Some(&Action::Start { pid, incarnation }) = actions.get(1) {
                many.plan.started(pid, incarnation, many.now, &mut many.out);
            }
        }
        let wait = [0, 1, 2][round as usize - 1];
        assert_eq!(many.plan.next_deadline(), (wait > 0).then(|| many.now + ms(wait)));
        many.now = many.now + Duration::from_millis(wait);
        many.plan.tick(many.now, &mut many.out);
        many.answer_all(1);
        assert_eq!(many.plan.counts().active, children as usize, "round {round}");
    }
}
