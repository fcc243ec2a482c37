//! Workers that are bound: where they are, and what becomes of those that cannot be.

use crate::affinity;
use crate::builder::BuildError;
use crate::placement::Placement;
use crate::runtime::Executor;
use crate::topology::Topology;

/// A machine of one node that has these PUs, which is taken for this one.
fn machine(pus: &[u32]) -> Topology {
    let list: Vec<String> = pus.iter().map(u32::to_string).collect();
    let text = format!("node:1 core:{} os:{}", pus.len(), list.join(","));
    text.parse::<Topology>().expect("a machine").taken_for_this_machine()
}

fn executor(pus: &[u32], placement: Placement) -> Executor {
    Executor::builder().topology(machine(pus)).placement(placement).build().expect("an executor")
}

#[test]
fn bound_workers_are_where_the_plan_says() {
    let allowed = affinity::allowed().expect("the mask is known");
    let executor = executor(&allowed, Placement::Compact);
    // Each has begun when it has run something, at the latest.
    let handles: Vec<_> = (0..64).map(|_| executor.spawn(async { affinity::allowed() })).collect();
    for handle in handles {
        let mask = executor.run(handle).flatten().expect("the mask is known");
        assert!(mask.len() == 1 && allowed.contains(&mask[0]), "{mask:?}");
    }
    let before = affinity::allowed();
    assert_eq!(before.as_ref(), Some(&allowed), "the caller's mask is what it was");
    for residence in executor.residence() {
        assert_eq!(residence.unbound, None);
        let planned = residence.planned.expect("each has a PU");
        // One that has not begun is not known yet.
        assert!(residence.allowed.is_none_or(|mask| mask == planned));
        assert_eq!(residence.node, Some(0));
    }
}

#[test]
fn a_worker_that_cannot_be_bound_says_so_and_works() {
    // No machine that runs this test has this PU.
    let executor = executor(&[8191], Placement::Compact);
    assert_eq!(executor.run(executor.spawn(async { 7 })), Some(7));
    let residence = &executor.residence()[0];
    assert_eq!(residence.planned.as_ref().map(ToString::to_string).as_deref(), Some("8191"));
    let error = residence.unbound.as_ref().expect("it could not be bound");
    assert!(error.to_string().contains("8191"), "{error}");
    let mask = residence.allowed.as_ref().map(|mask| mask.as_slice().to_vec());
    assert_eq!(mask, affinity::allowed());
}

#[test]
fn a_crew_without_an_executor_ends() {
    let allowed = affinity::allowed().expect("the mask is known");
    let builder = Executor::builder().topology(machine(&allowed)).placement(Placement::Compact);
    let (executor, crew) = builder.assemble().expect("an executor");
    // Their threads wait for word of the executor, and get none.
    drop(crew);
    drop(executor);
}

#[test]
fn a_thread_that_the_system_refuses_is_an_error() {
    let allowed = affinity::allowed().expect("the mask is known");
    let builder = Executor::builder().topology(machine(&allowed)).placement(Placement::Compact);
    // No system has room for such a stack.
    let refused = builder.stack_size_bytes(1 << 60).build();
    assert!(matches!(refused, Err(BuildError::Thread(_))));
}
