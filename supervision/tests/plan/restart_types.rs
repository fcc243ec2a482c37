//! OTP's restart table: every restart type, exit reason and strategy; conformance group C.

use crate::support::{Sup, dynamic, error, panic, settings, shutdown_with, unordered, worker};
use bastion_supervision::plan::{ExitReason, RestartType, Settings, Strategy};

/// What becomes of a child that ended by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Restarted,
    Kept,
    Removed,
}
use Fate::{Kept, Removed, Restarted};

const STRATEGIES: [Strategy; 3] = [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne];

/// The table at the head of the conformance list, reason by reason.
fn table() -> Vec<(ExitReason, [Fate; 3])> {
    vec![
        (ExitReason::Normal, [Restarted, Kept, Removed]),
        (ExitReason::Shutdown, [Restarted, Kept, Removed]),
        (shutdown_with("term"), [Restarted, Kept, Removed]),
        (ExitReason::Killed, [Restarted, Restarted, Removed]),
        (error("x"), [Restarted, Restarted, Removed]),
        (panic(), [Restarted, Restarted, Removed]),
        (ExitReason::NoProcess, [Restarted, Restarted, Removed]),
    ]
}

/// Ends the only child of a supervisor, and checks its fate and that of the intensity.
fn check(settings: &Settings, restart: RestartType, reason: &ExitReason, fate: Fate) {
    let case = format!("{:?} {restart:?} {reason}", settings.strategy);
    let mut sup = Sup::running(settings.clone(), [worker("a").restart(restart)]);
    sup.exit("a", reason.clone());
    let (counts, actions) = match fate {
        Restarted => ([1, 1, 0, 1], "start a.2".to_owned()),
        Kept => ([1, 0, 0, 1], "stopped a".to_owned()),
        Removed => ([0, 0, 0, 0], format!("removed a ({reason})")),
    };
    println!("{case}");
    sup.check(&actions);
    sup.check_counts(counts);
    match fate {
        Restarted => {
            // The one restart is used up: the next failure is one too many.
            sup.exit("a", reason.clone());
            sup.check(&format!("removed a ({reason}), gave up: a after 2"));
        }
        Kept => {
            assert_eq!(sup.restart_child("a"), Ok(()));
            sup.check("start a.2");
        }
        Removed => {
            assert_eq!(sup.plan.find("a"), None);
            assert_eq!(sup.add(worker("a")), Ok(()));
            sup.check("start a");
        }
    }
    if fate != Restarted {
        // No restart was used up: one is still borne.
        sup.crash("a");
        assert!(sup.incarnation("a") > 1, "{case}");
    }
}

#[test]
fn the_table_holds_under_every_strategy() {
    let types = [RestartType::Permanent, RestartType::Transient, RestartType::Temporary];
    for strategy in STRATEGIES {
        for (reason, fates) in table() {
            for (restart, fate) in types.into_iter().zip(fates) {
                check(&settings(strategy, 1), restart, &reason, fate);
            }
        }
    }
}

/// Checks one row of group C under one-for-one.
fn check_row(restart: RestartType, reasons: &[ExitReason], fate: Fate) {
    for reason in reasons {
        check(&settings(Strategy::OneForOne, 1), restart, reason, fate);
    }
}

#[test]
fn row_049_permanent_normal() {
    check_row(RestartType::Permanent, &[ExitReason::Normal], Restarted);
}

#[test]
fn row_050_permanent_shutdown() {
    let reasons = [ExitReason::Shutdown, shutdown_with("term")];
    check_row(RestartType::Permanent, &reasons, Restarted);
}

#[test]
fn row_051_permanent_abnormal() {
    check_row(RestartType::Permanent, &[error("x"), panic(), ExitReason::Killed], Restarted);
}

#[test]
fn row_052_transient_normal() {
    check_row(RestartType::Transient, &[ExitReason::Normal], Kept);
}

#[test]
fn row_053_transient_shutdown() {
    check_row(RestartType::Transient, &[ExitReason::Shutdown, shutdown_with("term")], Kept);
}

#[test]
fn row_054_transient_abnormal() {
    check_row(RestartType::Transient, &[error("x"), panic(), ExitReason::Killed], Restarted);
}

#[test]
fn row_055_temporary_normal() {
    check_row(RestartType::Temporary, &[ExitReason::Normal], Removed);
}

#[test]
fn row_056_temporary_shutdown() {
    check_row(RestartType::Temporary, &[ExitReason::Shutdown, shutdown_with("term")], Removed);
}

#[test]
fn row_057_temporary_abnormal() {
    check_row(RestartType::Temporary, &[error("x"), panic()], Removed);
}

#[test]
fn row_058_temporary_killed_uses_no_intensity() {
    let specs = [worker("t").restart(RestartType::Temporary), worker("p")];
    let mut sup = Sup::running(settings(Strategy::OneForOne, 0), specs);
    sup.exit("t", ExitReason::Killed);
    sup.check("removed t (killed)");
    sup.check_children("p.1 running");
}

#[test]
fn row_107_temporary_children_leave_whatever_ends_them() {
    for strategy in STRATEGIES {
        for reason in [ExitReason::Killed, ExitReason::Normal, error("x")] {
            check(&settings(strategy, 1), RestartType::Temporary, &reason, Removed);
        }
        let temporary = worker("a").restart(RestartType::Temporary);
        let mut sup = Sup::running(settings(strategy, 1), [temporary]);
        sup.stop();
        sup.check("stop a, removed a (shutdown), finish (shutdown)");
    }
}

#[test]
fn row_229_dynamic_children_that_are_not_restarted_are_gone() {
    for (reason, fates) in table() {
        let types = [RestartType::Permanent, RestartType::Transient, RestartType::Temporary];
        for (restart, fate) in types.into_iter().zip(fates) {
            let mut sup = Sup::running(unordered(1), []);
            sup.add(dynamic(restart)).unwrap();
            sup.check("start d0");
            sup.exit("d0", reason.clone());
            if fate == Restarted {
                sup.check("start d0.2");
            } else {
                sup.check(&format!("removed d0 ({reason})"));
                sup.check_counts([0, 0, 0, 0]);
            }
        }
    }
}

#[test]
fn what_is_decided_is_reported() {
    let specs = [worker("p"), worker("t").restart(RestartType::Temporary)];
    let mut sup = Sup::running(settings(Strategy::OneForOne, 1), specs);
    sup.crash("p");
    sup.crash("t");
    sup.exit("p", panic());
    sup.check_reports(
        "restarting p.1 (error: x) in 0, not restarted t (error: x), gave up p after 2",
    );
}
