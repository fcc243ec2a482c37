//! A child of a group as a process of the engine: how it is started, and what its end means.

use crate::child_ref::{Cell, ChildRef};
use crate::children_ref::{ChildrenRef, Group};
use crate::context::{BastionContext, BastionId};
use crate::crowd::Post;
use crate::element::Element;
use crate::envelope::SignedMessage;
use crate::exec::Exec;
use crate::path::BastionPathElement;
use bastion_supervision::plan::{RestartType, Shutdown};
use bastion_supervision::{Child, Context, Exit};
use lightproc::Panic;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How long a child may take to stop. In the original its body was dropped at once.
const STOP_LIMIT: Duration = Duration::from_secs(1);

/// Describes a child of a group.
pub(crate) fn describe(group: &Arc<Group>, exec: Exec) -> (Child<SignedMessage>, ChildRef) {
    let slot = Arc::new(OnceLock::new());
    let (own, above) = (slot.clone(), group.clone());
    let child = bastion_supervision::child(move |cx: Context<SignedMessage>| {
        let child: &ChildRef = own.get().expect("it was described before it is started");
        if child.is_restarted_alone() {
            restarted(&above.element, &cx);
        }
        let membership = Membership::join(above.clone(), child.clone());
        let (child, group, exec) = (child.clone(), ChildrenRef::new(above.clone()), exec.clone());
        async move {
            let _membership = membership;
            let (stop, runtime) = (cx.stop_signal(), group.hub().runtime().clone());
            let leaver = child.clone();
            // Here, so that a panic in the closure is this child's failure, to be restarted by its policy.
            let body = exec.begin(BastionContext::new(child, group, runtime, cx));
            match body.await {
                Err(()) if !stop.is_requested() && !leaver.leaves() => {
                    Err(Exit::error("the child ended with an error"))
                }
                _ => Ok(()),
            }
        }
    });
    let child = child
        .restart(RestartType::Transient)
        .shutdown(Shutdown::Timeout(STOP_LIMIT))
        .closed_at_rest();
    let id = BastionId::new();
    let path = group.path.append(BastionPathElement::Child(id.clone()));
    let reference = ChildRef::new(Cell {
        id,
        name: group.name.clone(),
        path: path.expect("a child is in a group"),
        address: child.address(),
        element: group.element.clone(),
        group: group.engine.clone(),
        started_in: AtomicU32::new(0),
        post: group.crowd.as_ref().map(|_| Post::default()),
    });
    slot.get_or_init(|| reference.clone());
    (child, reference)
}

/// The group's callbacks for one child that is restarted.
fn restarted(element: &Element, cx: &Context<SignedMessage>) {
    if let Some(callbacks) = element.callbacks() {
        cx.contain(|| callbacks.before_restart());
        cx.contain(|| callbacks.after_restart());
    }
}

/// A child's places in the dispatchers and distributors of its group, which it has as long as it runs.
struct Membership {
    group: Arc<Group>,
    child: ChildRef,
}

impl Membership {
    fn join(group: Arc<Group>, child: ChildRef) -> Option<Membership> {
        if group.dispatchers.is_empty() && group.distributors.is_empty() {
            return None;
        }
        let membership = Membership { group, child };
        for distributor in &membership.group.distributors {
            let _ = distributor.subscribe(membership.child.clone());
        }
        for dispatcher in &membership.group.dispatchers {
            contain(|| dispatcher.register(&membership.child));
        }
        Some(membership)
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        for distributor in &self.group.distributors {
            let _ = distributor.unsubscribe(self.child.clone());
        }
        for dispatcher in &self.group.dispatchers {
            contain(|| dispatcher.remove(&self.child));
        }
    }
}

/// Calls the handler of a dispatcher, whose panic is not the child's failure.
fn contain(f: impl FnOnce()) {
    if let Err(panic) = Panic::catch(f) {
        let message = panic.message().unwrap_or_default();
        tracing::error!(target: "bastion", event = "handler_panicked", message, "a dispatcher's handler panicked");
    }
}
