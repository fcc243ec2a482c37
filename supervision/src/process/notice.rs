//! What a process is told on its control lane: that one it watches has ended, or that one it is linked with has.
//!
//! The lane belongs to one incarnation, so that what was meant for one cannot reach another. It has no limit: each entry was asked for, by a
//! monitor, by a link, or by trapping exits.

use super::core::{Core, Process};
use crate::pid::Pid;
use crate::plan::ExitReason;
use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Names one watch over one process: see [`Context::monitor`](crate::Context::monitor).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Monitor {
    pub(super) owner: Pid,
    pub(super) incarnation: u32,
    pub(super) number: u32,
}

/// A process that was watched has ended for good: it is not started again, unless it is a declared child that was removed, and its supervisor is
/// restarted. Its names are free by now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Down {
    /// The watch that has brought this, and is over.
    pub monitor: Monitor,
    /// Who was watched; `None`: it was never given to a supervisor, or nobody had the name.
    pub pid: Option<Pid>,
    /// Its name; of a [watch by name](crate::Context::monitor_name) the one that it was made by.
    pub name: Option<Arc<str>>,
    /// Which incarnation was the last; 0: none ever ran.
    pub incarnation: u32,
    /// Why the last one ended. [`ExitReason::NoProcess`]: the process had ended before it was watched, or nobody had the name.
    pub reason: ExitReason,
}

/// An exit signal, to a process that traps them: see [`Context::trap_exit`](crate::Context::trap_exit).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExitSignal {
    /// Who sent it, or has ended; `None`: code outside of every process did.
    pub from: Option<Pid>,
    /// The name of who has ended, if a link brought this.
    pub name: Option<Arc<str>>,
    /// Why it has ended, or wants this process to.
    pub reason: ExitReason,
    /// A link brought it, and is gone.
    pub linked: bool,
}

/// A watch is somebody else's: another process's, or another incarnation's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignMonitor;

impl fmt::Display for ForeignMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the monitor belongs to another incarnation or process")
    }
}

impl Error for ForeignMonitor {}

/// What waits on a control lane.
pub(super) enum Notice {
    Down(Down),
    Exit {
        signal: ExitSignal,
        /// The process at the other end of the link that brought it.
        link: Option<Arc<dyn Process>>,
    },
}

/// The control lane of an incarnation. Most never need one.
#[derive(Default)]
pub(super) struct Lane {
    pub(super) traps_exits: bool,
    /// Why the incarnation is to end at its next poll, if that is no kill.
    pub(super) doom: Option<ExitReason>,
    pub(super) notices: VecDeque<Notice>,
}

impl Lane {
    /// Takes out what the link with a process has brought.
    pub(super) fn forget(&mut self, ended: &Core) -> VecDeque<Notice> {
        let kept = |notice: &Notice| match notice {
            Notice::Exit { link: Some(link), .. } => !std::ptr::eq(link.core(), ended),
            _ => true,
        };
        let (kept, gone) = std::mem::take(&mut self.notices).into_iter().partition(kept);
        self.notices = kept;
        gone
    }
}
