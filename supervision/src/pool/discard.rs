//! Messages that a pool has taken and throws away: who is told.

use super::error::Discarded;
use crate::process::{Shared, guard, type_of};
use crate::report::{DeadLetter, Undelivered};
use crate::supervisor::Command;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What is called for each message that is thrown away.
pub(super) type OnDiscard<M> = Box<dyn Fn(M, Discarded) + Send + Sync>;

/// Who is told of messages that are thrown away, and how many there were. They are dead letters: reported at the first one, whenever their
/// number has doubled, and when nobody is left.
pub(super) struct Discards<M> {
    told: Option<OnDiscard<M>>,
    count: AtomicU64,
    reported: AtomicU64,
}

impl<M: 'static> Discards<M> {
    pub(super) fn new(told: Option<OnDiscard<M>>) -> Discards<M> {
        Discards { told, count: AtomicU64::new(0), reported: AtomicU64::new(0) }
    }

    /// Gives the message to who is to have it, and counts it.
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
        self.count.fetch_add(1, Relaxed);
    }

    /// Reports those that were not reported yet, if their number has doubled, or this is the `end`.
    pub(super) fn report(&self, pool: &Shared<Command>, end: bool) {
        let count = self.count.load(Relaxed);
        if count == 0 || !(end || count.is_power_of_two()) {
            return;
        }
        let Some(env) = pool.core.env() else { return };
        let before = self.reported.fetch_max(count, Relaxed);
        if count > before {
            env.dead_letters(&pool.core, (count - before) as usize);
        }
    }
}
