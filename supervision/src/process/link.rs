//! The tie between one incarnation of a process and its supervisor: it says when the process is ready, and how it ended.

use super::core::Shared;
use super::guard;
use crate::env::Env;
use crate::pid::Pid;
use crate::plan::ExitReason;
use crate::supervisor::{Command, SupervisorRef};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};

const STARTING: u8 = 0;
const RUNNING: u8 = 1;
const ENDED: u8 = 2;

/// Speaks for one incarnation. Whatever happens to it, the supervisor is told of its end exactly once.
pub(crate) struct Link {
    supervisor: Arc<Shared<Command>>,
    pid: Pid,
    incarnation: u32,
    phase: AtomicU8,
}

impl Link {
    /// Ties an incarnation that its supervisor waits for to become ready.
    pub(crate) fn new(supervisor: Arc<Shared<Command>>, pid: Pid, incarnation: u32) -> Link {
        Link { supervisor, pid, incarnation, phase: AtomicU8::new(STARTING) }
    }

    /// Ties an incarnation that its supervisor takes for running from the start.
    pub(crate) fn running(self) -> Link {
        self.phase.store(RUNNING, SeqCst);
        self
    }

    pub(crate) fn ready(&self) {
        let (pid, incarnation) = (self.pid, self.incarnation);
        if self.phase.compare_exchange(STARTING, RUNNING, SeqCst, SeqCst).is_ok() {
            self.send(Command::Started { pid, incarnation });
        }
    }

    pub(crate) fn ended(&self, reason: ExitReason) {
        let (pid, incarnation) = (self.pid, self.incarnation);
        match self.phase.swap(ENDED, SeqCst) {
            STARTING => self.send(Command::StartFailed { pid, incarnation, reason }),
            RUNNING => self.send(Command::Exited { pid, incarnation, reason }),
            _ => {}
        }
    }

    fn send(&self, command: Command) {
        // A supervisor that has ended needs no word of its children: it has killed them.
        if let Err(error) = self.supervisor.mailbox.push(command) {
            guard::contain(|| drop(error));
        }
    }

    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    pub(crate) fn incarnation(&self) -> u32 {
        self.incarnation
    }

    pub(crate) fn env(&self) -> &Env {
        self.supervisor.core.env().expect("a supervisor that starts children is settled")
    }

    pub(crate) fn supervisor(&self) -> SupervisorRef {
        SupervisorRef::new(self.supervisor.clone())
    }
}
