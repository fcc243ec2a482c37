//! [`Residence`]: where workers and their memory really are, which is not always where they were to go.

use crate::affinity::{self, BindError};
use crate::pages;
use crate::placement::WorkerPlace;
use crate::runtime::Executor;
use crate::shared::Remote;
use crate::topology::CpuSet;
use std::sync::Arc;

/// Where a worker has found itself when it began.
pub(crate) struct Arrival {
    thread: Option<affinity::ThreadId>,
    /// An address on its stack.
    stack: usize,
    unbound: Option<BindError>,
}

impl Arrival {
    /// Of the calling thread, which was not bound as it should be if there is an error.
    pub(crate) fn here(unbound: Option<BindError>) -> Arrival {
        let on_the_stack = 0_u8;
        let stack = (&raw const on_the_stack).addr();
        Arrival { thread: affinity::current_thread(), stack, unbound }
    }
}

/// Where a worker and its memory are; see [`Executor::residence`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Residence {
    /// The node that the plan gives it, by the operating system's number; none if it may run on several.
    pub node: Option<u32>,
    /// The PUs that the plan gives it; none if it may run on all.
    pub planned: Option<CpuSet>,
    /// The PUs that the system lets it run on.
    pub allowed: Option<CpuSet>,
    /// Why it is not bound as planned, if it is not.
    pub unbound: Option<BindError>,
    /// The node that the first page of its stack lies on.
    pub stack: Option<u32>,
    /// The node that its own data lie on, which its queue was made beside.
    pub memory: Option<u32>,
}

impl Executor {
    /// Looks where each worker is, and on which nodes its stack and its own data lie. It asks the system, some microseconds for each worker;
    /// what the system does not tell is none, and so is most of a worker that has not begun yet.
    ///
    /// # Examples
    /// ```
    /// let executor = bastion_executor::Executor::builder().workers(2).build()?;
    /// for (worker, residence) in executor.residence().iter().enumerate() {
    ///     println!("{worker}: planned on {:?}, stack on {:?}", residence.node, residence.stack);
    ///     assert_eq!(residence.unbound, None);
    /// }
    /// # Ok::<(), bastion_executor::BuildError>(())
    /// ```
    pub fn residence(&self) -> Vec<Residence> {
        let plan = self.plan();
        let look = |(place, remote): (&WorkerPlace, &Remote)| {
            let arrival = remote.own.arrival.get();
            let thread = arrival.and_then(|arrival| arrival.thread);
            Residence {
                node: plan.domains[place.domain].node,
                planned: place.cpus.clone(),
                allowed: thread.and_then(affinity::allowed_of).map(CpuSet::from_iter),
                unbound: arrival.and_then(|arrival| arrival.unbound.clone()),
                stack: arrival.and_then(|arrival| pages::node_of(arrival.stack)),
                memory: pages::node_of(Arc::as_ptr(&remote.own).addr()),
            }
        };
        plan.workers.iter().zip(&self.shared.workers).map(look).collect()
    }
}
