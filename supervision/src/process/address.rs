//! [`Address`]: how others reach a process. It stays valid while the process is restarted.

use super::ask::{Ask, Reply};
use super::core::{Process, Shared};
use super::guard;
use super::notice::ExitSignal;
use crate::mailbox::TellError;
use crate::pid::Pid;
use crate::plan::ExitReason;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

/// How long an [`ask`](Address::ask) waits when nothing else is said; OTP's default for calls.
pub const ASK_TIMEOUT: Duration = Duration::from_secs(5);

/// The address of a process whose messages are `M`.
///
/// Valid from the moment the child is described, over all its restarts; what is told before the first start waits for it. After the process has ended for good, sends fail and give the message back.
pub struct Address<M> {
    pub(crate) shared: Arc<Shared<M>>,
}

impl<M: Send + 'static> Address<M> {
    /// Sends a message: at most once, in order with this sender's other messages. Never waits: what happens when the mailbox is full its
    /// [`Overflow`](crate::Overflow) says.
    ///
    /// # Errors
    /// [`TellError::Dead`] when the process has ended for good, [`TellError::Full`] when its mailbox holds as much as it may,
    /// [`TellError::TooLarge`] when it could never hold the message.
    /// The message comes back in the error.
    pub fn tell(&self, message: M) -> Result<(), TellError<M>> {
        self.shared.tell(message)
    }

    /// Sends a message made from a [`Reply`], and waits for what is replied, for at most [`ASK_TIMEOUT`].
    ///
    /// A process that waits for its own answer, in its own code and without receiving meanwhile, is told so at once:
    /// [`AskError::Circle`](crate::AskError::Circle). In debug builds so is one that closes a circle of processes of a system, in which each waits for nothing but the answer
    /// of another. It is reported too: [`Report::AskCircle`](crate::Report::AskCircle). One that waits for something else as well (a message, a
    /// time of its own) does not count, nor does one that has sent anything since it was asked, as it may have passed the reply on. A reply
    /// that it has given away by other means, to a thread or a channel, is taken for being with it.
    ///
    /// # Errors
    /// The future's: see [`AskError`](crate::AskError).
    ///
    /// # Cancel safety
    /// Dropping the future drops the question's reply; the question itself may be handled all the same.
    pub fn ask<T: Send + 'static>(&self, question: impl FnOnce(Reply<T>) -> M) -> Ask<T> {
        self.ask_timeout(ASK_TIMEOUT, question)
    }

    /// Asks, and waits for at most `limit`. Otherwise as [`Address::ask`].
    pub fn ask_timeout<T: Send + 'static>(
        &self,
        limit: Duration,
        question: impl FnOnce(Reply<T>) -> M,
    ) -> Ask<T> {
        Ask::by(&self.shared.core, limit, |reply| self.tell(question(reply)))
    }

    /// Waits until the process has ended for good, and says why.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn ended(&self) -> ExitReason {
        self.shared.core.ended().await
    }

    /// Says whether the process has ended for good.
    pub fn has_ended(&self) -> bool {
        self.shared.core.has_ended()
    }

    /// Sends an exit signal, as OTP's `exit/2`: it ends the process, for that reason, at its next poll, unless the process
    /// [traps](crate::Context::trap_exit) exits. [`ExitReason::Normal`] ends only who sends it to itself, from its own code;
    /// [`ExitReason::Killed`] cannot be trapped. Whether the process is restarted is its supervisor's affair.
    ///
    /// False: no incarnation runs, and nothing is done.
    pub fn exit(&self, reason: ExitReason) -> bool {
        let signal = ExitSignal { from: guard::current_pid(), name: None, reason, linked: false };
        let runs = self.shared.core.send_exit(signal);
        if runs {
            self.shared.wake();
        }
        runs
    }

    /// How many messages wait that the process has not yet taken.
    pub fn queued(&self) -> usize {
        self.shared.queued()
    }
}

impl<M: Send + 'static> Address<M> {
    /// Makes a dead letter of a message that this process has sent, and that is for nobody: [`Undelivered::Nobody`](crate::Undelivered::Nobody).
    pub fn dead_letter<T: 'static>(&self, message: T) {
        self.shared.bury_own(message);
    }
}

impl<M> Address<M> {
    /// Returns the process's pid; `None` before it was given to a supervisor.
    pub fn pid(&self) -> Option<Pid> {
        self.shared.core.pid()
    }

    /// Returns the process's name.
    pub fn name(&self) -> Option<&str> {
        self.shared.core.name().map(|name| &**name)
    }

    /// Returns which incarnation runs, or ran last: 1 is the first, 0 none yet.
    pub fn incarnation(&self) -> u32 {
        self.shared.core.incarnation()
    }
}

impl<M> Clone for Address<M> {
    fn clone(&self) -> Self {
        Address { shared: self.shared.clone() }
    }
}

/// Addresses are equal when they are of one process.
impl<M> PartialEq for Address<M> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<M> Eq for Address<M> {}

impl<M> Hash for Address<M> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.shared).hash(state);
    }
}

impl<M> fmt::Debug for Address<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.shared.core)
    }
}
