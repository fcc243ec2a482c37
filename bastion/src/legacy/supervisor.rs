//! [`Supervisor`], and how it is told apart.

use super::child::{BastionChildren, BastionClosure, Message};
use super::context::Sender;
use super::process;
use crate::global::platform;
use crate::supervisor::{self, SupervisorRef};

pub use crate::supervisor::SupervisionStrategy;

/// What a supervisor is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SupervisorURN {
    /// The system to which it belongs: a name that supervisors may share. Default: `bastion`.
    pub sys: String,
    /// Its own. Default: `default-supervisor`.
    pub name: String,
    /// What makes it unique: chosen when it is described.
    pub res: String,
}

impl Default for SupervisorURN {
    fn default() -> Self {
        SupervisorURN {
            sys: "bastion".into(),
            name: "default-supervisor".into(),
            res: super::child::unique_id(),
        }
    }
}

/// Describes a supervisor and the processes below it; in a [`BastionContext`](super::context::BastionContext), one that runs.
///
/// # Examples
/// ```
/// use bastion::legacy::prelude::*;
/// Bastion::platform();
/// Bastion::supervisor("background-worker", "fetcher-system")
///     .strategy(SupervisionStrategy::OneForAll)
///     .children(|context: BastionContext, _msg| context.blocking_hook(), "a message", 2)
///     .launch();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Supervisor {
    /// What it is called.
    pub urn: SupervisorURN,
    strategy: SupervisionStrategy,
    descendants: Vec<BastionChildren>,
    running: Option<SupervisorRef>,
}

impl Supervisor {
    /// Sets its name, and its system's.
    pub fn props(mut self, name: String, system: String) -> Self {
        (self.urn.name, self.urn.sys) = (name, system);
        self
    }

    /// Sets who is restarted when a process panics. Default: that process.
    pub fn strategy(mut self, strategy: SupervisionStrategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// Adds `scale` processes that run the same, each with a clone of the message.
    pub fn children<F, M>(mut self, thunk: F, msg: M, scale: i32) -> Self
    where
        F: BastionClosure,
        M: Message,
    {
        self.descendants.push(BastionChildren::new(thunk, msg, scale));
        self
    }

    /// Starts it, with all that was added. Does nothing while everything is being stopped.
    pub fn launch(self) {
        let platform = platform(true);
        platform.start();
        // Refused: everything is being stopped.
        let _ = platform.supervisor(|engine| self.describe(engine));
    }

    fn describe(&self, engine: supervisor::Supervisor) -> supervisor::Supervisor {
        let some = self.descendants.iter().filter(|processes| processes.redundancy > 0);
        some.fold(engine.with_strategy(self.strategy.clone()), |engine, processes| {
            engine.children(|children| process::describe(children, processes, self.clone()))
        })
    }

    /// The same supervisor, as its processes know it. `None`: that at the top.
    pub(super) fn running(&self, reference: Option<SupervisorRef>) -> Supervisor {
        let mut running = self.clone();
        let all = reference.clone().map(Sender::to_all);
        running.descendants.iter_mut().for_each(|processes| processes.tx = all.clone());
        running.running = reference;
        running
    }

    pub(super) fn descendants(&self) -> &[BastionChildren] {
        &self.descendants
    }

    /// Spawns processes below it, and returns them with what reaches them.
    pub(super) fn spawn(&self, mut processes: BastionChildren) -> BastionChildren {
        if processes.redundancy > 0 {
            let describe = |children| process::describe(children, &processes, self.clone());
            let group = match &self.running {
                Some(supervisor) => supervisor.children(describe),
                None => platform(true).children(describe),
            };
            processes.tx = group.ok().map(Sender::to_group);
        }
        processes
    }
}
