//! Requests about one child, and what is told about the children: conformance groups J, K and L.

use crate::support::{Start, Stop, Sup, error, ms, settings, worker};
use bastion_supervision::pid::Pid;
use bastion_supervision::plan::{
    AddError, Backoff, ChildError, ChildSpec, ChildState, ExitReason, Plan, RestartType, Settings,
    Shutdown, Strategy, Time,
};

/// The three requests that concern a child that is there.
#[derive(Clone, Copy, Debug)]
enum Request {
    Stop,
    Restart,
    Delete,
}
use Request::{Delete, Restart, Stop as Terminate};

/// Makes a request about `a`, and compares its answer and what is done.
#[track_caller]
fn check(sup: &mut Sup, request: Request, answer: Result<(), ChildError>, expected: &str) {
    let result = match request {
        Terminate => sup.stop_child("a"),
        Restart => sup.restart_child("a"),
        Delete => sup.delete_child("a"),
    };
    assert_eq!(result, answer, "{request:?}");
    sup.check(expected);
}

fn one() -> Sup {
    Sup::workers(settings(Strategy::OneForOne, 9), "a")
}

/// Returns a supervisor whose child `a` hangs in a failing restart, with `b` and `c` behind it.
fn looping(strategy: Strategy) -> Sup {
    let mut sup = Sup::workers(settings(strategy, 9), "a b c");
    sup.on_start("a", &[Start::Fails, Start::Fails, Start::Hangs]);
    sup.crash("a");
    let _ = sup.incarnation("a");
    sup.check(match strategy {
        Strategy::OneForOne => "start a.2, start a.3, start a.4",
        _ => "stop c, stop b, start a.2, start a.3, start a.4",
    });
    sup
}

#[test]
fn row_127_an_id_that_runs() {
    let mut sup = one();
    let pid = sup.pid("a");
    assert_eq!(sup.add(worker("a")), Err(AddError::AlreadyStarted(pid)));
    assert_eq!(sup.adopt(worker("a")), Err(AddError::AlreadyStarted(pid)));
    sup.check("");
    sup.check_counts([1, 1, 0, 1]);
}

#[test]
fn row_128_an_id_that_does_not_run() {
    let mut sup = one();
    sup.stop_child("a").unwrap();
    let pid = sup.pid("a");
    assert_eq!(sup.add(worker("a")), Err(AddError::AlreadyPresent(pid)));
}

#[test]
fn row_042_two_declared_children_with_one_id() {
    let mut sup = Sup::declared(Settings::default(), [worker("a")]);
    let pid = sup.pid("a");
    assert_eq!(sup.add(worker("a")), Err(AddError::AlreadyPresent(pid)));
    sup.check_counts([1, 0, 0, 1]);
}

#[test]
fn row_129_a_stopped_child_is_kept() {
    for restart in [RestartType::Permanent, RestartType::Transient] {
        let mut sup =
            Sup::running(settings(Strategy::OneForOne, 0), [worker("a").restart(restart)]);
        check(&mut sup, Terminate, Ok(()), "stop a, stopped a");
        sup.check_children("a.1 stopped");
        sup.check_counts([1, 0, 0, 1]);
        sup.wait(ms(60_000));
        sup.check("");
    }
}

#[test]
fn rows_120_and_130_a_second_stop_is_ok() {
    let mut sup = one();
    check(&mut sup, Terminate, Ok(()), "stop a, stopped a");
    check(&mut sup, Terminate, Ok(()), "stopped a");
}

#[test]
fn a_stop_that_is_under_way_is_not_doubled() {
    let mut sup = one();
    sup.on_stop("a", Stop::Hangs);
    check(&mut sup, Terminate, Ok(()), "stop a");
    check(&mut sup, Terminate, Ok(()), "");
    check(&mut sup, Restart, Err(ChildError::Running), "");
    check(&mut sup, Delete, Err(ChildError::Running), "");
    sup.exit("a", ExitReason::Shutdown);
    sup.check("stopped a");
}

#[test]
fn row_131_a_stopped_child_can_be_started_again() {
    let mut sup = one();
    check(&mut sup, Terminate, Ok(()), "stop a, stopped a");
    check(&mut sup, Restart, Ok(()), "start a.2");
}

#[test]
fn rows_132_and_134_a_running_child_is_neither_restarted_nor_deleted() {
    let mut sup = one();
    check(&mut sup, Restart, Err(ChildError::Running), "");
    check(&mut sup, Delete, Err(ChildError::Running), "");
}

#[test]
fn row_133_an_unknown_child() {
    let mut plan = Plan::new(Settings::default()).unwrap();
    let (nobody, mut out) = (Pid::new(7, 7), Vec::new());
    for started in [false, true] {
        if started {
            plan.start(Time::ZERO, &mut out);
            out.clear();
        }
        let not_found = Err(ChildError::NotFound);
        assert_eq!(plan.stop_child(nobody, Time::ZERO, &mut out), not_found);
        assert_eq!(plan.restart_child(nobody, Time::ZERO, &mut out), not_found);
        assert_eq!(plan.delete_child(nobody, Time::ZERO, &mut out), not_found);
        assert!(out.is_empty(), "{out:?}");
    }
}

#[test]
fn row_135_a_deleted_child_frees_its_id() {
    let mut sup = one();
    check(&mut sup, Terminate, Ok(()), "stop a, stopped a");
    check(&mut sup, Delete, Ok(()), "removed a (shutdown)");
    check(&mut sup, Delete, Err(ChildError::NotFound), "");
    sup.add(worker("a")).unwrap();
    sup.check("start a");
}

#[test]
fn row_136_a_child_that_is_being_restarted() {
    let mut sup = looping(Strategy::OneForOne);
    check(&mut sup, Restart, Err(ChildError::Restarting), "");
    check(&mut sup, Delete, Err(ChildError::Restarting), "");
    let guarded = worker("a").backoff(Backoff::storm_guard());
    let mut sup = Sup::running(settings(Strategy::OneForOne, 9), [guarded]);
    sup.crash("a");
    sup.crash("a");
    sup.check("start a.2");
    sup.check_children("a.2 backoff");
    check(&mut sup, Restart, Err(ChildError::Restarting), "");
    check(&mut sup, Delete, Err(ChildError::Restarting), "");
    assert_eq!(sup.due_ms(), Some(1));
    check(&mut sup, Terminate, Ok(()), "stopped a");
    assert_eq!(sup.due_ms(), None);
}

#[test]
fn row_137_a_temporary_child_that_is_stopped_leaves() {
    let temporary = worker("a").restart(RestartType::Temporary);
    let mut sup = Sup::running(settings(Strategy::OneForOne, 0), [temporary]);
    check(&mut sup, Terminate, Ok(()), "stop a, removed a (shutdown)");
    check(&mut sup, Restart, Err(ChildError::NotFound), "");
}

#[test]
fn row_141_the_children_in_order() {
    let specs = [worker("a"), ChildSpec::supervisor().id("s"), worker("b")];
    let mut sup = Sup::running(settings(Strategy::OneForOne, 9), specs);
    sup.stop_child("a").unwrap();
    sup.crash("b");
    sup.check_children("a.1 stopped, s.1 running, b.2 running");
    let view = sup.plan.child(sup.pid("b")).unwrap();
    assert_eq!((view.incarnation, view.restarts, view.state), (2, 1, ChildState::Running));
    assert_eq!(sup.plan.child(Pid::new(9, 9)).map(|view| view.pid), None);
}

#[test]
fn rows_142_and_144_counts() {
    let nested = |id| ChildSpec::supervisor().id(id);
    let specs = [worker("a"), nested("s"), worker("b"), nested("t")];
    let mut sup = Sup::running(settings(Strategy::OneForOne, 9), specs);
    sup.check_counts([4, 4, 2, 2]);
    sup.stop_child("a").unwrap();
    sup.stop_child("t").unwrap();
    sup.check_counts([4, 2, 2, 2]);
    sup.delete_child("t").unwrap();
    sup.check_counts([3, 2, 1, 2]);
}

#[test]
fn rows_145_and_152_children_in_a_failing_restart_do_not_count_as_active() {
    let mut sup = looping(Strategy::OneForOne);
    sup.on_start("b", &[Start::Fails, Start::Hangs]);
    sup.crash("b");
    sup.check_counts([3, 1, 0, 3]);
    sup.check_children("a.4 starting, b.3 starting, c.1 running");
}

#[test]
fn row_147_the_spec_of_a_child() {
    let spec = worker("a").restart(RestartType::Transient).shutdown(Shutdown::Brutal);
    let sup = Sup::running(Settings::default(), [spec.clone()]);
    let pid = sup.plan.find("a").unwrap();
    assert_eq!(sup.plan.child(pid).map(|view| view.spec.clone()), Some(spec));
    assert_eq!(sup.plan.find("b"), None);
}

#[test]
fn row_151_an_id_that_is_being_restarted() {
    let mut sup = looping(Strategy::OneForOne);
    let pid = sup.pid("a");
    assert_eq!(sup.add(worker("a")), Err(AddError::AlreadyPresent(pid)));
}

#[test]
fn row_153_a_stop_ends_the_loop() {
    let mut sup = looping(Strategy::OneForOne);
    check(&mut sup, Terminate, Ok(()), "stop a, stopped a");
    check(&mut sup, Restart, Ok(()), "start a.5");
    sup.check_children("a.5 running, b.1 running, c.1 running");
}

#[test]
fn row_154_a_stop_of_the_supervisor_ends_the_loop() {
    let mut sup = looping(Strategy::OneForAll);
    sup.stop();
    sup.check(
        "removed c (shutdown), removed b (shutdown), stop a, removed a (shutdown), \
         finish (shutdown)",
    );
}

#[test]
fn row_155_the_group_of_a_looping_child_is_down() {
    let sup = looping(Strategy::OneForAll);
    sup.check_children("a.4 starting, b.1 stopped, c.1 stopped");
    sup.check_counts([3, 0, 0, 3]);
}

#[test]
fn a_pid_that_is_taken() {
    let mut plan = Plan::new(Settings::default()).unwrap();
    let (pid, mut out) = (Pid::new(0, 0), Vec::new());
    plan.add(pid, worker("a"), Time::ZERO, &mut out).unwrap();
    let result = plan.add(pid, worker("b"), Time::ZERO, &mut out);
    assert_eq!(result, Err(AddError::PidInUse(pid)));
    assert_eq!(plan.find("b"), None);
    assert_eq!(plan.counts().specs, 1);
}

#[test]
fn nothing_is_added_to_a_supervisor_that_stops() {
    let mut sup = one();
    sup.on_stop("a", Stop::Hangs);
    sup.stop();
    assert_eq!(sup.add(worker("b")), Err(AddError::Stopping));
    assert_eq!(sup.adopt(worker("b")), Err(AddError::Stopping));
    sup.check("stop a");
    check(&mut sup, Terminate, Ok(()), "");
    check(&mut sup, Restart, Err(ChildError::Stopping), "");
    check(&mut sup, Delete, Err(ChildError::Stopping), "");
    sup.exit("a", ExitReason::Shutdown);
    sup.check("removed a (shutdown), finish (shutdown)");
    assert_eq!(sup.add(worker("b")), Err(AddError::Stopping));
    check(&mut sup, Terminate, Err(ChildError::NotFound), "");
}

#[test]
fn a_child_that_is_stopped_while_it_starts() {
    let mut sup = one();
    sup.stop_child("a").unwrap();
    sup.on_start("a", &[Start::Hangs]);
    sup.on_stop("a", Stop::Hangs);
    sup.restart_child("a").unwrap();
    check(&mut sup, Restart, Err(ChildError::Running), "stop a, stopped a, start a.2");
    check(&mut sup, Terminate, Ok(()), "stop a");
    sup.ready("a");
    sup.check_children("a.2 stopping");
    sup.exit("a", error("x"));
    sup.check("stopped a");
    sup.check_reports("unexpected end a (error: x)");
}
