//! Group B: descriptions that contradict themselves. Most of what OTP checks here cannot be written down in Rust.

use crate::kit::{HOUR, World, counts};
use bastion_supervision::plan::{
    AddError, AutoShutdown, ExitReason, RestartType, Shutdown, SpecError, Strategy,
};
use bastion_supervision::{StartChildError, Supervisor, SupervisorError};
use std::time::Duration;

/// Gives the system a description that it refuses, and says so in these words; nothing of it is left.
async fn refused(w: &World, supervisor: Supervisor, words: &str) {
    let error = w.system.supervise(supervisor).await.unwrap_err();
    let StartChildError::Failed(ExitReason::Error(failure)) = error else { panic!("{error}") };
    let error = failure.downcast_ref::<SupervisorError>().expect("a supervisor's");
    assert!(matches!(error, SupervisorError::Invalid { .. }), "{error}");
    assert!(error.to_string().contains(words), "{error}");
    w.check("");
    assert_eq!(counts(w.system.root()).await, [1, 1, 1, 0]);
}

pub(crate) async fn row_029_a_zero_period_is_refused(w: &World) {
    let wrong = Supervisor::new("s").intensity(1, Duration::ZERO).child(w.child("a"));
    refused(w, wrong, "invalid restart period: 0ns").await;
}

pub(crate) async fn row_042_two_declared_children_with_one_id(w: &World) {
    let twice = Supervisor::new("s").child(w.child("a")).child(w.child("a"));
    refused(w, twice, "a child with this id").await;
}

pub(crate) async fn row_043_a_significant_child_in_vain(w: &World) {
    let vain = || w.child("a").restart(RestartType::Transient).significant(true);
    refused(w, Supervisor::new("s").child(vain()), "auto-shutdown is never").await;
    let s = w.start(w.supervisor("s", Strategy::OneForOne)).await;
    let error = s.start_child(vain()).await.unwrap_err();
    assert!(matches!(error, StartChildError::Refused(AddError::SignificantInVain)), "{error}");
}

pub(crate) async fn row_044_a_permanent_child_is_not_significant(w: &World) {
    let any = |name: &str| w.supervisor(name, Strategy::OneForOne);
    let any = |name: &str| any(name).auto_shutdown(AutoShutdown::AnySignificant);
    refused(w, any("s").child(w.child("a").significant(true)), "cannot be significant").await;
    let s = w.start(any("s")).await;
    let error = s.start_child(w.child("a").significant(true)).await.unwrap_err();
    assert!(
        matches!(
            error,
            StartChildError::Refused(AddError::Invalid(SpecError::SignificantPermanent))
        ),
        "{error}"
    );
}

pub(crate) async fn row_045_every_pair_of_restart_type_and_shutdown_is_valid(w: &World) {
    let s = w.start(w.supervisor("s", Strategy::OneForOne)).await;
    let zero = Shutdown::Timeout(Duration::ZERO);
    let mut started = 0;
    for shutdown in [zero, Shutdown::Infinity, Shutdown::Brutal, Shutdown::Timeout(HOUR)] {
        for restart in [RestartType::Permanent, RestartType::Transient, RestartType::Temporary] {
            let name = format!("{shutdown:?} {restart:?}");
            let worker = w.anonymous(&format!("{name}-")).restart(restart).shutdown(shutdown);
            s.start_child(worker).await.unwrap();
            let nested = Supervisor::new(name).restart(restart).shutdown(shutdown);
            s.start_supervisor(nested).await.unwrap();
            started += 1;
        }
    }
    assert_eq!(counts(&s).await, [2 * started, 2 * started, started, started]);
}

pub(crate) async fn row_048_a_refused_child_changes_no_count(w: &World) {
    let s = w.workers(w.supervisor("s", Strategy::OneForOne), "a").await;
    for wrong in [w.child("a"), w.child("b").significant(true)] {
        s.start_child(wrong).await.unwrap_err();
        assert_eq!(counts(&s).await, [1, 1, 0, 1]);
    }
    w.check("+a1");
}
