//! Messages that a pool has taken and throws away: who is told.

use super::error::Discarded;
use crate::process::{Shared, guard, type_of};
use crate::report::{DeadLetter, Losses, Undelivered};
use crate::supervisor::Command;

/// What is called for each message that is thrown away.
pub(super) type OnDiscard<M> = Box<dyn Fn(M, Discarded) + Send + Sync>;

/// Who is told of messages that are thrown away, and how many there were. They are dead letters.
pub(super) struct Discards<M> {
    told: Option<OnDiscard<M>>,
    losses: Losses,
}

impl<M: 'static> Discards<M> {
    pub(super) fn new(told: Option<OnDiscard<M>>) -> Discards<M> {
        Discards { told, losses: Losses::default() }
    }

    /// Gives the message to who is to have it, and counts it; with the others they are reported when that is due.
    pub(super) fn discard(&self, message: M, why: Discarded, pool: &Shared<Command>) {
        let core = &pool.core;
        if let (Some(env), Some(pid)) = (core.env(), core.pid())
            && env.letters().are_wanted()
        {
            env.letters().publish(&DeadLetter {
                at: env.now().as_duration(),
                pid,
                name: core.name().cloned(),
                message: type_of(&message),
                count: 1,
                reason: Undelivered::Discarded(why),
                sender: None,
                missed: 0,
            });
        }
        guard::contain(|| match &self.told {
            Some(told) => told(message, why),
            None => drop(message),
        });
        if self.losses.add() {
            self.report(pool);
        }
    }

    /// Reports those that were not reported yet, if anybody can be told.
    pub(super) fn report(&self, pool: &Shared<Command>) {
        let Some(env) = pool.core.env() else { return };
        let count = self.losses.unreported();
        if count > 0 {
            env.dead_letters(&pool.core, count);
        }
    }
}
