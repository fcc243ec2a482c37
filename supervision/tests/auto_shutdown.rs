//! Supervisors that end with their significant children, on virtual time: conformance rows 158 and 165, and bad descriptions.

use bastion_supervision::plan::{AddError, AutoShutdown, ExitReason, RestartType};
use bastion_supervision::{
    Context, Exit, Runtime, Sim, StartChildError, Supervisor, SupervisorError, System, child,
};
use std::time::Duration;

/// Waits until it is told to end.
fn job() -> bastion_supervision::Child<()> {
    child(|mut cx: Context<()>| async move {
        cx.recv().await;
        Ok::<(), Exit>(())
    })
    .restart(RestartType::Transient)
}

fn in_a_system<F: Future<Output = ()>>(test: impl FnOnce(System) -> F) {
    let sim = Sim::new(7);
    sim.run(async {
        let system = System::new(Runtime::sim(&sim));
        test(system.clone()).await;
        system.stop(Duration::from_secs(5)).await;
    });
}

/// A supervisor that ends with its one significant child.
fn ending(name: &'static str, job: bastion_supervision::Child<()>) -> Supervisor {
    Supervisor::new(name)
        .restart(RestartType::Transient)
        .auto_shutdown(AutoShutdown::AnySignificant)
        .child(job.significant(true))
}

#[test]
fn row_158_the_supervisor_ends_as_if_it_was_asked_to_and_its_children_with_it() {
    in_a_system(|system| async move {
        let (first, sibling) = (job(), job());
        let (done, other) = (first.address(), sibling.address());
        let batch = ending("batch", first).restart(RestartType::Temporary).child(sibling);
        let batch = system.supervise(batch).await.unwrap();
        done.tell(()).unwrap();
        assert!(matches!(batch.ended().await, ExitReason::Shutdown));
        assert!(matches!(other.ended().await, ExitReason::Shutdown));
    });
}

#[test]
fn row_165_a_nested_supervisor_may_be_significant_itself() {
    for significant in [true, false] {
        in_a_system(|system| async move {
            let only = job();
            let done = only.address();
            let inner = ending("inner", only).significant(significant);
            let inner_ref = inner.reference();
            let outer = Supervisor::new("outer").restart(RestartType::Temporary);
            let outer = outer.auto_shutdown(AutoShutdown::AnySignificant).supervisor(inner);
            let outer = system.supervise(outer).await.unwrap();
            done.tell(()).unwrap();
            if significant {
                assert!(matches!(inner_ref.ended().await, ExitReason::Shutdown));
                assert!(matches!(outer.ended().await, ExitReason::Shutdown));
            } else {
                // It rests below the outer one, which goes on.
                while outer.counts().await.unwrap().active > 0 {}
                assert_eq!(outer.counts().await.unwrap().supervisors, 1);
            }
        });
    }
}

#[test]
fn row_043_a_significant_child_in_vain_is_refused() {
    in_a_system(|system| async move {
        let plain = system.supervise(Supervisor::new("plain")).await.unwrap();
        let refused = plain.start_child(job().significant(true)).await.unwrap_err();
        assert!(matches!(refused, StartChildError::Refused(AddError::SignificantInVain)));
        // A declared one fails the start of its supervisor.
        let wrong = Supervisor::new("wrong").child(job().significant(true));
        let StartChildError::Failed(ExitReason::Error(failure)) =
            system.supervise(wrong).await.unwrap_err()
        else {
            panic!("not an error of the start")
        };
        let error = failure.downcast_ref::<SupervisorError>().expect("a supervisor's");
        assert!(matches!(error, SupervisorError::Invalid { .. }), "{error}");
        assert!(error.to_string().ends_with("auto-shutdown is never"), "{error}");
    });
}
