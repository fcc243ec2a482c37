//! What becomes of a message for which the mailbox has no room, and of the count of those that were dropped.

use super::address::Address;
use super::circles;
use super::core::{Process, Shared};
use super::guard;
use super::sorted::Sorted;
use crate::mailbox::TellError;
use crate::plan::{ExitReason, Failure};
use crate::report::Losses;
use bastion_mailbox::PushError;
use std::error::Error;
use std::fmt;

/// What [`tell`](Address::tell) does when the mailbox is full. A mailbox without a limit is one of capacity [`usize::MAX`]; one in which newer messages take the
/// place of older ones is said by [`Child::coalesce_by`](crate::Child::coalesce_by). Who would rather wait for room uses [`send`](Address::send), whatever this says.
///
/// Messages that are dropped are dead letters. They are reported, and counted in [`Stats`](crate::Stats), at the first one, and then
/// whenever their number has doubled; the rest when the process ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// The message comes back, in [`TellError::Full`].
    #[default]
    Refuse,
    /// The message is dropped: the sender does not notice. For samples of which some may be missing.
    DropNewest,
    /// The message that has waited longest is dropped, to make room; with [priorities](crate::Child::priority) the oldest one of the lowest. For states of which only the last ones matter.
    DropOldest,
    /// The process ends with the error [`MailboxFull`], and is restarted if its rules say so, with what waits; the message comes back. For
    /// processes that must not fall behind: one that does not catch up after a restart ends again, and uses up its restarts.
    Stop,
}

/// A process has ended because its mailbox was full: see [`Overflow::Stop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailboxFull {
    /// How many messages waited.
    pub queued: usize,
}

impl fmt::Display for MailboxFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the mailbox is full: {} messages wait", self.queued)
    }
}

impl Error for MailboxFull {}

/// The rule of a mailbox that has one, and what it has dropped.
pub(super) struct Spill {
    rule: Overflow,
    dropped: Losses,
}

impl Spill {
    pub(super) fn new(rule: Overflow) -> Spill {
        Spill { rule, dropped: Losses::default() }
    }
}

impl<M: Send + 'static> Shared<M> {
    /// Queues a message, by the rule of the mailbox when there is no room.
    pub(super) fn tell(&self, message: M) -> Result<(), TellError<M>> {
        circles::sends();
        match self.mailbox.push(message) {
            Ok(()) => Ok(()),
            Err(PushError::Closed(message)) => self.closed(message),
            Err(PushError::Full(message)) => self.overflow(message),
        }
    }

    /// Queues a message as soon as there is room.
    pub(super) fn send(
        &self,
        message: M,
    ) -> impl Future<Output = Result<(), TellError<M>>> + Send + '_ {
        let pid = self.core.pid();
        let own = pid.is_some() && guard::current_pid() == pid;
        async move {
            circles::sends();
            let sent = match own {
                true => self.mailbox.push(message),
                false => self.mailbox.send(message).await,
            };
            // Who waits for room while the mailbox becomes a sorted one is told that the queue is closed, too.
            match (sent, self.sorted()) {
                (Err(PushError::Closed(message)), Some(sorted)) => match own {
                    true => self.push_sorted(sorted, message),
                    false => self.send_sorted(sorted, message).await,
                },
                (sent, _) => Ok(sent?),
            }
        }
    }

    #[cold]
    fn closed(&self, message: M) -> Result<(), TellError<M>> {
        match self.sorted() {
            Some(sorted) => self.tell_sorted(sorted, message),
            None => Err(TellError::Dead(message)),
        }
    }

    pub(super) fn overflow_rule(&self) -> Overflow {
        self.spill().map_or(Overflow::Refuse, |spill| spill.rule)
    }

    #[cold]
    pub(super) fn overflow(&self, message: M) -> Result<(), TellError<M>> {
        match self.overflow_rule() {
            Overflow::Refuse => Err(TellError::Full(message)),
            Overflow::DropNewest => {
                self.spilled(message);
                Ok(())
            }
            Overflow::DropOldest => self.displace(message),
            Overflow::Stop => {
                let queued = self.queued();
                self.core.doom(ExitReason::Error(Failure::new(MailboxFull { queued })));
                Err(TellError::Full(message))
            }
        }
    }

    /// Queues a message in place of the oldest one.
    fn displace(&self, mut message: M) -> Result<(), TellError<M>> {
        loop {
            match self.mailbox.pop_oldest() {
                Some(oldest) => self.spilled(oldest),
                // The receiver has taken all, or another sender is just writing, and may want this processor.
                None => std::thread::yield_now(),
            }
            message = match self.mailbox.push(message) {
                Ok(()) => return Ok(()),
                Err(PushError::Closed(message)) => return self.closed(message),
                Err(PushError::Full(message)) => message,
            };
        }
    }

    /// Drops a message that was accepted, or could have been.
    pub(super) fn spilled(&self, message: M) {
        let Some(spill) = self.spill() else { return };
        self.spilled_letter(&message, spill.rule);
        guard::contain(|| drop(message));
        let is_due = spill.dropped.add();
        let is_closed = self.sorted().map_or_else(|| self.mailbox.is_closed(), Sorted::is_closed);
        if self.core.env().is_some() && (is_closed || is_due) {
            self.dead_letters(spill.dropped.unreported());
        }
    }
}

impl<M> Shared<M> {
    /// How many dropped messages were not reported yet, now that the mailbox is closed; they are from now on.
    pub(super) fn unreported(&self) -> usize {
        self.spill().map_or(0, |spill| spill.dropped.at_the_end())
    }
}

impl<M: Send + 'static> Address<M> {
    /// Sends a message, and waits for room while the mailbox is full: back-pressure. Those who wait have their turn in the order in which
    /// they came. What a process sends to itself does not wait, but comes back: nobody else could make room.
    ///
    /// # Errors
    /// [`TellError::Dead`] when the process has ended for good, also while this waits; [`TellError::Full`] for a process's message to itself;
    /// [`TellError::TooLarge`] when there will never be room.
    /// The message comes back in the error.
    ///
    /// # Cancel safety
    /// A future that is dropped before it is ready has not sent its message.
    ///
    /// # Examples
    /// ```
    /// use bastion_supervision::{Context, Exit, Runtime, Sim, System, child};
    /// use std::time::Duration;
    /// let sim = Sim::new(1);
    /// sim.run(async {
    ///     let system = System::new(Runtime::sim(&sim));
    ///     let slow = child(|mut cx: Context<u32>| async move {
    ///         while let Some(_job) = cx.recv().await {
    ///             cx.sleep(Duration::from_secs(1)).await;
    ///         }
    ///         Ok(())
    ///     });
    ///     let slow = system.spawn_child(slow.mailbox_capacity(2)).unwrap();
    ///     for job in 0..10 {
    ///         slow.send(job).await.unwrap();
    ///     }
    ///     assert!(sim.now() >= Duration::from_secs(6));
    /// });
    /// ```
    pub fn send(&self, message: M) -> impl Future<Output = Result<(), TellError<M>>> + Send + '_ {
        self.shared.send(message)
    }
}
