//! Group M: supervisors that end with their significant children.

use crate::kit::{Do, Start, World, count_to, counts, paused};
use bastion_supervision::plan::{AddError, AutoShutdown, ExitReason, RestartType, Strategy};
use bastion_supervision::{Child, Exit, StartChildError, Supervisor};

fn significant(w: &World, name: &str, restart: RestartType) -> Child<Do> {
    w.child(name).restart(restart).significant(true)
}

fn any(w: &World, name: &str) -> Supervisor {
    w.supervisor(name, Strategy::OneForOne).auto_shutdown(AutoShutdown::AnySignificant)
}

fn all(w: &World, name: &str) -> Supervisor {
    w.supervisor(name, Strategy::OneForOne).auto_shutdown(AutoShutdown::AllSignificant)
}

const ENDING: [RestartType; 2] = [RestartType::Transient, RestartType::Temporary];

/// Children that are not significant end, and nothing follows.
async fn goes_on(w: &World, mode: AutoShutdown) {
    for restart in ENDING {
        let s = w.supervisor("s", Strategy::OneForOne).auto_shutdown(mode);
        let s = w.start(s.child(w.child("a").restart(restart)).child(w.child("b"))).await;
        w.tell("a", Do::Finish);
        w.told("not restarted a").await;
        let specs = 1 + usize::from(restart == RestartType::Transient);
        assert_eq!(counts(&s).await, [specs, 1, 0, specs]);
        w.system.root().stop_child("s").await.unwrap();
    }
}

pub(crate) async fn row_156_never(w: &World) {
    goes_on(w, AutoShutdown::Never).await;
}

pub(crate) async fn row_157_children_that_are_not_significant(w: &World) {
    goes_on(w, AutoShutdown::AnySignificant).await;
    goes_on(w, AutoShutdown::AllSignificant).await;
}

pub(crate) async fn row_158_the_end_of_a_significant_child_ends_the_supervisor(w: &World) {
    let ends = [Do::Finish, Do::Panic, Do::Exit(Exit::with(ExitReason::Killed))];
    for end in ends {
        let s = any(w, "s").child(significant(w, "a", RestartType::Temporary));
        let s = w.start(s.child(w.child("b"))).await;
        w.tell("a", end);
        assert!(matches!(s.ended().await, ExitReason::Shutdown));
        assert!(matches!(w.ended("b").await, ExitReason::Shutdown));
        w.check("+a1 +b1 -a1 -b1");
    }
}

pub(crate) async fn row_159_one_that_was_stopped_by_request_ends_nothing(w: &World) {
    let s = any(w, "s").child(significant(w, "a", RestartType::Temporary));
    let s = w.start(s.child(w.child("b"))).await;
    s.stop_child("a").await.unwrap();
    assert_eq!(counts(&s).await, [1, 1, 0, 1]);
    assert_eq!(w.ping("b").await, Ok(1));
}

pub(crate) async fn row_160_all_significant_children_have_to_end(w: &World) {
    let s = all(w, "s").child(significant(w, "a", RestartType::Temporary));
    let s = w.start(s.child(significant(w, "b", RestartType::Temporary))).await;
    w.tell("a", Do::Finish);
    w.ended("a").await;
    assert_eq!(w.ping("b").await, Ok(1));
    assert_eq!(counts(&s).await, [1, 1, 0, 1]);
    w.tell("b", Do::Finish);
    assert!(matches!(s.ended().await, ExitReason::Shutdown));
}

pub(crate) async fn row_161_a_transient_one_that_is_restarted_has_not_ended(w: &World) {
    let s = any(w, "s").child(significant(w, "a", RestartType::Transient));
    let s = w.start(s).await;
    w.crash("a");
    assert_eq!(w.ping("a").await, Ok(2));
    assert_eq!(counts(&s).await, [1, 1, 0, 1]);
}

pub(crate) async fn row_162_a_transient_one_that_ends_normally_counts(w: &World) {
    let s = any(w, "s").child(significant(w, "a", RestartType::Transient));
    let s = w.start(s).await;
    w.tell("a", Do::Finish);
    assert!(matches!(s.ended().await, ExitReason::Shutdown));
}

pub(crate) async fn row_163_one_that_is_being_restarted_has_not_ended(w: &World) {
    let s = all(w, "s").child(significant(w, "a", RestartType::Transient));
    let s = s.child(significant(w, "b", RestartType::Transient).backoff(paused()));
    let s = w.start(s).await;
    w.crash("b");
    w.told("restarting b").await;
    w.tell("a", Do::Finish);
    w.told("not restarted a").await;
    assert_eq!(counts(&s).await, [2, 0, 0, 2], "it goes on");
}

pub(crate) async fn row_164_one_that_is_stopped_because_a_sibling_failed(w: &World) {
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        for restart in ENDING {
            let s = w.supervisor("s", strategy).auto_shutdown(AutoShutdown::AnySignificant);
            let s = s.child(w.child("a")).child(significant(w, "b", restart));
            let s = w.start(s.child(w.child("c"))).await;
            w.crash("a");
            w.until("+c2").await;
            let specs = 2 + usize::from(restart == RestartType::Transient);
            count_to(&s, [specs, specs, 0, specs]).await;
            w.system.root().stop_child("s").await.unwrap();
            w.log.take();
        }
    }
}

pub(crate) async fn row_165_a_nested_supervisor_may_be_significant_itself(w: &World) {
    for is_significant in [true, false] {
        for restart in ENDING {
            let inner = any(w, "inner").restart(restart).significant(is_significant);
            let inner = inner.child(significant(w, "a", RestartType::Transient));
            let s = w.start(any(w, "s").supervisor(inner).child(w.child("b"))).await;
            w.tell("a", Do::Finish);
            if is_significant {
                assert!(matches!(s.ended().await, ExitReason::Shutdown));
            } else {
                w.told("not restarted inner").await;
                assert_eq!(w.ping("b").await, Ok(1));
                w.system.root().stop_child("s").await.unwrap();
            }
        }
    }
}

pub(crate) async fn row_166_a_dynamic_supervisor_with_significant_children(w: &World) {
    let plain = w.pool("plain").await;
    let error = plain.start_child(significant(w, "a", RestartType::Temporary)).await.unwrap_err();
    assert!(matches!(error, StartChildError::Refused(AddError::SignificantInVain)), "{error}");
    let pool = Supervisor::dynamic("pool").auto_shutdown(AutoShutdown::AnySignificant);
    let pool = w.start(pool.restart(RestartType::Temporary)).await;
    pool.start_child(significant(w, "a", RestartType::Temporary)).await.unwrap();
    pool.start_child(w.starts("b", &[Start::Ok])).await.unwrap();
    w.crash("a");
    assert!(matches!(pool.ended().await, ExitReason::Shutdown));
    w.check("+a1 +b1 -a1 -b1");
}
