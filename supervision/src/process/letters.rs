//! Messages that were accepted and that nobody will handle: how they are dropped, and who hears of them.

use super::context::Context;
use super::core::Shared;
use super::guard;
use super::overflow::Overflow;
use crate::env::Env;
use crate::message::Msg;
use crate::pid::Pid;
use crate::plan::ExitReason;
use crate::report::{DeadLetter, DeadLetters, Undelivered};
use std::any::{Any, type_name};
use std::collections::VecDeque;

impl<M: Send + 'static> Shared<M> {
    /// Drops messages whose process has ended, each on its own: their destructors are foreign code. Returns how many there were. `reason`
    /// is why, if its last incarnation does not say so itself.
    pub(super) fn bury(&self, messages: VecDeque<M>, reason: &ExitReason) -> usize {
        let (count, wanted) = (messages.len(), self.letters_wanted());
        let mut letters: Vec<(&str, u64)> = Vec::new();
        for message in messages {
            if wanted.is_some() {
                add(&mut letters, type_of(&message));
            }
            guard::contain(|| drop(message));
        }
        if let Some(env) = wanted.filter(|_| count > 0) {
            let reason = self.core.last_reason().unwrap_or_else(|| reason.clone());
            for (message, count) in letters {
                self.publish(env, message, count, Undelivered::Ended(reason.clone()), None);
            }
        }
        count
    }

    /// Tells of a message that is dropped because of a full mailbox.
    pub(super) fn spilled_letter(&self, message: &M, rule: Overflow) {
        if let Some(env) = self.letters_wanted() {
            // Who drops the newest message is who sends it.
            let sender = match rule {
                Overflow::DropNewest => guard::current_pid(),
                _ => None,
            };
            self.publish(env, type_of(message), 1, Undelivered::Overflow(rule), sender);
        }
    }

    /// Drops a message that the process does not understand, and tells of it.
    pub(super) fn bury_foreign(&self, message: M, sender: Option<Pid>) {
        self.bury_one(message, Undelivered::NotUnderstood, sender);
    }

    /// Drops something that the process had to send, and nobody to send it to.
    pub(super) fn bury_own<T: 'static>(&self, message: T) {
        self.bury_one(message, Undelivered::Nobody, self.core.pid());
    }

    fn bury_one<T: 'static>(&self, message: T, reason: Undelivered, sender: Option<Pid>) {
        if let Some(env) = self.letters_wanted() {
            self.publish(env, type_of(&message), 1, reason, sender);
        }
        guard::contain(|| drop(message));
        self.dead_letters(1);
    }

    /// The surroundings, if somebody there wants to hear of this process's letters.
    fn letters_wanted(&self) -> Option<&Env> {
        self.core.env().filter(|env| env.letters().are_wanted() && !self.is_supervisor())
    }

    fn publish(
        &self,
        env: &Env,
        message: &'static str,
        count: u64,
        reason: Undelivered,
        sender: Option<Pid>,
    ) {
        let pid = self.core.pid().expect("it has surroundings");
        let (at, name) = (env.now().as_duration(), self.core.name().cloned());
        env.letters().publish(&DeadLetter {
            at,
            pid,
            name,
            message,
            count,
            reason,
            sender,
            missed: 0,
        });
    }
}

/// The type of a message, or of what it wraps.
pub(crate) fn type_of<M: 'static>(message: &M) -> &'static str {
    match (message as &dyn Any).downcast_ref::<Msg>() {
        Some(message) => message.type_name(),
        None => type_name::<M>(),
    }
}

/// Counts a message of this type.
fn add(letters: &mut Vec<(&'static str, u64)>, message: &'static str) {
    match letters.iter_mut().find(|(known, _)| *known == message) {
        Some((_, count)) => *count += 1,
        None => letters.push((message, 1)),
    }
}

impl<M: Send + 'static> Context<M> {
    /// Subscribes to the dead letters of the system that the process is in: see [`System::dead_letters`](crate::System::dead_letters).
    ///
    /// # Panics
    /// When `limit` is 0.
    pub fn dead_letters(&self, limit: usize) -> DeadLetters {
        self.env().letters().subscribe(limit)
    }
}
