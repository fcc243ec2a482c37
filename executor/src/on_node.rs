//! Processes that belong to one NUMA node: only its workers run them, and no other steals them.

use crate::local;
use crate::on_panic::OnGlobalPanic;
use crate::registry::Listing;
use crate::runtime::{Executor, global_shared, is_global};
use crate::shared::Shared;
use lightproc::{LightProc, RecoverableHandle};
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// There is no worker on the node that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSuchNode {
    node: u32,
    known: Vec<u32>,
}

impl NoSuchNode {
    /// Returns the node that was asked for, by the operating system's number.
    pub fn node(&self) -> u32 {
        self.node
    }

    /// Returns the nodes that have workers.
    pub fn known(&self) -> &[u32] {
        &self.known
    }
}

impl fmt::Display for NoSuchNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no worker belongs to node {}", self.node)?;
        match self.known.as_slice() {
            [] => write!(f, ": the workers run anywhere"),
            known => {
                let known: Vec<String> = known.iter().map(u32::to_string).collect();
                write!(f, ", only to {}", known.join(", "))
            }
        }
    }
}

impl Error for NoSuchNode {}

/// Runs a future as a process that stays on one NUMA node, where [`spawn`](crate::spawn) would; see [`Executor::spawn_on`].
///
/// # Errors
/// When no worker belongs to that node. The future is dropped.
///
/// # Panics
/// As [`spawn`](crate::spawn) does.
pub fn spawn_on<F>(node: u32, future: F) -> Result<RecoverableHandle<F::Output>, NoSuchNode>
where
    F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
{
    let shared = local::with_current(|current| current.cloned()).unwrap_or_else(global_shared);
    shared.spawn_on(node, future)
}

impl Executor {
    /// Runs a future as a process that stays on one NUMA node: each of its polls is by a worker of that node, by whomever it is woken, and
    /// no other takes it over, also if they are all busy. So memory that it touches first lies there, and stays near. A wake costs some tens
    /// of nanoseconds more than that of a process that may go anywhere, because it does not go through the waker's own queue.
    ///
    /// The node is the operating system's number, as in [`Node::os`](crate::topology::Node::os). With unbound workers on a machine of one
    /// node that node is known; on one of several, none is.
    ///
    /// # Errors
    /// When no worker belongs to that node. The future is dropped.
    ///
    /// # Examples
    /// ```
    /// use bastion_executor::Executor;
    /// let executor = Executor::builder().topology("node:2 core:2".parse()?).build()?;
    /// let handle = executor.spawn_on(1, async { "on node 1" })?;
    /// assert_eq!(executor.run(handle), Some("on node 1"));
    /// let error = executor.spawn_on(7, async {}).unwrap_err();
    /// assert_eq!(error.to_string(), "no worker belongs to node 7, only to 0, 1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn spawn_on<F>(
        &self,
        node: u32,
        future: F,
    ) -> Result<RecoverableHandle<F::Output>, NoSuchNode>
    where
        F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
    {
        self.shared.spawn_on(node, future)
    }
}

impl Shared {
    fn spawn_on<F>(
        self: &Arc<Self>,
        node: u32,
        future: F,
    ) -> Result<RecoverableHandle<F::Output>, NoSuchNode>
    where
        F: IntoFuture<IntoFuture: Send + 'static, Output: Send + 'static>,
    {
        let found = self.domains.iter().position(|domain| domain.node == Some(node));
        let domain = found.ok_or_else(|| NoSuchNode {
            node,
            known: self.domains.iter().filter_map(|domain| domain.node).collect(),
        })?;
        let owner = self.clone();
        let schedule = move |process| owner.keep(domain, process, false);
        let (process, handle) = if is_global(self) {
            LightProc::recoverable(future, schedule, OnGlobalPanic)
        } else {
            LightProc::recoverable(Listing(future), schedule, self.on_panic.clone())
        };
        self.keep(domain, process, true);
        Ok(handle)
    }
}
