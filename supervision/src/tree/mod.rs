//! [`Tree`]: a snapshot of a system, taken from the supervisors' own tables.
//!
//! `survey` asks the supervisors; `outline` says which lines a tree has, and `text`, `mermaid` and `dot` write them; `look` says how a
//! state is shown.

mod dot;
mod look;
mod mermaid;
mod outline;
mod survey;
mod text;

pub(crate) use self::survey::{Account, Question};

use crate::pid::Pid;
use crate::plan::{AutoShutdown, ChildKind, ChildState, Intensity, Order, RestartType, Strategy};
use crate::process::Workload;
use std::sync::Arc;
use std::time::Duration;

/// A snapshot of a system, for humans, machines and pictures: see [`System::tree`](crate::System::tree).
///
/// Each supervisor has told of its children itself, at one moment; the moments of two supervisors differ a little. It is plain data: it
/// keeps no process alive.
///
/// - **Humans**: `Display` draws it, a line a process. Workers without a name that are alike are counted, and of one supervisor
///   no more than 20 lines are drawn; `{:#}` draws every process.
/// - **Pictures**: [`Tree::to_mermaid`], [`Tree::to_dot`].
/// - **Machines**, with the feature `serde`: the names of the fields, with `_ms` after those that are times, in whole milliseconds. A pid is
///   the text `<slot.generation>`, a word like [`Strategy::OneForAll`] is `"one-for-all"`. Fields are always there; what is
///   missing is `null`. Fields may be added.
///
/// A system that has ended has a root that is stopped, and nothing below it. Below the fortieth level nobody is asked: what is there is
/// unknown.
///
/// # Examples
/// ```
/// # #[cfg(feature = "serde")] {
/// use bastion_supervision::{Runtime, Sim, System, Tree};
/// let sim = Sim::new(1);
/// let system = System::new(Runtime::sim(&sim));
/// let tree = sim.run(system.tree());
/// let json = serde_json::to_value(&tree).unwrap();
/// assert_eq!(json["root"]["supervision"]["children"][0]["name"], "processes");
/// assert_eq!(serde_json::from_value::<Tree>(json).unwrap(), tree);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Tree {
    /// When it was asked for, in the system's time: see [`System::now`](crate::System::now).
    #[cfg_attr(feature = "serde", serde(rename = "taken_ms", with = "crate::machines::millis"))]
    pub taken: Duration,
    /// What there is, counted.
    pub totals: Totals,
    /// The root supervisor.
    pub root: Branch,
}

/// The processes of a [`Tree`], counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Totals {
    /// Supervisors, the root included.
    pub supervisors: usize,
    /// Workers.
    pub workers: usize,
    /// Processes that run, of both kinds.
    pub running: usize,
    /// The restarts of all that are in the tree.
    pub restarts: u64,
    /// The level of the deepest process; the root's is 0.
    pub deepest: usize,
    /// Supervisors that have not answered: what is below them is not counted.
    pub unknown: usize,
}

/// A process in a [`Tree`], with all that is below it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Branch {
    /// Its pid.
    pub pid: Pid,
    /// Its name.
    pub name: Option<Arc<str>>,
    /// Worker or supervisor.
    pub kind: ChildKind,
    /// Whether it is started again when it ends by itself. The root is not: temporary.
    pub restart: RestartType,
    /// Whether its end may end its supervisor.
    pub significant: bool,
    /// What it is doing, as its supervisor knows it.
    pub state: ChildState,
    /// Which incarnation runs, or ran last; 0: none yet.
    pub incarnation: u32,
    /// How often its supervisor has restarted it because it failed itself.
    pub restarts: u64,
    /// How long it has been running, if it does.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "uptime_ms", with = "crate::machines::millis_if_any")
    )]
    pub uptime: Option<Duration>,
    /// How many messages wait in its mailbox.
    pub queued: usize,
    /// When it has crashed last, in the system's time, if it has.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "crashed_ms", with = "crate::machines::millis_if_any")
    )]
    pub crashed: Option<Duration>,
    /// Why it has crashed last, as text.
    pub crash: Option<Arc<str>>,
    /// What it has handled, if its system measures that: see [`SystemBuilder::measure_handlers`](crate::SystemBuilder::measure_handlers).
    pub workload: Option<Workload>,
    /// It is a supervisor that runs and has not answered in time: what is below it is unknown.
    pub unknown: bool,
    /// What it says of itself, if it is a supervisor and has answered; one that does not run says nothing.
    pub supervision: Option<Supervision>,
}

/// What a supervisor says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Supervision {
    /// Who is restarted when a child fails.
    pub strategy: Strategy,
    /// Whether the order of the children means anything.
    pub order: Order,
    /// How many restarts it bears; `None`: any number.
    pub intensity: Option<Intensity>,
    /// How many restarts count for that at this moment.
    pub recent_restarts: usize,
    /// Whether it ends when its significant children have.
    pub auto_shutdown: AutoShutdown,
    /// Its children, in the order in which they are started.
    pub children: Vec<Branch>,
}

impl Tree {
    /// Finds a process by the names from the root down to it, joined by `/`: `root/store/disk`. A pid stands for a name that is missing.
    pub fn find(&self, path: &str) -> Option<&Branch> {
        self.root.find(path)
    }

    fn count(&mut self) {
        let mut totals = Totals::default();
        count(&self.root, 0, &mut totals);
        self.totals = totals;
    }
}

impl Branch {
    /// Returns the children; none for a worker, nor for a supervisor that does not run or has not answered.
    pub fn children(&self) -> &[Branch] {
        self.supervision.as_ref().map_or(&[], |supervision| &supervision.children)
    }

    fn find(&self, path: &str) -> Option<&Branch> {
        let pid;
        let name = match &self.name {
            Some(name) => &**name,
            None => {
                pid = self.pid.to_string();
                &pid
            }
        };
        let below = path.strip_prefix(name)?;
        if below.is_empty() {
            return Some(self);
        }
        let below = below.strip_prefix('/')?;
        self.children().iter().find_map(|child| child.find(below))
    }
}

/// Goes down as many levels as were asked, at most.
fn count(branch: &Branch, level: usize, totals: &mut Totals) {
    match branch.kind {
        ChildKind::Supervisor => totals.supervisors += 1,
        ChildKind::Worker => totals.workers += 1,
    }
    totals.running += usize::from(branch.state == ChildState::Running);
    totals.unknown += usize::from(branch.unknown);
    totals.restarts += branch.restarts;
    totals.deepest = totals.deepest.max(level);
    for child in branch.children() {
        count(child, level + 1, totals);
    }
}
