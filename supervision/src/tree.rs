//! [`Tree`]: a picture of a system, taken from the supervisors' own tables.

use crate::plan::{ChildKind, ChildState};
use crate::supervisor::{ChildInfo, SupervisorRef};
use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// A supervisor with its children, at one moment for each supervisor.
///
/// `Display` draws it, one line a process; children without a name that are alike are counted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tree {
    /// The supervisor's name.
    pub name: String,
    /// Its children, in the order in which they are started; empty when it has ended.
    pub children: Vec<Branch>,
}

/// A child in a [`Tree`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Branch {
    /// The child, as its supervisor knows it.
    pub info: ChildInfo,
    /// The tree below it, if it is a supervisor.
    pub tree: Option<Tree>,
}

impl Tree {
    pub(crate) fn of(
        supervisor: &SupervisorRef,
    ) -> Pin<Box<dyn Future<Output = Tree> + Send + '_>> {
        Box::pin(async move {
            let mut children = Vec::new();
            for info in supervisor.children().await.unwrap_or_default() {
                let tree = match &info.supervisor {
                    // One that does not run has no children, and might never answer.
                    Some(nested) if info.state == ChildState::Running => {
                        Some(Tree::of(nested).await)
                    }
                    _ => None,
                };
                children.push(Branch { info, tree });
            }
            Tree { name: supervisor.name().to_owned(), children }
        })
    }

    fn draw(&self, f: &mut fmt::Formatter<'_>, indent: &str) -> fmt::Result {
        let mut unnamed = 0;
        let mut lines: Vec<&Branch> = Vec::new();
        for child in &self.children {
            match child.info.name {
                None if child.info.kind == ChildKind::Worker => unnamed += 1,
                _ => lines.push(child),
            }
        }
        for (index, child) in lines.iter().enumerate() {
            let last = index + 1 == lines.len() && unnamed == 0;
            let (branch, below) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            writeln!(f, "{indent}{branch}{child}")?;
            if let Some(tree) = &child.tree {
                tree.draw(f, &format!("{indent}{below}"))?;
            }
        }
        if unnamed > 0 {
            writeln!(f, "{indent}└─ {unnamed} without a name")?;
        }
        Ok(())
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = &self.info;
        let state = match info.state {
            ChildState::Stopped => "stopped",
            ChildState::Starting => "starting",
            ChildState::Running => "running",
            ChildState::Backoff => "waiting for its restart",
            ChildState::Quarantined => "in quarantine",
            ChildState::Stopping => "stopping",
        };
        match &info.name {
            Some(name) => write!(f, "{name} {}", info.pid)?,
            None => write!(f, "{}", info.pid)?,
        }
        write!(f, " {state}")?;
        match info.restarts {
            0 => {}
            1 => f.write_str(", 1 restart")?,
            restarts => write!(f, ", {restarts} restarts")?,
        }
        match info.queued {
            0 => Ok(()),
            1 => f.write_str(", 1 message"),
            queued => write!(f, ", {queued} messages"),
        }
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.name)?;
        self.draw(f, "")
    }
}
